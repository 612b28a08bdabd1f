"""
A lab that a conductor stands in for (`docker compose up`): found by its address, since no register of ours has it.

`HANDOFF_LAB_URL` says where the conductor answers, `http://127.0.0.1:8470` unless given, and nowhere when it is empty;
`HANDOFF_LAB_TOKEN` is its token.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2

from harness.lab.errors import EnvironmentNotReady
from harness.lab.layout import NEEDS_FILE
from harness.lab.marks import ProcessMark
from harness.lab.registry import LabRecord, state_folder
from harness.lab.target import ensure_here, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

URL_VARIABLE, TOKEN_VARIABLE = "HANDOFF_LAB_URL", "HANDOFF_LAB_TOKEN"
DEFAULT_URL: Final = "http://127.0.0.1:8470"
# What docker-compose.yml says unless told otherwise: the lab listens on loopback only, and holds nothing but test data.
DEFAULT_TOKEN: Final = "handoff-lab-on-loopback"  # noqa: S105 - no secret: docker-compose.yml says it to everybody
KIND: Final = "conducted"
# Where the tap reaches the integration, which is not where the harness does.
INSIDE_VARIABLE: Final = "INTEGRATION_ADDRESS"
START: Final = "docker compose up --wait"
ASK_WITHIN_S: Final = 3.0


def find_conducted() -> LabRecord | None:
    """
    Find the lab of the conductor that answers; None where none does.

    Raises EnvironmentNotReady where one was named that does not answer, or refuses the token.
    """
    named = os.environ.get(URL_VARIABLE)
    url = DEFAULT_URL if named is None else named
    if not url:
        return None
    ensure_here(url, "the lab that HANDOFF_LAB_URL names")
    try:
        answer = httpx2.get(f"{url}/lab", headers=_authorise(), trust_env=False, timeout=ASK_WITHIN_S)
    except httpx2.HTTPError as error:
        if named is None:
            return None
        raise EnvironmentNotReady(f"the lab at {url}", f"it does not answer: {error}", START) from error
    if answer.status_code == httpx2.codes.UNAUTHORIZED:
        fix = f"export {TOKEN_VARIABLE}=…, with the CONTROL_TOKEN it was started with"
        raise EnvironmentNotReady(f"the lab at {url}", "it does not take our token", fix)
    if not answer.is_success:
        raise EnvironmentNotReady(f"the lab at {url}", f"it is not up yet: {answer.text.strip()}", START)
    return _read(url, answer.json())


@contextmanager
def hold_conducted(url: str) -> Iterator[None]:
    """
    Hold the conductor's lab until the end of the block; the conductor lets go of it when this process dies.

    Raises EnvironmentNotReady where another run has it.
    """
    with (
        httpx2.Client(trust_env=False, timeout=httpx2.Timeout(ASK_WITHIN_S, read=None)) as client,
        client.stream("GET", f"{url}/hold", headers=_authorise()) as held,
    ):
        if not held.is_success:
            held.read()
            raise EnvironmentNotReady(f"the lab at {url}", held.text.strip(), "wait for the other run to end")
        yield


def _read(url: str, told: dict[str, Any]) -> LabRecord:
    """Read a conductor's answer as the record of a lab; whoever asks on loopback is outside of it."""
    outside = is_loopback(urlsplit(url).hostname or "")
    folder = state_folder() / KIND / re.sub(r"[^A-Za-z0-9]+", "-", url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / NEEDS_FILE).write_text(json.dumps(told["needs"]))
    return LabRecord(
        id=told["id"],
        kind=KIND,
        stack=url,
        owner=ProcessMark.of(os.getpid(), "owner"),
        started_at=time.time(),
        folders=(str(folder),),
        environment=dict(told["outside" if outside else "inside"]),
        containers=True,
    )


def _authorise() -> dict[str, str]:
    return {"Authorization": f"Bearer {os.environ.get(TOKEN_VARIABLE) or DEFAULT_TOKEN}"}
