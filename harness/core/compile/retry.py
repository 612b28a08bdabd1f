"""Retry: fails once, fails to the last but one, fails every time; and for `any` the failures no other path names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, longest_s, total_s
from harness.core.checks.dead_letter import check_dead_letter, check_no_dead_letter
from harness.core.checks.queue import check_case
from harness.core.checks.resolution import check_resolved_once
from harness.core.checks.retry import check_attempts, check_backoff, check_same_payload
from harness.core.compile.failures import HANG, Failure, ask_to_wait, choose_failure, list_further, list_unasked
from harness.core.compile.frame import HORIZON, LEAST_HORIZON_S, PATIENCE_S, Frame
from harness.core.conditions import AnyOf, Attempted, Condition, DeadLettered, Queued
from harness.core.ends import build_end
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Watch
from harness.core.outcomes import SLUGS, Branch, DeadLetter, Queue, Reconcile, Recover, Resend, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.ends import EndState
    from harness.core.outcomes import Outcome
    from harness.core.stack import Path


# A vendor that asks for more time than the first declared gap shows whether it is listened to.
RETRY_AFTER = 4
LEAST_RETRY_AFTER_S = 1.0
# What a branch or a reconciliation may send for one order, beside the attempts that failed.
MOST_FURTHER = 3
# The failures whose answer may say when to come again.
ASKING = frozenset({"rate_limited", "status"})
CARRIED_OUT = Gap("every attempt failing", "what is carried out once is not sought again by everybody")


def compile_retry(frame: Frame, path: Path, retry: Retry) -> Iterator[Experiment | Gap]:
    """Compile a retry clause; a path whose failure cannot be brought about yields nothing."""
    failure = choose_failure(frame.handoff, path.on)
    if failure is None:
        return
    if retry.honour_retry_after:
        yield from _compile_asked(frame, retry, failure)
        # Elsewhere the vendor asks for no more than the policy waits anyway, so that the policy's own gaps show.
        failure = ask_to_wait(failure, retry.initial_s) if failure.kind == "rate_limited" else failure
    if retry.attempts > 1:
        yield build_recovering(frame, retry, failure, shape="once", failures=1)
    if retry.attempts > 2:
        yield build_recovering(frame, retry, failure, shape="last", failures=retry.attempts - 1)
    if failure.carries_out:
        yield CARRIED_OUT
    else:
        yield from compile_exhausted(frame, retry, failure, path.then)
    for shape, other in list_further(frame, path):
        if retry.attempts > 1:
            yield build_recovering(frame, retry, other, shape=shape, failures=1)
        else:
            yield from compile_exhausted(frame, retry, other, path.then, shape=shape)
    yield from list_unasked(frame, path)
    if retry.max_s is not None and retry.attempts > 1 and retry.max_s not in retry.gaps_s:
        yield Gap("the longest gap", f"{retry.attempts} attempts never wait as long as that: their gaps stay below it")


def _compile_asked(frame: Frame, retry: Retry, failure: Failure) -> Iterator[Experiment | Gap]:
    """Compile a vendor that asks for a longer wait than the first gap, which a policy listens to: where its answer can say so."""
    if retry.attempts == 1:
        yield Gap("retry-after", "no further attempt is declared that could wait")
    elif failure.kind not in ASKING:
        yield Gap("retry-after", "there is no answer that could ask for a wait")
    else:
        asked_s = RETRY_AFTER * max(retry.initial_s, LEAST_RETRY_AFTER_S)
        yield build_recovering(frame, retry, ask_to_wait(failure, asked_s), shape="retry-after", failures=1)


def build_recovering(frame: Frame, retry: Retry, failure: Failure, *, shape: str, failures: int) -> Experiment:
    """Build an experiment in which the first `failures` attempts fail and the next one gets through."""
    expected = failures + 1
    # Whoever learns by other means that a call was carried out, as by the vendor's webhook, need not send it again.
    at_least = 1 if failure.carries_out else expected
    fault = failure.build(frame.handoff, orders=(1,), attempts=tuple(range(1, expected)), expected=failures)
    asked_s = read_retry_after_s(frame, retry, failure)
    waiting_s = total_s(retry, scale=frame.scale) + paused_s(frame, failure, failures) + asked_s * failures
    declared = f"{expected} attempts{' at most' if failure.carries_out else ''}, the last one succeeding"
    by_policy_s = waiting_s * HORIZON + failures * HANDLING_S
    allowed_s = bound_s(frame, failure, by_policy_s)
    # Where the vendor has done it already, its record says nothing of the attempts to come.
    sent = Attempted(frame.handoff.operations, expected, 1)
    again = [Await(sent, within_s=by_policy_s, declared_s=waiting_s)] if failure.carries_out else []
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            *again,
            Await(concluded(frame), within_s=allowed_s + frame.patience_s, declared_s=waiting_s),
            watch_further_attempt(frame, retry, expected + 1),
        ],
        checks=[*attempts_checks(frame, retry, expected, declared, asked_s, at_least), *posted_checks(frame)],
        needs=["dead_letters"],
    )


def compile_exhausted(
    frame: Frame, retry: Retry, failure: Failure, then: Outcome | None, *, shape: str = "exhausted"
) -> Iterator[Experiment | Gap]:
    """
    Compile the end of all attempts: a dead letter, a case, nothing that is declared, or what resolves the order all the same.

    Where nothing is declared, the ledger still asks where the order is.
    """
    match then:
        case None | DeadLetter() | Queue():
            yield _build_exhausted(frame, retry, failure, then, shape)
        case Branch() | Reconcile() | Recover() | Resend():
            yield build_healed(frame, retry, failure, then, shape=shape)
        case _:
            what = SLUGS[type(then)]
            yield Gap(
                "every attempt failing",
                f"`{what}` is nothing that can be done about a call when the last attempt failed",
            )


def _build_exhausted(
    frame: Frame, retry: Retry, failure: Failure, then: DeadLetter | Queue | None, shape: str
) -> Experiment:
    """Build an experiment in which every attempt fails: the declared number of them, then what is declared to follow."""
    fault = failure.build(frame.handoff, orders=(1,), expected=retry.attempts)
    waiting_s = total_s(retry, scale=frame.scale) + paused_s(frame, failure, retry.attempts - 1)
    waiting_s += read_retry_after_s(frame, retry, failure) * (retry.attempts - 1)
    within_s = bound_s(frame, failure, waiting_s * HORIZON + retry.attempts * HANDLING_S) + frame.patience_s
    put_down, aside = _describe_end(frame, then, within_s)
    used_up = AnyOf((*put_down, Attempted(frame.handoff.operations, retry.attempts, 1)))
    seen = "queues" if isinstance(then, Queue) else "dead_letters"
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(used_up, within_s=within_s, declared_s=waiting_s),
            *(Await(each, within_s=PATIENCE_S, needs=seen) for each in put_down),
            watch_further_attempt(frame, retry, retry.attempts + 1, paused=opens(frame, failure, retry.attempts)),
        ],
        checks=[
            *attempts_checks(
                frame,
                retry,
                retry.attempts,
                f"{retry.attempts} attempts, then {_say_end(then)}",
                read_retry_after_s(frame, retry, failure),
            ),
            *aside,
        ],
        needs=["dead_letters"],
    )


def build_healed(
    frame: Frame, retry: Retry, failure: Failure, then: Branch | Reconcile | Recover | Resend, *, shape: str
) -> Experiment:
    """
    Build an experiment in which every attempt fails, and what follows resolves the order all the same.

    Only the declared attempts meet the fault: whatever else is sent for the order then gets through, unless it is to end
    elsewhere.
    """
    end, within_s = _find_healing(frame, then)
    attempts = None if end != frame.end else tuple(range(1, retry.attempts + 1))
    fault = failure.build(frame.handoff, orders=(1,), attempts=attempts, expected=retry.attempts)
    waiting_s = total_s(retry, scale=frame.scale) + paused_s(frame, failure, retry.attempts - 1)
    waiting_s += read_retry_after_s(frame, retry, failure) * (retry.attempts - 1) + within_s
    allowed_s = bound_s(frame, failure, waiting_s * HORIZON + (retry.attempts + 1) * HANDLING_S)
    further = then.attempts if isinstance(then, Resend) else MOST_FURTHER
    least = retry.attempts if end != frame.end else retry.attempts + 1
    sent = partial(
        check_attempts,
        sent=frame.sent(),
        expected=retry.attempts + further,
        at_least=least,
        declared=f"{retry.attempts} attempts, and then what resolves it",
    )
    resolved = partial(check_resolved_once, end=end, orders=(1,), within_s=allowed_s, since=frame.begins.action)
    return frame.build(
        shape,
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(1),
            Await(
                AnyOf((frame.resolved(1, end=end), DeadLettered(frame.handoff.id, (1,)))),
                within_s=allowed_s + frame.patience_s,
                declared_s=waiting_s,
            ),
            Watch(frame.horizon_s, "a second record"),
        ],
        checks=[
            Check("attempts", sent),
            Check("resolved_once", resolved),
            *posted_checks(frame, end=end)[1:],
        ],
        needs=["dead_letters"],
    )


def _find_healing(frame: Frame, then: Branch | Reconcile | Recover | Resend) -> tuple[EndState, float]:
    """Return where an order ends by what follows its last attempt, and how long that may take in lab seconds."""
    match then:
        case Branch():
            return (build_end(then.resolved_when) if then.resolved_when else frame.end), frame.within_s
        case Resend():
            return frame.end, frame.lab_s(then.after_s) if then.after_s is not None else frame.within_s
        case _:
            return frame.end, frame.lab_s(then.within_s)


def _describe_end(
    frame: Frame, then: DeadLetter | Queue | None, within_s: float
) -> tuple[list[Condition], list[Check]]:
    """Return what shows that an order was put aside after its last attempt, and what is asked of that."""
    handoff = frame.handoff.id
    match then:
        case None:
            return [], []
        case Queue():
            case = partial(
                check_case,
                handoff=handoff,
                order=1,
                role=then.role,
                sla_s=frame.find_sla_s(then),
                horizon_s=within_s,
            )
            return [Queued(handoff, (1,))], [Check("case", case)]
        case DeadLetter():
            letter = partial(check_dead_letter, sent=frame.sent(), handoff=handoff, horizon_s=within_s)
            return [DeadLettered(handoff, (1,))], [Check("dead_letter", letter)]


def _say_end(then: DeadLetter | Queue | None) -> str:
    if then is None:
        return "nothing more"
    return "dead letter" if isinstance(then, DeadLetter) else f"a case for {then.role}"


def read_retry_after_s(frame: Frame, retry: Retry, failure: Failure) -> float:
    """Return what the failing vendor asks to wait, in lab seconds; 0 where the policy does not listen."""
    asked_s = float(failure.params.get("retry_after_s") or 0.0)
    return frame.lab_s(asked_s) if retry.honour_retry_after else 0.0


def concluded(frame: Frame, order: int = 1, *, end: EndState | None = None) -> Condition:
    """Build the condition that nothing more needs to be awaited for an order: it is posted, put aside, or a role's to decide."""
    held = (Queued(frame.handoff.id, (order,)),) if frame.asks_roles else ()
    return AnyOf((frame.resolved(order, end=end), DeadLettered(frame.handoff.id, (order,)), *held))


