"""The people of a story: who is told, what is laid before whom, and what the integration shows to operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.conditions import Alerted
from harness.core.experiments import Decide
from harness.engine.driver import DEAD_LETTERS, QUEUES
from harness.pytest_plugin.conditions import Shown, Until
from harness.pytest_plugin.seen import Seen
from harness.pytest_plugin.telling import say_alert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.history import Alert
    from harness.engine.driver import Driver
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.story import Story

TICKETS = "zendesk"


class Ops:
    """Operations: the ops desk, and the operators' view into the integration."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def alerts(self, role: str | None = None) -> Seen[Alert]:
        """List the alerts, all or those of one role; what is triggered again while it is open is the same alert."""
        return self._list_told(role, tickets=False)

    def tickets(self, role: str | None = None) -> Seen[Alert]:
        """List the tickets, all or those of one role."""
        return self._list_told(role, tickets=True)

    def alerted_about(self, handoff: str, times: int = 1) -> Until:
        """Build the condition that so many alerts about a handoff stand at the ops desk."""
        return Until(Alerted(handoff, times))

    def breaker(self, handoff: str, state: str) -> Until:
        """Build the condition that the breaker of a handoff is `open`, `half_open` or `closed`."""

        def fits(item: Mapping[str, Any]) -> bool:
            return item.get("handoff") == handoff and item.get("state") == state

        return Until(Shown("breakers", fits, f"the breaker of {handoff} {state}"), ("breakers",))

    def dead_letters(self, handoff: str, orders: Orders | None = None) -> Seen[Mapping[str, Any]]:
        """List what waits in the dead letters of a handoff; of that, what is about some orders."""
        history = self._story.look(DEAD_LETTERS)
        chosen = [None] if orders is None else list(orders.ordinals)
        return Seen((item for order in chosen for item in history.waiting(handoff, order)), _say_item)

    def cases(self, handoff: str, orders: Orders) -> Seen[Mapping[str, Any]]:
        """List the cases of a handoff about some orders that nobody has decided yet."""
        history = self._story.look(QUEUES)
        return Seen((item for order in orders.ordinals for item in history.open_cases(handoff, order)), _say_item)

    def exceptions(self, orders: Orders) -> Seen[Mapping[str, Any]]:
        """List the exceptions the integration shows about some orders: every attempt that failed, at whichever handoff."""
        seen = self._story.look("exceptions").observed("exceptions")
        items = seen.items if seen is not None else ()
        return Seen((item for item in items if item.get("entity") in orders.names), _say_item)

    def replay(self, handoff: str) -> None:
        """Replay everything that waits in the dead letters of a handoff; raises ObserveError where it is refused."""

        async def replayed(driver: Driver) -> None:
            await driver.observe(DEAD_LETTERS)
            for letter in driver.history().waiting(handoff):
                await driver.observer.replay(str(letter["id"]))

        self._story.do(replayed)

    def decide(self, handoff: str, orders: Orders, decision: str) -> None:
        """Take a decision on the open cases of a handoff about orders."""
        self._story.perform(*(Decide(handoff, order, decision) for order in orders.ordinals))

    def start_job(self, name: str) -> bool:
        """Start a run of a job by hand; tell whether the integration took it, or refused since one is under way."""
        return self._story.do(lambda driver: driver.observer.start(name))

    def runs(self, job: str) -> Seen[Mapping[str, Any]]:
        """List the runs of a job that the integration shows, the oldest first."""
        seen = self._story.look("jobs").observed("jobs")
        items = seen.items if seen is not None else ()
        return Seen((item for item in items if item.get("name") == job), _say_item)

    def running(self, job: str) -> Until:
        """Build the condition that a run of a job is under way."""

        def fits(item: Mapping[str, Any]) -> bool:
            return item.get("name") == job and item.get("state") == "running"

        return Until(Shown("jobs", fits, f"a run of {job} under way"), ("jobs",))

    def _list_told(self, role: str | None, *, tickets: bool) -> Seen[Alert]:
        told = (each for each in self._story.look().alerts if (each.channel == TICKETS) == tickets)
        return Seen((each for each in told if role is None or each.role == role), say_alert)

    def __repr__(self) -> str:
        """Name it."""
        return "<ops>"


def _say_item(item: Mapping[str, Any]) -> str:
    shown = (item.get("handoff") or item.get("name"), item.get("entity"), item.get("code"), item.get("state"))
    return " ".join(str(part) for part in shown if part)
