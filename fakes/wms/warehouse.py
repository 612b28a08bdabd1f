"""The warehouse: its orders and its stock, and what can happen to them; every change of one is a change of the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from fakes.kit.board import FaultBoard
from fakes.kit.entities import EntityIndex
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.limits import Window
from fakes.kit.records import Collection
from fakes.wms import fulfilment
from fakes.wms.model import LOCATIONS, Event, Line, NotPossibleError, Order, Shipment, Stock
from fakes.wms.payloads import (
    build_adjusted,
    build_allocated,
    build_cancelled,
    build_shipped,
    build_short_picked,
    build_snapshot,
    show_order,
    show_shipment,
)
from fakes.wms.stock import RESERVED_AGE_S, RESERVED_LEVELS, Shelves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange
    from fakes.wms.fulfilment import Parcel
    from fakes.wms.model import Location
    from fakes.wms.settings import Settings

Place = tuple[str, "Location"]


class Warehouse:
    """Hold the state of one warehouse; what happens is announced as events, for the webhooks."""

    def __init__(self, clock: Clock, *, nonce: str, settings: Settings, time_scale: float = 1.0) -> None:
        self.clock = clock
        self.time_scale = time_scale
        self.journal = Journal(clock)
        self.board = FaultBoard(self.journal)
        self.entities = EntityIndex()
        self.ids = IdSource(nonce)
        self._revisions = count(1)
        self.shelves = Shelves(clock, self.journal, self.entities, self._stamp)
        self.orders: Collection[Order] = Collection(
            "orders",
            show=show_order,
            journal=self.journal,
            entities=self.entities,
            indexes={"reference": lambda order: order.reference, "entity": lambda order: order.entity},
        )
        self.shipments: Collection[Shipment] = Collection(
            "shipments", show=show_shipment, journal=self.journal, entities=self.entities
        )
        self.announce: Callable[[Event], object] = lambda _event: None
        self._initial = settings
        self.configure(settings)

    def reset(self) -> None:
        """Put back what the kit does not know of; ids and revisions run on."""
        self.configure(self._initial)

    def configure(self, settings: Settings) -> None:
        """Take on settings and forget the calls of the last minute."""
        self.settings = settings
        self.window = Window(self.clock, limit=settings.requests_per_min, seconds=60.0 / self.time_scale)

    def create(
        self,
        reference: str,
        lines: tuple[Line, ...],
        location: Location,
        *,
        entity: str,
        ship_to: dict[str, Any],
        limit: int | None = None,
        exchange: Exchange | None = None,
    ) -> Order:
        """
        Take in an order and allocate it at its location, at most ``limit`` units where that is all there is.

        Items must be known, or are taken in with plenty.
        """
        for sku in {line.sku: None for line in lines}:
            if not self.shelves.knows(sku):
                self.shelves.open_plenty(sku, exchange)
        now = self.clock.wall()
        order_id = "ord_" + self.ids.text("order", length=20)
        order = Order(order_id, reference, entity, location, lines, now, now, self._stamp(), ship_to)
        if self.settings.auto_allocate or limit is not None:
            order = fulfilment.allocate(order, location, self._free(location), limit=limit)
        if limit is not None:
            order = replace(order, exhausted=frozenset([location]))
        return self._keep(None, order, exchange)

    def allocate(self, order: Order, location: Location, exchange: Exchange | None = None) -> Order:
        """Set aside what is missing at a location; raises NotPossibleError when that is nothing."""
        if location in order.exhausted:
            raise NotPossibleError(f"{location} has no more for {order.reference}", code="nothing_to_allocate")
        return self._allocate(order, (location,), exchange)

    def allocate_anywhere(self, order: Order, location: Location | None = None) -> Order:
        """Set aside what is missing, as people would who found some: at one location, or at the preferred one first."""
        places = (location,) if location else tuple(sorted(LOCATIONS, key=lambda one: one != order.location))
        return self._allocate(replace(order, exhausted=order.exhausted - set(places)), places, None)

    def cancel(self, order: Order, reason: str, exchange: Exchange | None = None) -> Order:
        """End an order that is not picked yet."""
        cancelled = self._keep(order, fulfilment.cancel(order, reason, self.clock.wall()), exchange)
        self._tell(exchange, build_cancelled(cancelled))
        return cancelled

    def advance(self, order: Order, step: Callable[[Order], Order]) -> Order:
        """Take an order a step on that moves no stock: pick, pack, hold."""
        return self._keep(order, step(order))

    def pick_short(self, order: Order, sku: str | None, quantity: int, reason: str) -> Order:
        """Fail to find units; they are written off where they should have been."""
        shortened, shorts = fulfilment.pick_short(order, sku, quantity, reason)
        lost = {(short.sku, short.location): -short.quantity for short in shorts}
        kept = self._keep(order, shortened, adjusted=lost)
        self._tell(None, build_short_picked(kept, shorts))
        for short in shorts:
            stock = self.shelves.read(short.sku, short.location)
            self._tell(None, build_adjusted(stock, -short.quantity, "short_pick"))
        return kept

    def ship(self, order: Order, wanted: Mapping[str, int] | None, tracking: str | None, carrier: str) -> Order:
        """Send off what is set aside, one shipment a location."""
        sent, parcels = fulfilment.ship(order, wanted)
        made = self._build_shipments(order, parcels, tracking, carrier)
        gone: Counter[Place] = Counter()
        for parcel in parcels:
            gone[parcel.sku, parcel.location] += parcel.quantity
        kept = self._keep(order, replace(sent, shipments=(*order.shipments, *made)), shipped=gone)
        for shipment in made:
            self.shipments.put(shipment.id, shipment, entity=order.entity)
            self._tell(None, build_shipped(kept, shipment))
        return kept

    def move_stock(self, sku: str, location: Location, reason: str, *, received: int = 0, adjusted: int = 0) -> Stock:
        """Let goods come in, or correct what lies there."""
        if not self.shelves.knows(sku):
            raise NotPossibleError(f"the warehouse does not know {sku}", code="unknown_item")
        stock = self.shelves.change(sku, location, received=received, adjusted=adjusted)
        self._tell(None, build_adjusted(stock, received + adjusted, reason))
        return stock

    def reserve_item(self) -> str:
        """
        Take in a new item without a word to anybody, and return its name: one token that is this run's own.

        It has lain there for a week, so that nobody who asks for what changed lately hears of it.
        """
        sku = f"ITEM{self.ids.number('item', digits=13, room=6)}"
        self.entities.register(sku)
        self.shelves.open(sku, RESERVED_LEVELS, aged_s=RESERVED_AGE_S)
        return sku

    def count_all(self, location: Location | None = None) -> Event:
        """Count everything now, and announce it."""
        stock = [one for one in self.shelves.stock if location in {None, one.location}]
        event = build_snapshot(stock, self.clock.wall())
        self._tell(None, event)
        return event

    def find_order(self, entity: str | None, order_id: str | None) -> Order | None:
        """Return an order by its own id, or the oldest standing one about an entity by any of its names."""
        if order_id is not None or entity is None:
            return self.orders.get(order_id or "")
        name = self.entities.find(entity) or entity
        found = (*self.orders.find("entity", name), *self.orders.find("reference", entity))
        about = sorted(found, key=lambda order: order.created_at)
        return next((order for order in about if order.cancelled_at is None), about[0] if about else None)

    def _allocate(self, order: Order, places: Iterable[Location], exchange: Exchange | None) -> Order:
        if order.status in {"cancelled", "shipped"} or order.missing == 0:
            detail = f"nothing is missing of the order {order.reference}, which is {order.status}"
            raise NotPossibleError(detail, code="nothing_to_allocate")
        found = order
        for place in places:
            found = fulfilment.allocate(found, place, self._free(place))
        if found.missing == order.missing:
            detail = f"nothing of what {order.reference} lacks is available at {' or '.join(places)}"
            raise NotPossibleError(detail, code="nothing_to_allocate")
        return self._keep(order, found, exchange)

    def _keep(
        self,
        before: Order | None,
        after: Order,
        exchange: Exchange | None = None,
        *,
        shipped: Mapping[Place, int] | None = None,
        adjusted: Mapping[Place, int] | None = None,
    ) -> Order:
        moves: defaultdict[Place, dict[str, int]] = defaultdict(dict)
        for kind, units_at in (
            ("allocated", _compare(before, after)),
            ("shipped", shipped or {}),
            ("adjusted", adjusted or {}),
        ):
            for place, units in units_at.items():
                moves[place][kind] = units
        for (sku, location), change in moves.items():
            self.shelves.change(sku, location, exchange=exchange, **change)
        kept = replace(after, updated_at=self.clock.wall(), revision=self._stamp())
        self.orders.put(kept.id, kept, entity=kept.entity, exchange=exchange)
        if kept.missing < (before.missing if before else kept.quantity):
            self._tell(exchange, build_allocated(kept))
        return kept

    def _build_shipments(
        self, order: Order, parcels: Iterable[Parcel], tracking: str | None, carrier: str
    ) -> tuple[Shipment, ...]:
        loads: defaultdict[Location, list[tuple[str, int]]] = defaultdict(list)
        for parcel in parcels:
            loads[parcel.location].append((parcel.sku, parcel.quantity))
        made = []
        for i, (location, lines) in enumerate(loads.items()):
            number = tracking if tracking and i == 0 else f"TRK{self.ids.number('tracking')}"
            shipment_id = "shp_" + self.ids.text("shipment", length=20)
            now = self.clock.wall()
            made.append(Shipment(shipment_id, order.id, order.reference, number, carrier, location, now, tuple(lines)))
        return tuple(made)

    def _free(self, location: Location) -> Callable[[str], int]:
        return lambda sku: self.shelves.read(sku, location).available

    def _tell(self, exchange: Exchange | None, event: Event) -> None:
        if exchange is None or not exchange.dry_run:
            self.announce(event)

    def _stamp(self) -> int:
        return next(self._revisions)


def _compare(before: Order | None, after: Order) -> Counter[Place]:
    units: Counter[Place] = Counter()
    for allocation in after.allocations:
        units[allocation.sku, allocation.location] += allocation.quantity
    for allocation in before.allocations if before else ():
        units[allocation.sku, allocation.location] -= allocation.quantity
    return Counter({place: moved for place, moved in units.items() if moved})
