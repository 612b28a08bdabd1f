"""Session: one call meets an expired session, several at once do, and a vendor that refuses every new one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S, total_s
from harness.core.checks.session import check_no_storm, check_renewed
from harness.core.compile.failures import NAMED, choose_failure
from harness.core.compile.frame import HORIZON, LEAST_HORIZON_S, PATIENCE_S, Frame
from harness.core.compile.retry import CARRIED_OUT, build_recovering, compile_exhausted, posted_checks
from harness.core.experiments import Arm, Await, Check, Experiment, Gap, Watch
from harness.core.faults import Fault, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.outcomes import Renew
    from harness.core.stack import Path

# The operations of the vendors' catalogues that get a new session.
RENEWALS = ("token.create",)
# The vendors that give sessions; elsewhere a credential is good until somebody changes it.
SESSIONS = frozenset({"netsuite"})
UNAUTHORISED = 401
CONCURRENT_ORDERS = 5


def compile_session(frame: Frame, path: Path, renew: Renew) -> Iterator[Experiment | Gap]:
    """Compile a clause that renews the session."""
    announced = path.on.condition == "session_expired" or path.on.status == UNAUTHORISED
    failure = NAMED["session_expired"] if announced else choose_failure(frame.handoff, path.on)
    if failure is None:
        return
    if renew.retry.attempts > 1:
        once = build_recovering(frame, renew.retry, failure, shape="once", failures=1)
        yield _and_renewed(frame, once, at_most=1)
    if announced and frame.target_fake in SESSIONS:
        yield _build_concurrent(frame, renew)
    else:
        lacking = (
            f"{path.on.slug} ends no session" if not announced else f"{frame.handoff.target} has no sessions to end"
        )
        yield Gap("several calls at once", f"{lacking}, so that all calls would meet it")
    if failure.carries_out:
        yield CARRIED_OUT
        return
    for exhausted in compile_exhausted(frame, renew.retry, failure, path.then):
        if isinstance(exhausted, Experiment):
            yield _and_renewed(frame, exhausted, at_most=renew.retry.attempts)
        else:
            yield exhausted


def _and_renewed(frame: Frame, experiment: Experiment, *, at_most: int) -> Experiment:
    return frame.build(
        experiment.shape,
        steps=experiment.steps,
        checks=[*experiment.checks, _renewed(frame, at_most)],
        faults=experiment.faults,
        needs=experiment.needs,
    )


def _build_concurrent(frame: Frame, renew: Renew) -> Experiment:
    """Revoke every session, then let several orders meet that at the same time."""
    orders = tuple(range(1, CONCURRENT_ORDERS + 1))
    fault = Fault("f1", "expire-sessions", Layer.ACT, frame.handoff.target, frame.handoff.operations, expected=1)
    waiting_s = total_s(renew.retry, scale=frame.scale)
    within_s = waiting_s * HORIZON + renew.retry.attempts * HANDLING_S + PATIENCE_S
    storm = partial(
        check_no_storm,
        system=frame.handoff.target,
        renewals=RENEWALS,
        operations=frame.handoff.operations,
        orders=orders,
        attempts=renew.retry.attempts * (1 + frame.sent().client_retries),
    )
    return frame.build(
        "concurrent",
        faults=[fault],
        steps=[
            Arm(fault.id),
            *frame.start(*orders),
            Await(frame.resolved(*orders), within_s=within_s, declared_s=waiting_s),
            Watch(LEAST_HORIZON_S, "a second renewal"),
        ],
        checks=[
            _renewed(frame, 1),
            Check("no_storm", storm),
            *posted_checks(frame, *orders),
        ],
        needs=["dead_letters"],
    )


def _renewed(frame: Frame, at_most: int) -> Check:
    judge = partial(check_renewed, system=frame.handoff.target, renewals=RENEWALS, fault="f1", at_most=at_most)
    return Check("renewed", judge)
