"""Running the composed service as a process."""

import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from reference.app import build
from reference.config import ConfigurationError, Settings, read_settings
from reference.log import configure_logs, get_log
from reference.parts import Parts

USAGE_ERROR = 4
IDLE_CONNECTION_S = 75
log = get_log("serve")


def run(parts: Parts | None = None) -> int:
    """Read the environment, serve until told to stop by SIGTERM or SIGINT, and return the exit code."""
    try:
        settings = read_settings(os.environ)
        app = build(settings, parts=parts)
        listener = bind(settings)
    except ConfigurationError as error:
        print(f"reference: {error}", file=sys.stderr)  # noqa: T201 -- told to a person at a terminal, before there are logs
        return USAGE_ERROR
    configure_logs()
    log.info("listening", address=":".join(map(str, listener.getsockname()[:2])))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_keep_alive=IDLE_CONNECTION_S)
    # The server ends by raising the signal it was stopped by once more; having drained, that is a clean end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def bind(settings: Settings) -> socket.socket:
    """Open the listening socket; raise `ConfigurationError` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, asyncio sends answers at once; without, each waits 40 ms for an acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    return listener


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
