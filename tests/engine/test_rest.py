"""Bringing a lab to rest: what is taken up at its end, and what is left where it is."""

import asyncio
from types import SimpleNamespace

import pytest

from harness.core.history import History, Observation, Order
from harness.engine import rest
from harness.engine.rest import note_left

OWN = Order(1, "#1001", number="1001")
ITEMS = (
    {"id": "own", "entity": "#1001"},
    {"id": "earlier", "entity": "#900", "state": "waiting"},
    {"id": "strange", "entity": "#777", "state": "waiting"},
    {"id": "replayed", "entity": "#1001", "state": "replayed"},
)


class Driver:
    """As much of a driver as taking things up needs: what the integration shows, and what it was asked to replay."""

    def __init__(self, *, owned, items=ITEMS):
        self.bench = SimpleNamespace(left=set(), lab=SimpleNamespace(integration=SimpleNamespace(owned=owned)))
        self.observer = self
        self.items = items
        self.replayed = []

    async def observe(self, *_names):
        """Everything is read already."""

    async def replay(self, name):
        """Be asked to replay one."""
        self.replayed.append(name)

    def history(self):
        """Show the dead letters."""
        seen = (Observation(1.0, "dead_letters", self.items), Observation(1.0, "queues", ()))
        return History(2.0, (OWN,), observations=seen, bystanders=frozenset({"900"}))


def take_up(driver):
    """Take up what there is; return what was replayed."""
    asyncio.run(rest._take_up(driver))
    return driver.replayed


@pytest.mark.parametrize(("owned", "replayed"), [(True, ["own", "earlier", "strange"]), (False, ["own", "earlier"])])
def test_others_work_with_an_attached_integration(owned, replayed):
    """Of an integration that is not ours only what this lab's orders are about is taken up."""
    assert take_up(Driver(owned=owned)) == replayed


def test_what_was_left_is_not_taken_up_again():
    """What waits at the end of one experiment is left alone at the end of the next; what is new there is taken up."""
    driver = Driver(owned=True)
    note_left(driver.bench, driver.history())
    driver.items = (*ITEMS, {"id": "new", "entity": "#900"})

    assert driver.bench.left == {"own", "earlier", "strange"}
    assert take_up(driver) == ["new"]
