"""The container engine of this machine, and only of this machine: clocks are compared across containers and harness."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import DockerClient

from harness.lab.containers.images import complete_image, tell_image
from harness.lab.errors import EnvironmentNotReady
from harness.lab.live_keys import ensure_safe_image
from harness.lab.target import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    import docker

WHAT: Final = "the container engine"
START: Final = "apt-get install docker.io, start dockerd, then handoff doctor"

# What a killed harness leaves is found by our own labels, and swept by our own watchdog; a reaper would be one container more.
testcontainers_config.ryuk_disabled = True


def connect(*, timeout_s: float | None = 60.0) -> docker.DockerClient:
    """Connect to the engine. Raises EnvironmentNotReady where there is none, or where it runs on another machine."""
    ensure_own_address(os.environ.get("DOCKER_HOST", ""))
    try:
        client: docker.DockerClient = DockerClient(timeout=timeout_s).client
    except (DockerException, OSError) as error:
        raise EnvironmentNotReady(WHAT, f"it does not answer: {error}", START) from error
    try:
        ensure_same_kernel(str(client.info().get("KernelVersion", "")))
    except (DockerException, OSError) as error:
        client.close()
        raise EnvironmentNotReady(WHAT, f"it does not answer: {error}", START) from error
    except EnvironmentNotReady:
        client.close()
        raise
    return client


def ensure_own_address(address: str) -> None:
    """Raise EnvironmentNotReady where `DOCKER_HOST` names another machine."""
    parts = urlsplit(address)
    if parts.scheme not in {"", "unix"} and not is_loopback(parts.hostname or ""):
        _refuse(f"DOCKER_HOST is {address}, which is another machine")


def ensure_same_kernel(release: str) -> None:
    """Raise EnvironmentNotReady unless the engine shares this machine's kernel, and with it the clock of all journals."""
    ours = os.uname().release
    if release != ours:
        _refuse(f"it runs on the kernel {release or 'of an unknown name'}, the harness on {ours}")


def ensure_images(client: docker.DockerClient, images: Iterable[str]) -> None:
    """
    Get the images that are not there.

    Raises EnvironmentNotReady with the command that builds or pulls the first that cannot be had, and where one holds a
    credential that looks live.
    """
    for image in dict.fromkeys(map(complete_image, images)):
        try:
            found = client.images.get(image)
        except ImageNotFound:
            _pull(client, image)
            found = client.images.get(image)
        ensure_safe_image(image, (found.attrs.get("Config") or {}).get("Env") or ())


def _pull(client: docker.DockerClient, image: str) -> None:
    try:
        client.images.pull(image)
    except DockerException as error:
        why = f"it is not here, and cannot be pulled: {error}"
        raise EnvironmentNotReady(f"the image {image}", why, tell_image(image)) from error


def _refuse(why: str) -> None:
    why += "; gaps are measured on one clock, so every part of a lab must run on one kernel"
    raise EnvironmentNotReady(WHAT, why, "unset DOCKER_HOST, or run handoff on the machine of the engine")
