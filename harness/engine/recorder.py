"""Follow the journals of a lab as they grow, and keep what the driver did beside them."""

from __future__ import annotations

import asyncio
import time
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, Self

from harness.core.record import DRIVER, TAP, Entry
from harness.core.verdict import UnknownKind
from harness.lab.errors import ControlError, JournalEvicted, LabError
from harness.lab.toxics import TOXIPROXY
from harness.wire.privacy import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from harness.lab.control import ControlClient, JournalPage
    from harness.lab.lab import Lab
    from harness.wire.toxiproxy import ToxicProxy

POLL_S = 10.0
# News come in bursts: whoever had some is asked again only a little later, for several at once.
GATHER_S = 0.005
# How far back entries are kept when an experiment begins: what was under way then must still be paired.
KEPT_S = 3.0
ANSWER_WITHIN_S = 3.0
# How often the harness checks that it is scheduled itself, and from when on it was not.
PULSE_S = 0.05
STALLED_S = 0.25
# How far ahead of ours a clock may seem that is the same one.
AHEAD_S = 0.05


class Recorder:
    """
    The record of one lab: every journal entry with its source, in the order it arrived, and the driver's own.

    It begins where the lab was opened: what a journal held before is nobody's. A source that stops answering, starts anew
    or has a gap becomes a trouble; `lost` then names it. `version` grows with every entry; `newest` is when the newest one was
    written, on the monotonic clock. What the driver adds is redacted under the key of the lab, as its journals are.
    """

    def __init__(self, lab: Lab, stop: asyncio.Event | None = None) -> None:
        """Record a lab; who waits for news is woken, too, when `stop` is set."""
        self.redactor = Redactor(lab.published.get("CONTROL_TOKEN"))
        self._sources: dict[str, ControlClient] = {TAP: lab.tap, **lab.controls}
        self._toxics = lab.toxics
        self._deaths = lab.deaths
        self._deaths_told = 0
        self._ways: Mapping[str, ToxicProxy] = {}
        self._stop = stop
        self._entries: list[Entry] = []
        self._seqs = {source: lab.journal_ends.get(source, 0) for source in self._sources}
        self._epochs: dict[str, str] = {}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.lost: dict[str, str] = {}
        self.version = 0
        self.newest = 0.0

    async def __aenter__(self) -> Self:
        self._ways = await self._toxics.read_ways()
        follow = [self._follow(source) for source in self._sources]
        self._tasks = [asyncio.create_task(task) for task in (*follow, self._pulse(), self._tell_stop())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self) -> float:
        """Begin a new experiment: forget the driver's entries and what is too old to matter; return the time it begins."""
        origin = time.monotonic()
        kept = dropwhile(lambda entry: entry.data["mono"] < origin - KEPT_S, self._entries)
        self._entries = [entry for entry in kept if entry.source != DRIVER]
        self._entries += [self._trouble(source, why) for source, why in self.lost.items()]
        return origin

    def note(self, entry_type: str, /, **fields: Any) -> None:
        """Add an entry of the driver, redacted as the journals are."""
        self._write(entry_type, self.redactor.redact_entry(fields))

    def note_shown(self, what: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Add what the integration showed, of which the observer has redacted every item."""
        self._write("observation", {"what": what, "items": items})

    def _write(self, entry_type: str, fields: Mapping[str, Any]) -> None:
        now = time.monotonic()
        self._entries.append(Entry(DRIVER, {"type": entry_type, "mono": now, "at": time.time(), **fields}))
        self.newest = max(self.newest, now)
        self._tell()

    def note_trouble(self, kind: UnknownKind, what: str) -> None:
        """Add a trouble: something wrong with the lab or the harness."""
        self.note("trouble", kind=str(kind), what=what)

    def note_error(self, error: LabError) -> None:
        """Add the trouble a refused call is: tap and toxic engine are part of the harness, everything else its environment."""
        ours = isinstance(error, ControlError) and error.system in {TAP, TOXIPROXY}
        self.note_trouble(UnknownKind.INTERFERENCE if ours else UnknownKind.ENVIRONMENT, str(error))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything recorded for the current experiment, and a little from before it that helps to pair."""
        return tuple(self._entries)

    def read_from(self, place: int) -> Sequence[Entry]:
        """Return the entries from a place on, counted from 0 since the experiment began."""
        return self._entries[place:]

    async def wait_news(self, seen: int, timeout_s: float) -> None:
        """Wait, at most so many seconds, until `version` is no longer the one the caller has `seen`."""
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                while self.version == seen:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    async def _tell_stop(self) -> None:
        if self._stop is not None:
            await self._stop.wait()
            self._tell()

    def _tell(self) -> None:
        self.version += 1
        self._news.set()

    async def catch_up(self) -> None:
        """Read every journal to its end, and look at the engine; what does not answer in time is lost."""
        sources = [self._catch_up(source) for source in self._sources if source not in self.lost]
        await asyncio.gather(*sources, self._check_ways())
        self._tell_deaths()

    async def _catch_up(self, source: str) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                while await self._read(source) > self._seqs[source] and source not in self.lost:
                    continue
        except TimeoutError:
            self._lose(source, f"no answer within {ANSWER_WITHIN_S:g} s")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a journal, nothing may be judged by it
            self._lose(source, _describe(error))

    def _tell_deaths(self) -> None:
        """Tell of parts that somebody killed, the integration among them: that is nothing it did, nor can it be judged dead."""
        untold, self._deaths_told = self._deaths[self._deaths_told :], len(self._deaths)
        for death in untold:
            if death.by_others:
                ours = death.role in {TAP, TOXIPROXY}
                what = f"somebody ended a part of the lab: {death}"
                self.note_trouble(UnknownKind.INTERFERENCE if ours else UnknownKind.ENVIRONMENT, what)

    async def _check_ways(self) -> None:
        """Notice an engine that died, or that did not leave alone what bytes go through when nothing is armed."""
        if not self._ways or TOXIPROXY in self.lost:
            return
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                ways = await self._toxics.read_ways()
        except (ControlError, TimeoutError) as error:
            self._lose(TOXIPROXY, str(error) or f"no answer within {ANSWER_WITHIN_S:g} s")
        else:
            changed = {name for name in ways.keys() | self._ways.keys() if ways.get(name) != self._ways.get(name)}
            if changed:
                names = ", ".join(sorted(changed))
                self._lose(TOXIPROXY, f"it was restarted, or somebody changed its proxies: {names}")

    async def _follow(self, source: str) -> None:
        while source not in self.lost:
            try:
                await self._read(source, wait=POLL_S)
                await asyncio.sleep(GATHER_S)
            except Exception as error:  # noqa: BLE001 - as above: an unreadable journal must be told, not end in silence
                self._lose(source, _describe(error))

    async def _pulse(self) -> None:
        """Notice when the harness itself was not scheduled: what it saw then came late."""
        while True:
            due = time.monotonic() + PULSE_S
            await asyncio.sleep(PULSE_S)
            late_s = time.monotonic() - due
            if late_s > STALLED_S:
                self.note_trouble(UnknownKind.INTERFERENCE, f"the harness was not scheduled for {late_s:.2f} s")

    async def _read(self, source: str, *, wait: float = 0.0) -> int:
        """Read a page of a journal; return the number of its newest entry."""
        after = self._seqs[source]
        page = await self._sources[source].journal(after=after, wait=wait)
        if page.last_seq < after:
            self._lose(source, f"its journal has a gap: it went back from {after} to {page.last_seq}")
        else:
            self._take(source, page)
        return page.last_seq

    def _take(self, source: str, page: JournalPage) -> None:
        known = self._epochs.setdefault(source, page.epoch)
        if known != page.epoch:
            self._lose(source, "it was restarted, its journal began anew")
            return
        for data in page.entries:
            self._take_entry(source, data)

    def _take_entry(self, source: str, data: Mapping[str, Any]) -> None:
        seq = int(data["seq"])
        if seq <= self._seqs[source]:
            return
        if seq != self._seqs[source] + 1:
            self._lose(source, f"its journal has a gap: {self._seqs[source]} is followed by {seq}")
        ahead_s = data["mono"] - time.monotonic()
        if ahead_s > AHEAD_S:
            self._lose(source, f"its clock is {ahead_s:.2f} s ahead of ours")
        self._seqs[source] = seq
        self._entries.append(Entry(source, data))
        self.newest = max(self.newest, data["mono"])
        refused = _explain_refusal(data)
        if refused:
            self.note_trouble(UnknownKind.ENVIRONMENT, f"{source}: {refused}")
        self._tell()

    def _lose(self, source: str, why: str) -> None:
        if source in self.lost:
            return
        self.lost[source] = why
        self._entries.append(self._trouble(source, why))
        self._tell()

    def _trouble(self, source: str, why: str) -> Entry:
        """Say whose trouble it is: tap and engine are the harness itself, as is what is written; a fake is its environment."""
        untrue = "gap" in why or "clock" in why
        kind = UnknownKind.INTERFERENCE if source in {TAP, TOXIPROXY} or untrue else UnknownKind.ENVIRONMENT
        what = why if why.startswith(source) else f"{source}: {why}"
        return Entry(DRIVER, {"type": "trouble", "mono": time.monotonic(), "kind": str(kind), "what": what})


def _explain_refusal(data: Mapping[str, Any]) -> str:
    """Say what the lab would not do because it might reach somebody's real systems; empty where it refused nothing."""
    if data.get("type") == "credential":
        what = f"a call carried {data['what']} ({data['shown']}…) in {data['header']}, and was turned away"
        return f"{what}: give the integration the keys of the lab only"
    if data.get("type") == "delivery" and data.get("error") == "not_allowed":
        return (
            f"{data['topic']} was not sent to {data['address']}, which is off this machine: allow it with --allow-host"
        )
    return ""


def _describe(error: Exception) -> str:
    if isinstance(error, JournalEvicted):
        return f"its journal has a gap: {error.detail}"
    return str(error) if isinstance(error, LabError) else f"its journal cannot be read: {type(error).__name__}: {error}"
