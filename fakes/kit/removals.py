"""
The fault ``subscription_removed``: a vendor forgets who subscribed to a topic while it is armed.

What was removed is kept: what it would have got is journaled as suppressed, and when the fault ends it is put back, unless
the integration subscribed anew meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from fakes.kit.kinds import REMOVAL

if TYPE_CHECKING:
    from fakes.kit.board import FaultBoard
    from fakes.kit.faults import Fault

T = TypeVar("T")


class Subscribers(Protocol[T]):
    """A vendor's subscriptions; what stands for one (T) is the vendor's choice, each for one topic."""

    def remove(self, topic: str | None) -> list[T]:
        """End the subscriptions to a topic, to all without one, as ``removed_by_vendor``, and return them."""

    def restore(self, removed: T) -> None:
        """Make a removed subscription stand again."""

    def has(self, removed: T) -> bool:
        """Tell whether there is a subscription to the same topic at the same address."""

    def topic(self, removed: T) -> str:
        """Return the topic it is for."""


class Removals(Generic[T]):
    """Remove subscriptions while faults say so."""

    def __init__(self, board: FaultBoard, subscribers: Subscribers[T]) -> None:
        self._board = board
        self._subscribers = subscribers
        self._removed: list[T] = []
        board.watch(REMOVAL, armed=self._remove, ended=self._restore)

    def reset(self) -> None:
        """Forget what was removed."""
        self._removed = []

    def missing(self, topic: str) -> list[T]:
        """Return what was removed from a topic and is not there again."""
        removed = [one for one in self._removed if self._subscribers.topic(one) == topic]
        return [one for one in removed if not self._subscribers.has(one)]

    def _remove(self, fault: Fault) -> None:
        # Who subscribed anew and is removed again stands for what was removed before.
        kept = [one for one in self._removed if not self._subscribers.has(one)]
        self._removed = [*kept, *self._subscribers.remove(fault.operation)]

    def _restore(self, fault: Fault) -> None:
        armed = [one.fault.operation for one in self._board.armed() if one.fault.kind == REMOVAL]
        kept: list[T] = []
        for one in self._removed:
            topic = self._subscribers.topic(one)
            if None in armed or topic in armed or fault.operation not in (None, topic):
                kept.append(one)
            elif not self._subscribers.has(one):
                self._subscribers.restore(one)
        self._removed = kept
