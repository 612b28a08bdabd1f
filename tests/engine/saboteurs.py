"""What the verdict must be when somebody sabotages the harness."""

from harness.core.verdict import Outcome


def assert_unknown(result, kind, exit_code, *, saying=""):
    """
    Assert that the verdict says nothing of the integration, why, and that a run with it ends with 10.

    A machine that is too busy may disturb the lab as well, and say so first; what was sabotaged must be told all the same.
    """
    verdict = result.verdict
    assert verdict.outcome is Outcome.UNKNOWN, verdict.reason
    told = {gate.kind: gate.detail for gate in reversed(verdict.gates) if not gate.passed and saying in gate.detail}
    told |= {check.kind: check.observed for check in verdict.checks if saying in check.observed}
    assert kind in told, verdict.reason
    stalled = any("not scheduled" in gate.detail for gate in verdict.gates if not gate.passed)
    assert verdict.kind is kind or stalled, verdict.reason
    assert exit_code(result) == 10
