"""The recorder: nothing missed, nothing twice, and every gap told."""

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from harness.core.verdict import UnknownKind
from harness.engine.recorder import Recorder
from harness.lab.control import JournalPage
from harness.lab.deaths import Death
from harness.lab.errors import ControlError, ControlUnreachable, JournalEvicted

pytestmark = pytest.mark.anyio
WITHIN_S = 10.0


class Source:
    """A journal in memory, as the recorder reads one."""

    def __init__(self, system="erp"):
        self.system = system
        self.epoch = "first"
        self.entries = []
        self.failure = None
        self._news = asyncio.Event()

    def write(self, seq=None, **fields):
        """Write an entry, numbered on unless told otherwise."""
        last = self.entries[-1]["seq"] if self.entries else 0
        now = asyncio.get_running_loop().time()
        self.entries.append({"seq": seq or last + 1, "type": "act", "mono": now, **fields})
        self._news.set()

    def fail(self, error):
        """Answer nothing but this from now on."""
        self.failure = error
        self._news.set()

    def forget(self):
        """Begin anew under the same epoch."""
        self.entries = []
        self._news.set()

    def poke(self):
        """Have a waiting poll answered."""
        self._news.set()

    async def journal(self, after=0, wait=0.0):
        """Answer a page."""
        if wait and not self.failure and (self.entries[-1]["seq"] if self.entries else 0) == after:
            self._news.clear()
            async with asyncio.timeout(wait):
                await self._news.wait()
        if self.failure:
            raise self.failure
        last = self.entries[-1]["seq"] if self.entries else 0
        return JournalPage([entry for entry in self.entries if entry["seq"] > after], last, self.epoch)


class Ways:
    """A toxic engine with nothing in the way."""

    async def read_ways(self):
        """Return no proxies."""
        return {}


@asynccontextmanager
async def record(deaths=(), **sources):
    """Record these sources; the tap is one of them."""
    sources.setdefault("tap", Source("tap"))
    tap = sources.pop("tap")
    lab = SimpleNamespace(tap=tap, controls=sources, journal_ends={}, published={}, toxics=Ways(), deaths=deaths)
    async with Recorder(lab) as recorder:
        yield recorder


async def lose(recorder, source):
    """Wait until the recorder has lost a source; return what it says and the kind of trouble."""
    async with asyncio.timeout(WITHIN_S):
        while source not in recorder.lost:
            await recorder.wait_news(recorder.version, 1.0)
    (trouble,) = (entry.data for entry in recorder.entries if entry.data["type"] == "trouble")
    return trouble["what"], trouble["kind"]


async def test_every_entry_is_there_once():
    """Entries that are followed and caught up with at the same time are neither lost nor doubled."""
    erp = Source()
    async with record(erp=erp) as recorder:
        for _ in range(50):
            erp.write()
            await asyncio.gather(recorder.catch_up(), asyncio.sleep(0))
        seqs = [entry.data["seq"] for entry in recorder.entries if entry.source == "erp"]

    assert seqs == list(range(1, 51))


@pytest.mark.parametrize(
    ("harm", "said", "kind"),
    [
        (lambda source: source.write(seq=9), "its journal has a gap: 1 is followed by 9", UnknownKind.INTERFERENCE),
        (lambda source: source.forget(), "it went back from 1 to 0", UnknownKind.INTERFERENCE),
        (
            lambda source: source.fail(JournalEvicted("erp", "GET /journal", 410, "entries before 7 were evicted")),
            "its journal has a gap: entries before 7 were evicted",
            UnknownKind.INTERFERENCE,
        ),
        (
            lambda source: source.fail(ControlUnreachable("erp", "GET /journal", "ConnectError")),
            "no answer: ConnectError",
            UnknownKind.ENVIRONMENT,
        ),
        (
            lambda source: source.write(mono=time.monotonic() + 3.0),
            "s ahead of ours",
            UnknownKind.INTERFERENCE,
        ),
        (lambda source: source.fail(ValueError("no JSON")), "its journal cannot be read", UnknownKind.ENVIRONMENT),
    ],
    ids=["gap", "went back", "evicted", "gone", "another clock", "garbage"],
)
async def test_a_journal_that_is_not_whole_is_told(harm, said, kind):
    """Whatever is wrong with a source, it is lost once, with the reason and whose trouble that is."""
    erp = Source()
    async with record(erp=erp) as recorder:
        erp.write()
        await recorder.catch_up()
        harm(erp)
        what, found = await lose(recorder, "erp")

    assert said in what
    assert found == kind


async def test_a_source_that_was_restarted_is_the_environments_trouble():
    """Another epoch is another process: its journal says nothing of the time before."""
    erp = Source()
    async with record(erp=erp) as recorder:
        erp.write()
        await recorder.catch_up()
        erp.epoch = "second"
        erp.write()
        what, kind = await lose(recorder, "erp")

    assert "restarted" in what
    assert kind == UnknownKind.ENVIRONMENT


