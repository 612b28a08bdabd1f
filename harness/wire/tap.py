"""The tap: its entrances, and what is armed on them. Every refusal is a `ProblemError` of the control plane."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fakes.kit.problems import ProblemError, invalid, unknown
from harness.wire.address import Address
from harness.wire.certificates import BadCertificateError
from harness.wire.entrance import Entrance
from harness.wire.names import Names
from harness.wire.reception import Reception
from harness.wire.rules import DEFAULT_TTL_S, ArmedRule
from harness.wire.signals import ArmedSignal
from harness.wire.sockets import Port

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.kit.journal import Journal
    from harness.wire.rules import Rule
    from harness.wire.signals import Signal
    from harness.wire.values import Listener

T = TypeVar("T")


class Armed(Generic[T]):
    """Things armed under an id for a limited time, in the order they were armed."""

    def __init__(self, kind: str, expire: Callable[[str], None]) -> None:
        self._kind = kind
        self._expire = expire
        self._held: dict[str, tuple[T, asyncio.TimerHandle]] = {}

    def add(self, name: str, thing: T, ttl_s: float) -> None:
        """Arm a thing; 409 if its id is armed already."""
        if name in self._held:
            raise ProblemError(409, f"a {self._kind} {name!r} is armed already")
        self._held[name] = thing, asyncio.get_running_loop().call_later(ttl_s, self._expire, name)

    def remove(self, name: str) -> T:
        """Disarm a thing and return it; 404 if nothing of that id is armed."""
        if name not in self._held:
            raise ProblemError(404, f"there is no {self._kind} {name!r}")
        thing, timer = self._held.pop(name)
        timer.cancel()
        return thing

    def all(self) -> list[T]:
        """Return what is armed."""
        return [thing for thing, _ in self._held.values()]

    def names(self) -> list[str]:
        """Return the ids of what is armed."""
        return list(self._held)


class Tap:
    """Hold the entrances of one process and arm rules and signals on them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._names = Names(journal.epoch)
        self._entrances: dict[str, Entrance] = {}
        self._rules: Armed[ArmedRule] = Armed("rule", self._expire_rule)
        self._signals: Armed[ArmedSignal] = Armed("signal", self._expire_signal)
        self._refusing: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listeners(self) -> list[Listener]:
        """Return all listeners in the order they were added."""
        return [entrance.listener for entrance in self._entrances.values()]

    async def add_listener(self, listener: Listener, *, fd: int | None = None) -> Listener:
        """Open a listener at its address, by default any free port of loopback, or on an inherited socket; 409 if the name is taken."""
        if listener.name in self._entrances:
            raise ProblemError(409, f"there is a listener {listener.name!r} already")
        place = "address" if fd is None else "fd"
        try:
            port = _bind(listener) if fd is None else Port.inherit(fd)
        except OSError as error:
            raise invalid(place, str(error)) from error
        entrance = Entrance(listener, port, self.journal, self._names)
        if listener.tls is not None or listener.hosts:
            try:
                entrance.reception = self._build_reception(entrance, listener)
            except ProblemError:
                entrance.release()
                raise
        self._entrances[listener.name] = entrance
        try:
            await entrance.open()
        except OSError as error:
            self._entrances.pop(listener.name).release()
            raise invalid(place, str(error)) from error
        return entrance.listener

    def _build_reception(self, entrance: Entrance, listener: Listener) -> Reception:
        leading = [name for name, other in self._entrances.items() if not other.listener.hosts]
        for host, name in listener.hosts.items():
            if name not in leading:
                raise unknown(f"hosts.{host}", name, leading)
        passthrough = (listener.tls and listener.tls.passthrough) or ""
        unopened = replace(listener, relay="opaque", upstream=passthrough)
        try:
            return Reception(
                entrance, listener, self._entrances.get, Entrance(unopened, None, self.journal, self._names)
            )
        except BadCertificateError as error:
            raise invalid(f"tls.certificates.{error.index}", str(error)) from error

    async def change_listener(
        self, name: str, *, upstream: str | None, accepting: bool | None, ttl_s: float = DEFAULT_TTL_S
    ) -> Listener:
        """Change where a listener leads, or whether it accepts, which it does again after `ttl_s`; 404 if there is none of that name."""
        entrance = self._entrance(name)
        if upstream is not None:
            self._ensure_leads(entrance, "upstream")
            entrance.upstream = Address.parse(upstream)
        if accepting is not None:
            self._stop_waiting(name)
        if accepting is True:
            await _reopen(entrance)
        elif accepting is False:
            entrance.close()
            self._refusing[name] = asyncio.get_running_loop().call_later(ttl_s, self._accept_again, name)
        return entrance.listener

    def remove_listener(self, name: str) -> Listener:
        """Close a listener for good, with what is armed on it."""
        entrance = self._entrance(name)
        for armed in list(entrance.rules):
            self.lift_rule(armed.rule.id)
        for waiting in list(entrance.signals):
            self.lift_signal(waiting.signal.id)
        self._stop_waiting(name)
        entrance.release()
        return self._entrances.pop(name).listener

    def rules(self) -> list[dict[str, Any]]:
        """Show the armed rules."""
        return [armed.view() for armed in self._rules.all()]

    def arm_rule(self, rule: Rule) -> dict[str, Any]:
        """Arm a rule; it acts from the next exchange on. 404 without its listener, 409 if the id is armed."""
        entrance = self._entrance(rule.listener)
        self._ensure_leads(entrance, "listener")
        armed = ArmedRule(rule)
        self._rules.add(rule.id, armed, rule.ttl_s)
        entrance.rules.append(armed)
        seq = self.journal.append("rule", rule=rule.id, event="armed", listener=rule.listener)
        return {**armed.view(), "armed_seq": seq}

    def lift_rule(self, name: str, *, event: str = "lifted") -> dict[str, Any]:
        """Lift a rule and show it; 404 if it is not armed."""
        armed = self._rules.remove(name)
        self._entrance(armed.rule.listener).rules.remove(armed)
        self.journal.append("rule", rule=name, event=event, listener=armed.rule.listener, hits=armed.hits)
        return armed.view()

    def lift_rules(self) -> list[str]:
        """Lift all rules and return their ids."""
        names = self._rules.names()
        for name in names:
            self.lift_rule(name)
        return names

    def signals(self) -> list[dict[str, Any]]:
        """Show the signals that wait for their moment."""
        return [armed.signal.as_body() for armed in self._signals.all()]

    def arm_signal(self, signal: Signal) -> dict[str, Any]:
        """Arm a signal. 404 without its listener, 409 if the id is armed."""
        entrance = self._entrance(signal.listener)
        self._ensure_leads(entrance, "listener")
        armed = ArmedSignal(signal, self._use_up)
        self._signals.add(signal.id, armed, signal.ttl_s)
        entrance.signals.append(armed)
        return signal.as_body()

    def lift_signal(self, name: str) -> dict[str, Any]:
        """Disarm a signal that has not been sent; 404 if there is none."""
        armed = self._signals.remove(name)
        self._entrance(armed.signal.listener).signals.remove(armed)
        return armed.signal.as_body()

    def lift_signals(self) -> list[str]:
        """Disarm all signals and return their ids."""
        names = self._signals.names()
        for name in names:
            self.lift_signal(name)
        return names

    async def reset(self) -> None:
        """Lift everything, let every listener accept again, empty the journal. Listeners stay: they are wiring, not state."""
        self.lift_rules()
        self.lift_signals()
        for name, entrance in list(self._entrances.items()):
            self._stop_waiting(name)
            await _reopen(entrance)
        self.journal.reset()

    def close(self) -> None:
        """Close every listener."""
        for name in list(self._entrances):
            self.remove_listener(name)

    def _entrance(self, name: str) -> Entrance:
        try:
            return self._entrances[name]
        except KeyError:
            raise ProblemError(404, f"there is no listener {name!r}") from None

    def _accept_again(self, name: str) -> None:
        del self._refusing[name]
        task = asyncio.get_running_loop().create_task(self._reopen_if_possible(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reopen_if_possible(self, name: str) -> None:
        with suppress(ProblemError):  # its number is ours: nobody else can hold it for long
            await _reopen(self._entrances[name])

    def _stop_waiting(self, name: str) -> None:
        waiting = self._refusing.pop(name, None)
        if waiting is not None:
            waiting.cancel()

    def _ensure_leads(self, entrance: Entrance, place: str) -> None:
        """Refuse what a front has not: exchanges and an upstream of its own."""
        others = sorted(set(entrance.listener.hosts.values()))
        if others:
            raise invalid(place, f"{entrance.name!r} leads to other listeners; name one of {', '.join(others)}")

    def _expire_rule(self, name: str) -> None:
        entrance, rule = next((e, a.rule) for e in self._entrances.values() for a in e.rules if a.rule.id == name)
        self.lift_rule(name, event="expired")
        entrance.drop_led_by(rule)

    def _expire_signal(self, name: str) -> None:
        self.lift_signal(name)

    def _use_up(self, signal: Signal) -> None:
        self.lift_signal(signal.id)


def _bind(listener: Listener) -> Port:
    address = Address.parse(listener.address, default_host="127.0.0.1")
    return Port.bind(address.host, address.port)


async def _reopen(entrance: Entrance) -> None:
    try:
        await entrance.open()
    except OSError as error:
        raise ProblemError(409, f"listener {entrance.name!r} cannot accept again: {error}") from error
