"""Which fault brings a declared trigger about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.core.experiments import Gap
from harness.core.faults import Fault, Layer, Toxic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.compile.frame import Frame
    from harness.core.stack import Handoff, Path
    from harness.core.triggers import Trigger

# A code and text that no vendor uses, for what only `any` can catch.
UNLISTED_CODE = "UNEXPECTED_CONDITION"


@dataclass(frozen=True, slots=True)
class Failure:
    """
    One way to fail a call: the fault's kind and layer, and whether a breaker counts it.

    `carries_out` tells that the vendor does what it was asked, and only its answer is lost.
    """

    kind: str
    layer: Layer = Layer.VENDOR
    params: Mapping[str, Any] = field(default_factory=dict)
    toxics: tuple[Toxic, ...] = ()
    counts_for_breaker: bool = False
    carries_out: bool = False

    def build(
        self,
        handoff: Handoff,
        *,
        orders: tuple[int, ...] = (),
        attempts: tuple[int, ...] | None = None,
        expected: int = 1,
        fault_id: str = "f1",
    ) -> Fault:
        """Aim it at the calls of a handoff."""
        return Fault(
            id=fault_id,
            kind=self.kind,
            layer=self.layer,
            system=handoff.target,
            operations=handoff.operations,
            orders=orders,
            attempts=attempts,
            params=self.params,
            toxics=self.toxics,
            expected=expected,
        )


UNLISTED = Failure("error", params={"code": UNLISTED_CODE, "text": "Something that no path names."})
# On the way up, so that the vendor never gets the call: an answer that is lost is another trigger.
RESET = Failure(
    "connection", Layer.WIRE, toxics=(Toxic("reset_peer", "upstream", {"timeout": 0}),), counts_for_breaker=True
)
HANG = Failure("timeout", Layer.WIRE, toxics=(Toxic("timeout", "upstream", {"timeout": 0}),), counts_for_breaker=True)
ANSWER_LOST = Failure(
    "lost_response",
    Layer.WIRE,
    toxics=(Toxic("limit_data", "downstream", {"bytes": 0}),),
    counts_for_breaker=True,
    carries_out=True,
)
ANSWER_HANGS = replace(ANSWER_LOST, toxics=(Toxic("timeout", "downstream", {"timeout": 0}),))
# What a server of mappings does to the connection instead of answering: it got the call, and did nothing about it. After
# an end without an answer a client knows as much as after a connection that broke; what it makes of bytes that are no
# answer is its own affair.
UNANSWERED = tuple(Failure(kind, counts_for_breaker=True) for kind in ("empty_response", "connection_reset"))
NO_ANSWER = tuple(Failure(kind, counts_for_breaker=True) for kind in ("malformed_chunk", "random_then_close"))
# What only a warehouse does: it takes an order of which it has not everything at hand.
PARTIAL_ALLOCATION = Failure("partial_allocation", carries_out=True)

# What a vendor announces with a status of its own: the condition is the more specific trigger of the two.
ANNOUNCED = {429: "rate_limited", 401: "session_expired", 403: "permission_denied"}
OUTAGES = (503, 500, 502, 504)
REFUSALS = (400, 422, 409)
BY_STATUS = "another path takes refusals by the status they come with"
HTTP_TOO_MANY = 429

NAMED = {
    "rate_limited": Failure("rate_limited", counts_for_breaker=True),
    "session_expired": Failure("session_expired"),
    "permission_denied": Failure("permission_denied"),
    "malformed": Failure("malformed", params={"mutation": "html"}),
    "not_persisted": Failure("not_persisted"),
    "timeout": HANG,
    "connection": RESET,
    "lost_response": ANSWER_LOST,
}


def choose_failure(handoff: Handoff, trigger: Trigger, *, commit: bool = False) -> Failure | None:
    """
    Choose the fault that brings a trigger of a handoff about at an outbound call, and no more specific one.

    `commit` has the vendor carry the call out before it answers with the error. None where no fault does that yet.
    """
    if trigger.status in ANNOUNCED and ANNOUNCED[trigger.status] in {path.on.condition for path in handoff.paths}:
        return None
    if trigger.status == HTTP_TOO_MANY:
        return NAMED["rate_limited"]
    if trigger.status is not None:
        return Failure("status", params={"status": trigger.status}, counts_for_breaker=trigger.status >= 500)
    if trigger.code is not None:
        params: dict[str, Any] = {"code": trigger.code}
        if trigger.text is not None:
            params["text"] = f"Refused: {trigger.text}."
        if commit:
            params["commit"] = True
        return Failure("error", params=params)
    return choose_rest(handoff) if trigger.condition == "any" else NAMED.get(trigger.condition or "")


def find_failure(frame: Frame, trigger: Trigger, *, commit: bool = False) -> Failure | None:
    """Choose as `choose_failure` does, and what only the vendor of this handoff does as well."""
    if trigger.condition == "partial_allocation" and frame.target_fake == "wms":
        return PARTIAL_ALLOCATION
    return choose_failure(frame.handoff, trigger, commit=commit)


def list_socket_failures(handoff: Handoff, path: Path) -> tuple[Failure, ...]:
    """
    List what a server of mappings can do to a connection that this path of the handoff takes, whatever the client makes of it.

    Bytes that are no answer may be malformed to one client and a broken connection to another: they belong to a path
    only where it takes both.
    """
    takers = {name: _find_taker(handoff, name) for name in ("connection", "malformed")}
    broken = UNANSWERED if takers["connection"] is path else ()
    return (*broken, *(NO_ANSWER if broken and takers["malformed"] is path else ()))


def _find_taker(handoff: Handoff, condition: str) -> Path | None:
    """Find the path that takes a condition: the one that names it, or the one for all the rest."""
    named = {str(path.on.condition): path for path in handoff.paths}
    return named.get(condition, named.get("any"))


def ask_to_wait(failure: Failure, retry_after_s: float) -> Failure:
    """Have a rate limit say when to come again, in production seconds as the vendor's header does."""
    return replace(failure, params={**failure.params, "retry_after_s": retry_after_s})


