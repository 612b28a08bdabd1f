"""When a container may be used: wait strategies that end early with the container, and tell what it said last."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from testcontainers.core.waiting_utils import WaitStrategy

from harness.lab.errors import ProcessFailed

if TYPE_CHECKING:
    import threading

    from testcontainers.core.waiting_utils import WaitStrategyTarget

ASK_WITHIN_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.2
RUNNING = frozenset({"created", "running", "paused", "restarting"})
TAIL_LINES = 20


class Answers(WaitStrategy):
    """
    Wait until a URL answers 200.

    Raises ProcessFailed with the last lines of the container when it ends first, when the time is over, or when `given_up` is set.
    """

    def __init__(self, role: str, url: str, *, within_s: float, given_up: threading.Event) -> None:
        super().__init__()
        self._role = role
        self._url = url
        self._within_s = within_s
        self._given_up = given_up

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Wait for it; the pauses only space the questions."""
        deadline, pause = time.monotonic() + self._within_s, FIRST_PAUSE_S
        while not _answers(self._url):
            container.reload()
            if container.status not in RUNNING:
                raise self._failure(container, "ended before it was ready")
            if time.monotonic() > deadline:
                raise self._failure(container, f"did not answer at {self._url} within {self._within_s:g} s")
            if self._given_up.wait(pause):
                raise self._failure(container, "was given up")
            pause = min(pause * 1.5, LONGEST_PAUSE_S)

    def _failure(self, container: WaitStrategyTarget, why: str) -> ProcessFailed:
        wrapped = container.get_wrapped_container()
        state = wrapped.attrs.get("State", {})
        returncode = None if state.get("Running") else state.get("ExitCode")
        lines = wrapped.logs(tail=TAIL_LINES).decode(errors="replace").splitlines()
        return ProcessFailed(self._role, why, returncode=returncode, tail=lines)


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ASK_WITHIN_S)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
