"""
The control plane of the tap, as typed calls (docs/contract.md §3).

It fails as those of the fakes do, in `ControlError`, and its journal reads alike, so that a recorder needs one kind of source.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import quote

from harness.lab.control import ControlClient, Json
from harness.wire.rules import Rule
from harness.wire.signals import Signal


class TapClient(ControlClient):
    """Talk to the tap: what fakes share (`healthz`, `journal`, `reset`), listeners, rules and signals."""

    def __init__(self, base_url: str, token: str) -> None:
        super().__init__(base_url, token, system="tap")

    async def add_listener(
        self,
        name: str,
        *,
        system: str,
        direction: Literal["outbound", "inbound"],
        upstream: str,
        routes: Sequence[Mapping[str, Any]],
        **serve: Any,
    ) -> Json:
        """
        Serve a listener, at the `address` or on the inherited socket `fd` of `serve`; answer it with its `address`.

        With `tls` it ends TLS: `{"certificates": [certificate.as_body(), …], "passthrough"?: "host:port"}`.
        """
        body = {"name": name, "system": system, "direction": direction, "upstream": upstream, "routes": list(routes)}
        return await self._call("POST", "/listeners", {**body, **serve})

    async def add_front(self, name: str, *, hosts: Mapping[str, str], **serve: Any) -> Json:
        """Serve a front, which leads connections by the host they ask for to the listener named for it; those must be there."""
        return await self._call("POST", "/listeners", {"name": name, "hosts": dict(hosts), **serve})

    async def change_listener(self, name: str, **changes: Any) -> Json:
        """Change `upstream` or `accepting` of a listener."""
        return await self._call("PATCH", f"/listeners/{quote(name, safe='')}", changes)

    async def remove_listener(self, name: str) -> Json:
        """Close a listener for good, with what is armed on it."""
        return await self._call("DELETE", f"/listeners/{quote(name, safe='')}")

    async def listeners(self) -> list[Json]:
        """Answer the listeners."""
        return cast("list[Json]", (await self._call("GET", "/listeners"))["listeners"])

    async def arm_rule(self, rule: Rule) -> Json:
        """Arm a rule; answer it with `hits` and `armed_seq`, the journal entry from which on it acts."""
        return await self._call("POST", "/rules", rule.as_body())

    async def lift_rule(self, rule_id: str) -> Json:
        """Lift a rule; answer it with its `hits`."""
        return await self._call("DELETE", f"/rules/{quote(rule_id, safe='')}")

    async def lift_rules(self) -> list[str]:
        """Lift every rule; answer the ids that were armed."""
        return cast("list[str]", (await self._call("DELETE", "/rules"))["lifted"])

    async def rules(self) -> list[Json]:
        """Answer the armed rules with their `hits`."""
        return cast("list[Json]", (await self._call("GET", "/rules"))["rules"])

    async def signal(self, signal: Signal) -> Json:
        """Arm a signal to a process."""
        return await self._call("POST", "/signals", signal.as_body())

    async def lift_signal(self, signal_id: str) -> Json:
        """Disarm a signal; refused with 404 once it was sent."""
        return await self._call("DELETE", f"/signals/{quote(signal_id, safe='')}")

    async def lift_signals(self) -> list[str]:
        """Disarm every signal; answer the ids that were armed."""
        return cast("list[str]", (await self._call("DELETE", "/signals"))["lifted"])
