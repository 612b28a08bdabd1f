"""Where everything of an embedded lab goes and what is started for it: values only, nothing is started here."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness.core.stack import Stack, System
from harness.lab.credentials import Credentials
from harness.lab.environment import build_account, clear_ours
from harness.lab.errors import EnvironmentNotReady
from harness.lab.live_keys import ensure_safe_environment, ensure_safe_words
from harness.lab.ports import Address, Listener
from harness.lab.processes import Program
from harness.lab.topics import list_topics
from harness.lab.vendors import OPSDESK, OPSDESK_VENDOR, TAKEN, VENDORS, Vendor, name_prefix
from harness.lab.wiremock import MODULE, find_mappings, list_options

PUBLIC_KEY_FILE = "erp-public.pem"
PRIVATE_KEY_FILE = "erp-private.pem"
NEEDS_FILE = "needs.json"


@dataclass(frozen=True, slots=True)
class Seat:
    """A fake's place: the system it plays, and its two listeners."""

    system: str
    vendor: Vendor
    listener: Listener
    control: Listener


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one lab from another: its id, the nonce in its vendors' ids, its folder and the time scale."""

    id: str
    nonce: str
    folder: Path
    scale: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where the integration is to be: started by `command` in `folder`, or at `url`; `free` leaves starting it to somebody else."""

    command: tuple[str, ...] = ()
    url: str | None = None
    free: bool = False
    folder: Path = Path()


def choose_place(
    stack: Stack, command: str | Sequence[str] | None, *, with_integration: bool, stack_path: Path | None = None
) -> Place:
    """
    Choose the integration: a command that the caller gave wins over the stack, a URL means it runs elsewhere.

    The stack's command is one of the folder the stack stands in, the caller's one of the folder the caller is in.
    Raises EnvironmentNotReady where neither says how to start it, or where what is started would inherit a live-looking
    credential, and StackError where the caller's command holds one.
    """
    if command:
        words = tuple(shlex.split(command) if isinstance(command, str) else command)
        ensure_safe_words(words)
        ensure_safe_environment(os.environ)
        return Place(command=words)
    folder = Path() if stack_path is None else stack_path.parent
    place = Place(stack.integration.command, stack.integration.url, free=not with_integration, folder=folder)
    if not (place.command or place.url or place.free):
        why = "the stack names neither its command nor its url"
        raise EnvironmentNotReady("the integration", why, "set integration.command, or give --integration 'CMD'")
    if place.command and not place.free:
        ensure_safe_environment(os.environ)
    return place


def choose_vendors(
    stack: Stack, *, stack_path: Path | None = None, without_wiremock: str = ""
) -> tuple[dict[str, Vendor], dict[str, str]]:
    """
    Choose the fake of every system, and the ops desk's.

    Answers the vendors by system, and why each system without one has none: `without_wiremock` says why no mappings can be
    served. Raises EnvironmentNotReady where a fake or a folder of mappings does not exist, or two systems want the same.
    """
    vendors: dict[str, Vendor] = {}
    absent: dict[str, str] = {}
    for name, system in stack.systems.items():
        vendor = _find_vendor(system, vendors.values()) if system.fake else _map_vendor(system, stack_path)
        _ensure_own_prefix(system, vendor, vendors.values())
        if vendor.is_mapped and without_wiremock:
            absent[name] = without_wiremock
        else:
            vendors[name] = vendor
    return {**vendors, OPSDESK: OPSDESK_VENDOR}, absent


def bind_seats(vendors: Mapping[str, Vendor]) -> dict[str, Seat]:
    """Bind the addresses of every fake."""
    return {name: Seat(name, vendor, Listener(), Listener()) for name, vendor in vendors.items()}


def build_fake(seat: Seat, lab: Identity, credentials: Credentials, *, wiremock: Address | None = None) -> Program:
    """
    Describe the process of a fake. Its account comes to it in its environment.

    `wiremock` is where the lab's WireMock is, for a fake in front of it.
    """
    options = ["--time-scale", f"{lab.scale:g}", "--nonce", lab.nonce]
    if seat.vendor.prefix == "ERP":
        options += ["--public-key", str(lab.folder / PUBLIC_KEY_FILE)]
    if seat.vendor.is_mapped and wiremock is not None:
        options += list_options(seat.vendor, seat.system, wiremock.url)
    return Program(
        role=f"fake-{seat.system}",
        argv=[sys.executable, "-m", seat.vendor.module, *options],
        cwd=lab.folder,
        environment={**_base(), **build_account(seat.vendor.prefix, credentials), **_name_token(credentials)},
        flags={"--fd": seat.listener, "--control-fd": seat.control},
        lifeline=True,
    )


def build_tap(
    control: Listener, admin: Listener, served: Mapping[str, Listener], lab: Identity, credentials: Credentials
) -> Program:
    """Describe the process of the tap, which inherits the sockets it will serve."""
    return Program(
        role="tap",
        argv=[sys.executable, "-m", "harness.wire"],
        cwd=lab.folder,
        environment={**_base(), **_name_token(credentials)},
        flags={"--control-fd": control, "--admin-fd": admin},
        inherited=served,
        lifeline=True,
    )


def build_watchdog(lab: Identity) -> Program:
    """Describe the process that sweeps when the harness is gone. It needs the register, hence our own variables."""
    argv = [sys.executable, "-m", "harness.lab.watchdog"]
    return Program("watchdog", argv, lab.folder, dict(os.environ), lifeline=True)


def build_integration(place: Place, variables: Mapping[str, str]) -> Program:
    """
    Describe the integration's process: in the folder its command belongs to, with the environment of the harness.

    `python` means the interpreter the harness runs on. Raises EnvironmentNotReady where there is no such command.
    """
    folder = place.folder.resolve()
    first, *words = place.command
    program = sys.executable if first in {"python", "python3"} else _find_command(first, folder)
    if program is None:
        raise _tell_missing(first, folder)
    return Program("integration", [program, *words], folder, {**_base(), **variables})


def _find_command(word: str, folder: Path) -> str | None:
    """Find a command as a shell in this folder would."""
    return shutil.which(str(folder / word) if "/" in word else word)


def _tell_missing(word: str, folder: Path) -> EnvironmentNotReady:
    if "/" in word and (folder / word).is_file():
        path = folder / word
        return EnvironmentNotReady("the integration", f"{path} is not executable", f"chmod +x {shlex.quote(str(path))}")
    why = f"there is no command {word!r}" + (f" in {folder}" if "/" in word else "")
    next_command = "correct integration.command in the stack, or give --integration 'CMD'"
    return EnvironmentNotReady("the integration", why, next_command)


def describe_needs(stack: Stack) -> dict[str, Any]:
    """
    Describe, as JSON values by name, what a lab is built to: a stack that needs something else does not fit into it.

    Everything else of a stack (paths, breakers, what is observed) may change while a lab is up.
    """
    return {
        "systems": {name: system.fake or system.wiremock or "" for name, system in stack.systems.items()},
        "webhook receivers": dict(stack.integration.webhooks),
        "webhook topics": {name: list_topics(stack, name) for name in stack.integration.webhooks},
        "roles": {name: role.channel for name, role in stack.roles.items()},
        "time scale": stack.time.scale,
    }


def _find_vendor(system: System, taken: Iterable[Vendor]) -> Vendor:
    fake = str(system.fake)
    vendor = VENDORS.get(fake)
    where = str(system.location) or "the stack"
    if vendor is None:
        near = get_close_matches(fake, VENDORS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise EnvironmentNotReady(
            f"system {system.name!r} ({where})",
            f"there is no fake {fake!r}{hint} (there are: {', '.join(sorted(VENDORS))})",
            "handoff doctor",
        )
    if vendor in taken:
        raise EnvironmentNotReady(
            f"system {system.name!r} ({where})",
            f"another system has the fake {fake!r} already; a lab holds one of each",
            "name each fake once under systems",
        )
    return vendor


def _map_vendor(system: System, stack_path: Path | None) -> Vendor:
    return Vendor("wiremock", MODULE, name_prefix(system.name), find_mappings(system, stack_path))


def _ensure_own_prefix(system: System, vendor: Vendor, others: Iterable[Vendor]) -> None:
    """Raise EnvironmentNotReady where two systems would be told of in the same variables."""
    if vendor.prefix in TAKEN or vendor.prefix in {other.prefix for other in others}:
        raise EnvironmentNotReady(
            f"system {system.name!r} ({system.location or 'the stack'})",
            f"the variable {vendor.prefix}_URL has another meaning in this lab already",
            "give the system another name",
        )


def _name_token(credentials: Credentials) -> dict[str, str]:
    """Give the control token as a variable: the words of a command are everybody's to read."""
    return {"CONTROL_TOKEN": credentials.control_token}


def _base() -> dict[str, str]:
    return clear_ours(os.environ)
