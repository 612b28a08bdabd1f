"""The store: grouped commits, each change standing or falling alone."""

import asyncio
import sqlite3

import pytest

from reference.store import Store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path):
    """Open a store with a table for numbers."""
    store = Store(tmp_path / "deep" / "state.sqlite3")
    store.open()
    await store.write(lambda conn: conn.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
    yield store
    await store.close()


def add(number):
    """Build the change that adds a number and returns it."""

    def change(conn):
        conn.execute("INSERT INTO numbers VALUES (?)", (number,))
        return number

    return change


def count(store):
    """Count what is committed."""
    return store.read(lambda conn: conn.execute("SELECT count(*) FROM numbers").fetchone()[0])


async def test_what_was_awaited_is_there(store):
    """Many changes at once each give their result, and all are visible to readers."""
    assert await asyncio.gather(*(store.write(add(number)) for number in range(1000))) == list(range(1000))
    assert count(store) == 1000


async def test_a_change_that_fails_takes_no_other_with_it(store):
    """In one batch, a change that raises is undone as a whole and its neighbours stay."""

    def half_done(conn):
        add(98)(conn)
        add(1)(conn)

    results = await asyncio.gather(
        store.write(add(1)), store.write(half_done), store.write(add(2)), return_exceptions=True
    )

    assert [results[0], results[2]] == [1, 2]
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert count(store) == 2


async def test_readers_cannot_write(store):
    """The connection for reading refuses changes."""
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.read(add(1))


async def test_a_cancelled_caller_does_not_stop_the_rest(store):
    """Whoever stops waiting for its change leaves the others their results."""
    first, second = asyncio.create_task(store.write(add(1))), asyncio.create_task(store.write(add(2)))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == 2


async def test_a_commit_that_fails_fails_every_change_in_it(tmp_path):
    """When the database cannot be written, callers are told, and nothing is taken for durable."""
    store = Store(tmp_path / "state.sqlite3")
    store.open()
    await store.write(lambda conn: conn.execute("PRAGMA query_only = 1"))
    results = await asyncio.gather(
        *(store.write(lambda conn: conn.execute("CREATE TABLE t (n)")) for _ in range(3)), return_exceptions=True
    )
    await store.close()

    assert all(isinstance(result, sqlite3.Error) for result in results)


async def test_closing_commits_what_was_asked_before(tmp_path):
    """Changes that were asked for before closing are committed by it."""
    store = Store(tmp_path / "state.sqlite3")
    store.open()
    await store.write(lambda conn: conn.execute("CREATE TABLE numbers (n INTEGER)"))
    pending = [asyncio.create_task(store.write(add(number))) for number in range(50)]
    await asyncio.sleep(0)
    await store.close()

    assert await asyncio.gather(*pending) == list(range(50))