def watch_further_attempt(frame: Frame, retry: Retry, attempts: int, *, order: int = 1, paused: bool = False) -> Watch:
    """
    Watch for an attempt that must not follow, as long as the longest declared gap could still produce it.

    Where the failures have opened the breaker (`paused`), only after its pause could one follow. Where no dead letter
    would show that the last attempt was made, one more could follow after the gap that comes next.
    """
    breaker = frame.handoff.breaker
    pause_s = frame.lab_s(breaker.pause_s) if paused and breaker is not None else 0.0
    shown = frame.stack.integration.observe.dead_letters is not None
    retried = retry if shown or attempts <= retry.attempts else replace(retry, attempts=attempts)
    for_s = max(LEAST_HORIZON_S, HORIZON * (pause_s + longest_s(retried, scale=frame.scale)))
    return Watch(for_s, "a further attempt", until=Attempted(frame.handoff.operations, attempts, order))


def bound_s(frame: Frame, failure: Failure, by_policy_s: float) -> float:
    """
    Return how long what follows a failure may take, in lab seconds: what the policy says, without the time until it is noticed.

    How long a client waits for an answer is its own affair, bounded only by what the handoff declares as a whole.
    """
    return max(by_policy_s, frame.within_s) if failure is HANG else by_policy_s


def opens(frame: Frame, failure: Failure, failures: int) -> bool:
    """Tell whether so many failures in a row of one order open the breaker of the handoff."""
    breaker = frame.handoff.breaker
    return breaker is not None and failure.counts_for_breaker and failures >= breaker.failures


