"""One client's exchanges, one after another, each with the upstream the rules choose for it.

    client bytes ─► Request ─► decide (the rules, once they can see all they look at) ─► fresh or idle upstream connection
    client       ◄─ Response ◄─ signals, at the response's head                      ◄─┘

Most exchanges take a short way (`Crossing`): where nothing is armed there is nothing to decide. And where no signal waits, answers are
passed on before they are looked at.
An exchange is over when request and response are whole, or when a side has gone. What is not HTTP becomes an `OpaqueRelay`. Bytes are
passed on as they came, and bodies are not kept beyond what a rule must look at.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.wire.address import Address
from harness.wire.crossing import Crossing, see_request, see_response
from harness.wire.exchange import Exchange
from harness.wire.messages import HEAD, Response
from harness.wire.opaque import OpaqueRelay
from harness.wire.rules import NO_CHOICE, REFUSE
from harness.wire.upstream import Upstream

if TYPE_CHECKING:
    from harness.wire.connection import ClientConnection
    from harness.wire.entrance import Entrance
    from harness.wire.exchange import End
    from harness.wire.rules import Choice, Rule

BACKLOG_LIMIT = 64 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Conversation:
    """Run the exchanges of one client connection."""

    def __init__(self, entrance: Entrance, client: ClientConnection, name: str) -> None:
        self._entrance = entrance
        self._client = client
        self._name = name
        self._crossing: Crossing | None = None
        self._on_long_way: Exchange | None = None
        self._upstream: Upstream | None = None
        self._idle: Upstream | None = None
        self._undecided: list[bytes] = []
        self._kept_head: list[bytes] = []
        self._backlog = bytearray()
        self._relay: OpaqueRelay | None = None
        self._relay_choice = NO_CHOICE
        self._over = False

    @property
    def _exchange(self) -> Exchange | None:
        """The exchange under way, from now on the long one."""
        if self._crossing is not None:
            self._on_long_way, self._crossing = self._crossing.exchange(), None
        return self._on_long_way

    def start(self) -> None:
        """Begin; a listener that is opaque connects at once, as its upstream may speak first."""
        if self._entrance.is_opaque:
            self._go_opaque()

    def from_client(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self._idle is not None and self._cross(data):
            return
        if self._relay is not None:
            self._relay.from_client(data)
        elif self._backlog:
            self._queue(data)
        else:
            self._advance(data)

    def client_ended(self) -> bool:
        """Take the end of the client's bytes; return whether its socket stays open for ours."""
        if self._relay is not None and not self._over:
            self._relay.client_ended(None)
            return True
        self.client_lost(None)
        return False

    def client_lost(self, error: Exception | None) -> None:
        """Take note that the client has gone."""
        if self._relay is not None:
            self._relay.client_ended(error or ConnectionAbortedError())
        elif not self._over:
            self._end("client_closed", reset_upstream=error is not None)

    def client_full(self, *, full: bool) -> None:
        """Read from the upstream no faster than the client takes it."""
        if self._upstream is not None:
            self._upstream.hold(held=full)

    def is_led_by(self, rule: Rule) -> bool:
        """Say whether what is under way goes where this rule leads."""
        choice = self._relay_choice if self._on_long_way is None else self._on_long_way.choice
        return choice.rule is rule

    def drop(self) -> None:
        """Break off; the client sees its connection closed."""
        if self._relay is not None:
            self._relay.finish("closed")
        elif not self._over:
            self._end("closed")

    def upstream_data(self, upstream: Upstream, data: bytes) -> None:
        """Take bytes of the upstream."""
        if upstream is not self._upstream:
            if upstream is self._idle:
                self._close_idle()
        elif self._crossing is not None and not self._entrance.signals:
            self._cross_back(self._crossing, upstream, data)
        elif self._relay is not None:
            self._relay.from_upstream(data)
        elif self._exchange is not None:
            self._take_response(self._exchange, data)

    def upstream_refused(self, upstream: Upstream) -> None:
        """Reset the client: there is nothing behind us for it."""
        if upstream is self._upstream and self._relay is not None:
            self._relay.finish("refused")
        elif upstream is self._upstream:
            self._part("refused")

    def _part(self, end: End, *, reset_upstream: bool = False) -> None:
        """End, and let the client see it."""
        self._end(end, reset_upstream=reset_upstream)
        if end in ("reset", "refused"):
            self._client.reset()
        else:
            self._client.close()

    def upstream_ended(self, upstream: Upstream, error: Exception | None) -> None:
        """Let the client see the same end, unless the connection was idle or the answer ends with it."""
        if upstream is self._idle:
            self._close_idle()
        if upstream is not self._upstream:
            return
        if self._relay is not None:
            self._relay.upstream_ended(error)
        elif self._exchange is not None and error is None and self._exchange.response.end():
            self._finish_if_whole(self._exchange)
        else:
            self._pass_kept_head()
            self._part("closed" if error is None else "reset")

    def upstream_full(self, *, full: bool) -> None:
        """Read from the client no faster than the upstream takes it."""
        self._client.hold(held=full or len(self._backlog) > BACKLOG_LIMIT)

    def _cross(self, data: bytes) -> bool:
        """Pass a request on the short way, if it may take it."""
        idle, entrance = self._idle, self._entrance
        if self._on_long_way is not None or entrance.rules or entrance.signals:
            return False
        request = see_request(data)
        if request is None or idle is None or idle.address is not entrance.upstream or not idle.is_fresh:
            return False
        now = time.monotonic()
        idle.write(data)
        self._upstream, self._idle = idle, None
        self._crossing = Crossing(entrance.site, self._name, request, now)
        return True

    def _cross_back(self, crossing: Crossing, upstream: Upstream, data: bytes) -> None:
        now = time.monotonic()
        self._client.write(data)
        response = see_response(data)
        if response is None:
            self._crossing, self._on_long_way = None, crossing.exchange()
            self._take_response(self._on_long_way, data, passed=True)
            return
        crossing.end(response, now)
        self._crossing = self._upstream = None
        self._entrance.record(crossing.ended_entry)
        upstream.rest()
        self._idle = upstream
        if self._client.held:
            self._client.hold(held=False)

    def _advance(self, data: bytes) -> None:
        at = 0
        while at < len(data) and self._relay is None and not self._over:
            exchange = self._exchange
            if exchange is None:
                exchange = self._on_long_way = Exchange(self._entrance.site, self._name, time.monotonic())
            elif exchange.request.done:
                self._queue(data[at:])
                return
            at = self._take_request(exchange, data, at)

    def _take_request(self, exchange: Exchange, data: bytes, at: int) -> int:
        request = exchange.request
        had_head = request.head is not None
        if not had_head:
            request.keeps_prefix = self._entrance.is_armed
        end = request.feed(data, at)
        if request.head is None:
            self._undecided.append(data[at:])
            if request.is_opaque:
                self._go_opaque()
            return end
        if request.done:
            exchange.request_mono = time.monotonic()
        if not had_head:
            exchange.response = Response(request.head.method)
            exchange.holds_body = self._entrance.rules_need_body(exchange)
        if self._upstream is not None:
            self._upstream.write(data[at:end])
        else:
            self._undecided.append(data[at:end])
            self._decide(exchange)
        if exchange.response.done and self._exchange is exchange:
            self._finish_if_whole(exchange)
        return end

    def _decide(self, exchange: Exchange) -> None:
        if not exchange.may_be_decided:
            self._ask_for_body(exchange)
            return
        exchange.choice = self._entrance.choose(exchange)
        if exchange.choice.rule is not None:
            self._entrance.write("exchange_open", exchange.opened_entry())
        self._go_upstream(exchange.choice)

    def _ask_for_body(self, exchange: Exchange) -> None:
        """Answer an `Expect: 100-continue` ourselves: the upstream is not known before the body is seen."""
        head = exchange.request.head
        if head is not None and head.framing.expects_continue and not exchange.answered_continue:
            exchange.answered_continue = True
            self._client.write(CONTINUE)

    def _go_upstream(self, choice: Choice) -> None:
        undecided, self._undecided = self._undecided, []
        if choice.rule is not None and choice.rule.upstream == REFUSE:
            self._part("refused")
            return
        if choice.rule is not None:
            self._upstream = Upstream(self, Address.parse(choice.rule.upstream))
        else:
            self._upstream = self._take_upstream()
        for part in undecided:
            self._upstream.write(part)

    def _take_upstream(self) -> Upstream:
        """Return the connection to the listener's own upstream that was kept, if it can be trusted, else a fresh one."""
        idle, self._idle = self._idle, None
        if idle is not None:
            if idle.address == self._entrance.upstream and idle.is_fresh:
                return idle
            idle.close()
        return Upstream(self, self._entrance.upstream)

    def _queue(self, data: bytes) -> None:
        """Keep what a client sends ahead of its turn."""
        self._backlog += data
        if len(self._backlog) > BACKLOG_LIMIT:
            self._client.hold(held=True)

    def _take_response(self, exchange: Exchange, data: bytes, *, passed: bool = False) -> None:
        now = time.monotonic()
        if not (passed or self._entrance.signals or self._kept_head or exchange.answered_continue):
            self._client.write(data)
            passed = True
        response = exchange.response
        at = 0
        while at < len(data) and not response.done:
            if not response.begun:
                exchange.response_mono = now
            start, at = at, response.feed(data, at)
            if response.interim == 100 and exchange.answered_continue:
                exchange.answered_continue = False
            elif not passed:
                self._fire_signals(exchange)
                self._pass_down(response, data[start:at])
        if response.done:
            self._end_response(exchange, data[at:], passed=passed)

    def _end_response(self, exchange: Exchange, rest: bytes, *, passed: bool) -> None:
        """Go on after a whole answer; `rest` came behind it."""
        if exchange.response.switched:
            self._switch(exchange, rest, passed=passed)
            return
        if rest:
            exchange.said_too_much = True
            if not passed:
                self._client.write(rest)
        self._finish_if_whole(exchange)

    def _fire_signals(self, exchange: Exchange) -> None:
        if exchange.response.head is not None and not exchange.met_response:
            exchange.met_response = True
            self._entrance.fire_signals(exchange, "response_head")
        if exchange.response.done:
            self._entrance.fire_signals(exchange, "response_end")

    def _pass_down(self, response: Response, part: bytes) -> None:
        """Pass bytes to the client; half a head waits while a signal is armed that must come before any of it."""
        if self._kept_head or self._entrance.watches_responses:
            self._kept_head.append(part)
            if response.state is not HEAD or response.interim is not None:
                self._pass_kept_head()
        else:
            self._client.write(part)

    def _pass_kept_head(self) -> None:
        self._client.write(b"".join(self._kept_head))
        self._kept_head.clear()

    def _finish_if_whole(self, exchange: Exchange) -> None:
        closes = exchange.closes
        if not (exchange.request.done or closes):
            return
        upstream, self._upstream = self._upstream, None
        if upstream is None or closes or upstream.ended or exchange.choice.rule is not None:
            closes = closes or upstream is None
            if upstream is not None:
                upstream.close()
        else:
            upstream.rest()
            self._idle = upstream
        if closes:
            self._part("complete")
        else:
            self._record("complete")
            self._next()

    def _next(self) -> None:
        if self._client.held:
            self._client.hold(held=False)
        if self._backlog:
            backlog, self._backlog = bytes(self._backlog), bytearray()
            self._advance(backlog)

    def _end(self, end: End, *, reset_upstream: bool = False) -> None:
        """Record the exchange under way, if any, and let go of the upstreams."""
        self._over = True
        self._record(end)
        self._backlog.clear()
        self._undecided.clear()
        if self._upstream is not None:
            self._upstream.close(reset=reset_upstream)
            self._upstream = None
        self._close_idle()

    def _record(self, end: End) -> None:
        exchange, self._on_long_way = self._exchange, None
        if exchange is None or not exchange.request.begun:
            return
        if exchange.request.head is not None:
            exchange.end, exchange.ended_mono = end, time.monotonic()
            self._entrance.record(exchange.ended_entry)
        else:
            self._entrance.record_connection(self._name, sum(map(len, self._undecided)), 0, end, None)

    def _close_idle(self) -> None:
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    def _go_opaque(self) -> None:
        """Relay from here on; a rule without operation and entities meets such a connection too."""
        self._on_long_way = None
        undecided, self._undecided = self._undecided, []
        choice = self._entrance.choose(None)
        if choice.rule is not None and choice.rule.upstream == REFUSE:
            self._entrance.record_connection(self._name, sum(map(len, undecided)), 0, "refused", choice)
            self._part("refused")
            return
        address = self._entrance.upstream if choice.rule is None else Address.parse(choice.rule.upstream)
        self._relay_through(Upstream(self, address), choice)
        for part in undecided:
            self.from_client(part)

    def _switch(self, exchange: Exchange, rest: bytes, *, passed: bool) -> None:
        """Relay what follows a changed protocol."""
        upstream = self._upstream
        self._record("complete")
        if upstream is None:
            return
        relay = self._relay_through(upstream, exchange.choice)
        if passed:
            relay.bytes_down += len(rest)
        else:
            relay.from_upstream(rest)
        if self._backlog:
            backlog, self._backlog = bytes(self._backlog), bytearray()
            relay.from_client(backlog)

    def _relay_through(self, upstream: Upstream, choice: Choice) -> OpaqueRelay:
        def ended(end: End) -> None:
            self._entrance.record_connection(self._name, relay.bytes_up, relay.bytes_down, end, choice)
            self._part(end, reset_upstream=end == "client_closed")

        self._upstream = upstream
        self._relay_choice = choice
        self._relay = relay = OpaqueRelay(self._client, upstream, ended)
        return relay
