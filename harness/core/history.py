"""
What happened during one experiment, as values, and the questions checks ask of it.

Times are seconds since the experiment began, from the one monotonic clock all witnesses share. An order is known by its
ordinal in the plan (from 1), never by a vendor's id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from harness.core.memo import Memo, group
from harness.core.names import TOKEN, Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Item = Mapping[str, Any]


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
    `holding` are the faults that hold a call which has not ended yet: what came of it, no witness has told.
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
    holding: frozenset[str] = frozenset()
    observable: frozenset[str] = frozenset()
    _memo: Memo = field(default_factory=Memo, init=False, repr=False, compare=False)

    def calls_of(self, order: int) -> Sequence[Exchange]:
        """List the calls about one order in the order they began."""
        return self._memo.recall("calls", lambda: group(self.exchanges, lambda call: call.order)).get(order, ())

    def changes_of(self, order: int) -> Sequence[Change]:
        """List the changes of records about one order, in any system."""
        return self._memo.recall("changes", lambda: group(self.changes, lambda change: change.order)).get(order, ())

    def states(self, system: str, collection: str, record_id: str) -> Sequence[Change]:
        """List the changes of one record, whatever order they name."""
        found = self._memo.recall("records", lambda: group(self.changes, lambda change: change.record_id))
        return [each for each in found.get(record_id, ()) if (each.system, each.collection) == (system, collection)]

    def attempts(self, operations: Iterable[str], order: int | None = None) -> tuple[Exchange, ...]:
        """List the calls of these operations in the order they began; of one order when given."""
        names = frozenset(operations)
        calls = self.exchanges if order is None else self.calls_of(order)
        return tuple(call for call in calls if call.operation in names)

    def sent_by(self, order: int, topics: Iterable[str] = ()) -> tuple[Delivery, ...]:
        """List the webhook deliveries about one order; of these topics when any are given."""
        wanted = frozenset(topics)
        found = self._memo.recall("deliveries", lambda: group(self.deliveries, lambda sent: sent.order))
        return tuple(sent for sent in found.get(order, ()) if not wanted or sent.topic in wanted)

    def records(self, collection: str, order: int, system: str | None = None) -> tuple[Change, ...]:
        """
        List the records of one order that stand in a collection now: created and not deleted since, newest state.

        Without `system` every system's collection of that name counts.
        """
        found = self._memo.recall(("standing", order), lambda: self._list_standing(order)).get(collection, ())
        return tuple(change for change in found if system in {None, change.system})

    def _list_standing(self, order: int) -> dict[str, list[Change]]:
        standing: dict[tuple[str, str, str], Change] = {}
        for change in self.changes_of(order):
            place = (change.system, change.collection, change.record_id)
            if change.action == "deleted":
                standing.pop(place, None)
            else:
                standing[place] = change
        return group(standing.values(), lambda change: change.collection)

    def observed(self, what: str) -> Observation | None:
        """Return the newest successful observation of an endpoint, or None."""
        return next((seen for seen in reversed(self.observations) if seen.what == what and seen.error is None), None)

    def is_shown(self, what: str) -> bool:
        """Tell whether an endpoint could be read when it was asked last: an older answer may be out of date."""
        return next((seen.error is None for seen in reversed(self.observations) if seen.what == what), False)

    def dead_letters(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """List every dead letter of a handoff that was seen in this experiment, in its newest state."""
        return self._seen("dead_letters", handoff, order)

    def _seen(self, what: str, handoff: str, order: int | None) -> tuple[Item, ...]:
        told = self._memo.recall((what, "told"), lambda: self._sort_items(self._list_told(what)))
        return tuple({str(item.get("id")): item for item in told.get((handoff, order), ())}.values())

    def _list_told(self, what: str) -> Iterable[Item]:
        return chain.from_iterable(seen.items for seen in self.observations if seen.what == what)

    def _list_pending(self, what: str, state: str) -> Iterable[Item]:
        """List what the newest reading shows in a state, or without one."""
        newest = self.observed(what)
        return (item for item in (newest.items if newest is not None else ()) if item.get("state", state) == state)

    def _sort_items(self, items: Iterable[Item]) -> dict[tuple[str, int | None], list[Item]]:
        """Sort items by handoff, and by handoff and each order they name."""
        found: dict[tuple[str, int | None], list[Item]] = {}
        for item in items:
            for order in (None, *self.named_in(str(item.get("entity") or ""))):
                found.setdefault((str(item.get("handoff")), order), []).append(item)
        return found

    def waiting(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """
        List the dead letters of a handoff that wait now, by the newest observation; of one order when given.

        One that is no longer shown does not wait, and one without a state does: a plain list of what waits is enough.
        """
        pending = self._memo.recall("waiting", lambda: self._sort_items(self._list_pending("dead_letters", "waiting")))
        return tuple(pending.get((handoff, order), ()))

    def cases(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """List every role-queue case of a handoff that was seen in this experiment, in its newest state."""
        return self._seen("queues", handoff, order)

    def open_cases(self, handoff: str, order: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """List the role-queue cases of a handoff that nobody has decided yet, by the newest observation."""
        pending = self._memo.recall("open", lambda: self._sort_items(self._list_pending("queues", "open")))
        return tuple(pending.get((handoff, order), ()))

    def left_over(self, handoff: str) -> tuple[Mapping[str, Any], ...]:
        """List the dead letters of a handoff that wait now and are of earlier experiments: no order, no payload of this one."""
        return tuple(item for item in self.waiting(handoff) if not self._is_of_now(item))

    def is_ours(self, item: Mapping[str, Any]) -> bool:
        """Tell whether what was put aside is about an order placed in this lab, or a payload of this experiment."""
        return self._is_of_now(item) or not self.is_foreign(str(item.get("entity") or ""))

    def _is_of_now(self, item: Mapping[str, Any]) -> bool:
        entity = str(item.get("entity") or "")
        named = self.named_in(entity)
        if named or not self.is_foreign(entity):
            # The same bytes may be sent for two orders: whose item it is, its entity says where it can.
            return bool(named)
        return item.get("payload_sha256") in self._memo.recall("sent", self._list_payloads)

    def _list_payloads(self) -> frozenset[str]:
        hashes = [*(each.body_sha256 for each in self.deliveries), *(each.body_sha256 for each in self.exchanges)]
        return frozenset(filter(None, hashes))

    def named_in(self, text: str) -> frozenset[int]:
        """List the orders that a text names."""
        return self._memo.recall("names", lambda: Names(self.orders)).find_all(text)

    def is_foreign(self, entity: str | None) -> bool:
        """Tell whether a reference names no order that anybody placed in this lab."""
        return self.bystanders.isdisjoint(TOKEN.findall(entity or ""))

    def order(self, ordinal: int) -> Order:
        """Return an order by its ordinal; an order that was never placed has only its ordinal for a name."""
        known = self._memo.recall("orders", lambda: {order.ordinal: order for order in reversed(self.orders)})
        return known.get(ordinal) or Order(ordinal, f"order {ordinal}")

    def hits(self, fault: str) -> tuple[Receipt, ...]:
        """List the receipts of one fault."""
        return tuple(receipt for receipt in self.receipts if receipt.fault == fault)

    def did(self, kind: str, order: int) -> Sequence[Action]:
        """List what the driver did of this kind about an order."""
        return self._memo.recall(("did", kind), lambda: self._list_done(kind)).get(order, ())

    def _list_done(self, kind: str) -> dict[int, list[Action]]:
        done = [(order, action) for action in self.actions if action.kind == kind for order in action.orders]
        return {order: [action for _, action in found] for order, found in group(done, lambda pair: pair[0]).items()}

    def lacks_way(self, kind: str, order: int) -> bool:
        """Tell whether the driver was to do a thing of this kind about an order and the integration has no way to do it."""
        return any(not action.met for action in self.did(kind, order))

    def when(self, kind: str) -> float | None:
        """Return when the driver first did a thing of this kind, or None."""
        return next((action.t for action in self.actions if action.kind == kind), None)
