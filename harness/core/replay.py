"""Judge experiments again from their stored records, with the checks their stack compiles to. Nothing runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.core.archive import DRIVEN, RESTED, find_moments, list_damages
from harness.core.compile import compile_stack
from harness.core.history import History, Trouble
from harness.core.judging import judge_whole
from harness.core.record import Growing, Scope
from harness.core.result import Result, Timing
from harness.core.verdict import UnknownKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.core.archive import Stored
    from harness.core.experiments import Experiment
    from harness.core.stack import Stack

_NO_TIME = Timing(0.0, 0.0, 0.0, 0.0)


def judge_again(stack: Stack, chosen: Iterable[str], stored: Iterable[Stored]) -> Iterator[Result]:
    """
    Judge every chosen experiment again, in their order; one that was run twice rests on its second run, as in a run.

    What is damaged or missing in the record is a trouble of the harness: such a verdict is unknown, whatever else was seen.
    """
    plans = _Plans(stack)
    by_id: dict[str, list[Stored]] = {}
    for each in stored:
        by_id.setdefault(each.experiment, []).append(each)
    for name in chosen:
        experiment = plans.find(name)
        if experiment is None:
            continue
        result: Result | None = None
        for run in by_id.get(name, ()):
            result = replace(judge_stored(stack, plans.find(name, run) or experiment, run), rerun_of=result)
        yield result or _judge_nothing(experiment)


def judge_stored(stack: Stack, experiment: Experiment, stored: Stored) -> Result:
    """Judge one stored experiment again, and let go of its entries: what can be asked of them is in its histories then."""
    driven, rested = _build_histories(stack, experiment, stored)
    stored.entries.clear()
    judgement = judge_whole(experiment, driven, rested)
    timing = Timing(**stored.head["timing"]) if stored.head is not None and "timing" in stored.head else _NO_TIME
    return Result(experiment, judgement.verdict, driven, timing, judgement.ledger, stored.lab)


def _build_histories(stack: Stack, experiment: Experiment, stored: Stored) -> Iterator[History]:
    """Build the history of each moment, the later one out of the earlier one and what came after it."""
    damages = tuple(list_damages(stored))
    head = stored.head or {}
    origin, pattern = head.get("origin_mono", 0.0), stack.integration.entity
    entity = re.compile(pattern) if pattern is not None else None
    growing = Growing(Scope(origin, origin, experiment.faults, frozenset(head.get("observable", ())), entity))
    moments, earlier = find_moments(stored) if "origin_mono" in head else {}, None
    for moment in (DRIVEN, RESTED):
        known = moments.get(moment)
        if known is None:
            yield _build_damaged(damages)
            continue
        try:
            growing.take(known.list_since(earlier))
            history = growing.history(origin + known.now)
        except Exception as error:  # noqa: BLE001 - as in a run: a record that cannot be read is a trouble, no crash
            damages = (f"the record cannot be read: {type(error).__name__}: {error}",)
            moments = {}
            yield _build_damaged(damages)
            continue
        earlier = known
        yield replace(history, troubles=(*history.troubles, *_list_troubles(damages, history.now)))


@dataclass(slots=True)
class _Plans:
    """The experiments of a stack, and of what was left of it where a handoff could not be driven; each compiled once."""

    stack: Stack
    compiled: dict[frozenset[str], dict[str, Experiment]] = field(default_factory=dict)

    def find(self, name: str, stored: Stored | None = None) -> Experiment | None:
        """Find an experiment as it was run: no order was expected to pass a handoff that its ledger did not know."""
        declared = frozenset(each.id for each in self.stack.handoffs)
        stations = stored.head.get("stations") if stored is not None and stored.head is not None else None
        known = declared if stations is None else declared & frozenset(stations)
        if known not in self.compiled:
            left = replace(self.stack, handoffs=tuple(each for each in self.stack.handoffs if each.id in known))
            self.compiled[known] = {each.id: each for each in compile_stack(left).experiments}
        return self.compiled[known].get(name)


def _judge_nothing(experiment: Experiment) -> Result:
    history = _build_damaged(("nothing of it is stored",))
    judgement = judge_whole(experiment, history, history)
    return Result(experiment, judgement.verdict, history, _NO_TIME)


def _build_damaged(damages: tuple[str, ...]) -> History:
    return History(0.0, troubles=_list_troubles(damages, 0.0))


def _list_troubles(damages: tuple[str, ...], now: float) -> tuple[Trouble, ...]:
    return tuple(Trouble(now, UnknownKind.INTERFERENCE, f"the stored record: {damage}") for damage in damages)
