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


FIELDS: Final = (
    *("id", "listener", "operation", "entity", "rule", "ordinal", "started_mono", "system", "direction", "connection"),
    *("method", "path", "request_sha256", "request_bytes", "status", "response_sha256", "response_bytes"),
    *("request_mono", "response_mono", "ended_mono", "end"),
)


def build_entry(values: tuple[object, ...]) -> dict[str, Any]:
    """Return an `exchange` entry from the values of all `FIELDS`, in their order."""
    return dict(zip(FIELDS, values, strict=True))


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
        site, request, response, choice = self._site, self.request, self.response, self.choice
        answered = response.begun or response.body_bytes > 0
        values = (
            self.id,
            site.listener.name,
            self.operation,
            choice.entity,
            choice.rule.id if choice.rule is not None else None,
            choice.ordinal,
            self.started_mono,
            site.listener.system,
            site.listener.direction,
            self._connection,
            request.head.method if request.head is not None else None,
            site.redactor.redact_target(request.head.target) if request.head is not None else None,
            request.sha256,
            request.body_bytes,
            response.head.status if response.head is not None else None,
            response.sha256 if answered else None,
            response.body_bytes,
            self.request_mono,
            self.response_mono,
            self.ended_mono,
            self.end,
        )
        return build_entry(values)
