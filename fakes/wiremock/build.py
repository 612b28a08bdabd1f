"""A mapped vendor, put together."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from fakes.kit.answers import Replies
from fakes.kit.board import FaultBoard
from fakes.kit.bodies import texts
from fakes.kit.catalogue import Catalogue
from fakes.kit.clock import SystemClock
from fakes.kit.entities import EntityIndex, Subject
from fakes.kit.fake import Fake
from fakes.kit.journal import Journal
from fakes.wiremock.admin import Admin
from fakes.wiremock.armed import ArmedStubs
from fakes.wiremock.kinds import KINDS
from fakes.wiremock.memory import Memory
from fakes.wiremock.operations import build_operations
from fakes.wiremock.relay import Late, Relay
from fakes.wiremock.stubs import build_stub, name_scenario
from fakes.wiremock.upstream import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fakes.kit.exchange import Exchange
    from fakes.wiremock.folder import Folder
    from fakes.wiremock.operations import Operations
    from fakes.wiremock.stubs import Account

# How much of a body is looked through for an order where no mapping says where it stands; as much as the tap does.
SEARCHED_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Play:
    """A mapped vendor and the WireMock that plays it."""

    fake: Fake
    relay: Relay
    admin: Admin
    folder: Folder
    account: Account

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hand the mappings to WireMock once it is up; raises TimeoutError, or MappingError where it refuses one."""
        stubs = [build_stub(mapped, self.account) for mapped in self.folder.mappings]
        async with self.fake.running():
            await self.admin.wait_ready()
            wheres = [mapped.where for mapped in self.folder.mappings]
            await self.admin.replace_all(zip(wheres, stubs, strict=True))
            self.relay.mapped = {stub["id"]: each for stub, each in zip(stubs, self.folder.mappings, strict=True)}
            yield


def build_play(folder: Folder, account: Account, *, url: str, nonce: str) -> Play:
    """Return a mapped vendor of its own, played by the WireMock at ``url``; raises MappingError."""
    journal, entities = Journal(SystemClock()), EntityIndex()
    board = FaultBoard(journal)
    operations = build_operations(folder.mappings)
    memory = Memory(operations.plans.values(), journal=journal, entities=entities, nonce=nonce)
    admin = Admin(url, account)
    armed = ArmedStubs(admin, folder.failures, account, board)
    parts = urlsplit(url)
    server = Server(parts.hostname or "127.0.0.1", parts.port or 80)
    relay = Relay(server, account, operations, memory, folder.failures, armed, _give_up)
    scenarios = _list_scenarios(folder, account)

    def reset() -> None:
        memory.reset()
        armed.reset(scenarios)

    fake = Fake(
        system=account.system,
        catalogue=_build_catalogue(folder, account, operations),
        journal=journal,
        board=board,
        entities=entities,
        collections=memory.collections,
        handlers={operation.name: relay.handle for operation in operations.operations},
        replies=_build_replies(relay),
        subject_of=lambda exchange: _build_subject(exchange, operations, memory),
        reset=reset,
    )
    return Play(fake, relay, admin, folder, account)


def _build_catalogue(folder: Folder, account: Account, operations: Operations) -> Catalogue:
    codes = folder.failures.list_codes()
    # What is listed is what is known of a vendor; its next release answers with more.
    return Catalogue(account.system, operations.operations, codes, KINDS, open_codes=True)


def _build_subject(exchange: Exchange, operations: Operations, memory: Memory) -> Subject:
    """Say which order a call is about: the one named where its mapping says, else any named in path and body."""
    plan = operations.plan(exchange.operation)
    named = texts(*(place.read(exchange) for place in plan.order))
    target = unquote(f"{exchange.path}?{exchange.query_string}")
    anywhere = (target, exchange.body[:SEARCHED_BYTES].decode("utf-8", "replace"))
    return Subject(
        references=named or anywhere,
        records=memory.link_keys(exchange, plan),
        external_id=named[0] if named else None,
        key=plan.key.read(exchange),
    )


def _build_replies(relay: Relay) -> Replies:
    """Word everything by WireMock: a fault by its stub, what no mapping serves by what WireMock says to it."""
    fault, plain = Late(0, ask=relay.fail), Late(0, ask=relay.serve)
    return Replies(
        status=lambda *_: fault,
        error=lambda *_: fault,
        rate_limited=lambda *_: fault,
        session_expired=lambda _: fault,
        permission_denied=lambda _: fault,
        not_found=lambda _: plain,
        method_not_allowed=lambda *_: plain,
        bad_body=lambda *_: plain,
        too_large=lambda _: plain,
    )


def _give_up(why: str) -> None:
    """End this process, as asked for: an answer given in WireMock's stead could be taken for the vendor's."""
    sys.stderr.write(f"{why}\n")
    os.kill(os.getpid(), signal.SIGTERM)


def _list_scenarios(folder: Folder, account: Account) -> tuple[str, ...]:
    named = {mapped.document.get("scenarioName") for mapped in folder.mappings}
    return tuple(name_scenario(account, name) for name in sorted(filter(None, named)))
