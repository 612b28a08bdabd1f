"""Bring a lab that others used before, and will use again, to where nothing is armed and no alert is open."""

import asyncio
from collections.abc import Awaitable

from harness.lab.lab import Lab
from harness.lab.vendors import OPSDESK


async def tidy_lab(lab: Lab) -> None:
    """
    Lift every fault, rule and signal, close the proxies of faults and resolve what is open at the ops desk.

    Whoever left it: a run that was killed lifts nothing, and an alert that is open hides the next of its kind. Everything is
    tried before the first failure is raised, as ControlError.
    """
    await finish_all(
        *(control.lift_all() for control in lab.controls.values()),
        lab.tap.lift_rules(),
        lab.tap.lift_signals(),
        lab.toxics.close_faults(),
        _resolve_alerts(lab),
    )


async def finish_all(*calls: Awaitable[object]) -> None:
    """Make calls at once and await each of them to its end; only then raise the first that failed."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _resolve_alerts(lab: Lab) -> None:
    desk = lab.controls[OPSDESK]
    for alert in await desk.state("alerts"):
        if alert["state"] != "resolved":
            await desk.act("resolve", dedup_key=alert["dedup_key"])
