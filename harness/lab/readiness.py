"""When a child may be used, as objects to hand to `Process.wait_ready`."""

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import httpx2

if TYPE_CHECKING:
    from harness.lab.processes import Process

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


class Readiness(Protocol):
    """Returns what the process said about itself, once it may be used; is cancelled when the process ends."""

    what: str

    async def wait(self, process: "Process") -> dict[str, Any]:
        """Wait for it."""
        ...


class FirstLine:
    """The first line on stdout that is a JSON object; answers that object."""

    what = "its first line"

    async def wait(self, process: "Process") -> dict[str, Any]:
        """Wait for the line."""
        return await asyncio.shield(process.first_json)


class Healthy:
    """A URL that answers 200; answers an empty object."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.what = f"200 from {url}"

    async def wait(self, process: "Process | None" = None) -> dict[str, Any]:  # noqa: ARG002 (a process is not needed)
        """Ask until it answers; the pauses only space the questions."""
        pause = _FIRST_PAUSE_S
        async with httpx2.AsyncClient(verify=self.url.startswith("https:"), trust_env=False, timeout=5.0) as client:
            while not await self._ask(client):
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE_S)
        return {}

    async def _ask(self, client: httpx2.AsyncClient) -> bool:
        try:
            return (await client.get(self.url)).status_code == 200
        except httpx2.HTTPError:
            return False
