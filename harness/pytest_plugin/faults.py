"""Arming faults in a story."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.core.conditions import Received
from harness.pytest_plugin.conditions import Until
from harness.pytest_plugin.seen import Seen
from harness.pytest_plugin.telling import say_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.faults import Fault
    from harness.core.history import Receipt
    from harness.pytest_plugin.story import Story


class Armed:
    """A fault that is armed, or was."""

    def __init__(self, story: Story, fault: Fault) -> None:
        self._story = story
        self.fault = fault

    @property
    def receipts(self) -> Seen[Receipt]:
        """The proofs that it met traffic, until now."""
        return Seen(self._story.look().hits(self.fault.id), say_receipt)

    def bites(self, times: int = 1) -> Until:
        """Build the condition that it has met traffic so many times."""
        return Until(Received(self.fault.id, times))

    def __repr__(self) -> str:
        """Say what it is aimed at."""
        return f"<{self.fault.kind} at {self.fault.target}>"


class Faults:
    """What can be armed: the trouble that vendors make."""

    def __init__(self, story: Story) -> None:
        self._story = story

    @contextmanager
    def arm(self, fault: Fault) -> Iterator[Armed]:
        """
        Arm a fault for as long as the block runs; raises LabError where the lab refuses it.

        A story whose fault never met traffic fails in the end: it has tested nothing.
        """
        self._story.arm(fault)
        try:
            yield Armed(self._story, fault)
        finally:
            self._story.lift(fault)
