"""Retry: how often one order was sent, whether it was the same thing each time, and how long lay between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.core.backoff import Gap, build_gap
from harness.core.checks.layers import split_layers
from harness.core.checks.waits import count_failures, list_waits
from harness.core.estimate import FEWEST, estimate_backoff
from harness.core.verdict import CheckResult, Evidence, UnknownKind, build_held, build_unknown, build_violated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.history import Exchange, History
    from harness.core.outcomes import Retry

SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """Which calls count: the operations of the handoff and the order, and how often a client below may repeat a call."""

    operations: tuple[str, ...]
    order: int
    client_retries: int = 0


def check_attempts(
    history: History, sent: Sent, *, expected: int, declared: str, at_least: int | None = None
) -> CheckResult:
    """
    Judge how often one order was sent.

    Held when the calls on the wire equal `expected`, or are `at_least` so many where fewer are as good; with `client_retries` below the policy each of them may stand for up
    to that many more. Violated when there were more, or fewer and then no further one; unknown when there were fewer
    because one got through that was to fail: the fault bit less often than planned. A vendor that fails by itself where it was
    to answer, as one does that keeps an error under the key of the call, makes a further attempt right.
    """
    calls = history.attempts(sent.operations, sent.order)
    most = expected * (1 + sent.client_retries)
    observed = describe_attempts(calls) + (", and one that has not ended" if history.holding else "")
    evidence = show(calls)
    if (expected if at_least is None else at_least) <= len(calls) <= most:
        return build_held("attempts", declared, observed, evidence)
    if len(calls) < expected and calls and calls[-1].succeeded and not calls[-1].faults:
        observed += ": the last one was to fail, but met no fault"
        return build_unknown("attempts", declared, observed, UnknownKind.INTERFERENCE)
    if len(calls) > expected and _failed_by_itself(calls[expected - 1]):
        observed += (
            f": attempt {expected} was to get through, but was answered {calls[expected - 1].status} without a fault"
        )
        return build_unknown("attempts", declared, observed, UnknownKind.INTERFERENCE)
    return build_violated("attempts", declared, observed, evidence)


def _failed_by_itself(call: Exchange) -> bool:
    return not call.faults and call.server_status is not None and call.server_status >= SERVER_ERROR


def check_same_payload(history: History, sent: Sent, *, exactly_once: bool) -> CheckResult:
    """Judge whether every attempt carried the same payload under the same key, as a retry must."""
    calls = history.attempts(sent.operations, sent.order)
    declared = "the same payload under the same key in every attempt"
    bodies = {call.body_sha256 for call in calls if call.body_sha256}
    keys = {call.key for call in calls if call.key}
    targets = {call.path for call in calls}
    # Where every call carries a key, its address may change: a create that is repeated as an upsert is the same thing.
    # A call that never reached the vendor carries none, so keys are held against keys and addresses against addresses.
    found = next((each for each in (keys, targets if any(not call.key for call in calls) else ()) if len(each) > 1), ())
    if exactly_once and found:
        return build_violated("same_payload", declared, f"{len(found)} keys: {', '.join(sorted(found))}", show(calls))
    if len(bodies) > 1:
        return build_violated("same_payload", declared, f"{len(bodies)} different payloads", show(calls))
    return build_held("same_payload", declared, f"one payload in {len(calls)} attempts", show(calls))


def check_backoff(
    history: History,
    sent: Sent,
    retry: Retry,
    *,
    scale: float,
    pause_s: float = 0.0,
    breaker_failures: int = 0,
    retry_after_s: float = 0.0,
) -> CheckResult:
    """
    Judge the gaps between attempts against the declared backoff, both bounds of every gap.

    A gap is measured from the end of one attempt to the first byte of the next, on the tap's clock. Where the handoff's
    breaker may have opened in it, it may be longer by `pause_s`; where the vendor asked to wait `retry_after_s`, it may not
    be shorter than that. Unknown when the declared gaps are too short for the lab.
    What the waits look like, whatever is declared, is told beside it.
    """
    if sent.client_retries:
        return _judge_layers(history, sent, retry, scale=scale, retry_after_s=retry_after_s)
    judged = _judge_gaps(
        history,
        sent,
        retry,
        scale=scale,
        pause_s=pause_s,
        breaker_failures=breaker_failures,
        retry_after_s=retry_after_s,
    )
    own = retry_after_s <= build_gap(retry, 1, scale=scale).highest_s
    # Where the vendor asked for more than the policy would have waited, the waits are not the policy's.
    waits = list_waits(history, sent, breaker_failures=breaker_failures) if own else ()
    seen = [Evidence(f"observed: {estimate_backoff(waits)}")] if len(waits) >= FEWEST else []
    return replace(judged, evidence=(*judged.evidence, *seen), waits=waits)


def _judge_gaps(
    history: History,
    sent: Sent,
    retry: Retry,
    *,
    scale: float,
    pause_s: float,
    breaker_failures: int,
    retry_after_s: float,
) -> CheckResult:
    calls = history.attempts(sent.operations, sent.order)
    declared = f"{_gaps_declared(retry, scale)} between attempts"
    evidence: list[Evidence] = []
    gaps: list[Gap] = []
    early: list[str] = []
    late: list[tuple[float, str]] = []
    previous_s = 0.0
    for ordinal, (before, after) in enumerate(pairwise(calls), start=1):
        if ordinal >= retry.attempts:
            break  # an attempt too many is for the count to judge: no gap is declared before it
        gap = build_gap(retry, ordinal, scale=scale, previous_s=previous_s).at_least(retry_after_s)
        gaps.append(gap)
        observed_s = after.started - before.ended
        extra_s = pause_s if breaker_failures and count_failures(history, sent, after) >= breaker_failures else 0.0
        evidence.append(Evidence(f"gap {ordinal}: {observed_s:.2f} s, declared {gap}", after.started, after.id))
        sentence = f"gap {ordinal} was {observed_s:.2f} s, declared {gap}"
        if gap.is_early(observed_s):
            early.append(sentence)
        if late_s := gap.late_by_s(observed_s, extra_s=extra_s):
            late.append((late_s, sentence))
        previous_s = observed_s
    if early:
        return build_violated("backoff", declared, "; ".join(early), evidence)
    if late and retry.honour_retry_after and not retry_after_s:
        observed = f"{late[0][1]}, which a Retry-After may have asked for"
        return build_unknown("backoff", declared, observed, UnknownKind.NOT_OBSERVABLE)
    if late:
        observed = "; ".join(sentence for _, sentence in late)
        return build_violated("backoff", declared, observed, evidence, margin_s=max(late)[0])
    if gaps and not any(gap.is_tellable for gap in gaps):
        observed = f"a gap of {gaps[0]} cannot be told from none: a lower time.scale makes it longer"
        return build_unknown("backoff", declared, observed, UnknownKind.INTERFERENCE)
    return build_held("backoff", declared, describe_attempts(calls), evidence)


def describe_attempts(calls: Sequence[Exchange]) -> str:
    """Say how many attempts there were and when, from the first one on."""
    if not calls:
        return "no attempt"
    first = calls[0].started
    times = " ".join(f"{call.started - first:.2f}" for call in calls)
    return f"{len(calls)} attempt{'s' if len(calls) > 1 else ''} at {times} s"


def show(calls: Sequence[Exchange]) -> tuple[Evidence, ...]:
    """Turn calls into evidence."""
    return tuple(Evidence(str(call), call.started, call.id) for call in calls)


def _judge_layers(history: History, sent: Sent, retry: Retry, *, scale: float, retry_after_s: float) -> CheckResult:
    """
    Judge the gaps between runs of calls, each an attempt of the policy and what the client below it repeated.

    Too short is what cannot be a gap of the policy however the calls are shared out. Unknown where the client's gaps are not
    the shorter ones, and where the policy's may be as short as nothing: then nobody can tell them apart.
    """
    calls = history.attempts(sent.operations, sent.order)[: retry.attempts * (1 + sent.client_retries)]
    declared = f"{_gaps_declared(retry, scale)} between attempts, each of up to {1 + sent.client_retries} calls"
    gaps = [build_gap(retry, ordinal, scale=scale).at_least(retry_after_s) for ordinal in range(1, retry.attempts)]
    split = partial(split_layers, calls, client_retries=sent.client_retries, attempts=retry.attempts)
    if not calls:
        return build_unknown("backoff", declared, "no attempt", UnknownKind.VACUOUS)
    if not split(allows=lambda ordinal, wait_s: not gaps[ordinal - 1].is_early(wait_s)):
        observed = f"{describe_attempts(calls)}: however they are shared out, a gap is too short"
        return build_violated("backoff", declared, observed, show(calls))
    runs = split(
        allows=lambda ordinal, wait_s: (
            not gaps[ordinal - 1].is_early(wait_s) and not gaps[ordinal - 1].late_by_s(wait_s)
        )
    )
    repeated = [after.started - before.ended for run in runs for before, after in pairwise(run)]
    between = [after[0].started - before[-1].ended for before, after in pairwise(runs)]
    layered = bool(between) and max(repeated, default=0.0) < min(between)
    if not layered or not all(gap.lowest_s and gap.is_tellable for gap in gaps[: len(between)]):
        observed = "client retries hide the policy's own gaps"
        return build_unknown("backoff", declared, observed, UnknownKind.NOT_OBSERVABLE)
    evidence = [
        Evidence(f"attempt {ordinal}: {len(run)} call{'' if len(run) == 1 else 's'}", run[0].started, run[0].id)
        for ordinal, run in enumerate(runs, start=1)
    ]
    return build_held("backoff", declared, f"{len(calls)} calls, {len(runs)} attempts of the policy", evidence)


def _gaps_declared(retry: Retry, scale: float) -> str:
    gaps = [build_gap(retry, ordinal, scale=scale) for ordinal in range(1, retry.attempts)]
    return ", ".join(str(gap) for gap in gaps) or "no gap"
