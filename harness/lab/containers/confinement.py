"""How every container is confined, whatever runs in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from docker.types import LogConfig

from harness.lab.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

# Who a container is inside; a harness that is not root lends its own id, so that it may read and remove what was written.
NOBODY: Final = 10001


def choose_user() -> int:
    """Choose the user of all containers: never root."""
    return os.getuid() or NOBODY


def confine(labels: Mapping[str, str]) -> dict[str, Any]:
    """Give what holds for every container: no root, no rights, nothing to write but /tmp, a bounded log."""
    user = choose_user()
    return {
        "user": f"{user}:{user}",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "labels": dict(labels),
        "log_config": LogConfig(type="json-file", config={"max-size": "4m", "max-file": "2"}),
    }


def publish(ports: Mapping[int, int]) -> dict[str, tuple[str, int]]:
    """Give published ports as the engine's client takes them: on loopback, and nowhere else."""
    return {f"{inside}/tcp": (LOOPBACK, outside) for inside, outside in ports.items()}
