"""Negatives: an answer that is nearly the declared one, and another path's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.compile.dead_letter import build_first
from harness.core.compile.failures import BY_STATUS, Failure, choose_unlisted
from harness.core.compile.occasion import Occasion
from harness.core.compile.queue import build_opened
from harness.core.compile.retry import build_recovering, compile_exhausted
from harness.core.experiments import Gap
from harness.core.outcomes import DeadLetter, Queue, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.experiments import Experiment
    from harness.core.stack import Path
    from harness.core.triggers import Trigger

OTHER_TEXT = "A value of this record is not acceptable"
# Codes that share a status, which no code without a name has: of Stripe's errors those about a card, all of them 402. At every
# other vendor an unlisted code comes with the status of most refusals, and the path for `any` has an experiment on that.
SIBLINGS = {"stripe": ("card_declined", "expired_card", "incorrect_cvc")}


def compile_negative(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    """Compile the same code with another text, or another code with the same status: what the next path makes of it."""
    if path.on.code is None:
        return
    neighbours = list(_list_neighbours(frame, path.on))
    fallback = _find_fallback(frame, path.on)
    if not neighbours:
        yield Gap("another code", _explain_unlisted(frame, fallback))
    for shape, failure in neighbours:
        if fallback is None:
            yield Gap(shape, _explain_unlisted(frame, fallback))
        else:
            yield from _compile_neighbour(frame, fallback, shape, failure)


def _explain_unlisted(frame: Frame, fallback: Path | None) -> str:
    """Say why nothing is asked of an answer that is nearly that of a code."""
    if choose_unlisted(frame.handoff) is None:
        return BY_STATUS
    if fallback is None:
        return "no path takes it, so nothing is declared of it"
    return f"it comes with the status of most refusals, and `{fallback.slug}` is asked about one"


def _compile_neighbour(frame: Frame, fallback: Path, shape: str, failure: Failure) -> Iterator[Experiment | Gap]:
    """Have the path that takes an answer do with it what it declares."""
    match fallback.outcome:
        # A gateway keeps what it answered under the key of the call: every attempt meets the refusal, not only the first.
        case Retry() as retry if frame.target_fake == "stripe" or retry.attempts == 1:
            yield from compile_exhausted(frame, retry, failure, fallback.then, shape=shape)
        case Retry() as retry:
            yield build_recovering(frame, retry, failure, shape=shape, failures=1)
        case DeadLetter() as rule:
            yield build_first(frame, fallback.dead_letter or rule, failure, shape=shape)
        case Queue() as queue:
            yield build_opened(frame, queue, Occasion(failure, calls=1), shape=shape)
        case _:
            yield Gap(shape, f"`{fallback.slug}` takes it, and is asked about its own failures")


def _list_neighbours(frame: Frame, trigger: Trigger) -> Iterator[tuple[str, Failure]]:
    if trigger.text is not None:
        yield "other-text", Failure("error", params={"code": trigger.code, "text": OTHER_TEXT})
        return
    siblings = SIBLINGS.get(frame.target_fake or "", ())
    named = {path.on.code for path in frame.handoff.paths}
    other = next((code for code in siblings if code not in named), None)
    if trigger.code in siblings and other is not None:
        yield "other-code", Failure("error", params={"code": other})


def _find_fallback(frame: Frame, trigger: Trigger) -> Path | None:
    """
    Find the path that takes what is nearly a code's answer: the next one, by specificity, that matches it.

    None where a path might catch it by the status it comes with.
    """
    if choose_unlisted(frame.handoff) is None:
        return None
    for path in frame.handoff.by_specificity:
        same_code = trigger.text is not None and path.on.code == trigger.code and path.on.text is None
        if same_code or path.on.condition == "any":
            return path
    return None
