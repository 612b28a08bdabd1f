"""Remove whatever carries the label of a lab: containers, then networks and volumes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from docker.errors import APIError, DockerException, NotFound

from harness.lab.containers.box import LAB_LABEL
from harness.lab.containers.daemon import connect
from harness.lab.errors import EnvironmentNotReady

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker

# What a killed harness had asked for last may still come about for so long.
QUIET_S = 1.0
PAUSE_S = 0.05
WITHIN_S = 30.0
THREADS = 8


def remove_lab(client: docker.DockerClient, lab: str) -> bool:
    """Remove everything of a lab that is there now; tell whether there was anything."""
    label: dict[str, str | list[str] | bool] = {"label": f"{LAB_LABEL}={lab}"}
    containers = client.containers.list(all=True, filters=label, ignore_removed=True)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda container: _remove(lambda: container.remove(force=True, v=True)), containers))
    rest: list[Any] = [*client.networks.list(filters=label), *client.volumes.list(filters=label)]
    for each in rest:
        _remove(each.remove)
    return bool(containers or rest)


def remove_leftover(lab: str) -> bool:
    """
    Remove what the killed harness of a lab left, until nothing more comes about; tell whether that was reached.

    The engine carries out what it was asked for last although nobody waits for it any more.
    """
    try:
        client = connect()
    except EnvironmentNotReady:
        return False
    deadline = time.monotonic() + WITHIN_S
    quiet_since = time.monotonic()
    try:
        while (now := time.monotonic()) - quiet_since < QUIET_S:
            if now > deadline:
                return False
            if remove_lab(client, lab):
                quiet_since = time.monotonic()
            else:
                time.sleep(PAUSE_S)
    except DockerException:
        return False
    finally:
        client.close()
    return True


def list_leftover(lab: str) -> list[str]:
    """List the names of what is left of a lab; nothing where the engine does not answer."""
    try:
        client = connect()
    except EnvironmentNotReady:
        return []
    label: dict[str, str | list[str] | bool] = {"label": f"{LAB_LABEL}={lab}"}
    try:
        found: list[Any] = client.containers.list(all=True, filters=label, ignore_removed=True)
        return sorted(str(each.name) for each in [*found, *client.networks.list(filters=label)])
    except DockerException:
        return []
    finally:
        client.close()


def _remove(remove: Callable[[], Any]) -> None:
    """Remove one thing; what is gone, or going, already is as good as removed."""
    try:
        remove()
    except NotFound:
        return
    except APIError as error:
        if error.status_code not in {403, 409}:  # being removed by another, or still in use by what is
            raise
