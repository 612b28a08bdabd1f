"""The document of a run whose record was judged again, and where that differs from what was stored."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import TYPE_CHECKING, Any

from harness.core.compile import compile_stack
from harness.core.replay import judge_again
from harness.core.result import Skipped
from harness.report.run_json import RunInfo, build_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.core.archive import Stored
    from harness.core.stack import Stack

    Document = Mapping[str, Any]

# What makes two verdicts the same, whatever words they are given in.
_SAME = ("verdict", "unknown_kind")


def build_replay(document: Document, stack: Stack, stored: Iterable[Stored]) -> dict[str, Any]:
    """
    Build the document of a stored run anew, every verdict judged again from its record.

    It is run.json with one field more, `replay`, whose `differences` name each experiment with what it `was` and `is`.
    """
    chosen = list(dict.fromkeys(each["id"] for each in document["experiments"]))
    results = list(judge_again(stack, chosen, stored))
    skipped = [Skipped(each["id"], each["reason"], each.get("applicable", True)) for each in document["skipped"]]
    built = build_run(_read_info(document, stack), compile_stack(stack), results, skipped)
    for key, item in _number(built["experiments"]).items():
        # How a run is repeated is not judged; its words stand in the run alone.
        item["reproduce"] = _number(document["experiments"]).get(key, item)["reproduce"]
    return built | {"replay": {"differences": list(_list_differences(document, built))}}


def _read_info(document: Document, stack: Stack) -> RunInfo:
    started = dt.datetime.fromisoformat(document["started_at"])
    finished = document.get("finished_at")
    return RunInfo(
        run_id=document["run_id"],
        stack=stack,
        stack_path=document["stack_path"],
        seed=document["seed"],
        engine=document["engine"],
        lab=document["lab"],
        labs=document["labs"],
        started_at=started,
        today=started.date(),
        versions=document["versions"],
        interrupted=document["interrupted"],
        finished_at=dt.datetime.fromisoformat(finished) if finished else None,
    )


def _list_differences(document: Document, built: Document) -> Iterator[dict[str, Any]]:
    now = _number(built["experiments"])
    was = _number(document["experiments"])
    for key, before in was.items():
        after = now.get(key)
        if after is None:
            missing = {
                "verdict": "unknown",
                "reason": "it could not be judged again: the stack compiles to no such experiment",
            }
            yield {
                "id": key[0],
                "was": _show(before),
                "is": missing if key[0] not in {name for name, _ in now} else None,
            }
        elif any(before.get(name) != after.get(name) for name in _SAME):
            yield {"id": key[0], "was": _show(before), "is": _show(after)}
    for key, after in now.items():
        if key not in was:
            yield {"id": key[0], "was": None, "is": _show(after)}


def _show(item: Document) -> dict[str, Any]:
    return {name: item[name] for name in (*_SAME, "reason") if name in item}


def _number(items: Iterable[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Tell the runs of one experiment apart: a disturbed one stands before its second run."""
    numbers: dict[str, count[int]] = {}
    return {(item["id"], next(numbers.setdefault(item["id"], count()))): item for item in items}
