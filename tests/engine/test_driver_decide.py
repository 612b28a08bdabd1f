"""Deciding: what the driver notes of a case that is decided, refused, or that there is no way to decide."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from harness.core.experiments import Decide, Experiment, LedgerRule
from harness.core.record import Entry
from harness.engine.driver import Driver
from harness.engine.observer import ObserveError

CASE = {"id": "c1", "role": "compliance", "handoff": "post", "entity": "#1001"}


class Notes:
    """A recorder of what the driver notes, and of nothing else."""

    def __init__(self):
        self.entries = []
        self.version = 0

    def note(self, kind, /, **fields):
        """Keep an entry."""
        self.entries.append(Entry("driver", {"type": kind, "mono": time.monotonic(), **fields}))

    def note_shown(self, what, items):
        """Keep what was shown."""
        self.note("observation", what=what, items=items)

    def read_from(self, place):
        """Return what was noted from a place on."""
        return self.entries[place:]


class Shown:
    """An integration that shows one open case, and meets a decision in a way of its own."""

    observable = frozenset({"queues"})

    def __init__(self, error):
        self.error = error
        self.decided = []

    async def read(self, _what):
        """Show the case."""
        return [CASE]

    async def decide(self, case, decision):
        """Take a decision, or not."""
        if self.error is not None:
            raise self.error
        self.decided.append((case, decision))


def refuse(status=None):
    """Build the error of a decision that was answered so, or for which there is nobody to ask."""
    return ObserveError("queues: c1/decide", status=status, no_way=status is None)


def decide(error):
    """Have the driver decide the case of order 1; return the history and what was decided."""
    observer, bench = Shown(error), SimpleNamespace(seed=0, entity=None)
    bench.lab, bench.recorder, bench.observer, bench.stop = SimpleNamespace(id="l"), Notes(), observer, asyncio.Event()
    experiment = Experiment("e", "post", "", "", "", "", 1, (), (), LedgerRule(()))
    driver = Driver(bench, experiment, time.monotonic())
    bench.recorder.note("order", ordinal=1, name="#1001", id="5100", number="1001", aliases=[])
    asyncio.run(driver.perform(Decide("post", 1, "approve")))
    return driver.history(), observer.decided


def test_a_decision_is_taken():
    """The open case is decided, and noted to be."""
    history, decided = decide(None)
    assert decided == [("c1", "approve")]
    assert not history.lacks_way("decide", 1)


@pytest.mark.parametrize("error", [refuse(), refuse(404), refuse(405)])
def test_no_way_to_decide(error):
    """Where queues are read by a command, or the integration serves no decisions, there is no way to decide."""
    history, _ = decide(error)
    assert history.lacks_way("decide", 1)
    assert history.is_shown("queues")


@pytest.mark.parametrize("error", [refuse(422), refuse(500)])
def test_a_decision_that_is_refused(error):
    """An integration that serves decisions and refuses this one had its chance."""
    history, _ = decide(error)
    assert not history.lacks_way("decide", 1)
    assert not history.is_shown("queues")
