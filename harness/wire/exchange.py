"""One exchange as the tap sees it, and the journal entries it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.wire.messages import PREFIX_LIMIT, Request, Response
from harness.wire.rules import NO_CHOICE, Call, Choice

if TYPE_CHECKING:
    from fakes.kit.redaction import Redactor
    from harness.wire.matching import RouteTable
    from harness.wire.names import Names
    from harness.wire.values import Listener

NO_RESPONSE: Final = Response("GET")
End = Literal["complete", "reset", "closed", "refused", "client_closed"]


@dataclass(frozen=True, slots=True)
class Site:
    """What all exchanges of a listener have in common."""

    listener: Listener
    routes: RouteTable
    redactor: Redactor
    names: Names


class Exchange:
    """A request and its answer on their way; times are CLOCK_MONOTONIC seconds.

    Only what the way of its bytes depends on is worked out at once, the rest when its entry is read.
    """

    request_mono: float | None = None
    response_mono: float | None = None
    ended_mono: float | None = None
    end: End | None = None
    response: Response = NO_RESPONSE
    choice: Choice = NO_CHOICE
    holds_body = False
    answered_continue = False
    met_response = False
    said_too_much = False

    def __init__(self, site: Site, connection: str, started_mono: float) -> None:
        self.id = site.names.next("x")
        self.started_mono = started_mono
        self.request = Request()
        self._site = site
        self._connection = connection

    @property
    def operation(self) -> str | None:
        """Return the operation the request is, by the listener's routes."""
        head = self.request.head
        return None if head is None else self._site.routes.find(head.method, head.target)

    @property
    def may_be_decided(self) -> bool:
        """Say whether the rules can see all they may look at."""
        request = self.request
        return not self.holds_body or request.done or request.is_opaque or len(request.prefix) >= PREFIX_LIMIT

    @property
    def closes(self) -> bool:
        """Say whether the client's connection ends with this exchange."""
        request, response = self.request.head, self.response.head
        if request is None or response is None or request.framing.closes or response.framing.closes:
            return True
        return self.said_too_much or self.request.is_opaque or self.response.ended_by_close

    @property
    def call(self) -> Call:
        """Return what rules and signals look at."""
        target = self.request.head.target.encode("latin-1") if self.request.head is not None else b""
        return Call(self.operation, target, self.request.prefix)

    def opened_entry(self) -> dict[str, Any]:
        """Return the fields of the `exchange_open` entry."""
        return {
            "id": self.id,
            "listener": self._site.listener.name,
            "operation": self.operation,
            "entity": self.choice.entity,
            "rule": self.choice.rule.id if self.choice.rule is not None else None,
            "ordinal": self.choice.ordinal,
            "started_mono": self.started_mono,
        }

    def ended_entry(self) -> dict[str, Any]:
        """Return the fields of the `exchange` entry: no body, no header, and nothing but the path that came from outside."""
        listener, request, response = self._site.listener, self.request, self.response
        answered = response.begun or response.body_bytes > 0
        entry = self.opened_entry()
        entry |= {
            "system": listener.system,
            "direction": listener.direction,
            "connection": self._connection,
            "method": request.head.method if request.head is not None else None,
            "path": self._site.redactor.redact_target(request.head.target) if request.head is not None else None,
            "request_sha256": request.sha256,
            "request_bytes": request.body_bytes,
            "status": response.head.status if response.head is not None else None,
            "response_sha256": response.sha256 if answered else None,
            "response_bytes": response.body_bytes,
            "request_mono": self.request_mono,
            "response_mono": self.response_mono,
            "ended_mono": self.ended_mono,
            "end": self.end,
        }
        return entry
