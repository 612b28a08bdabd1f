"""
What happened during one experiment, as values, and the questions checks ask of it.

Times are seconds since the experiment began, from the one monotonic clock all witnesses share. An order is known by its
ordinal in the plan (from 1), never by a vendor's id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOKEN = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Order:
    """
    An order of the plan, or an item, and the names vendors know it by.

    `further` are tokens that only later calls carry, such as the id of its payment.
    """

    ordinal: int
    name: str
    id: str = ""
    number: str = ""
    further: frozenset[str] = frozenset()

    @property
    def aliases(self) -> frozenset[str]:
        """The tokens that stand for it in references."""
        return frozenset(filter(None, (self.id, self.number, self.name.lstrip("#"), *self.further)))

    def is_named_in(self, text: str) -> bool:
        """Tell whether the text mentions it as a whole token."""
        return text == self.name or not self.aliases.isdisjoint(TOKEN.findall(text))


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One call of the integration, merged from what the tap and the fake recorded.

    `status` is what the client saw (None: no whole answer); `server_status` what the vendor answered (None: it never got
    the request). `end` is the tap's word for how it ended. `rule` is the wire fault it met, `faults` all of them;
    `garbled` tells a 2xx that a fault made impossible to understand, `fake` whether the vendor got the request at all.
    `body_sha256` is empty where the request was cut off before it was whole.
    """

    id: str
    system: str
    operation: str | None
    order: int | None
    started: float
    ended: float
    status: int | None
    end: str = "complete"
    entity: str | None = None
    key: str | None = None
    method: str = ""
    path: str = ""
    body_sha256: str = ""
    code: str | None = None
    server_status: int | None = None
    shared: bool = False
    garbled: bool = False
    faults: tuple[str, ...] = ()
    rule: str | None = None
    fake: bool = True

    @property
    def succeeded(self) -> bool:
        """A whole 2xx answer."""
        return self.end == "complete" and self.status is not None and 200 <= self.status < 300 and not self.garbled

    @property
    def counts_for_breaker(self) -> bool:
        """A connection error, a timeout, 429 or 5xx: what contract.md §2 calls a breaker failure."""
        return self.end != "complete" or self.status is None or self.status == 429 or self.status >= 500

    def __str__(self) -> str:
        """Show it the way an engineer would write it down."""
        answer = str(self.status) if self.status is not None and self.end == "complete" else self.end
        return f"{self.method} {self.path} → {answer}{f' {self.code}' if self.code else ''}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt of a vendor to deliver a webhook; `status` None when no answer came."""

    topic: str
    webhook_id: str
    order: int | None
    attempt: int
    started: float
    ended: float
    status: int | None
    outcome: str = "delivered"
    body_sha256: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A record that a vendor created, updated or deleted."""

    t: float
    system: str
    collection: str
    record_id: str
    order: int | None
    action: str
    record: Mapping[str, Any] = field(default_factory=dict)
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A distinct alert or ticket at the ops desk; re-triggers of an open one are the same alert."""

    t: float
    role: str | None
    handoff: str | None
    entity: str | None
    code: str | None
    key: str = ""
    channel: str = "pagerduty"
    claimed_role: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What the integration said about itself at one moment; `error` when it could not be asked."""

    t: float
    what: str
    items: tuple[Mapping[str, Any], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a fault met traffic: on which exchange or delivery, and what each side saw."""

    fault: str
    t: float
    where: str
    client_saw: str
    server_saw: str
    order: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Something the driver did or waited for; `met` is False when a wait ran into its deadline, or there is no way to do it."""

    t: float
    until: float
    what: str
    kind: str
    met: bool = True
    orders: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with the lab or the harness itself; `kind` is a kind of unknown."""

    t: float
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class History:
    """
    Everything that one experiment's checks may look at.

    `disturbance_s` is how long the most disturbed process of the lab had to wait for a processor, or anything on the
    machine for a disk, all in all. `bystanders` are the tokens of orders that earlier experiments placed in the same lab.
    """

    now: float
    orders: tuple[Order, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    changes: tuple[Change, ...] = ()
    alerts: tuple[Alert, ...] = ()
    observations: tuple[Observation, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    actions: tuple[Action, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    disagreements: tuple[str, ...] = ()
    disturbance_s: float = 0.0
    bystanders: frozenset[str] = frozenset()
    observable: frozenset[str] = frozenset()

    def attempts(self, operations: Iterable[str], order: int | None = None) -> tuple[Exchange, ...]:
        """List the calls of these operations in the order they began; of one order when given."""
        names = frozenset(operations)
        return tuple(
            exchange
            for exchange in self.exchanges
            if exchange.operation in names and (order is None or exchange.order == order)
        )

    def sent_by(self, order: int, topics: Iterable[str] = ()) -> tuple[Delivery, ...]:
        """List the webhook deliveries about one order; of these topics when any are given."""
        wanted = frozenset(topics)
        return tuple(
            delivery
            for delivery in self.deliveries
            if delivery.order == order and (not wanted or delivery.topic in wanted)
        )

    def records(self, collection: str, order: int, system: str | None = None) -> tuple[Change, ...]:
        """
        List the records of one order that stand in a collection now: created and not deleted since, newest state.

        Without `system` every system's collection of that name counts.
        """
        standing: dict[tuple[str, str], Change] = {}
        for change in self.changes:
            if change.collection != collection or change.order != order or system not in {None, change.system}:
                continue
            if change.action == "deleted":
                standing.pop((change.system, change.record_id), None)
            else:
                standing[change.system, change.record_id] = change
        return tuple(standing.values())

    def observed(self, what: str) -> Observation | None:
        """Return the newest successful observation of an endpoint, or None."""
        return next((seen for seen in reversed(self.observations) if seen.what == what and seen.error is None), None)

    def is_shown(self, what: str) -> bool:
        """Tell whether an endpoint could be read when it was asked last: an older answer may be out of date."""
        return next((seen.error is None for seen in reversed(self.observations) if seen.what == what), False)

    def dead_letters(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """List every dead letter of a handoff that was seen in this experiment, in its newest state."""
        return self._seen("dead_letters", handoff, order)

    def _seen(self, what: str, handoff: str, order: int | None) -> tuple[Mapping[str, Any], ...]:
        seen: dict[str, Mapping[str, Any]] = {}
        for observation in self.observations:
            if observation.what != what:
                continue
            for item in observation.items:
                if item.get("handoff") == handoff and (order is None or self.is_about(item, order)):
                    seen[str(item.get("id"))] = item
        return tuple(seen.values())

    def waiting(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """
        List the dead letters of a handoff that wait now, by the newest observation; of one order when given.

        One that is no longer shown does not wait, and one without a state does: a plain list of what waits is enough.
        """
        newest = self.observed("dead_letters")
        return tuple(
            item
            for item in (newest.items if newest is not None else ())
            if item.get("handoff") == handoff
            and item.get("state", "waiting") == "waiting"
            and (order is None or self.is_about(item, order))
        )

    def cases(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """List every role-queue case of a handoff that was seen in this experiment, in its newest state."""
        return self._seen("queues", handoff, order)

    def open_cases(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """List the role-queue cases of a handoff that nobody has decided yet, by the newest observation."""
        newest = self.observed("queues")
        return tuple(
            item
            for item in (newest.items if newest is not None else ())
            if item.get("handoff") == handoff
            and item.get("state", "open") == "open"
            and (order is None or self.is_about(item, order))
        )

    def left_over(self, handoff: str) -> tuple[Mapping[str, Any], ...]:
        """List the dead letters of a handoff that wait now and are of earlier experiments: no order, no payload of this one."""
        sent = {delivery.body_sha256 for delivery in self.deliveries} | {call.body_sha256 for call in self.exchanges}
        return tuple(
            item
            for item in self.waiting(handoff)
            if item.get("payload_sha256") not in sent
            and not any(self.is_about(item, order.ordinal) for order in self.orders)
        )

    def is_about(self, item: Mapping[str, Any], order: int) -> bool:
        """Tell whether something the integration or the ops desk said names this order."""
        return self.order(order).is_named_in(str(item.get("entity") or ""))

    def is_foreign(self, entity: str | None) -> bool:
        """Tell whether a reference names no order that anybody placed in this lab."""
        return self.bystanders.isdisjoint(TOKEN.findall(entity or ""))

    def order(self, ordinal: int) -> Order:
        """Return an order by its ordinal; an order that was never placed has only its ordinal for a name."""
        return next((order for order in self.orders if order.ordinal == ordinal), Order(ordinal, f"order {ordinal}"))

    def hits(self, fault: str) -> tuple[Receipt, ...]:
        """List the receipts of one fault."""
        return tuple(receipt for receipt in self.receipts if receipt.fault == fault)

    def lacks_way(self, kind: str, order: int) -> bool:
        """Tell whether the driver was to do a thing of this kind about an order and the integration has no way to do it."""
        return any(action.kind == kind and not action.met and order in action.orders for action in self.actions)

    def when(self, kind: str) -> float | None:
        """Return when the driver first did a thing of this kind, or None."""
        return next((action.t for action in self.actions if action.kind == kind), None)
