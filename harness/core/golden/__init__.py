"""
Golden traces: short hand-written histories and the verdicts they must get; docs/golden.md has the format.

They hold the oracle to account: a trace goes the way of a real record, through both witnesses, the gates, the checks and the
ledger, so a check that cannot fail or a gate that lets too much through shows here.
"""

from harness.core.golden.cast import Stage, build_stage
from harness.core.golden.loading import load_trace
from harness.core.golden.trace import Expected, Trace, TraceError, judge_trace, list_differences

__all__ = ["Expected", "Stage", "Trace", "TraceError", "build_stage", "judge_trace", "list_differences", "load_trace"]
