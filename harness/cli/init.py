"""`handoff init`: a folder that runs at once, to be turned into yours piece by piece."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.terminal import say
from harness.core.problems import Problem, StackError

SCAFFOLD = {
    "stack.yaml": "stack.yaml",
    "integration.py": "integration.py",
    "test_story.py": "test_story.py",
    "README.md": "README.md",
    ".gitignore": "gitignore",
}
"""What is written, and which file of `harness/cli/scaffold` it is a copy of."""
NAME_PLACE = "@NAME@"
LONGEST_NAME = 80


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to fill; made where there is none.")
    ] = Path(),
) -> None:
    """
    Make a folder that runs at once: a stack.yaml, a small integration to be replaced by yours, a story, a readme.

    Files that are there already are never touched: then nothing is written at all.
    """
    _ensure_free(folder)
    texts = {name: _read(source, name_stack(folder)) for name, source in SCAFFOLD.items()}
    _write(folder, texts)
    say(f"{folder / 'stack.yaml'} and what it needs are there: {', '.join(SCAFFOLD)}")
    if folder.resolve() != Path.cwd():
        say(f"next: cd {shlex.quote(str(folder))}")
    say("next: handoff run          every promise of stack.yaml against integration.py, in a minute")
    say("      handoff plan         what it does, experiment by experiment")
    say("      pytest               a story across the systems")


def name_stack(folder: Path) -> str:
    """Name the stack of a folder by the folder's own name, as far as a stack may be called that."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_")[:LONGEST_NAME]
    return name or "shop"


def _ensure_free(folder: Path) -> None:
    """Raise StackError with every file that is in the way."""
    if folder.exists() and not folder.is_dir():
        raise StackError((Problem("init", "this is a file, not a folder", str(folder), fix="name another folder"),))
    near = _suggest(folder)
    problems = [
        Problem("init", "this is there already and stays as it is; nothing was written", str(folder / name))
        for name in SCAFFOLD
        if (folder / name).exists() or (folder / name).is_symlink()
    ]
    if problems:
        last = problems.pop()
        way_out = Problem(
            last.code, last.message, last.file, fix="name a folder without it", command=f"handoff init {near}"
        )
        raise StackError((*problems, way_out))


def _suggest(folder: Path) -> str:
    """Suggest a folder beside this one, or in it where it is the current one, that is not there yet."""
    base = folder / "handoff" if folder.resolve() == Path.cwd() else folder
    candidates = (base, *(base.with_name(f"{base.name}-{number}") for number in range(2, 100)))
    return shlex.quote(str(next((each for each in candidates if not each.exists()), base)))


def _read(source: str, name: str) -> str:
    text = (files("harness.cli") / "scaffold" / source).read_text(encoding="utf-8")
    return text.replace(NAME_PLACE, name)


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write all of it or, where that cannot be done, nothing; a file that came meanwhile is not overwritten either."""
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                written.append(folder / name)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        place = str(error.filename or folder)
        raise StackError(
            (Problem("init", f"cannot be written: {reason}", place, fix="name a folder you may write to"),)
        ) from error
