"""Reading the file a command is about; whatever is wrong with the file is a located problem too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from harness.core.document import LARGEST_TEXT
from harness.core.loading import load_stack
from harness.core.problems import Location, Problem, StackError, nearest, problem_at, split_lines
from harness.lab.live_keys import ensure_safe_text

if TYPE_CHECKING:
    from harness.core.stack import Stack

DEFAULT = Path("stack.yaml")

StackArgument = Annotated[
    Path, typer.Argument(metavar="STACK", help="The stack.yaml to read; `-` reads stdin.", show_default=True)
]
"""The argument [STACK] of every command that takes one."""


def open_stack(path: Path) -> Stack:
    """Read and check a stack.yaml; raise StackError with everything that is wrong with it."""
    return load_stack(read_text(path), file=str(path))


def read_text(path: Path) -> str:
    """Return the text of a file; raise StackError when there is none to read."""
    name = "<stdin>" if str(path) == "-" else str(path)
    try:
        data = _read_bytes(path)
    except FileNotFoundError:
        near = _neighbour(path)
        _fail(
            name,
            "missing-file",
            "there is no such file",
            suggestion=near,
            fix=f"name it: {near}" if near else "name the stack.yaml to read",
        )
    except IsADirectoryError:
        inside = path / "stack.yaml"
        near = str(inside) if inside.is_file() else ""
        _fail(name, "is-folder", "this is a folder, not a file", suggestion=near, fix="name the stack.yaml in it")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        _fail(name, "unreadable-file", f"the file cannot be read: {reason.lower()}", fix="check its permissions")
    return ensure_safe_text(_decode(data, name), name)


def _read_bytes(path: Path) -> bytes:
    """Read no more than could be a stack: at most four bytes a character, and one that tells it is too large."""
    most = 4 * LARGEST_TEXT + 1
    if str(path) == "-":
        return sys.stdin.buffer.read(most)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(0, "not a regular file")
    with path.open("rb") as file:
        return file.read(most)


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        lines = split_lines(data.decode("utf-8-sig", errors="replace"))
        place = Location(name, len(split_lines(before)), len(split_lines(before)[-1]) + 1)
        message = f"the byte 0x{data[error.start]:02X} is not UTF-8"
        raise StackError((problem_at(place, "not-utf8", message, lines=lines, fix="save the file as UTF-8"),)) from None


def _neighbour(path: Path) -> str:
    """Return a file that somebody who named this one may have meant."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix in {".yaml", ".yml"}]
    except (OSError, ValueError):
        return ""
    near = nearest(path.name, names)
    if near:
        return str(path.parent / near)
    return "reference/stack.yaml" if path == DEFAULT and Path("reference/stack.yaml").is_file() else ""


def _fail(name: str, code: str, message: str, **more: Any) -> NoReturn:
    raise StackError((Problem(code, message, name, **more),))
