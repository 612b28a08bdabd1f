"""What a vendor hands to the kit, and the application the kit builds from it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from fakes.kit.answers import Answer, Dispatcher, Replies
from fakes.kit.exchange import Exchange, ExchangeRecorder
from fakes.kit.injection import FaultInjector
from fakes.kit.livekeys import LiveKeyGuard
from fakes.kit.stall import watch_stalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from starlette.types import ASGIApp

    from fakes.kit.board import FaultBoard
    from fakes.kit.catalogue import Catalogue
    from fakes.kit.entities import EntityIndex, Subject
    from fakes.kit.journal import Journal
    from fakes.kit.records import Collection


class Nothing(BaseModel):
    """The body of an act without parameters."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True, slots=True)
class Act:
    """A verb of the control plane: ``run`` gets its validated parameters, answers JSON, refuses by ProblemError."""

    summary: str
    run: Callable[[Any], dict[str, Any] | Awaitable[dict[str, Any]]]
    params: type[BaseModel] = Nothing


@dataclass(frozen=True, slots=True)
class Seeds:
    """
    What ``POST /seed`` can set besides entities.

    ``webhook`` subscribes an address to a topic; ``records`` maps collections to a model of one record and a function
    that takes it in; ``settings`` is a model (unknown keys forbidden) and a function that applies it.
    """

    webhook: Callable[[str, str], None] | None = None
    records: Mapping[str, tuple[type[BaseModel], Callable[[Any], None]]] = field(default_factory=dict)
    settings: tuple[type[BaseModel], Callable[[Any], None]] | None = None


@dataclass(frozen=True, slots=True)
class Fake:
    """
    A vendor, whole.

    ``subject_of`` says whom a call concerns; ``guard`` refuses calls before they are handled; ``dress`` gives the headers
    of every answer; ``reset`` puts the vendor's own state back (collections, entities, faults, journal are the kit's);
    ``close`` stops what the vendor has under way.
    """

    system: str
    catalogue: Catalogue
    journal: Journal
    board: FaultBoard
    entities: EntityIndex
    collections: tuple[Collection[Any], ...]
    handlers: Mapping[str, Callable[[Exchange], Answer | Awaitable[Answer]]]
    replies: Replies
    subject_of: Callable[[Exchange], Subject]
    acts: Mapping[str, Act] = field(default_factory=dict)
    seeds: Seeds = field(default_factory=Seeds)
    guard: Callable[[Exchange], None] = lambda _: None
    dress: Callable[[Exchange], Iterable[tuple[str, str]]] = lambda _: ()
    reset: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None
    bad_request: bytes = b'{"errors":"Bad Request"}'

    def describe(self) -> dict[str, Any]:
        """Return the catalogue with acts and collections."""
        return {
            **self.catalogue.describe(),
            "acts": list(self.acts),
            "collections": [collection.name for collection in self.collections],
        }

    def reset_all(self) -> None:
        """Put state, faults and journal back to the start; ids run on, so that none is ever used twice."""
        self.board.reset()
        self.entities.reset()
        for collection in self.collections:
            collection.reset()
        self.reset()
        self.journal.reset()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the stall watch going; in the end, stop what the vendor has under way."""
        async with watch_stalls(self.journal):
            try:
                yield
            finally:
                self.close()


def build_vendor_app(fake: Fake) -> ASGIApp:
    """Return what the vendor port serves: recorder, guard against live keys, faults, then the vendor's handlers."""
    dispatcher = Dispatcher(fake.catalogue, fake.handlers, fake.replies, guard=fake.guard)
    injector = FaultInjector(dispatcher, fake.board, fake.replies)
    return ExchangeRecorder(
        LiveKeyGuard(injector, fake.journal, lambda exchange: fake.replies.status(exchange, 401, None)),
        catalogue=fake.catalogue,
        journal=fake.journal,
        entities=fake.entities,
        subject_of=fake.subject_of,
        too_large=fake.replies.too_large,
        dress=fake.dress,
    )
