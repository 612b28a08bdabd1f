"""Where an attached integration may be: at a plain http address, on loopback or on a host the user allows by name."""

import ipaddress
from collections.abc import Collection
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

from harness.core.problems import Location, Problem, StackError
from harness.core.stack import Stack
from harness.lab.errors import EnvironmentNotReady
from harness.wire.address import Address
from harness.wire.reach import NotAllowedError, own_reach

COMMAND_LINE = Location("<command line>")
EXAMPLE = "http://127.0.0.1:9000"


def choose_target(stack: Stack, url: str | None, *, allowed_hosts: Collection[str] = ()) -> Address | None:
    """Choose where the integration listens: at the `url` given, else where the stack says; None where neither says."""
    if url is None and stack.integration.url is not None:
        return read_target(stack.integration.url, allowed_hosts=allowed_hosts, at=stack.integration.location)
    return None if url is None else read_target(url, allowed_hosts=allowed_hosts)


def read_target(url: str, *, allowed_hosts: Collection[str] = (), at: Location = COMMAND_LINE) -> Address:
    """
    Read where an integration listens.

    Webhooks reach it at the paths the stack declares, as the vendors send them: hence no path of its own and no TLS. A host
    off loopback must be one of `allowed_hosts`, since faults aimed at a machine by mistake hurt whoever works there. Raises
    StackError (exit 4), located `at` the command line or the stack.
    """
    parts = _split(url, at)
    if parts.scheme != "http":
        fix = f"write http://{url}" if "//" not in url else f"give a plain http address, such as {EXAMPLE}"
        _refuse(f"the integration at {url} cannot be reached: only http is spoken to it", at, fix=fix)
    if not parts.hostname or parts.port == 0:
        _refuse(f"{url} names no host and port", at, fix=f"write it as {EXAMPLE}")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        _refuse(
            f"{url} is more than an address",
            at,
            fix="leave out what is not host and port; the paths of health and webhooks stand in the stack",
        )
    host = parts.hostname
    if not is_loopback(host) and host not in {allowed.lower() for allowed in allowed_hosts}:
        _refuse(
            f"{host} is not this machine: webhooks and faults would go to it",
            at,
            fix=f"give --allow-host {host} where that is meant",
        )
    return Address(host, parts.port or 80)


def ensure_here(url: str, what: str) -> str:
    """
    Return a URL the lab is told to be at, which is on this machine, in the lab's own network, or at a host allowed by name.

    Raises EnvironmentNotReady: whoever answers there is sent the lab's token.
    """
    try:
        parts = urlsplit(url)
        own_reach().resolve_now(parts.hostname or "", parts.port or 80)
    except NotAllowedError as error:
        host = urlsplit(url).hostname
        raise EnvironmentNotReady(what, f"{url}: {error}", f"handoff run --allow-host {host} …") from error
    except (OSError, ValueError) as error:
        raise EnvironmentNotReady(
            what, f"{url} is no address that can be reached: {error}", "handoff doctor"
        ) from error
    return url


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by itself; names are not looked up, what they mean may change."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str, at: Location) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it is read only now, and may not be a number
    except ValueError as error:
        _refuse(f"{url} is not an address: {str(error).lower()}", at, fix=f"write it as {EXAMPLE}")
    return parts


def _refuse(message: str, at: Location, **more: Any) -> NoReturn:
    raise StackError((Problem("target", message, at.file, at.line, at.column, **more),))
