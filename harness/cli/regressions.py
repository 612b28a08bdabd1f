"""Regressions: schedules that once broke a promise, kept as files beside the stack they are of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli.stack_file import read_text
from harness.core.compile.menu import build_menu
from harness.core.problems import Problem, StackError
from harness.core.regression import Regression, read_regression, write_regression
from harness.store.folder import REGRESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core.stack import Stack

SUFFIXES = (".yaml", ".yml")
HELP = f"Where schedules that broke a promise are kept; {REGRESSIONS}/ beside the stack unless given."

RegressionsOption = Annotated[Path | None, typer.Option("--regressions", metavar="DIR", help=HELP)]


def place_regressions(stack: Path, given: Path | None) -> Path:
    """Return the folder that a stack's regressions are kept in, as given or beside the stack."""
    if given is not None:
        return given
    return Path(REGRESSIONS) if str(stack) == "-" else stack.parent / REGRESSIONS


def join_regressions(declared: Stack, stack: Path, given: Path | None) -> Stack:
    """
    Return the stack with the regressions beside it, or those in the folder or the file given.

    Raises StackError with everything that is wrong with any of them, or when what is given is not there.
    """
    place = place_regressions(stack, given)
    if given is not None and not place.exists():
        _fail(place, "there is no such folder", "name a folder of regressions, or one of them, or leave it out")
    files = [place] if place.is_file() else list_files(place)
    return replace(declared, regressions=read_regressions(declared, files)) if files else declared


def read_regressions(declared: Stack, files: Iterable[Path]) -> tuple[Regression, ...]:
    """Read the files as regressions of this stack; raise StackError with everything that is wrong with any of them."""
    faults = build_menu(declared)
    found: list[Regression] = []
    problems: list[Problem] = []
    for file in files:
        try:
            text = read_text(file)
            found.append(read_regression(text, file=str(file), faults=faults.keys(), stack=declared.name))
        except StackError as error:
            problems += error.problems
    if problems:
        raise StackError(tuple(problems))
    return tuple(found)


def list_files(place: Path) -> list[Path]:
    """List the files of a folder that may be regressions, by name; none where there is no such folder."""
    try:
        return sorted(each for each in place.iterdir() if each.suffix in SUFFIXES and each.is_file())
    except FileNotFoundError:
        return []
    except OSError as error:
        _fail(place, f"the folder cannot be read: {(error.strerror or str(error)).lower()}", "check its permissions")


def render_regressions(declared: Stack) -> dict[str, str]:
    """Write the regressions of a stack as texts, by the names of their files."""
    return {Path(each.file).name: write_regression(each) for each in declared.regressions}


def ensure_writable(place: Path) -> None:
    """Raise StackError where nothing could be kept in this folder; it is made when there is something to keep."""
    there = next((each for each in (place, *place.parents) if each.exists()), place)
    if not there.is_dir():
        _fail(place, f"{there} is no folder", "name a folder that exists or can be made")


def _fail(place: Path, message: str, fix: str) -> NoReturn:
    raise StackError((Problem("regressions", f"--regressions {place}: {message}", "<command line>", fix=fix),))
