"""
The durable state: one SQLite file, one thread that writes, a connection beside it that reads.

Writes are functions over a connection. The thread takes every write that is waiting, runs each inside a savepoint of one
transaction, commits once, and only then lets their callers go on: so many webhooks arriving together share a flush to disk, and
what was awaited is on disk whatever happens next, be it `kill -9` or a power cut (`synchronous=FULL`).
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from sqlite3 import Connection
from threading import Thread
from typing import Any, TypeVar

from reference.schema import create_tables

T = TypeVar("T")
LARGEST_BATCH = 256


@dataclass(frozen=True, slots=True)
class _Write:
    change: Callable[[Connection], Any]
    done: asyncio.Future[Any]


class Store:
    """Transactions that were awaited are durable; reads see every one of them. Belongs to the loop it is opened in."""

    _loop: asyncio.AbstractEventLoop
    _reader: Connection

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writes: SimpleQueue[_Write | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="store", daemon=True)

    def open(self) -> None:
        """Create the file if there is none, and begin to write."""
        self._loop = asyncio.get_running_loop()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._reader = self._connect()
        create_tables(self._reader)
        self._reader.execute("PRAGMA query_only = 1")
        self._thread.start()

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` in a transaction and return its result once that is committed; its exception rolls back it alone."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._writes.put(_Write(change, done))
        return await done

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run a short query over what is committed by now."""
        return query(self._reader)

    async def close(self) -> None:
        """Commit what is waiting and stop; nothing may be written after."""
        self._writes.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()

    def _connect(self) -> Connection:
        # Transactions are opened by hand, and `close` is called from another thread than the one that writes.
        conn = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        conn.row_factory = sqlite3.Row
        conn.execute("PRAGMA busy_timeout = 5000")
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        return conn

    def _run(self) -> None:
        conn = self._connect()
        try:
            while batch := self._next_batch():
                self._loop.call_soon_threadsafe(_settle, _commit(conn, batch))
        finally:
            conn.close()

    def _next_batch(self) -> list[_Write]:
        batch: list[_Write] = []
        write = self._writes.get()
        while write is not None:
            batch.append(write)
            if len(batch) == LARGEST_BATCH:
                return batch
            try:
                write = self._writes.get_nowait()
            except Empty:
                return batch
        if batch:
            self._writes.put(None)  # stop, but only after these
        return batch


_Result = tuple[asyncio.Future[Any], Any, BaseException | None]


def _commit(conn: Connection, batch: list[_Write]) -> list[_Result]:
    try:
        conn.execute("BEGIN IMMEDIATE")
        results = [_apply(conn, write) for write in batch]
        conn.execute("COMMIT")
    except sqlite3.Error as error:  # a full disk, say: none of these is durable, and their callers must know
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        return [(write.done, None, error) for write in batch]
    return results


def _apply(conn: Connection, write: _Write) -> _Result:
    conn.execute("SAVEPOINT one")
    try:
        result = write.change(conn)
    except Exception as error:  # noqa: BLE001 -- handed to whoever asked for the write
        conn.execute("ROLLBACK TO one")
        conn.execute("RELEASE one")
        return write.done, None, error
    conn.execute("RELEASE one")
    return write.done, result, None


def _settle(results: list[_Result]) -> None:
    for done, result, error in results:
        if done.cancelled():
            continue
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)