def paused_s(frame: Frame, failure: Failure, failures: int) -> float:
    """Return how long the breaker holds an order up that fails so often before it is sent again, in lab seconds."""
    breaker = frame.handoff.breaker
    if breaker is None or not opens(frame, failure, failures):
        return 0.0
    return (failures - breaker.failures + 1) * frame.lab_s(breaker.pause_s)


def attempts_checks(
    frame: Frame,
    retry: Retry,
    expected: int,
    declared: str,
    retry_after_s: float = 0.0,
    at_least: int | None = None,
) -> list[Check]:
    """List what every retry owes: the number, the same payload, the gaps, none shorter than a vendor asked for."""
    sent = frame.sent()
    breaker = frame.handoff.breaker
    once = frame.handoff.effects == "exactly_once"
    gaps = partial(
        check_backoff,
        sent=sent,
        retry=retry,
        scale=frame.scale,
        pause_s=frame.lab_s(breaker.pause_s) if breaker else 0.0,
        breaker_failures=breaker.failures if breaker else 0,
        retry_after_s=retry_after_s,
    )
    return [
        Check("attempts", partial(check_attempts, sent=sent, expected=expected, declared=declared, at_least=at_least)),
        Check("backoff", gaps),
        Check("same_payload", partial(check_same_payload, sent=sent, exactly_once=once)),
    ]


def posted_checks(frame: Frame, *orders: int, end: EndState | None = None) -> list[Check]:
    """
    List what a handoff owes that gets through in the end: resolved once, nothing put aside.

    Where dead letters are not shown, an order that is resolved once is proof enough.
    """
    about = orders or (1,)
    checks = [Check("resolved_once", partial(check_resolved_once, end=end or frame.end, orders=about))]
    if frame.stack.integration.observe.dead_letters is not None:
        for holder in frame.holders if frame.handoff.protocol == "webhook" else (frame.handoff.id,):
            name = "no_dead_letter" if holder == frame.handoff.id else f"no_dead_letter {holder}"
            checks.append(Check(name, partial(check_no_dead_letter, handoff=holder, orders=about)))
    return checks
