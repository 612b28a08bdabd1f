"""
One way to start every fake and the tap: two ports in one process and one loop.

Prints one JSON line with the addresses when both listen; ends cleanly on SIGTERM, SIGINT or when the lifeline closes.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
import uvloop

from fakes.kit.connection import FakeProtocol, build_protocol
from fakes.kit.fake import Fake, build_vendor_app
from fakes.kit.plane import build_fake_control
from fakes.kit.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp

    from fakes.kit.journal import Journal
    from fakes.kit.options import Options

# An idle client connection is kept longer than any test runs: closing it early would look like a fault nobody armed.
KEEP_ALIVE_S = 3600
GRACE_S = 1
BACKLOG = 1024
COLLECT_AFTER = 50_000


@dataclass(frozen=True, slots=True)
class Service:
    """What is served: the control plane, the vendor's application, and what runs meanwhile."""

    system: str
    journal: Journal
    control: ASGIApp
    app: ASGIApp
    running: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    protocol: type[FakeProtocol] = FakeProtocol


def build_service(fake: Fake, options: Options) -> Service:
    """Return the service of a fake; its journal is redacted under the lab's token, as all of the lab are."""
    fake.journal.redactor = Redactor(options.token)
    return Service(
        system=fake.system,
        journal=fake.journal,
        control=build_fake_control(fake, options.token),
        app=build_vendor_app(fake),
        running=fake.running,
        protocol=build_protocol(fake.bad_request),
    )


def run(build: Callable[[], Service], options: Options) -> None:
    """Serve until told to stop; ``build`` is called inside the loop. Exits with a message when an address is taken."""
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    # What is loaded stays, and what a call leaves behind is freed at once, but for few cycles: there is little to collect.
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    try:
        uvloop.run(serve(build, options))
    except OSError as error:
        sys.exit(f"cannot serve: {error}")


async def serve(build: Callable[[], Service], options: Options) -> None:
    """Serve until a signal or the end of the lifeline."""
    service = build()
    stop = asyncio.Event()
    _listen_for_stop(stop, options.lifeline_fd)
    sockets = [
        bind(options.host, options.port, options.fd),
        bind(options.host, options.control_port, options.control_fd),
    ]
    servers = [_build_server(service.app, service.protocol), _build_server(service.control, FakeProtocol)]
    async with service.running():
        tasks = [asyncio.ensure_future(s.serve(sockets=[k])) for s, k in zip(servers, sockets, strict=True)]
        await asyncio.gather(*(server.ready.wait() for server in servers))
        sys.stdout.write(json.dumps(_describe(service, options, sockets)) + "\n")
        sys.stdout.flush()
        await stop.wait()
        service.journal.close()
        for server in servers:
            server.leave()
        await asyncio.gather(*tasks)


def bind(host: str, port: int, fd: int | None) -> socket.socket:
    """Return a listening-ready TCP socket: the inherited one, else a fresh one on the address."""
    if fd is not None:
        return socket.socket(fileno=fd)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{error.strerror} ({host}:{port})") from error
    return sock


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals: two servers share this process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait until told to leave: nothing that is served here changes with the time, and a lab has many servers."""
        await self.on_tick(0)
        await self._leaving.wait()

    def leave(self) -> None:
        """Finish what is being answered, then end."""
        self.should_exit = True
        self._leaving.set()


def _build_server(app: ASGIApp, protocol: type[FakeProtocol]) -> _Server:
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
    )
    return _Server(config)


def _describe(service: Service, options: Options, sockets: Sequence[socket.socket]) -> dict[str, str]:
    url, control_url = (_url(sock) for sock in sockets)
    line = {"system": service.system, "epoch": service.journal.epoch, "control_url": control_url, "url": url}
    if options.token_generated:
        line["token"] = options.token
    return line


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen_for_stop(stop: asyncio.Event, lifeline_fd: int | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline_fd is not None:
        loop.add_reader(lifeline_fd, _check_lifeline, lifeline_fd, stop)


def _check_lifeline(fd: int, stop: asyncio.Event) -> None:
    if os.read(fd, 4096) == b"":
        asyncio.get_running_loop().remove_reader(fd)
        stop.set()
