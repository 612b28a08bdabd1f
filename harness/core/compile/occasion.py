"""Occasions: what brings a role-queue case about, and the steps that lead there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.backoff import HANDLING_S
from harness.core.compile.frame import HORIZON
from harness.core.conditions import AnyOf, DeadLettered, Queued
from harness.core.experiments import Arm, Await, Step

if TYPE_CHECKING:
    from decimal import Decimal

    from harness.core.compile.failures import Failure
    from harness.core.compile.frame import Frame
    from harness.core.faults import Fault


# The end of a decision that lets an order go on where it was held up.
CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Occasion:
    """
    What brings a case about: a vendor's answer to so many calls of an order, or what it adds up to, before any call.

    `waiting_s` is how long the declared waits between the calls take, `paused_s` how long a breaker that they open holds the
    order up once it is decided, both in lab seconds.
    """

    failure: Failure | None
    calls: int
    total: Decimal | None = None
    waiting_s: float = 0.0
    paused_s: float = 0.0

    @property
    def carried_out(self) -> bool:
        """Whether the vendor did what it was asked for all that."""
        return self.failure is not None and self.failure.carries_out

    @property
    def counts(self) -> bool:
        """Whether a breaker counts the calls."""
        return self.failure is not None and self.failure.counts_for_breaker

    @property
    def said(self) -> str:
        """Return how many calls of an order there are, in words."""
        return f"{self.calls or 'no'} attempt{'' if self.calls == 1 else 's'}"

    @property
    def within_s(self) -> float:
        """Return how long the calls may take, in lab seconds."""
        return self.waiting_s * HORIZON + self.calls * HANDLING_S

    def list_faults(self, frame: Frame, orders: tuple[int, ...] = (1,)) -> list[Fault]:
        """List what has to be armed for these orders to meet it."""
        if self.failure is None:
            return []
        return [self.failure.build(frame.handoff, orders=orders, expected=self.calls * len(orders))]

    def list_totals(self, orders: tuple[int, ...] = (1,)) -> dict[int, str]:
        """Return what these orders have to add up to, by their ordinals."""
        return {} if self.total is None else dict.fromkeys(orders, str(self.total))


def bring_about(frame: Frame, occasion: Occasion) -> list[Step]:
    """List the steps that bring the case about, and wait until it is there, or the order elsewhere."""
    arm: list[Step] = [Arm(fault.id) for fault in occasion.list_faults(frame)]
    # What the vendor carried out shows at once, and says nothing of a case.
    through = () if occasion.carried_out else (frame.resolved(1),)
    somewhere = AnyOf((opened(frame), DeadLettered(frame.handoff.id, (1,)), *through))
    within_s = occasion.within_s + frame.patience_s
    return [*arm, *frame.start(1), Await(somewhere, within_s=within_s, declared_s=occasion.waiting_s)]


def opened(frame: Frame) -> Queued:
    """Build the condition that the case about the first order is there."""
    return Queued(frame.handoff.id, (1,))
