"""Where the programs are that a lab can use and nobody has to have: the real Toxiproxy, WireMock and the Java it runs on."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TOXIPROXY = "toxiproxy-server"
TOXIPROXY_VARIABLE = "HANDOFF_TOXIPROXY_SERVER"
WIREMOCK_JAR = "wiremock-standalone.jar"
WIREMOCK_VARIABLE = "HANDOFF_WIREMOCK_JAR"
WIREMOCK_VERSION = "3.13.2"
OLDEST_JAVA = 11
GET_JAVA = "apt-get install default-jre-headless"
ASK_WITHIN_S = 10.0

_CHECKOUT = Path(__file__).parents[2]


def list_folders() -> Iterator[Path]:
    """List the folders tools are looked for in: `.tools` of the checkout, then the one in the user's cache."""
    if (_CHECKOUT / "pyproject.toml").is_file():
        yield _CHECKOUT / ".tools"
    yield Path.home() / ".cache" / "handoff" / "tools"


def find_toxiproxy() -> Path | None:
    """Find the real Toxiproxy server: what `HANDOFF_TOXIPROXY_SERVER` names, then PATH, then the tools folders."""
    named = os.environ.get(TOXIPROXY_VARIABLE)
    if named:
        return _if_program(Path(named))
    on_path = shutil.which(TOXIPROXY)
    if on_path:
        return Path(on_path)
    return next(filter(None, (_if_program(folder / "bin" / TOXIPROXY) for folder in list_folders())), None)


def tell_toxiproxy() -> str:
    """Tell the command that gets the real Toxiproxy server: the project's own in its checkout, Go's anywhere else."""
    if (_CHECKOUT / "Makefile").is_file():
        return "make toxiproxy"
    install = "go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0"
    return f'{install} && export {TOXIPROXY_VARIABLE}="$(go env GOPATH)/bin/server"'


def find_wiremock() -> Path | None:
    """Find WireMock's jar: `HANDOFF_WIREMOCK_JAR`, then the tools folders, then npm's `wiremock` of the current folder."""
    named = os.environ.get(WIREMOCK_VARIABLE)
    if named:
        return Path(named) if Path(named).is_file() else None
    packed = Path.cwd() / "node_modules" / "wiremock"
    candidates = [folder / WIREMOCK_JAR for folder in list_folders()]
    candidates += sorted(packed.glob("**/wiremock-standalone*.jar"), reverse=True)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def tell_wiremock() -> str:
    """Tell the command that gets WireMock's jar: the project's own in its checkout, npm's anywhere else."""
    return "make wiremock" if (_CHECKOUT / "Makefile").is_file() else f"npm install wiremock@{WIREMOCK_VERSION}"


def find_java() -> Path | None:
    """Find a Java on PATH that runs WireMock: version 11 or later."""
    program = shutil.which("java")
    if program is None:
        return None
    version = read_java_version(Path(program))
    return Path(program) if version is not None and version >= OLDEST_JAVA else None


@cache
def read_java_version(program: Path) -> int | None:
    """Read which Java a program is (8 for 1.8); `None` where it does not say. Asked once: every lab wants to know, and stands still."""
    try:
        answer = subprocess.run(  # noqa: S603 (the program is the java of PATH)
            [program, "-version"], capture_output=True, check=False, text=True, timeout=ASK_WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return None if match is None else int(match[1])


def _if_program(path: Path) -> Path | None:
    return path if path.is_file() and os.access(path, os.X_OK) else None
