"""Ask a zoo who lives in it: `CMD --list` prints JSON, `CMD NAME` runs one in the environment of every integration."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.core.problems import Problem, StackError, nearest
from harness.zoo.inhabitant import BROKEN, Inhabitant

WITHIN_S = 60.0
HOW = "docs/detection.md says what a zoo prints"


class Entry(BaseModel):
    """One entry of the list; `stack` is a path from the folder the command is started in, else the stack given beside the zoo."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, pattern=r"^\S+$")
    kind: Literal["broken", "correct"]
    about: str = ""
    stack: Path | None = None
    clauses: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


_ENTRIES = TypeAdapter(list[Entry])


def list_inhabitants(command: str, *, stack: Path) -> tuple[Inhabitant, ...]:
    """
    Run `command --list` in the current folder and return who it lists.

    `stack` is for those that name none of their own. Raises StackError where the command cannot be run, prints something else, lists
    a name twice, or lists a broken one that says nothing of what it breaks.
    """
    entries = _read(command, _ask(command))
    _ensure_sound(command, entries)
    return tuple(
        Inhabitant(
            entry.name,
            entry.kind,
            entry.about,
            shlex.join([*shlex.split(command), entry.name]),
            entry.stack or stack,
            entry.clauses,
            entry.also,
            entry.without,
        )
        for entry in entries
    )


def choose_names(names: Sequence[str], wanted: Iterable[str]) -> frozenset[str]:
    """Choose those of the names that are wanted, all where none is; raises StackError at one that is not among them."""
    chosen = frozenset(wanted)
    for name in sorted(chosen - set(names)):
        near = nearest(name, names)
        _fail(f"--only {name} names nobody in the zoo, and no sabotage", suggestion=near, fix=f"name it: {near}")
    return chosen or frozenset(names)


def _ask(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError as error:
        _fail(f"--zoo {command} is not a command: {str(error).lower()}", fix="quote it as a shell would")
    if not words:
        _fail("--zoo names no command", fix="write it as in --zoo 'python -m scenarios.zoo'")
    first = sys.executable if words[0] in {"python", "python3"} else words[0]
    try:
        ended = subprocess.run(  # noqa: S603 - the command is the caller's own, as an integration's is
            [first, *words[1:], "--list"], capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _fail(f"the zoo {command} cannot be asked: {error}", fix=HOW)
    if ended.returncode != 0:
        last = ended.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        _fail(f"the zoo {command} --list ended with {ended.returncode}: {last[0]}", fix=HOW)
    return ended.stdout


def _read(command: str, text: str) -> list[Entry]:
    try:
        return _ENTRIES.validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        _fail(f"the zoo {command} --list: {where}: {first['msg'].lower()}", fix=HOW)
    except ValueError as error:
        _fail(f"the zoo {command} --list prints no JSON: {error}", fix=HOW)


def _ensure_sound(command: str, entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            _fail(f"the zoo {command} lists {entry.name} twice", fix="give each a name of its own")
        seen.add(entry.name)
        if (entry.kind == BROKEN) != bool(entry.clauses):
            what = "breaks nothing" if entry.kind == BROKEN else "breaks clauses, yet is correct"
            _fail(
                f"the zoo {command}: {entry.name} {what}",
                fix="`clauses` are the ids of the clauses a broken one breaks (handoff plan lists them), and none of a correct one",
            )
    if not entries:
        _fail(f"the zoo {command} lists nobody", fix=HOW)


def _fail(message: str, **more: Any) -> NoReturn:
    raise StackError((Problem("zoo", message, "<command line>", **more),))
