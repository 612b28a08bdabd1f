"""
Keep web pages out: whatever somebody's browser has open must not drive a lab that runs on the same machine.

A page's calls carry where it comes from. One whose own name was made to mean this machine (DNS rebinding) calls under that
name; we are called by address, as localhost, or by the short name of a container.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fakes.kit.reach import own_reach

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_page(headers: Mapping[str, str]) -> tuple[int, str] | None:
    """Return the status and the words that turn a web page away, None where the call comes from none."""
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        return 403, "web pages do not drive a lab"
    host = headers.get("host", "")
    if host and not _is_ours(host):
        return 421, f"nothing here is called {host!r}: call it by its address, or allow the name with --allow-host"
    return None


def _is_ours(host: str) -> bool:
    return _is_local(host) or own_reach().names(host.rpartition(":")[0] or host)


@lru_cache(maxsize=64)
def _is_local(host: str) -> bool:
    """Tell whether a host is an address, or a short name as machines and containers have."""
    try:
        ipaddress.ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return "." not in host
    return True
