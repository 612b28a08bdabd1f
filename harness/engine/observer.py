"""Ask the integration what it says about itself, have it replay what it put aside, and decide what it laid before a role."""

from __future__ import annotations

import asyncio
import importlib
import json
import shlex
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.lab.connections import Connections
from harness.wire.privacy import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.core.stack import Observe, Source

ANSWER_WITHIN_S = 5.0
CONFLICT = 409
# What a server answers at an address, or to a method, that it does not serve.
NOT_SERVED = frozenset({404, 405, 501})
# Whatever a path holds beyond these is written as the URL of it would be.
SAFE = "/%?&=:+,;@!$'()*~[]"


class ObserveError(Exception):
    """
    The integration could not be asked, or its answer is not the shape docs/contract.md gives.

    `status` is that of its answer, if it refused; `no_way` tells that it offers nothing of the kind at all.
    """

    def __init__(self, what: str, *, status: int | None = None, no_way: bool = False) -> None:
        super().__init__(what)
        self.status = status
        self.no_way = no_way or status in NOT_SERVED


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
        self._connections = Connections(base_url, {"Accept": "application/json"})
        self._last: dict[str, tuple[bytes, int, list[dict[str, Any]]]] = {}

    @property
    def observable(self) -> frozenset[str]:
        """The names of what can be asked."""
        return frozenset(self._sources)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    async def read(self, what: str) -> list[dict[str, Any]]:
        """Read one endpoint; raises ObserveError."""
        source = self._sources[what]
        try:
            if source.path is not None:
                shown = await self._ask(what, "GET", source.path)
            elif source.command is not None:
                shown = await _run(source.command)
            else:
                return self._take(what, await asyncio.to_thread(_call, source.python or ""))
            known = self._last.get(what)
            # Most of the time nothing is new: what was understood and redacted before need not be again.
            if known is not None and known[:2] == (shown, self._redactor.learnt):
                return known[2]
            items = self._take(what, json.loads(shown))
        except (ValueError, OSError, ImportError, AttributeError) as error:
            raise _explain(what, error) from error
        self._last[what] = (shown, self._redactor.learnt, items)
        return items

    def _take(self, what: str, items: Any) -> list[dict[str, Any]]:
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ObserveError(f"{what}: expected a list of objects")
        return [self._redact(item) for item in items]

    async def _ask(self, what: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Make a call; raises ObserveError where it is refused, OSError and ValueError where no answer comes that can be read."""
        target = "/" + quote(path, safe=SAFE).removeprefix("/")
        given = None if body is None else json.dumps(body).encode()
        try:
            answer = await self._connections.call(method, target, given, within_s=ANSWER_WITHIN_S)
        except EOFError as error:
            raise ConnectionError("the connection ended before the answer did") from error
        if not answer.is_success:
            raise ObserveError(f"{what}: {method} {path} was answered {answer.status}", status=answer.status)
        return answer.body

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
            if error.status == CONFLICT:
                return False
            raise
        return True

    def _name(self, shown: str) -> str:
        return quote(self._given.get(shown, shown), safe=":")

    async def _post(self, what: str, call: str, body: dict[str, Any] | None = None) -> None:
        source = self._sources.get(what)
        if source is None or source.path is None:
            raise ObserveError(f"{what}: {call} is possible only where they are observed over HTTP", no_way=True)
        try:
            await self._ask(what, "POST", f"{source.path}/{call}", body)
        except (ValueError, OSError) as error:
            raise _explain(what, error) from error


def _explain(what: str, error: Exception) -> ObserveError:
    return ObserveError(f"{what}: {type(error).__name__} {error}".strip())


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
