"""A handful of orders, or items, as a story speaks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from harness.core.conditions import AllOf, DeadLettered, Delivered, Queued
from harness.core.starts import Start
from harness.pytest_plugin.conditions import Standing, Until

if TYPE_CHECKING:
    from harness.core.experiments import LedgerRule
    from harness.core.history import Order


@dataclass(frozen=True, slots=True)
class Orders(Sequence["Order"]):
    """Orders in the order they were reserved, and the conditions they can come to."""

    each: tuple[Order, ...]
    rule: LedgerRule

    @property
    def ordinals(self) -> tuple[int, ...]:
        """Their ordinals in the story, from 1."""
        return tuple(order.ordinal for order in self.each)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, as people at the shop say them."""
        return tuple(order.name for order in self.each)

    def resolved(self, *handoffs: str, times: int = 1) -> Until:
        """
        Build the condition that these handoffs have resolved each order, so many times; with none named, all it passes.

        Those it passes are the ones that placing it sets off; what a shipment or a refund sets off has to be named.
        """
        stations = {station.handoff: station for station in self.rule.stations}
        unknown = [name for name in handoffs if name not in stations or stations[name].end is None]
        if unknown:
            raise LookupError(f"no handoff {', '.join(unknown)} that orders end at; there is {', '.join(stations)}")
        chosen = [stations[name] for name in handoffs] or [
            station for station in self.rule.stations if station.start is Start.PLACED
        ]
        ends = dict.fromkeys(station.end for station in chosen if station.end is not None)
        return Until(AllOf(tuple(Standing(end, self.ordinals, times) for end in ends)))

    def acknowledged(self, *topics: str) -> Until:
        """Build the condition that a webhook about each, of these topics if any are named, was answered with a 2xx."""
        return Until(AllOf(tuple(Delivered(order, topics=topics) for order in self.ordinals)))

    def in_dead_letters(self, handoff: str) -> Until:
        """Build the condition that each is in the dead letters of a handoff."""
        return Until(DeadLettered(handoff, self.ordinals), ("dead_letters",))

    def in_queue(self, handoff: str) -> Until:
        """Build the condition that a role-queue case of a handoff is open about each."""
        return Until(Queued(handoff, self.ordinals), ("queues",))

    @overload
    def __getitem__(self, index: int) -> Order: ...

    @overload
    def __getitem__(self, index: slice) -> Orders: ...

    def __getitem__(self, index: int | slice) -> Order | Orders:
        """Return one order, or some of them."""
        return Orders(self.each[index], self.rule) if isinstance(index, slice) else self.each[index]

    def __add__(self, others: Orders) -> Orders:
        """Return these and others."""
        return Orders((*self.each, *others.each), self.rule)

    def __len__(self) -> int:
        """Count them."""
        return len(self.each)

    def __repr__(self) -> str:
        """Name them."""
        return f"<{', '.join(self.names)}>"


@dataclass(frozen=True, slots=True)
class Items(Sequence["Order"]):
    """Goods taken in for one story: new SKUs with stock of their own."""

    each: tuple[Order, ...]

    @property
    def skus(self) -> tuple[str, ...]:
        """Their SKUs."""
        return tuple(item.name for item in self.each)

    @property
    def ordinals(self) -> tuple[int, ...]:
        """Their ordinals in the story; they count on from those of orders."""
        return tuple(item.ordinal for item in self.each)

    @overload
    def __getitem__(self, index: int) -> Order: ...

    @overload
    def __getitem__(self, index: slice) -> Items: ...

    def __getitem__(self, index: int | slice) -> Order | Items:
        """Return one item, or some of them."""
        return Items(self.each[index]) if isinstance(index, slice) else self.each[index]

    def __len__(self) -> int:
        """Count them."""
        return len(self.each)

    def __repr__(self) -> str:
        """Name them."""
        return f"<{', '.join(self.skus)}>"
