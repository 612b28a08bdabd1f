"""Bring a lab that others used before, and will use again, to where nothing is armed and no alert is open."""

import asyncio
import re
from collections.abc import Awaitable
from contextlib import suppress

from harness.core.record import TAP
from harness.lab.errors import ControlError, ControlUnreachable
from harness.lab.lab import Lab
from harness.lab.vendors import OPSDESK
from harness.wire.toxiproxy import NotThere, ToxiproxyError, ToxiproxyUnreachable


async def tidy_lab(lab: Lab) -> None:
    """
    Lift every fault, rule and signal, delete the lab's proxies and resolve what is open at the ops desk.

    Whoever left it: a run that was killed lifts nothing, and an alert that is open hides the next of its kind. Everything is
    tried before the first failure is raised, as ControlError.
    """
    await finish_all(
        *(control.lift_all() for control in lab.controls.values()),
        lab.tap.lift_rules(),
        lab.tap.lift_signals(),
        _delete_proxies(lab),
        _resolve_alerts(lab),
    )


async def finish_all(*calls: Awaitable[object]) -> None:
    """Make calls at once and await each of them to its end; only then raise the first that failed."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _delete_proxies(lab: Lab) -> None:
    ours = re.sub(r"[^A-Za-z0-9]+", "-", lab.id) + "-"
    try:
        for name in await lab.toxiproxy.proxies():
            if name.startswith(ours):
                with suppress(NotThere):
                    await lab.toxiproxy.delete_proxy(name)
    except ToxiproxyUnreachable as error:
        raise ControlUnreachable(TAP, "GET /proxies", str(error)) from error
    except ToxiproxyError as error:
        raise ControlError(TAP, "DELETE /proxies", None, str(error)) from error


async def _resolve_alerts(lab: Lab) -> None:
    desk = lab.controls[OPSDESK]
    for alert in await desk.state("alerts"):
        if alert["state"] != "resolved":
            await desk.act("resolve", dedup_key=alert["dedup_key"])
