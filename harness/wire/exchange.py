"""One exchange as the tap sees it, and the journal entries it leaves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from fakes.kit.exchange import redact
from harness.wire.messages import PREFIX_LIMIT, Request, Response
from harness.wire.rules import NO_CHOICE, Call, Choice

if TYPE_CHECKING:
    from harness.wire.heads import RequestHead

NO_RESPONSE: Final = Response("GET")
End = Literal["complete", "reset", "closed", "refused", "client_closed"]


@dataclass(slots=True, eq=False)
class Exchange:
    """A request and its answer on their way; times are CLOCK_MONOTONIC seconds."""

    id: str
    listener: str
    system: str
    direction: str
    connection: str
    started_mono: float = field(default_factory=time.monotonic)
    request_mono: float | None = None
    response_mono: float | None = None
    operation: str | None = None
    choice: Choice = NO_CHOICE
    request: Request = field(default_factory=Request)
    response: Response = NO_RESPONSE
    met_request: bool = False
    holds_body: bool = False
    answered_continue: bool = False
    met_response: bool = False
    said_too_much: bool = False

    @property
    def may_be_decided(self) -> bool:
        """Say whether the rules can see all they may look at."""
        request = self.request
        return not self.holds_body or request.done or request.is_opaque or len(request.prefix) >= PREFIX_LIMIT

    @property
    def closes(self) -> bool:
        """Say whether the client's connection ends with this exchange."""
        request, response = self.request.head, self.response.head
        if request is None or response is None or request.closes or response.closes:
            return True
        return self.said_too_much or self.request.is_opaque or self.response.ended_by_close

    def meet_request(self, head: RequestHead, operation: str | None) -> None:
        """Take note of the request's head."""
        self.met_request = True
        self.operation = operation
        self.response = Response(head.method)

    @property
    def call(self) -> Call:
        """Return what rules and signals look at."""
        target = self.request.head.target.encode("latin-1") if self.request.head is not None else b""
        return Call(self.operation, target, self.request.prefix)

    def opened_entry(self) -> dict[str, Any]:
        """Return the fields of the `exchange_open` entry."""
        return {
            "id": self.id,
            "listener": self.listener,
            "operation": self.operation,
            "entity": self.choice.entity,
            "rule": self.choice.rule.id if self.choice.rule is not None else None,
            "ordinal": self.choice.ordinal,
            "started_mono": self.started_mono,
        }

    def ended_entry(self, end: End) -> dict[str, Any]:
        """Return the fields of the `exchange` entry; no body and no header is in it."""
        head = self.request.head
        answered = self.response.begun or self.response.body_bytes > 0
        return {
            **self.opened_entry(),
            "system": self.system,
            "direction": self.direction,
            "connection": self.connection,
            "method": head.method if head is not None else None,
            "path": redact(head.target) if head is not None else None,
            "request_sha256": self.request.sha256,
            "request_bytes": self.request.body_bytes,
            "status": self.response.head.status if self.response.head is not None else None,
            "response_sha256": self.response.sha256 if answered else None,
            "response_bytes": self.response.body_bytes,
            "request_mono": self.request_mono,
            "response_mono": self.response_mono,
            "ended_mono": time.monotonic(),
            "end": end,
        }
