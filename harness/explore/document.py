"""explore.json: what a search came to, as one document; its shape is given in docs/contract.md."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.confidence import bound_above
from harness.core.verdict import Outcome
from harness.explore.search import CONFIDENCE
from harness.report.run_json import build_experiment, build_head
from harness.wire.privacy import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.core.regression import Regression
    from harness.explore.hunt import Ended, Finding, Hunted, Limits
    from harness.report.run_json import RunInfo

SCHEMA = "handoff-explore/1"
PHASES = ("drawn", "smaller", "again")


@dataclass(slots=True)
class Tally:
    """What is counted of trials as they end: by why they were made, and by verdict."""

    phases: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    held_drawn: int = 0
    seconds: float = 0.0

    def count(self, ended: Ended) -> None:
        """Count one."""
        outcome = ended.conducted.result.verdict.outcome
        self.phases[ended.phase] += 1
        self.verdicts[str(outcome)] += 1
        self.held_drawn += ended.phase == "drawn" and outcome is Outcome.HELD


def name_file(finding: Finding) -> str:
    """Name the file of a finding: the same schedule has the same file, whenever it is found."""
    experiment = finding.result.experiment
    return f"{experiment.handoff}-{experiment.shape}.yaml"


def build_exploration(
    info: RunInfo, limits: Limits, menu: Iterable[str], hunted: Hunted, tally: Tally, stored: Mapping[str, Path | str]
) -> dict[str, Any]:
    """
    Build the document of a search; `stored` says by file name where each finding is kept, or in words why it is not.

    `fewer_than` is the share of such schedules that is not reached, with the confidence beside it, where none of those drawn broke
    a promise.
    """
    none = not hunted.findings and tally.held_drawn
    document = {
        **build_head(info, SCHEMA),
        "budget_s": limits.seconds,
        "seconds": round(tally.seconds, 2),
        "menu": list(menu),
        "drawn": tally.phases["drawn"],
        "trials": {phase: tally.phases[phase] for phase in PHASES},
        "verdicts": {str(outcome): tally.verdicts[str(outcome)] for outcome in Outcome},
        "confidence": CONFIDENCE,
        "fewer_than": round(bound_above(0, tally.held_drawn, confidence=CONFIDENCE), 4) if none else None,
        "failure": str(hunted.failure) if hunted.failure is not None else None,
        "found": [_show_finding(info, each, stored) for each in hunted.findings],
    }
    return OURS.redact_fields(document)


def _show_finding(info: RunInfo, finding: Finding, stored: Mapping[str, Path | str]) -> dict[str, Any]:
    found, regression = finding.found, finding.regression
    place = stored.get(name_file(finding))
    kept = place is not None and not isinstance(place, str)
    shown = build_experiment(info, finding.result)
    words = [
        "handoff",
        "run",
        info.stack_path,
        *info.integration,
        "--regressions",
        str(place),
        "--seed",
        str(info.seed),
    ]
    return {
        "id": finding.result.experiment.id,
        "strikes": _show_strikes(regression),
        "slots": found.schedule.slots,
        "drawn": {"strikes": len(found.drawn), "slots": found.drawn.slots},
        "broken": sorted(found.broken),
        "declared": shown["declared"],
        "observed": shown["observed"],
        "hits": found.hits,
        "runs": found.runs,
        "at_least": regression.at_least,
        "smallest": found.whole,
        "file": str(place) if kept else None,
        "not_kept": place if isinstance(place, str) else None,
        "reproduce": shlex.join(words) if kept else None,
        "experiment": {name: value for name, value in shown.items() if name != "reproduce"},
    }


def _show_strikes(regression: Regression) -> list[dict[str, Any]]:
    return [
        {
            "fault": each.fault,
            "order": each.order or "every",
            "attempt": each.attempt or "every",
            "begins": each.begins,
            "lasts": each.lasts,
        }
        for each in regression.schedule.strikes
    ]
