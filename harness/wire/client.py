"""Talk to a tap's control plane.

TapError
├── TapRefused        the tap answered with a problem document: `status`, `detail`
│   └── JournalEvicted    410: entries asked for are gone
└── TapUnreachable    no answer
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import quote

import httpx2

from harness.wire.values import Listener

if TYPE_CHECKING:
    from types import TracebackType

    from harness.wire.rules import Rule
    from harness.wire.signals import Signal

Json = dict[str, Any]
MARGIN_S = 10.0


class TapError(Exception):
    """The tap could not be used."""


class TapUnreachable(TapError):  # noqa: N818 - says what is the case
    """The tap did not answer."""


class TapRefused(TapError):  # noqa: N818 - says what is the case
    """The tap refused a call."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class JournalEvicted(TapRefused):
    """The entries asked for are no longer held."""


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Entries in order; `last` is the seq of the newest one there is, `epoch` names the process that wrote them."""

    entries: tuple[Json, ...]
    last: int
    epoch: str


class TapClient:
    """Typed calls of one tap's control plane; use it as an async context manager or call `close`."""

    def __init__(self, control_url: str, token: str) -> None:
        self._http = httpx2.AsyncClient(
            base_url=control_url, headers={"Authorization": f"Bearer {token}"}, timeout=MARGIN_S, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def healthz(self) -> Json:
        """Return the tap's health."""
        return await self._ask("GET", "/healthz")

    async def reset(self) -> None:
        """Lift everything, let all listeners accept, empty the journal."""
        await self._ask("POST", "/reset", {})

    async def add_listener(self, listener: Listener, *, fd: int | None = None) -> Listener:
        """Open a listener, on an inherited socket where `fd` is given; return it with its address."""
        body = listener.as_body() if fd is None else {**listener.as_body(), "fd": fd}
        return Listener.from_body(await self._ask("POST", "/listeners", body))

    async def update_listener(
        self, name: str, *, upstream: str | None = None, accepting: bool | None = None
    ) -> Listener:
        """Lead a listener elsewhere; let it refuse connections or accept them again."""
        changes = {"upstream": upstream, "accepting": accepting}
        body = {field: value for field, value in changes.items() if value is not None}
        return Listener.from_body(await self._ask("PATCH", f"/listeners/{_segment(name)}", body))

    async def remove_listener(self, name: str) -> Listener:
        """Close a listener for good."""
        return Listener.from_body(await self._ask("DELETE", f"/listeners/{_segment(name)}"))

    async def listeners(self) -> tuple[Listener, ...]:
        """Return all listeners."""
        return tuple(map(Listener.from_body, (await self._ask("GET", "/listeners"))["listeners"]))

    async def arm_rule(self, rule: Rule) -> Json:
        """Arm a rule; return it as armed, with `hits` and `armed_seq`, the journal entry from which on it acts."""
        return await self._ask("POST", "/rules", rule.as_body())

    async def lift_rule(self, rule_id: str) -> Json:
        """Lift a rule; return it with its `hits`."""
        return await self._ask("DELETE", f"/rules/{_segment(rule_id)}")

    async def lift_rules(self) -> tuple[str, ...]:
        """Lift all rules; return their ids."""
        return tuple((await self._ask("DELETE", "/rules"))["lifted"])

    async def rules(self) -> tuple[Json, ...]:
        """Return the armed rules with their `hits`."""
        return tuple((await self._ask("GET", "/rules"))["rules"])

    async def signal(self, signal: Signal) -> Json:
        """Arm a signal."""
        return await self._ask("POST", "/signals", signal.as_body())

    async def lift_signal(self, signal_id: str) -> Json:
        """Disarm a signal that has not been sent; 404 if it has."""
        return await self._ask("DELETE", f"/signals/{_segment(signal_id)}")

    async def journal(self, after: int = 0, wait: float = 0.0) -> JournalPage:
        """Return the entries above `after`, waiting up to `wait` seconds (at most 30) for the first of them."""
        path = f"/journal?after={after}&wait={wait:g}"
        response = await self._send("GET", path, None, timeout_s=wait + MARGIN_S)
        entries = tuple(json.loads(line) for line in response.content.splitlines())
        return JournalPage(entries, int(response.headers["Journal-Last"]), response.headers["Journal-Epoch"])

    async def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        return cast("Json", (await self._send(method, path, body)).json())

    async def _send(self, method: str, path: str, body: Json | None, *, timeout_s: float = MARGIN_S) -> httpx2.Response:
        try:
            response = await self._http.request(method, path, json=body, timeout=timeout_s)
        except httpx2.HTTPError as error:
            raise TapUnreachable(f"{method} {path}: {error or type(error).__name__}") from error
        if response.is_success:
            return response
        kind = JournalEvicted if response.status_code == 410 else TapRefused
        raise kind(response.status_code, _detail(response))


def _detail(response: httpx2.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]


def _segment(name: str) -> str:
    return quote(name, safe="")
