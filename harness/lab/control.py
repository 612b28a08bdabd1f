"""The control plane of a fake, as typed calls (docs/contract.md §2)."""

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import quote

from harness.lab.connections import Answer, Connections
from harness.lab.errors import ControlError, ControlUnreachable, JournalEvicted

CALL_TIMEOUT_S = 10.0
POLL_SLACK_S = 5.0

Json = dict[str, Any]


class JournalPage(NamedTuple):
    """One answer of a journal: entries in order, the newest `seq` there is, and the epoch of the process."""

    entries: list[Json]
    last_seq: int
    epoch: str


class ControlClient:
    """
    Talk to one fake's control plane.

    Every call raises `ControlError` on a refusal and `ControlUnreachable` where there is no answer. A waiting poll of the
    journal delays no other call.
    """

    def __init__(self, base_url: str, token: str, *, system: str | None = None) -> None:
        self.base_url = base_url
        self.system = system or base_url
        self._connections = Connections(base_url, {"Authorization": f"Bearer {token}"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._connections.aclose()

    async def healthz(self) -> Json:
        """Answer `{"status","system","epoch","entries","mono"}`."""
        return await self._call("GET", "/healthz")

    async def catalogue(self) -> Json:
        """Answer what this vendor can do: operations, faults, codes, acts, collections."""
        return await self._call("GET", "/catalogue")

    async def seed(self, **parts: Any) -> Json:
        """Seed `entities`, `webhooks`, `records`, `settings`; answer the counts."""
        return cast("Json", (await self._call("POST", "/seed", parts))["seeded"])

    async def keep_private(self, values: Sequence[str]) -> None:
        """Tell names, streets and the like that nothing recorded there may show."""
        await self._call("POST", "/private", {"values": list(values)})

    async def allow_hosts(self, hosts: Sequence[str]) -> None:
        """Let the process connect to hosts off this machine; nobody else's are reached."""
        await self._call("POST", "/hosts", {"allow": list(hosts)})

    async def reset(self) -> None:
        """Put state, faults and journal back to the start."""
        await self._call("POST", "/reset", {})

    async def arm(self, fault: Mapping[str, Any]) -> Json:
        """Arm a fault; answer it with `id` and `armed_seq`."""
        return await self._call("POST", "/faults", fault)

    async def lift(self, fault_id: str) -> Json:
        """Lift one fault; answer it with its `hits`."""
        return await self._call("DELETE", f"/faults/{quote(fault_id, safe='')}")

    async def lift_all(self) -> list[str]:
        """Lift every fault; answer the ids that were armed."""
        return cast("list[str]", (await self._call("DELETE", "/faults"))["lifted"])

    async def faults(self) -> list[Json]:
        """Answer the armed faults."""
        return cast("list[Json]", (await self._call("GET", "/faults"))["faults"])

    async def act(self, verb: str, **params: Any) -> Json:
        """Make the vendor, or someone using it, do something; answer what the verb answers."""
        return await self._call("POST", f"/act/{verb}", params)

    async def state(self, collection: str) -> list[Json]:
        """Answer the records of a collection."""
        return cast("list[Json]", (await self._call("GET", f"/state/{collection}"))["records"])

    async def journal(self, after: int = 0, wait: float = 0.0) -> JournalPage:
        """
        Answer the entries above `after`, waiting up to `wait` seconds for the first one.

        At most 5,000 entries an answer: read on from the last entry's `seq` until it equals `last_seq`. Raises
        `JournalEvicted` where entries asked for are gone.
        """
        call = f"GET /journal?after={after}"
        answer = await self._ask(call, "GET", f"/journal?after={after}&wait={wait:g}", within_s=wait + POLL_SLACK_S)
        if answer.status == 410:
            raise JournalEvicted(self.system, call, 410, _read_detail(answer))
        if answer.status != 200:
            raise ControlError(self.system, call, answer.status, _read_detail(answer))
        entries = [json.loads(line) for line in answer.body.splitlines() if line]
        return JournalPage(entries, int(answer.headers["journal-last"]), answer.headers["journal-epoch"])

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        call = f"{method} {path}"
        given = None if body is None else json.dumps(body).encode()
        answer = await self._ask(call, method, path, given, within_s=CALL_TIMEOUT_S)
        if not answer.is_success:
            raise ControlError(self.system, call, answer.status, _read_detail(answer))
        return cast("Json", json.loads(answer.body))

    async def _ask(self, call: str, method: str, target: str, body: bytes | None = None, *, within_s: float) -> Answer:
        try:
            return await self._connections.call(method, target, body, within_s=within_s)
        except TimeoutError as error:
            raise ControlUnreachable(self.system, call, f"no answer within {within_s:g} s") from error
        except (OSError, EOFError, ValueError) as error:
            raise ControlUnreachable(self.system, call, f"{type(error).__name__} {error}".strip()) from error


def _read_detail(answer: Answer) -> str:
    text = answer.body.decode(errors="replace")
    try:
        problem = json.loads(text)
    except ValueError:
        return text[:500]
    if not isinstance(problem, dict):
        return text[:500]
    return str(problem.get("detail") or problem.get("title") or problem)
