"""Negatives: an answer that is nearly the declared one, and another path's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.compile.failures import Failure, choose_unlisted
from harness.core.compile.retry import build_recovering, compile_exhausted
from harness.core.outcomes import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.compile.frame import Frame
    from harness.core.experiments import Experiment, Gap
    from harness.core.stack import Path
    from harness.core.triggers import Trigger

OTHER_TEXT = "A value of this record is not acceptable"
# Codes that share a status, which no code without a name has: of Stripe's errors those about a card, all of them 402. At every
# other vendor an unlisted code comes with the status of most refusals, and the path for `any` has an experiment on that.
SIBLINGS = {"stripe": ("card_declined", "expired_card", "incorrect_cvc")}


def compile_negative(frame: Frame, path: Path) -> Iterator[Experiment | Gap]:
    """Compile the same code with another text, or another code with the same status: where the next path retries what it takes."""
    fallback = _find_fallback(frame, path.on)
    if fallback is None or not isinstance(fallback.outcome, Retry) or fallback.outcome.attempts < 2:
        return
    for shape, failure in _list_neighbours(frame, path.on):
        # A gateway keeps what it answered under the key of the call: every attempt meets the refusal, not only the first.
        if frame.target_fake == "stripe":
            yield from compile_exhausted(frame, fallback.outcome, failure, fallback.then, shape=shape)
        else:
            yield build_recovering(frame, fallback.outcome, failure, shape=shape, failures=1)


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
    if trigger.code is None or choose_unlisted(frame.handoff) is None:
        return None
    for path in frame.handoff.by_specificity:
        same_code = trigger.text is not None and path.on.code == trigger.code and path.on.text is None
        if same_code or path.on.condition == "any":
            return path
    return None
