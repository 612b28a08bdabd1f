"""Arm the faults of an experiment where they are made, and lift them all again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.faults import Fault, Layer, decide
from harness.lab.errors import ControlError, LabError
from harness.lab.toxics import FAULT
from harness.wire.rules import REFUSE, Rule
from harness.wire.signals import Signal
from harness.wire.toxiproxy import Toxic as WireToxic

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from harness.core.history import Order
    from harness.core.record import Entry
    from harness.lab.lab import Lab

# A fault outlives a dead harness by at most this long.
TTL_S = 180
# Attempts planned for when a fault hits by chance rather than by place.
PLANNED_ATTEMPTS = 32
# What a control plane answers about an id that is not armed.
NOT_ARMED = 404
# How a journal says that something is armed no more.
ENDED = frozenset({"lifted", "expired"})


class Armory:
    """What is armed in one lab for one experiment."""

    def __init__(self, lab: Lab, experiment: str, orders: Mapping[int, Order], *, seed: int) -> None:
        self._lab = lab
        self._experiment = experiment
        self._orders = orders
        self._seed = seed
        self._vendor: dict[str, list[tuple[str, str]]] = {}
        self._rules: dict[str, list[str]] = {}
        self._proxies: dict[str, str] = {}
        self._signals: dict[str, list[str]] = {}

    async def arm(self, fault: Fault) -> None:
        """Arm one fault; raises LabError when the lab refuses."""
        match fault.layer:
            case Layer.VENDOR | Layer.WEBHOOK:
                await self._arm_at_vendor(fault)
            case Layer.WIRE:
                await self._arm_on_wire(fault)
            case Layer.PROCESS:
                await self._arm_signal(fault)
            case Layer.ACT:
                await self._act(fault)

    async def lift(self, fault_id: str) -> None:
        """
        Lift one fault of the experiment; nothing happens when it is not armed.

        Raises LabError when a part of it could not be lifted, after having tried all of them.
        """
        failures = [error for lifting in self._take(fault_id) for error in [await _try(lifting)] if error]
        if failures:
            raise failures[0]

    async def lift_all(self) -> list[str]:
        """Lift everything; return what could not be lifted, in words."""
        failed: list[str] = []
        for fault_id in dict.fromkeys((*self._vendor, *self._rules, *self._proxies, *self._signals)):
            for lifting in self._take(fault_id):
                error = await _try(lifting)
                if error is not None:
                    failed.append(f"{fault_id} could not be lifted: {error}")
        return failed

    def list_gone(self, entries: Iterable[Entry], *, since: float) -> list[str]:
        """List what we have not lifted, and a journal says has ended: somebody lifted it, or it ran out."""
        ours = {armed for parts in self._vendor.values() for _, armed in parts}
        ours.update(rule for rules in self._rules.values() for rule in rules)
        latest = {
            entry.data.get("fault") or entry.data.get("rule"): entry.data["event"]
            for entry in entries
            if entry.data["type"] in {"fault", "rule"} and entry.data["mono"] >= since
        }
        return sorted(name for name in ours if latest.get(name) in ENDED)

    def _take(self, fault_id: str) -> list[Coroutine[Any, Any, object]]:
        """Take what is armed of a fault out of the books, as the calls that lift it; the proxy goes last."""
        lab = self._lab
        liftings: list[Coroutine[Any, Any, object]] = [
            lab.controls[system].lift(armed) for system, armed in self._vendor.pop(fault_id, ())
        ]
        liftings += [lab.tap.lift_rule(rule) for rule in self._rules.pop(fault_id, ())]
        liftings += [self._disarm_signal(signal) for signal in self._signals.pop(fault_id, ())]
        proxy = self._proxies.pop(fault_id, None)
        return liftings if proxy is None else [*liftings, lab.toxics.close_proxy(proxy)]

    async def _disarm_signal(self, signal: str) -> None:
        """Take a signal back; one that was sent is armed no more, which is how it should be."""
        try:
            await self._lab.tap.lift_signal(signal)
        except ControlError as error:
            if error.status != NOT_ARMED:
                raise

    async def _arm_at_vendor(self, fault: Fault) -> None:
        control = self._lab.controls[fault.system]
        for part, (operation, orders, attempts) in enumerate(self._split(fault)):
            body: dict[str, Any] = {
                "id": self._name(fault, part),
                "kind": fault.kind,
                "params": dict(fault.params),
                "ttl_s": TTL_S,
            }
            if operation is not None:
                body["operation"] = operation
            if orders:
                body["entities"] = [self._orders[order].name for order in orders]
            if attempts is not None:
                body["attempts"] = list(attempts)
            await control.arm(body)
            self._vendor.setdefault(fault.id, []).append((fault.system, body["id"]))

    async def _arm_on_wire(self, fault: Fault) -> None:
        inbound = bool(fault.params.get("refuse"))
        upstream = REFUSE if inbound else await self._open_proxy(fault)
        for part, (operation, orders, attempts) in enumerate(self._split(fault)):
            rule = Rule(
                id=self._name(fault, part),
                listener=f"inbound-{fault.system}" if inbound else fault.system,
                upstream=upstream,
                operation=None if inbound else operation,
                entities=self._name_entities(orders) or None,
                attempts=attempts,
                ttl_s=TTL_S,
            )
            await self._lab.tap.arm_rule(rule)
            self._rules.setdefault(fault.id, []).append(rule.id)

    async def _open_proxy(self, fault: Fault) -> str:
        """Open a proxy that carries the fault's toxics in front of the vendor; the tap sends chosen exchanges there."""
        lab = self._lab
        name = f"{FAULT}-{fault.system}-{self._experiment}-{fault.id}"
        toxics = [WireToxic(toxic.type, toxic.attributes, toxic.stream) for toxic in fault.toxics]
        address = await lab.toxics.open_proxy(name, lab.vendor_addresses[fault.system], toxics)
        self._proxies[fault.id] = name
        return address

    async def _arm_signal(self, fault: Fault) -> None:
        """Have the tap kill the integration: at the end of its nth answer about these orders, or at the head of one it is to get."""
        integration = self._lab.integration
        pid = integration.signal_pid
        if not integration.owned or pid is None:
            raise LabError("the integration is not ours to kill")
        integration.expect_exit()
        outbound = bool(fault.params.get("outbound"))
        for part, operation in enumerate(fault.operations if outbound else (None,)):
            signal = Signal(
                id=self._name(fault, part),
                listener=fault.system if outbound else f"inbound-{fault.system}",
                pid=pid,
                signal="KILL",
                operation=operation,
                when="response_head" if outbound else "response_end",
                entities=self._name_entities(fault.orders),
                nth=int(fault.params.get("nth", 1)),
                ttl_s=TTL_S,
            )
            await self._lab.tap.signal(signal)
            self._signals.setdefault(fault.id, []).append(signal.id)

    async def _act(self, fault: Fault) -> None:
        control = self._lab.controls[fault.system]
        if fault.kind == "forge":
            for order in fault.orders:
                about = self._orders[order]
                topic = fault.operations[0]
                await control.act("forge", order=about.id, entity=about.name, topic=topic, **fault.params)
        else:
            await control.act(fault.kind, **fault.params)

    def _split(self, fault: Fault) -> list[tuple[str | None, tuple[int, ...], tuple[int, ...] | None]]:
        """Split a fault into what one control plane takes: one operation each, and one order each where chance decides."""
        operations: tuple[str | None, ...] = fault.operations or (None,)
        if fault.probability >= 1:
            return [(operation, fault.orders, fault.attempts) for operation in operations]
        return [
            (operation, (order,) if order else (), hits)
            for operation in operations
            for order in fault.orders or (0,)
            if (hits := self._hits(fault, order))
        ]

    def _hits(self, fault: Fault, order: int) -> tuple[int, ...]:
        planned = range(1, PLANNED_ATTEMPTS + 1)
        return tuple(
            attempt for attempt in planned if decide(self._seed, self._experiment, fault, order=order, attempt=attempt)
        )

    def _name_entities(self, orders: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
        return {self._orders[order].name: tuple(sorted(self._orders[order].aliases)) for order in orders}

    def _name(self, fault: Fault, part: int) -> str:
        """Name what is armed so that the record can tell which fault of the plan it was."""
        return f"{self._experiment}#{fault.id}~{part}"


async def _try(lifting: Coroutine[Any, Any, object]) -> LabError | None:
    try:
        await lifting
    except LabError as error:
        return error
    return None
