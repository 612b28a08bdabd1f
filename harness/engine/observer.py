"""Ask the integration what it says about itself, have it replay what it put aside, and decide what it laid before a role."""

from __future__ import annotations

import asyncio
import importlib
import json
import shlex
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx2

from harness.wire.privacy import Redactor

if TYPE_CHECKING:
    from harness.core.stack import Observe, Source

ANSWER_WITHIN_S = 5.0
CONFLICT = 409


class ObserveError(Exception):
    """The integration could not be asked, or its answer is not the shape docs/contract.md gives."""


class Observer:
    """
    Read the observe endpoints: a path of the integration, a command's stdout, or a Python function's return value.

    Each answers a list of objects, of which nobody sees more than may be recorded. `observable` names those that are declared.
    """

    def __init__(self, observe: Observe, base_url: str, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor()
        self._given: dict[str, str] = {}
        self._sources: dict[str, Source] = {
            field.name: source
            for field in fields(observe)
            if field.name != "location" and (source := getattr(observe, field.name)) is not None
        }
        # Reading the certificates of this machine takes a while in which nothing else is done: only where they are needed.
        verify = base_url.startswith("https:")
        self._client = httpx2.AsyncClient(base_url=base_url, timeout=ANSWER_WITHIN_S, trust_env=False, verify=verify)

    @property
    def observable(self) -> frozenset[str]:
        """The names of what can be asked."""
        return frozenset(self._sources)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def read(self, what: str) -> list[dict[str, Any]]:
        """Read one endpoint; raises ObserveError."""
        source = self._sources[what]
        try:
            if source.path is not None:
                answer = await self._client.get(source.path)
                answer.raise_for_status()
                items = answer.json()
            elif source.command is not None:
                items = json.loads(await _run(source.command))
            else:
                items = await asyncio.to_thread(_call, source.python or "")
        except (httpx2.HTTPError, ValueError, OSError, ImportError, AttributeError) as error:
            raise ObserveError(f"{what}: {type(error).__name__} {error}".strip()) from error
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ObserveError(f"{what}: expected a list of objects")
        return [self._redact(item) for item in items]

    def _redact(self, item: dict[str, Any]) -> dict[str, Any]:
        """Redact an item; should its id be somebody's address, it can still be asked for by what stands for it."""
        shown = self._redactor.redact_fields(item)
        for name in ("id", "name"):
            if name in item and shown[name] != item[name]:
                self._given[str(shown[name])] = str(item[name])
        return shown

    async def replay(self, dead_letter: str) -> None:
        """Replay one dead letter; raises ObserveError."""
        await self._post("dead_letters", f"{self._name(dead_letter)}/replay")

    async def decide(self, case: str, decision: str) -> None:
        """Take a decision on one role-queue case; raises ObserveError."""
        await self._post("queues", f"{self._name(case)}/decide", {"decision": decision})

    async def start(self, job: str) -> bool:
        """Start a run of a job; False where the integration refuses since one is under way. Raises ObserveError."""
        try:
            await self._post("jobs", f"{self._name(job)}/start")
        except ObserveError as error:
            if isinstance(error.__cause__, httpx2.HTTPStatusError) and error.__cause__.response.status_code == CONFLICT:
                return False
            raise
        return True

    def _name(self, shown: str) -> str:
        return quote(self._given.get(shown, shown), safe=":")

    async def _post(self, what: str, call: str, body: dict[str, Any] | None = None) -> None:
        source = self._sources.get(what)
        if source is None or source.path is None:
            raise ObserveError(f"{what}: {call} is possible only where they are observed over HTTP")
        try:
            answer = await self._client.post(f"{source.path}/{call}", json=body)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise ObserveError(f"{what}: {call}: {type(error).__name__} {error}") from error


async def _run(command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(*shlex.split(command), stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            out, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise OSError(f"`{command}` gave no answer within {ANSWER_WITHIN_S:g} s") from error
    if process.returncode:
        raise OSError(f"`{command}` ended with {process.returncode}")
    return out


def _call(reference: str) -> Any:
    module, _, function = reference.partition(":")
    return getattr(importlib.import_module(module), function)()
