"""What a lab needs of a machine, as checks that say what they are for and what gets what is missing."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, requires
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil

from harness.lab.containers.images import FAKES, HARNESS, VERSION
from harness.lab.containers.images import TOXIPROXY as TOXIPROXY_IMAGE
from harness.lab.containers.images import WIREMOCK as WIREMOCK_IMAGE
from harness.lab.tools import (
    GET_JAVA,
    OLDEST_JAVA,
    TOXIPROXY_VARIABLE,
    WIREMOCK_VARIABLE,
    find_toxiproxy,
    find_wiremock,
    read_java_version,
    tell_toxiproxy,
    tell_wiremock,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.core.stack import Stack

Status = Literal["ok", "warning", "missing"]
Finding = tuple[Status, str]

FEWEST_FILES = 64
ENOUGH_FILES = 512
ENOUGH_MEMORY = 512 * 1024 * 1024
ASK_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """Say whether one thing is there, what it is needed for, and the command that gets it."""

    name: str
    status: Status
    required: bool
    detail: str
    needed_for: str
    command: str = ""

    @property
    def blocks(self) -> bool:
        """Tell whether no lab can run because of it."""
        return self.required and self.status == "missing"

    def as_json(self) -> dict[str, str | bool]:
        """Return the check as `--json` prints it."""
        return asdict(self)


def check_machine() -> tuple[Check, ...]:
    """Run every check that does not depend on a stack."""
    return tuple(_run(*row) for row in _CHECKS)


def check_stack_needs(stack: Stack) -> tuple[Check, ...]:
    """Run the checks for what one stack names: the command of its integration, Java for its WireMock systems."""
    checks = []
    if stack.integration.command:
        program = stack.integration.command[0]
        found = shutil.which(program)
        status: Status = "ok" if found else "missing"
        detail = found or f"`{program}` is not on PATH"
        checks.append(
            Check("integration command", status, True, detail, "starting the integration", f"install {program}")
        )
    mapped = [name for name, system in stack.systems.items() if system.wiremock]
    if mapped:
        java, version = _find_java()
        use = f"the handoffs of {', '.join(mapped)}, which are skipped without it"
        checks.append(Check("Java for this stack", java, False, version, use, GET_JAVA))
        jar, where = _find_wiremock()
        checks.append(Check("WireMock for this stack", jar, False, where, use, tell_wiremock()))
    return tuple(checks)


def _run(name: str, find: Callable[[], Finding], required: bool, needed_for: str, command: str) -> Check:
    try:
        status, detail = find()
    except Exception as error:  # noqa: BLE001 - a check that crashes is a check that failed
        status, detail = "missing" if required else "warning", f"{type(error).__name__}: {error}"
    return Check(name, status, required, detail, needed_for, "" if status == "ok" else command)


def _find_python() -> Finding:
    return ("ok" if sys.version_info >= (3, 11) else "missing"), f"Python {platform.python_version()}"


def _find_dependencies() -> Finding:
    missing = [requirement for requirement in _requirements() if not _is_met(requirement)]
    if missing:
        return "missing", f"not installed, or too old: {', '.join(missing)}"
    return "ok", f"{len(_requirements())} packages"


def _requirements() -> list[str]:
    return [requirement for requirement in requires("handoff-chaos") or [] if "extra ==" not in requirement]


def _is_met(requirement: str) -> bool:
    match = re.match(r"([\w.-]+)\s*(?:>=\s*([\d.]+))?", requirement)
    if match is None:
        return False
    try:
        installed = distribution(match[1])
    except PackageNotFoundError:
        return False
    return _parts(installed.version) >= _parts(match[2] or "0")


def _parts(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _find_loopback() -> Finding:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(ASK_WITHIN_S)
        with socket.create_connection(server.getsockname(), timeout=ASK_WITHIN_S) as client:
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"handoff")
                accepted.settimeout(ASK_WITHIN_S)
                whole = accepted.recv(7, socket.MSG_WAITALL) == b"handoff"
    return ("ok", "127.0.0.1 listens and answers") if whole else ("missing", "127.0.0.1 loses bytes")


def _find_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = 1 << 20 if soft == resource.RLIM_INFINITY else soft
    free = limit - psutil.Process().num_fds()
    status: Status = "missing" if free < FEWEST_FILES else "warning" if free < ENOUGH_FILES else "ok"
    return status, f"{free:,} of {limit:,} free"


def _find_clock() -> Finding:
    before = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import time; print(time.monotonic())"],
        capture_output=True,
        check=True,
        text=True,
        timeout=ASK_WITHIN_S,
    )
    within = before <= float(answer.stdout) <= time.monotonic()
    return ("ok", "shared by processes") if within else ("missing", "another process reads another clock")


def _find_cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ("ok" if cores > 1 else "warning"), f"{cores} usable"


def _find_memory() -> Finding:
    free = psutil.virtual_memory().available
    return ("ok" if free >= ENOUGH_MEMORY else "warning"), f"{free // (1024 * 1024):,} MiB available"


def _find_folder() -> Finding:
    with tempfile.TemporaryDirectory(prefix="handoff-doctor-") as folder:
        free = shutil.disk_usage(folder).free
    return ("ok" if free > 256 * 1024 * 1024 else "warning"), f"writable, {free // (1024 * 1024):,} MiB free"


def _find_leftovers() -> Finding:
    if find_spec("harness.lab.registry") is None:
        return "ok", "none"
    left = import_module("harness.lab.registry").list_leftovers()
    if not left:
        return "ok", "none"
    return "warning", f"{len(left)} left by commands that were killed; the next run clears them"


def _find_java() -> Finding:
    program = shutil.which("java")
    if program is None:
        return "missing", "no `java` on PATH"
    version = read_java_version(Path(program))
    if version is None:
        return "missing", "`java -version` does not say its version"
    return ("ok" if version >= OLDEST_JAVA else "missing"), f"Java {version}"


def _find_wiremock() -> Finding:
    jar = find_wiremock()
    if jar is not None:
        return "ok", str(jar)
    named = os.environ.get(WIREMOCK_VARIABLE)
    return (
        "missing",
        f"{WIREMOCK_VARIABLE} names {named}, which is not there" if named else "WireMock's jar is not here",
    )


def _find_toxiproxy() -> Finding:
    program = find_toxiproxy()
    if program is not None:
        return "ok", str(program)
    named = os.environ.get(TOXIPROXY_VARIABLE)
    return "missing", f"{TOXIPROXY_VARIABLE} names {named}, which does not run" if named else "no `toxiproxy-server`"


def _find_docker() -> Finding:
    answer = _ask_docker("version", "--format", "{{.Server.Version}}")
    if answer is None:
        return "missing", "no `docker` on PATH"
    if answer.returncode:
        return "missing", "`docker` is there, its daemon does not answer"
    return "ok", f"Docker {answer.stdout.strip()}"


def _find_images() -> Finding:
    needed = (FAKES, HARNESS, TOXIPROXY_IMAGE, WIREMOCK_IMAGE)
    absent = [
        image for image in needed if (answer := _ask_docker("image", "inspect", image)) is None or answer.returncode
    ]
    if absent:
        return "missing", f"not here: {', '.join(absent)}"
    return "ok", f"{len(needed)} of {VERSION}"


def _ask_docker(*words: str) -> subprocess.CompletedProcess[str] | None:
    program = shutil.which("docker")
    if program is None:
        return None
    return subprocess.run(  # noqa: S603 - the program is the docker of PATH
        [program, *words], capture_output=True, check=False, text=True, timeout=ASK_WITHIN_S
    )


_CHECKS: tuple[tuple[str, Callable[[], Finding], bool, str, str], ...] = (
    ("Python", _find_python, True, "everything", "apt-get install python3.11"),
    ("dependencies", _find_dependencies, True, "everything", "make venv"),
    ("loopback", _find_loopback, True, "fakes, tap and integration, which talk over it", "ip link set lo up"),
    ("file descriptors", _find_files, True, "sockets of a lab", "ulimit -n 4096"),
    ("monotonic clock", _find_clock, True, "gaps measured across processes", "run all of a lab on one kernel"),
    ("temporary folder", _find_folder, True, "the integration's data and the run's files", "export TMPDIR=/var/tmp"),
    ("cores", _find_cores, False, "more than one lab at once (-n)", "handoff run -n 1"),
    ("memory", _find_memory, False, "a lab: about 300 MiB each", "handoff run -n 1"),
    ("leftover labs", _find_leftovers, False, "a clean start", "handoff lab down"),
    ("Java", _find_java, False, "carrier and CRM, which WireMock plays", GET_JAVA),
    ("WireMock", _find_wiremock, False, "carrier and CRM, which it plays", tell_wiremock()),
    (
        "toxiproxy-server",
        _find_toxiproxy,
        False,
        "--engine toxiproxy; the embedded engine needs nothing",
        tell_toxiproxy(),
    ),
    ("docker", _find_docker, False, "--lab containers", "apt-get install docker.io"),
    ("images", _find_images, False, "--lab containers", "make images"),
)
