"""The journal: order, long poll, eviction, reset."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic_core import to_json

from fakes.kit.clock import SystemClock
from fakes.kit.journal import BATCH, DEFERRED, EvictedError, Journal


def build(**options: Any) -> Journal:
    """Return an empty journal."""
    return Journal(SystemClock(), **options)


def read(journal: Journal, after: int, wait: float = 0.0) -> list[int]:
    """Return the seqs a reader gets."""
    return [json.loads(line)["seq"] for line in asyncio.run(journal.read(after, wait))]


def test_entries_carry_seq_clocks_and_type() -> None:
    """Every entry has its seq, both clocks, its type and what it was given."""
    journal = build()
    assert journal.append("act", verb="place-order") == 1
    [entry] = journal.entries()
    assert {"seq": 1, "type": "act", "verb": "place-order"}.items() <= entry.items()
    assert isinstance(entry["at"], float)
    assert isinstance(entry["mono"], float)


def test_an_entry_does_not_follow_later_changes() -> None:
    """What an entry showed when it was written stays, whatever becomes of the value."""
    journal, record = build(), {"note": "first"}
    journal.append("change", record=record)
    record["note"] = "second"
    assert journal.entries()[0]["record"] == {"note": "first"}


def test_an_entry_is_one_compact_line_of_ascii() -> None:
    """An entry is one line, so that lines are entries, and reads back as it was given."""
    journal = build()
    given = {"text": "Zoë\r\n\u2028", "list": [1, 2.5, None, True], "nested": {"a": {}}}
    journal.append("act", **given)
    [line] = asyncio.run(journal.read(0))
    assert line.isascii()
    assert b"\n" not in line
    assert b'"type":"act"' in line
    assert b'"list":[1,2.5,null,true]' in line
    assert given.items() <= json.loads(line).items()


def test_what_is_no_json_is_no_entry() -> None:
    """A value that cannot be written leaves the journal as it was."""
    journal = build()
    with pytest.raises(TypeError):
        journal.append("act", params={"when": object()})
    assert (journal.last, len(journal)) == (0, 0)


def test_a_reader_gets_what_is_above_its_cursor() -> None:
    """Reading answers entries above ``after`` only."""
    journal = build()
    for _ in range(5):
        journal.append("act")
    assert read(journal, 3) == [4, 5]
    assert read(journal, 5) == []


def test_a_batch_has_a_limit() -> None:
    """One read answers at most 5,000 entries, the oldest first."""
    journal = build()
    for _ in range(BATCH + 3):
        journal.append("act")
    assert read(journal, 0) == list(range(1, BATCH + 1))
    assert read(journal, BATCH) == [BATCH + 1, BATCH + 2, BATCH + 3]


def test_a_waiting_reader_gets_the_next_entry() -> None:
    """A long poll answers as soon as the first entry is written."""

    async def scenario() -> list[bytes]:
        journal = build()
        reading = asyncio.ensure_future(journal.read(0, 30))
        await asyncio.sleep(0)
        journal.append("act")
        return await asyncio.wait_for(reading, 10)

    assert len(asyncio.run(scenario())) == 1


def test_many_readers_wait_at_once() -> None:
    """Every waiting reader gets the entry, also one whose cursor is further ahead gets only its own."""

    async def scenario() -> list[list[bytes]]:
        journal = build()
        readers = [asyncio.ensure_future(journal.read(after, 30)) for after in (0, 0, 1)]
        await asyncio.sleep(0)
        journal.append("act")
        await asyncio.sleep(0)
        journal.append("act")
        return await asyncio.wait_for(asyncio.gather(*readers), 10)

    first, second, third = asyncio.run(scenario())
    assert json.loads(first[0])["seq"] == 1
    assert first[0] == second[0]
    assert [json.loads(line)["seq"] for line in third] == [2]


def test_a_poll_that_sees_nothing_is_empty() -> None:
    """A wait that runs out answers nothing."""
    assert read(build(), 0, 0.01) == []


def test_only_drained_entries_are_evicted() -> None:
    """Past the limit, entries somebody has read go; asking for them again names the oldest that is left."""
    journal = build(keep=10)
    for _ in range(12):
        journal.append("act")
    assert len(journal) == 12
    assert read(journal, 6) == [7, 8, 9, 10, 11, 12]
    journal.append("act")
    assert journal.entries()[0]["seq"] == 7
    assert read(journal, 6)[0] == 7
    with pytest.raises(EvictedError) as refused:
        read(journal, 5)
    assert refused.value.oldest == 7


def test_a_cursor_from_the_future_evicts_nothing_to_come() -> None:
    """Asking far ahead does not allow entries to go that nobody has seen."""
    journal = build(keep=2)
    journal.append("act")
    assert read(journal, 1_000_000) == []
    for _ in range(5):
        journal.append("act")
    assert read(journal, 1) == [2, 3, 4, 5, 6]


def test_reset_begins_anew_and_frees_waiting_readers() -> None:
    """A reset empties the journal, begins at 1 under the same epoch, and answers who waits."""

    async def scenario() -> tuple[list[bytes], Journal, str]:
        journal = build()
        journal.append("act")
        epoch = journal.epoch
        reading = asyncio.ensure_future(journal.read(1, 30))
        await asyncio.sleep(0)
        journal.reset()
        return await asyncio.wait_for(reading, 10), journal, epoch

    answer, journal, epoch = asyncio.run(scenario())
    assert answer == []
    assert journal.epoch == epoch
    assert journal.append("act") == 1


def test_closing_frees_waiting_readers() -> None:
    """A journal that closes lets waiting readers go at once, so that its process can end."""

    async def scenario() -> list[bytes]:
        journal = build()
        reading = asyncio.ensure_future(journal.read(0, 30))
        await asyncio.sleep(0)
        journal.close()
        return await asyncio.wait_for(reading, 10)

    assert asyncio.run(scenario()) == []


def test_a_deferred_entry_is_built_when_it_is_read_and_keeps_its_time_and_place() -> None:
    """It stands where it was deferred, with the time of then, before what was written later."""
    journal, built = build(), []

    def fields() -> dict[str, Any]:
        built.append(journal.clock.mono())
        return {"path": "/"}

    journal.defer("exchange", fields)
    assert (journal.last, len(journal), built) == (1, 1, [])
    assert journal.append("rule", rule="r") == 2
    first, second = journal.entries()
    assert (first["seq"], first["type"], first["path"]) == (1, "exchange", "/")
    assert first["mono"] <= built[0] <= second["mono"]
    assert len(built) == 1


def test_deferred_entries_are_built_before_they_become_many() -> None:
    """A journal that nobody reads holds entries, not what they are built from."""
    journal, built = build(), []
    for number in range(DEFERRED):
        journal.defer("exchange", lambda number=number: built.append(number) or {"number": number})
    assert built == list(range(DEFERRED))
    assert read(journal, 0) == list(range(1, DEFERRED + 1))


def test_a_reset_forgets_what_was_deferred() -> None:
    """Nothing from before comes back with a number of after."""
    journal = build()
    journal.defer("exchange", dict)
    journal.reset()
    assert journal.append("act") == 1
    assert [entry["type"] for entry in journal.entries()] == ["act"]


def test_a_reader_that_waits_gets_what_comes_together_at_once() -> None:
    """With `gather_s` it is answered a moment after the first entry, with those of that moment."""

    async def scene() -> list[bytes]:
        journal = build(gather_s=0.05)
        reading = asyncio.create_task(journal.read(0, 5))
        await asyncio.sleep(0)
        for _ in range(3):
            journal.append("act")
            await asyncio.sleep(0)
        return await reading

    assert len(asyncio.run(scene())) == 3


def test_another_encoder_writes_the_same_values() -> None:
    """What it makes reads back as it was given."""
    journal = build(encode=to_json)
    given = {"text": "Zo\u00eb \u2028", "list": [1, 2.5, None, True], "at_mono": 28687.525357751}
    journal.write("act", given)
    assert given.items() <= journal.entries()[0].items()