async def test_a_lost_tap_is_our_own_trouble():
    """The tap is the harness itself, whatever happened to it."""
    tap = Source("tap")
    async with record(tap=tap) as recorder:
        tap.fail(ControlUnreachable("tap", "GET /journal", "ConnectError"))
        _, kind = await lose(recorder, "tap")

    assert kind == UnknownKind.INTERFERENCE


async def test_a_new_experiment_begins_with_the_troubles_that_last():
    """What the driver did before is gone; a source that is lost stays lost, and is said again."""
    erp = Source()
    async with record(erp=erp) as recorder:
        recorder.note("action", what="place 1")
        recorder.note_trouble(UnknownKind.ENVIRONMENT, "of the one before")
        erp.fail(ControlUnreachable("erp", "GET /journal", "ConnectError"))
        async with asyncio.timeout(WITHIN_S):
            while not recorder.lost:
                await recorder.wait_news(recorder.version, 1.0)
        recorder.begin()
        left = [entry.data for entry in recorder.entries]

    assert [(data["type"], "erp" in data["what"]) for data in left] == [("trouble", True)]


async def test_news_between_looking_and_waiting_is_not_missed():
    """Whoever looked at a version is told at once when there is a newer one, and waits no longer than allowed."""
    async with record() as recorder:
        seen = recorder.version
        recorder.note("action", what="place 1")
        async with asyncio.timeout(WITHIN_S):
            await recorder.wait_news(seen, WITHIN_S * 2)
        await recorder.wait_news(recorder.version, 0.0)

    assert recorder.version > seen


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ControlError("erp", "POST /faults", 422, "no such fault"), UnknownKind.ENVIRONMENT),
        (ControlError("tap", "POST /rules", 422, "no such listener"), UnknownKind.INTERFERENCE),
    ],
)
async def test_a_refused_call_is_the_trouble_of_who_refused_it(error, kind):
    """The tap is part of the harness, everything else its environment."""
    async with record() as recorder:
        recorder.note_error(error)
        (trouble,) = (entry.data for entry in recorder.entries)

    assert (trouble["kind"], trouble["what"]) == (kind, str(error))


async def test_what_the_driver_adds_is_redacted():
    """A dead letter that shows its customer is kept without one; what checks look at stays."""
    async with record(erp=Source("erp")) as recorder:
        letter = {"id": "7", "entity": "#1001", "payload": {"customer": {"first_name": "Ada", "last_name": "Byron"}}}
        recorder.redactor.tell(["Prado"])
        recorder.note("observation", what="dead_letters", items=[{**letter, "error": "Mrs Prado, ada@example.com"}])
        (item,) = recorder.entries[-1].data["items"]
        assert (item["id"], item["entity"]) == ("7", "#1001")
        assert not any(name in str(item) for name in ("Ada", "Byron", "Prado", "ada@"))


async def test_a_call_with_a_live_key_is_told_as_trouble_of_the_environment():
    """A fake turned the call away; what comes of it says nothing about the integration's promises."""
    erp = Source("erp")
    async with record(erp=erp) as recorder:
        erp.write(type="credential", what="a live Stripe key", shown="sk_live_", header="authorization")
        async with asyncio.timeout(WITHIN_S):
            while not (troubles := [each.data for each in recorder.entries if each.data["type"] == "trouble"]):
                await recorder.wait_news(recorder.version, 1.0)
        assert troubles[0]["kind"] == str(UnknownKind.ENVIRONMENT)
        assert "sk_live_" in troubles[0]["what"]


@pytest.mark.parametrize(
    ("role", "returncode", "kinds"),
    [
        ("integration", -signal.SIGKILL, ["environment"]),
        ("integration", -signal.SIGTERM, ["environment"]),
        ("toxiproxy", -signal.SIGKILL, ["interference"]),
        ("integration", -signal.SIGSEGV, []),
        ("integration", 1, []),
    ],
)
async def test_what_somebody_killed_is_told_once_and_what_ended_by_itself_is_not(role, returncode, kinds):
    """A part that was killed is a trouble of the experiment it is noticed in; its own end is the integration's own doing."""
    deaths = []
    async with record(deaths) as recorder:
        deaths.append(Death(role, 7, returncode, 0.0, 0.0, ()))
        for expected in (kinds, kinds):
            await recorder.catch_up()
            assert [entry.data["kind"] for entry in recorder.entries if entry.data["type"] == "trouble"] == expected
        recorder.begin()
        await recorder.catch_up()
        assert [entry.data for entry in recorder.entries if entry.data["type"] == "trouble"] == []
