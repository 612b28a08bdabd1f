"""An entrance of the tap: the port of one listener, its clients, and the rules and signals armed on it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.wire.address import Address
from harness.wire.connection import ClientConnection
from harness.wire.exchange import Site
from harness.wire.matching import RouteTable
from harness.wire.rules import NO_CHOICE, OPAQUE_CALL, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakes.kit.journal import Journal
    from harness.wire.exchange import End, Exchange
    from harness.wire.names import Names
    from harness.wire.reception import Reception
    from harness.wire.rules import ArmedRule, Choice, Rule
    from harness.wire.signals import ArmedSignal, Moment
    from harness.wire.sockets import Port
    from harness.wire.values import Listener


NOWHERE = Address("", 0)


class Entrance:
    """Serve one listener. `rules` and `signals` are in the order they were armed; changing them acts on the next exchange.

    `port` is None for one that only others lead to. With a `reception` connections are received there before they come in here.
    """

    def __init__(self, listener: Listener, port: Port | None, journal: Journal, names: Names) -> None:
        self.rules: list[ArmedRule] = []
        self.signals: list[ArmedSignal] = []
        self.connections: set[ClientConnection] = set()
        self.reception: Reception | None = None
        self.upstream = Address.parse(listener.upstream) if listener.upstream else NOWHERE
        self._listener = listener if port is None else replace(listener, address=str(Address.of(port.sock)))
        self._port = port
        self._journal = journal
        self._names = names
        # Writes the entry of an exchange that has just ended; its fields are built later.
        self.record: Callable[[Callable[[], Mapping[str, Any]]], None] = partial(journal.defer, "exchange")
        self.site = Site(self._listener, RouteTable(listener.routes), journal.redactor, names)

    @property
    def listener(self) -> Listener:
        """Return the listener as it is now."""
        upstream = "" if self.upstream == NOWHERE else str(self.upstream)
        return replace(self._listener, upstream=upstream, accepting=self.is_open)

    @property
    def name(self) -> str:
        """Return the listener's name."""
        return self._listener.name

    @property
    def is_opaque(self) -> bool:
        """Say whether connections are relayed without looking for HTTP in them."""
        return self._listener.relay == "opaque"

    @property
    def is_open(self) -> bool:
        """Say whether connections are accepted."""
        return self._port is None or self._port.is_open

    def name_connection(self) -> str:
        """Return the name of a connection that comes in."""
        return self._names.next("c")

    async def open(self) -> None:
        """Accept connections; raise OSError if the port cannot listen."""
        if self._port is None:
            return
        if self.reception is not None:
            self._port.open_unread(self.reception.receive)
        else:
            await self._port.open(lambda: ClientConnection(self, self.name_connection()))

    def close(self) -> None:
        """Refuse connections and drop those that are open; the port number stays ours."""
        if self._port is not None:
            self._port.close()
        if self.reception is not None:
            self.reception.close()
        for connection in list(self.connections):
            connection.drop()

    def drop_led_by(self, rule: Rule) -> None:
        """Break off what a rule led astray: nobody may be left to end what the other side lets hang."""
        for connection in list(self.connections):
            if connection.is_led_by(rule):
                connection.drop()

    def release(self) -> None:
        """Close for good."""
        self.close()
        if self._port is not None:
            self._port.release()

    @property
    def is_armed(self) -> bool:
        """Say whether any rule or signal may look at an exchange."""
        return bool(self.rules or self.signals)

    def rules_need_body(self, exchange: Exchange) -> bool:
        """Say whether an armed rule can only be decided with the body."""
        return bool(self.rules) and any(armed.needs_body(exchange.call) for armed in self.rules)

    @property
    def watches_responses(self) -> bool:
        """Say whether a response's head must be whole before any of it is passed on."""
        return bool(self.signals)

    def choose(self, exchange: Exchange | None) -> Choice:
        """Let the armed rules choose for an exchange, or for a connection that is not HTTP (None)."""
        if not self.rules:
            return NO_CHOICE
        return choose(self.rules, OPAQUE_CALL if exchange is None else exchange.call)

    def fire_signals(self, exchange: Exchange, moment: Moment) -> None:
        """Send the signals whose moment this is, before what was read of the response is passed on."""
        for armed in list(self.signals):
            due, entity = armed.reach(exchange.call, moment)
            if not due:
                continue
            error = armed.send()
            wanted = armed.signal
            entry = {"id": wanted.id, "pid": wanted.pid, "signal": wanted.signal, "listener": self.name}
            self.write("signal", {**entry, "exchange": exchange.id, "entity": entity, "error": error})

    def record_connection(
        self, connection: str, bytes_up: int, bytes_down: int, end: End, choice: Choice | None
    ) -> None:
        """Write the journal entry of a connection that was relayed opaque."""
        chosen = choice or NO_CHOICE
        entry = {"listener": self.name, "connection": connection, "bytes_up": bytes_up, "bytes_down": bytes_down}
        rule = chosen.rule.id if chosen.rule is not None else None
        self.write("connection", {**entry, "end": end, "rule": rule, "ordinal": chosen.ordinal})

    def record_unreceived(self, connection: str, host: str | None, end: str, reason: str) -> None:
        """Write the journal entry of a connection that got no further than being received."""
        fields = {"listener": self.name, "connection": connection, "bytes_up": 0, "bytes_down": 0, "end": end}
        self._journal.append("connection", **fields, rule=None, ordinal=None, host=host, reason=reason)

    def write(self, kind: str, entry: Mapping[str, Any]) -> None:
        """Write a journal entry of the tap's own words."""
        self._journal.write(kind, entry)
