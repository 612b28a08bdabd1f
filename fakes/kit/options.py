"""The command line every fake shares, and the tap with them."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakes.kit.ids import build_nonce

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Options:
    """How a fake is started; see build_parser."""

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    fd: int | None = None
    control_fd: int | None = None
    token: str = ""
    token_generated: bool = False
    time_scale: float = 1.0
    nonce: str = field(default_factory=build_nonce)
    lifeline_fd: int | None = None


def build_parser(system: str) -> argparse.ArgumentParser:
    """Return the command line every fake has; a vendor may add to it."""
    parser = build_two_port_parser(f"fakes.{system}", f"Serve the {system} fake.", port="port", what="vendor port")
    parser.add_argument(
        "--time-scale",
        type=_time_scale,
        default=None,
        help="divisor of the vendor's waits (default: HANDOFF_TIME_SCALE or 1)",
    )
    parser.add_argument("--nonce", help="seed of the ids, the same gives the same ids (default: random)")
    return parser


def build_two_port_parser(module: str, description: str, *, port: str, what: str) -> argparse.ArgumentParser:
    """
    Return the command line of a process with a control port and another one, which is named by the flag ``--<port>``.

    It has no time to scale, and a random nonce.
    """
    fd = port.removesuffix("port") + "fd"
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.set_defaults(time_scale=1.0, nonce=None)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    parser.add_argument(f"--{port}", dest="port", type=_port, default=0, help=f"{what} (default: any free one)")
    parser.add_argument("--control-port", type=_port, default=0, help="control port (default: any free one)")
    parser.add_argument(f"--{fd}", dest="fd", type=int, help=f"inherited listening socket to use as the {what}")
    parser.add_argument("--control-fd", type=int, help="inherited listening socket to use as the control port")
    parser.add_argument("--token", help="control token (default: CONTROL_TOKEN, else one is made up and printed)")
    parser.add_argument("--lifeline-fd", type=int, help="inherited pipe; the process ends when it closes")
    return parser


def read_options(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Options:
    """Complete the command line from the environment; exits with a message when that makes no sense."""
    token = arguments.token or environ.get("CONTROL_TOKEN")
    scale = arguments.time_scale
    if scale is None:
        try:
            scale = _time_scale(environ.get("HANDOFF_TIME_SCALE") or "1")
        except (ValueError, argparse.ArgumentTypeError) as error:
            sys.exit(f"HANDOFF_TIME_SCALE: {error}")
    return Options(
        host=arguments.host,
        port=arguments.port,
        control_port=arguments.control_port,
        fd=arguments.fd,
        control_fd=arguments.control_fd,
        token=token or secrets.token_urlsafe(24),
        token_generated=not token,
        time_scale=scale,
        nonce=arguments.nonce or build_nonce(),
        lifeline_fd=arguments.lifeline_fd,
    )


def _time_scale(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("the time scale is a positive number")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return value
