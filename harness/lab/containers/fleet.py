"""All containers of one lab: their network, the engine's news of them, and their removal."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from docker.errors import DockerException
from testcontainers.core.network import Network

from harness.lab.containers.box import LAB_LABEL, ROLE_LABEL, RUN_LABEL
from harness.lab.containers.container import Container
from harness.lab.containers.daemon import WHAT, connect, ensure_images
from harness.lab.containers.removal import remove_lab
from harness.lab.errors import EnvironmentNotReady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import docker

    from harness.lab.containers.box import Box
    from harness.lab.deaths import Deaths

T = TypeVar("T")
THREADS = 24


class Fleet:
    """
    The containers of one lab.

    `given_up` ends what waits for one of them. Whatever carries the lab's label is removed by `close`, and when the harness is
    killed by the sweep of its watchdog.
    """

    def __init__(self, lab: str, run: str, deaths: Deaths) -> None:
        self.lab = lab
        self.run = run
        self.deaths = deaths
        self.network = f"handoff-{lab}"
        self.given_up = threading.Event()
        self.removed = True
        self._containers: dict[str, Container] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"containers of {lab}")
        self._client: docker.DockerClient | None = None
        self._news: Any = None
        self._net: Network | None = None

    @property
    def net(self) -> Network:
        """The lab's network, once the fleet is open."""
        if self._net is None:
            raise EnvironmentNotReady(WHAT, "the lab's network is not there yet", "handoff doctor")
        return self._net

    async def open(self, images: Iterable[str]) -> None:
        """Connect, get the images, make the network, listen for ends. Raises EnvironmentNotReady."""
        loop = asyncio.get_running_loop()
        try:
            await self.call(self._open, list(images))
        except DockerException as error:
            raise EnvironmentNotReady(WHAT, str(error), "handoff doctor") from error
        threading.Thread(target=self._listen, args=(loop,), name=f"ends in {self.lab}", daemon=True).start()

    def hold(self, box: Box) -> Container:
        """Take in a container; it is not started."""
        container = self._containers[box.role] = Container(box, self)
        return container

    def find(self, role: str) -> Container:
        """Find a container by its role. Raises KeyError."""
        return self._containers[role]

    def labels(self, role: str) -> dict[str, str]:
        """Give the labels by which what belongs to the lab is found."""
        return {LAB_LABEL: self.lab, RUN_LABEL: self.run, ROLE_LABEL: role}

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the engine in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def close(self) -> None:
        """Remove everything of the lab, also in the face of a cancellation: what a thread is about to make is removed too."""
        self.given_up.set()
        for container in self._containers.values():
            container.expect_exit()
        closing = threading.Thread(target=self._close, name=f"removal of {self.lab}")
        closing.start()
        try:
            await asyncio.to_thread(closing.join)
        finally:
            closing.join()

    def _open(self, images: list[str]) -> None:
        self._client = connect()
        self.removed = False
        ensure_images(self._client, images)
        self._net = Network(docker_network_kw={"driver": "bridge", "labels": self.labels("network")})
        self._net.name = self.network
        self._net.create()
        # News may be long in coming: this connection waits for ever.
        self._news = connect(timeout_s=None).events(
            decode=True, filters={"type": "container", "event": "die", "label": f"{LAB_LABEL}={self.lab}"}
        )

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        for event in self._read_news():
            attributes = event.get("Actor", {}).get("Attributes", {})
            container = self._containers.get(attributes.get(ROLE_LABEL, ""))
            if container is not None and not loop.is_closed():
                asyncio.run_coroutine_threadsafe(container.take_end(int(attributes.get("exitCode", 0))), loop)

    def _read_news(self) -> Iterator[dict[str, Any]]:
        try:
            yield from self._news
        except (DockerException, OSError, ValueError, AttributeError):
            return  # the engine went away, or we closed the connection

    def _close(self) -> None:
        self._threads.shutdown(wait=True)
        if self._client is None:
            return
        try:
            remove_lab(self._client, self.lab)
            self.removed = True
        except DockerException:
            return  # its entry stays in the register, for the next sweep
        if self._news is not None:
            self._news.close()
        for container in self._containers.values():
            container.close()
        self._client.close()
