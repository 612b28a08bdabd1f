"""`handoff replay`: judge the record of a run again, without running anything."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from harness.cli.exits import OK, REGRESSION, UNKNOWN
from harness.cli.regressions import list_files, read_regressions
from harness.cli.run import DEFAULT_OUT, decide_exit
from harness.cli.terminal import say, say_json
from harness.core.archive import read_stored
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError, nearest
from harness.report import render_summary
from harness.report.phrases import plural
from harness.report.replay import build_replay
from harness.store.folder import REGRESSIONS, STACK, StoredRun, read_run

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, or its name below reports/.")]


def replay(
    run: RunArgument,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document on stdout.")] = False,
) -> None:
    """
    Judge a run's stored record again and print its summary; nothing is started.

    Exits as the run would, and with 11 where all is held but a verdict differs from the stored one.
    """
    stored = _open(run)
    declared = load_stack(stored.stack, file=stored.document["stack_path"])
    stack = replace(declared, regressions=read_regressions(declared, list_files(stored.path / REGRESSIONS)))
    with _keeping_all():
        document = build_replay(stored.document, stack, read_stored(stored.read_history()))
    differences = document["replay"]["differences"]
    if as_json:
        say_json(document)
    else:
        render_summary(document, Console(highlight=False, emoji=False), report=stored.path / "index.html")
        _say_differences(document, differences)
    raise typer.Exit(_decide_exit(document, differences))


@contextmanager
def _keeping_all() -> Iterator[None]:
    """All that is read is needed until it is judged: to look for garbage in it again and again takes as long as judging it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _decide_exit(document: dict[str, Any], differences: list[dict[str, Any]]) -> int:
    code = decide_exit(document)
    if code != OK or not differences:
        return code
    judged = {item["id"] for item in document["experiments"]}
    return REGRESSION if all(each["id"] in judged for each in differences) else UNKNOWN


def _open(run: Path) -> StoredRun:
    folder = run if run.is_dir() or not (DEFAULT_OUT / run).is_dir() else DEFAULT_OUT / run
    if not folder.is_dir():
        known = sorted(path.name for path in DEFAULT_OUT.glob("*/") if path.is_dir())
        near = nearest(run.name, known) or (known[-1] if known else "")
        _fail(
            run, "there is no such folder", f"name it: {near}" if near else "name the folder a run was written to", near
        )
    try:
        return read_run(folder)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        why = "was judged before stacks were kept" if missing == STACK else "did not come to its end"
        _fail(
            run,
            f"it holds no {missing}, so this is no folder of a run, or of one that {why}",
            "replay another run, or run it again",
        )
    except (OSError, ValueError) as error:
        _fail(run, f"it cannot be read: {error}", "replay another run, or run it again")


def _fail(run: Path, message: str, fix: str, suggestion: str = "") -> NoReturn:
    raise StackError((Problem("run-folder", message, str(run), fix=fix, suggestion=suggestion),))


def _say_differences(document: dict[str, Any], differences: list[dict[str, Any]]) -> None:
    if not differences:
        say(f"judged again from the record: {plural(len(document['experiments']), 'verdict')}, each as stored")
        return
    say(f"judged again from the record: {plural(len(differences), 'verdict')} not as stored")
    for each in differences:
        say(f"   {each['id']}\n      was  {_tell(each['was'])}\n      is   {_tell(each['is'])}")


def _tell(shown: dict[str, Any] | None) -> str:
    if shown is None:
        return "not there"
    kind = f" ({shown['unknown_kind']})" if "unknown_kind" in shown else ""
    return f"{shown['verdict']}{kind}: {shown['reason']}"