def choose_rest(handoff: Handoff) -> Failure | None:
    """Choose a failure that no path of the handoff names: an outage, else a refusal, else a broken connection or no answer."""
    free = (choose_outage(handoff), choose_refusal(handoff), *(failure for _, failure in _list_unnamed(handoff)))
    return next(filter(None, free), None)


def list_further(frame: Frame, path: Path) -> list[tuple[str, Failure]]:
    """
    List the further failures that a path takes beside the one it begins with, each with its shape.

    They are for `any` those no other path names, and what a server of mappings does to a connection.
    """
    rest = _list_rest(frame.handoff) if path.on.condition == "any" else []
    broken = list_socket_failures(frame.handoff, path) if frame.is_mapped else ()
    return [*rest, *((failure.kind.replace("_", "-"), failure) for failure in broken)]


def list_unasked(frame: Frame, path: Path) -> list[Gap]:
    """List which of the failures that a path takes nobody brings about, and why."""
    if path.on.condition != "any" or choose_unlisted(frame.handoff) is not None:
        return []
    return [Gap("a code that no path names", BY_STATUS)]


def _list_rest(handoff: Handoff) -> list[tuple[str, Failure]]:
    refusal = choose_refusal(handoff)
    refused = [] if refusal is None else [("unlisted-code" if refusal is UNLISTED else "unlisted-status", refusal)]
    return [each for each in (*refused, *_list_unnamed(handoff)) if each[1] != choose_rest(handoff)]


def _list_unnamed(handoff: Handoff) -> list[tuple[str, Failure]]:
    """List what happens to a connection that no path of the handoff names."""
    named = {path.on.condition for path in handoff.paths}
    return [(name, failure) for name, failure in (("connection", RESET), ("timeout", HANG)) if name not in named]


def choose_refusal(handoff: Handoff) -> Failure | None:
    """Choose a refusal that only `any` can catch: by a code of no path, or where statuses catch those, by a status of none."""
    unlisted = choose_unlisted(handoff)
    if unlisted is not None:
        return unlisted
    named = {path.on.status for path in handoff.paths}
    status = next((status for status in REFUSALS if status not in named), None)
    return None if status is None else Failure("status", params={"status": status})


def choose_outage(handoff: Handoff) -> Failure | None:
    """Choose a failure of the vendor as a whole that a breaker counts and no path of the handoff names by its status."""
    named = {path.on.status for path in handoff.paths}
    status = next((status for status in OUTAGES if status not in named), None)
    return None if status is None else Failure("status", params={"status": status}, counts_for_breaker=True)


def choose_unlisted(handoff: Handoff) -> Failure | None:
    """Choose a refusal that only `any` can catch; none where a path catches refusals by the status they come with."""
    refusals = (path.on.status for path in handoff.paths if path.on.status not in {None, *ANNOUNCED})
    return None if any(status is not None and status < 500 for status in refusals) else UNLISTED
