"""One process that holds the tap and the toxic engine."""

from __future__ import annotations

import argparse
import os
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fakes.kit.clock import SystemClock
from fakes.kit.journal import Journal
from fakes.kit.serve import Options, Service, run
from fakes.kit.stall import watch_stalls
from harness.wire.control import build_tap_control
from harness.wire.tap import Tap
from harness.wire.toxics.admin import build_admin_app
from harness.wire.toxics.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    options = read_options(_build_parser().parse_args(arguments), os.environ)
    run(lambda: build_service(options.token), options)


def build_service(token: str) -> Service:
    """Build the tap with its control plane, and beside it the toxic engine with its admin API."""
    tap = Tap(Journal(SystemClock()))
    proxies = Proxies()

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with watch_stalls(tap.journal):
            try:
                yield
            finally:
                tap.close()
                proxies.close()

    return Service(
        system="tap",
        journal=tap.journal,
        control=build_tap_control(tap, token),
        app=build_admin_app(proxies),
        running=running,
    )


def read_options(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Options:
    """Complete the command line from the environment; a token is made up, and printed, where none is given."""
    token = arguments.token or environ.get("CONTROL_TOKEN")
    return Options(
        host=arguments.host,
        port=arguments.admin_port,
        control_port=arguments.control_port,
        fd=arguments.admin_fd,
        control_fd=arguments.control_fd,
        token=token or secrets.token_urlsafe(24),
        token_generated=not token,
        lifeline_fd=arguments.lifeline_fd,
    )


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.wire", description="Serve the tap and the toxic engine.")
    parser.add_argument("--host", default="127.0.0.1", help="address of both ports (default: loopback)")
    parser.add_argument("--control-port", type=int, default=0, help="control port (default: any free one)")
    parser.add_argument("--control-fd", type=int, help="inherited socket to use as the control port")
    parser.add_argument(
        "--admin-port", type=int, default=0, help="port of the toxic engine's API (default: any free one)"
    )
    parser.add_argument("--admin-fd", type=int, help="inherited socket to use as the port of the toxic engine's API")
    parser.add_argument("--token", help="control token (default: CONTROL_TOKEN, else one is made up and printed)")
    parser.add_argument("--lifeline-fd", type=int, help="inherited pipe; the process ends when it closes")
    return parser
