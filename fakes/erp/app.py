"""The ERP, assembled: its state, its calls, and the service that listens."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes.erp.access import Gate
from fakes.erp.errors import INVALID_CONTENT, build_envelope
from fakes.erp.operations import build_catalogue
from fakes.erp.pool import Pool
from fakes.erp.records import RecordStore
from fakes.erp.replies import build_replies
from fakes.erp.routes import build_handlers
from fakes.erp.seed import build_acts, build_seeds
from fakes.erp.sessions import Sessions
from fakes.erp.subject import build_subject_of
from fakes.erp.tokens import TokenEndpoint
from fakes.kit.board import FaultBoard
from fakes.kit.clock import SystemClock
from fakes.kit.entities import EntityIndex
from fakes.kit.fake import Fake, build_vendor_app
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.serve import Service, build_service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fakes.erp.keys import PublicKey
    from fakes.erp.seed import SettingsSeed
    from fakes.erp.settings import Settings
    from fakes.kit.answers import Answer
    from fakes.kit.clock import Clock
    from fakes.kit.exchange import Exchange
    from fakes.kit.options import Options


def build_erp(settings: Settings, key: PublicKey, *, nonce: str, clock: Clock | None = None) -> tuple[Fake, Pool]:
    """
    Build the vendor and the pool its application must be watched by.

    `key` is the public half of the client's certificate; `nonce` seeds the ids of this run.
    """
    clock = clock or SystemClock()
    journal, entities, ids = Journal(clock), EntityIndex(), IdSource(nonce)
    store = RecordStore(journal, entities, ids)
    sessions = Sessions(journal, entities, ids)
    pool = Pool(settings.concurrency)
    gate = Gate(settings, sessions, pool, clock)
    tokens = TokenEndpoint(gate, sessions, key, clock)

    def apply(seed: SettingsSeed) -> None:
        gate.settings = replace(gate.settings, **seed.model_dump(exclude_none=True))
        pool.limit.limit = gate.settings.concurrency

    def reset() -> None:
        gate.reset()
        gate.settings = settings
        pool.limit.limit = settings.concurrency

    handlers = {name: _take_time(gate, run) for name, run in build_handlers(store).items()}
    fake = Fake(
        system="erp",
        catalogue=build_catalogue(),
        journal=journal,
        board=FaultBoard(journal),
        entities=entities,
        collections=(*store.collections.values(), sessions.collection),
        handlers={**handlers, "token.create": tokens.create},
        replies=build_replies(gate, sessions),
        subject_of=build_subject_of(store),
        acts=build_acts(sessions),
        seeds=build_seeds(store, apply),
        guard=gate.check,
        reset=reset,
        bad_request=json.dumps(build_envelope(400, INVALID_CONTENT.code, "The request is not valid HTTP.")).encode(),
    )
    return fake, pool


def build_erp_service(settings: Settings, key: PublicKey, options: Options) -> Service:
    """Build what `fakes.kit.serve` serves."""
    fake, pool = build_erp(settings, key, nonce=options.nonce)
    return replace(build_service(fake, options), app=pool.watch(build_vendor_app(fake)))


def _take_time(gate: Gate, run: Callable[[Exchange], Answer]) -> Callable[[Exchange], Awaitable[Answer]]:
    async def work(exchange: Exchange) -> Answer:
        answer = run(exchange)
        if gate.settings.work_s:
            await asyncio.sleep(gate.settings.work_s)
        return answer

    return work
