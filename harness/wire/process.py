"""One process that holds the tap and the toxic engine."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic_core import to_json

from fakes.kit.clock import SystemClock
from fakes.kit.journal import Journal
from fakes.kit.options import build_two_port_parser, read_options
from fakes.kit.redaction import Redactor
from fakes.kit.serve import Service, run
from fakes.kit.stall import watch_stalls
from harness.wire.control import build_tap_control
from harness.wire.tap import Tap
from harness.wire.toxics.admin import build_admin_app
from harness.wire.toxics.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

# Answering a reader costs as much as passing on a dozen exchanges, so it is not answered for each of them.
GATHER_S = 0.005


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = build_two_port_parser(
        "harness.wire", "Serve the tap and the toxic engine.", port="admin-port", what="port of the toxic engine's API"
    )
    options = read_options(parser.parse_args(arguments))
    run(lambda: build_service(options.token), options)


def build_service(token: str) -> Service:
    """Build the tap with its control plane, and beside it the toxic engine with its admin API."""
    journal = Journal(SystemClock(), encode=to_json, gather_s=GATHER_S)
    journal.redactor = Redactor(token)
    tap = Tap(journal)
    proxies = Proxies()

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with watch_stalls(journal):
            try:
                yield
            finally:
                tap.close()
                proxies.close()

    return Service(
        system="tap",
        journal=journal,
        control=build_tap_control(tap, token),
        app=build_admin_app(proxies),
        running=running,
    )
