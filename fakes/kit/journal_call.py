"""
``GET /journal`` of every control plane.

A harness makes this call a hundred times an experiment and all others thirty times, so it goes past the framework, straight to
the journal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from fakes.kit.door import Door, build_refusal
from fakes.kit.journal import EvictedError, Journal
from fakes.kit.problems import ProblemError, build_validation_problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/journal"
MEDIA_TYPE = "application/x-ndjson"
LONGEST_WAIT_S = 30
# What the harness asks, which needs no closer look.
_PLAIN = re.compile(r"after=(\d{1,15})&wait=(\d{1,2}(?:\.\d{1,6})?)", re.ASCII)


class JournalQuery(BaseModel):
    """The query of ``GET /journal``."""

    after: int = Field(0, ge=0, le=2**53)
    wait: float = Field(0.0, ge=0, le=LONGEST_WAIT_S)


async def serve_journal(journal: Journal, query: str) -> Response:
    """Answer ``GET /journal``: NDJSON above ``after``, waiting up to ``wait`` seconds for the first entry."""
    after, wait = _read_query(query)
    try:
        lines = await journal.read(after, wait)
    except EvictedError as error:
        detail = f"entries after {after} were evicted, the oldest held is {error.oldest}"
        raise ProblemError(410, detail, oldest=error.oldest) from error
    headers = {"Journal-Last": str(journal.last), "Journal-Epoch": journal.epoch}
    return Response(b"\n".join([*lines, b""]), media_type=MEDIA_TYPE, headers=headers)


class JournalFirst:
    """Serve the journal, and leave every other call to the application."""

    def __init__(self, journal: Journal, token: str, others: ASGIApp) -> None:
        self._journal = journal
        self._door = Door(token)
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
            await self._others(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._door.admit(headers)
            response = await serve_journal(self._journal, scope["query_string"].decode("latin-1"))
        except ProblemError as problem:
            response = build_refusal(problem)
        await response(scope, receive, send)


def _read_query(query: str) -> tuple[int, float]:
    plain = _PLAIN.fullmatch(query)
    if plain is not None and float(plain[2]) <= LONGEST_WAIT_S:
        return int(plain[1]), float(plain[2])
    try:
        asked = JournalQuery.model_validate(dict(parse_qsl(query, keep_blank_values=True)))
    except ValidationError as error:
        raise build_validation_problem(error, prefix="query") from error
    return asked.after, asked.wait
