"""
WireMock as a part of a lab: one for all systems that mappings play, each behind a fake of its own (`fakes.wiremock`).

It needs Java and its jar. Where either is missing those systems are absent from the lab, and everything else runs.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.stack import System
from harness.lab.environment import clear_ours
from harness.lab.errors import EnvironmentNotReady
from harness.lab.ports import Address
from harness.lab.processes import Program
from harness.lab.readiness import Healthy
from harness.lab.tools import GET_JAVA, OLDEST_JAVA, WIREMOCK_VARIABLE, find_java, find_wiremock, tell_wiremock
from harness.lab.vendors import Vendor

ROLE: Final = "wiremock"
MODULE: Final = "fakes.wiremock"
READY_WITHIN_S: Final = 60.0

# A lab lives for minutes: what makes Java start fast is worth more than what makes it fast in an hour.
JAVA_OPTIONS: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m")
# Records travel to it in a header, and back to us in bodies that are looked into.
SERVE_OPTIONS: Final = (
    *("--disable-banner", "--disable-gzip"),
    *("--max-request-journal-entries", "1000"),
    *("--jetty-header-request-size", "262144"),
    # A mapping may pass calls on, or send some of its own, to this machine and nowhere else.
    *("--allow-proxy-targets", "127.0.0.1-127.255.255.255"),
)

_INSTALLED = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Programs:
    """What it takes to start WireMock."""

    java: Path
    jar: Path


def find_programs() -> Programs | str:
    """Find what starts WireMock on this machine; where something is missing, say what and which command gets it."""
    java = find_java()
    if java is None:
        return f"WireMock needs Java {OLDEST_JAVA} or later, which is not on PATH; next: {GET_JAVA}"
    jar = find_wiremock()
    if jar is None:
        named = os.environ.get(WIREMOCK_VARIABLE)
        where = f"where {WIREMOCK_VARIABLE} says, at {named}" if named else "among the tools"
        return f"WireMock's jar is not {where}; next: {tell_wiremock()}"
    return Programs(java, jar)


def name_archive(jar: Path) -> Path:
    """Name the archive of classes that belongs to a jar; where it is, WireMock starts in half the time."""
    return jar.with_suffix(".jsa")


def build_wiremock(programs: Programs, at: Address, folder: Path) -> Program:
    """Describe WireMock's process, which binds its address itself; its own folder of mappings stays empty."""
    root = folder / ROLE
    root.mkdir()
    serve = ["--port", str(at.port), "--bind-address", at.host, "--root-dir", str(root), *SERVE_OPTIONS]
    archive = name_archive(programs.jar)
    # A name that leads to no file would cost Java its own archive as well.
    shared = [f"-XX:SharedArchiveFile={archive}"] if archive.is_file() else []
    argv = [str(programs.java), *JAVA_OPTIONS, *shared, "-jar", str(programs.jar), *serve]
    return Program(ROLE, argv, folder, clear_ours(os.environ))


def is_up(at: Address) -> Healthy:
    """Give the readiness of a WireMock."""
    return Healthy(f"{at.url}/__admin/health")


def list_options(vendor: Vendor, system: str, url: str) -> list[str]:
    """List what the fake in front of WireMock is told beyond what every fake is."""
    return ["--system", system, "--mappings", str(vendor.mappings), "--wiremock", url]


def find_mappings(system: System, stack_path: Path | None) -> Path:
    """
    Find the folder of mappings a system names: beside the stack file, in the current folder, in what is installed.

    Raises EnvironmentNotReady, with the place in the stack, where there is none.
    """
    named = Path(str(system.wiremock)).expanduser()
    beside = Path() if stack_path is None else stack_path.parent
    looked = list(dict.fromkeys((place / named).resolve() for place in (beside, Path(), _INSTALLED)))
    found = next((folder for folder in looked if folder.is_dir()), None)
    if found is None:
        where = str(system.location) or "the stack"
        why = f"there is no folder of mappings {str(named)!r}; looked for {', '.join(map(str, looked))}"
        raise EnvironmentNotReady(
            f"system {system.name!r} ({where})", why, f"mkdir -p {looked[0]}, or correct the path"
        )
    return found
