"""Putting something else in the place of what the harness reads and calls, for a while."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.lab.control import ControlClient, JournalPage, Json


@contextmanager
def swap(owner: object, name: str, other: Any) -> Iterator[None]:
    """Let an object do something else under one of its names."""
    setattr(owner, name, other)
    try:
        yield
    finally:
        delattr(owner, name)


@contextmanager
def forge(client: ControlClient, change: Callable[[list[Json]], list[Json]]) -> Iterator[None]:
    """
    Have the harness read another journal than was written: `change` is given the entries of every page.

    A page that is being waited for comes as it is.
    """
    read = client.journal

    async def journal(after: int = 0, wait: float = 0.0) -> JournalPage:
        page = await read(after, wait)
        return page._replace(entries=change(page.entries))

    with swap(client, "journal", journal):
        yield
