"""Variants that take no heed of what has to be done before, or let one handoff's trouble reach another."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from reference.breaker import Breaker, Opening, Permit
from reference.graph import Graph, Step
from reference.handoffs import ERP_TO_WMS, PAYMENT_CAPTURE
from reference.lane import MakeBreaker
from reference.orders import Order
from reference.outcomes import Health
from reference.parts import Parts
from reference.policy import BreakerPolicy


def shipped_unpaid() -> Parts:
    """Hand an order to the warehouse without waiting for its payment."""
    return Parts(make_graph=ImpatientGraph)


def one_breaker() -> Parts:
    """Pause every handoff when one of them fails."""
    return Parts(make_breaker=_share())


class ImpatientGraph(Graph):
    """A graph in which the warehouse does not wait for payments."""

    def _before(self, step: Step, order: Order) -> Iterable[str]:
        earlier = super()._before(step, order)
        return (one for one in earlier if (step.handoff, one) != (ERP_TO_WMS, PAYMENT_CAPTURE))


class SharedBreaker(Breaker):
    """What one handoff sees of a breaker that it has in common with others."""

    def __init__(self, handoff: str, shared: Breaker) -> None:
        self._name = handoff
        self._shared = shared

    def admit(self) -> Permit | None:
        """Ask the common breaker."""
        return self._shared.admit()

    def record(self, permit: Permit, health: Health) -> Opening | None:
        """Tell the common breaker; an opening is told as this handoff's."""
        opening = self._shared.record(permit, health)
        return replace(opening, handoff=self._name) if opening else None

    def abandon(self, permit: Permit) -> None:
        """Hand the permit back to the common breaker."""
        self._shared.abandon(permit)

    def view(self) -> dict[str, object]:
        """Return the common state under this handoff's name."""
        return {**self._shared.view(), "handoff": self._name}


def _share() -> MakeBreaker:
    listeners: list[Callable[[], None]] = []
    shared: list[Breaker] = []

    def tell_all() -> None:
        for listener in listeners:
            listener()

    def make(handoff: str, policy: BreakerPolicy, pause_s: float, on_change: Callable[[], None]) -> Breaker:
        if not shared:
            shared.append(Breaker("all", policy, pause_s=pause_s, on_change=tell_all))
        listeners.append(on_change)
        return SharedBreaker(handoff, shared[0])

    return make
