"""`handoff explore`: search for faults that only do harm together, and keep what was found as an experiment."""

import asyncio
import datetime as dt
import random
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

from harness.cli.engine import EngineOption, read_kind
from harness.cli.exits import OK, UNKNOWN, VIOLATED
from harness.cli.labs import ATTACHED, Given, build_options, choose_where
from harness.cli.regressions import RegressionsOption, ensure_writable, place_regressions
from harness.cli.run import (
    DEFAULT_OUT,
    LAB_HELP,
    LABS_HELP,
    SEED_RANGE,
    choose_labs,
    list_versions,
    make_run_folder,
)
from harness.cli.selection import ensure_integration
from harness.cli.stack_file import DEFAULT, StackArgument, read_text
from harness.cli.terminal import say, say_json
from harness.core.archive import list_lines
from harness.core.compile.combined import Combiner
from harness.core.compile.menu import build_menu
from harness.core.decisions import list_decisions
from harness.core.durations import nearest_duration, parse_duration
from harness.core.experiments import Experiment
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError
from harness.core.regression import write_regression
from harness.core.schedule import Schedule
from harness.core.stack import Stack
from harness.engine.run import Options
from harness.explore.document import Tally, build_exploration, name_file
from harness.explore.hunt import Ended, Finding, Hunted, Limits, hunt
from harness.explore.telling import Progress, render_exploration
from harness.report.run_json import RunInfo
from harness.store.folder import EXPLORATION, RunFolder

DEFAULT_BUDGET = "5m"
MOST_TRIALS = 1_000_000


def explore(  # noqa: PLR0913 - one parameter an option
    stack: StackArgument = DEFAULT,
    *,
    budget: Annotated[
        str, typer.Option(metavar="DURATION", help="How long to search, once labs are up.")
    ] = DEFAULT_BUDGET,
    trials: Annotated[int | None, typer.Option(min=1, help="Make no more trials than these.")] = None,
    most: Annotated[int, typer.Option(min=1, help="End once so many different things were found.")] = 3,
    confirm: Annotated[int, typer.Option(min=1, max=1000, help="Run a finding again so often.")] = 10,
    labs: Annotated[int | None, typer.Option("-n", min=1, max=64, help=LABS_HELP)] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw by this seed; a new one otherwise.")] = None,
    engine: EngineOption = None,
    lab: Annotated[str | None, typer.Option(metavar="embedded|containers|attached[:ID]", help=LAB_HELP)] = None,
    integration: Annotated[
        str | None, typer.Option(metavar="'CMD'", help="Start this command instead of the stack's.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="In a lab of containers, start this image instead of the stack's."),
    ] = None,
    attach: Annotated[str | None, typer.Option(metavar="URL", help="Search an integration that runs there.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="Let --attach name this host, which is not loopback.")
    ] = None,
    regressions: RegressionsOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write what was tried below this folder.")] = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="Print explore.json on stdout.")] = False,
    show_menu: Annotated[bool, typer.Option("--menu", help="List the faults there are to combine, and stop.")] = False,
) -> None:
    """
    Try random schedules of several faults, shrink what breaks a promise, and keep it for `handoff run`.

    Ctrl-C once lifts the faults and tells what was found by then.
    """
    ensure_integration(integration, attach)
    text = read_text(stack)
    declared = load_stack(text, file=str(stack))
    menu = _list_menu(declared, str(stack))
    if show_menu:
        _say_menu(menu, as_json=as_json)
        return
    limits = Limits(_read_budget(budget), trials or MOST_TRIALS, most, confirm)
    place = place_regressions(stack, regressions)
    ensure_writable(place)
    stack_path = None if str(stack) == "-" else stack.resolve()
    given = Given(lab, read_kind(engine), integration, attach, image, tuple(allow_host or ()))
    where = choose_where(declared, given, stack_path=stack_path)
    started = dt.datetime.now(dt.UTC)
    folder = make_run_folder(out, started, name="explore")
    info = RunInfo(
        run_id=folder.name,
        stack=declared,
        stack_path=str(stack),
        seed=random.SystemRandom().randrange(SEED_RANGE) if seed is None else seed,
        engine=where.engine,
        lab=where.kind,
        labs=(labs or choose_labs(where.kind)) if where.kind != ATTACHED else 1,
        started_at=started,
        today=started.date(),
        versions=list_versions(),
        integration=given.as_words(),
    )
    options = build_options(info, given, where, stack_path=stack_path)
    document = _explore(info, options, limits, folder, text, place)
    if as_json:
        say_json(document)
    else:
        render_exploration(document, Console(highlight=False, emoji=False), report=folder / EXPLORATION)
    raise typer.Exit(decide_exit(document))


def decide_exit(document: dict[str, Any]) -> int:
    """Decide the exit code: a finding before everything; a search that was cut short, or proved nothing, found nothing out."""
    if document["found"]:
        return VIOLATED
    cut_short = document["interrupted"] or document["failure"] is not None
    return UNKNOWN if cut_short or not document["verdicts"]["held"] else OK


def _read_budget(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        near = nearest_duration(text)
        fix = "write a number and one of ms, s, m, h, such as 5m"
        raise StackError(
            (Problem("budget", f"--budget: {error}", "<command line>", suggestion=near, fix=fix),)
        ) from error
    if seconds <= 0:
        message = "--budget leaves no time to search in"
        raise StackError((Problem("budget", message, "<command line>", fix=f"give it some, such as {DEFAULT_BUDGET}"),))
    return seconds


def _list_menu(declared: Stack, stack: str) -> list[str]:
    menu = list(build_menu(declared))
    if not menu:
        message = "there is no handoff that faults could strike: orders pass none of those that can be driven"
        fix = "say operations and an end state (resolved_when) for one"
        raise StackError((Problem("no-menu", message, stack, fix=fix, command="next: handoff plan"),))
    return menu


def _say_menu(menu: list[str], *, as_json: bool) -> None:
    if as_json:
        say_json({"menu": menu})
        return
    for name in menu:
        say(name)


def _explore(info: RunInfo, options: Options, limits: Limits, folder: Path, text: str, place: Path) -> dict[str, Any]:
    with RunFolder(folder) as store, Progress() as progress:
        store.write_stack(text)
        sink = _Sink(info, store, progress)
        hunted, interrupted = uvloop.run(_hunt(info.stack, options, limits, sink))
        sink.tally.seconds = time.monotonic() - sink.began_at
        store.write_decisions(sink.decisions())
        stored = _keep(store, place, hunted.findings)
        ended = replace(info, interrupted=interrupted, finished_at=dt.datetime.now(dt.UTC))
        document = build_exploration(ended, limits, sink.menu, hunted, sink.tally, stored)
        store.write_exploration(document)
    return document


async def _hunt(stack: Stack, options: Options, limits: Limits, sink: "_Sink") -> tuple[Hunted, bool]:
    """Search until done or until the user stops; a second Ctrl-C does not wait for anything."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wind_down() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        stop.set()
        sink.progress.stopping()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, wind_down)
    return await hunt(stack, options, limits, sink, stop), stop.is_set()


def _keep(store: RunFolder, place: Path, findings: Iterable[Finding]) -> dict[str, Path | str]:
    """
    Keep findings beside the stack, and with what was tried; return where each is, or why it is not kept.

    What further runs did not break is none to run again.
    """
    lasting = (each for each in findings if each.found.hits or not each.found.runs)
    kept = {name_file(each): write_regression(each.regression) for each in lasting}
    store.write_regressions(kept)
    stored: dict[str, Path | str] = {}
    for name, text in kept.items():
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
            stored[name] = place / name
        except OSError as error:
            stored[name] = f"{place / name} cannot be written: {(error.strerror or str(error)).lower()}"
    return stored


@dataclass(slots=True)
class _Sink:
    """Show each trial and write down what it was made from, as soon as it is there."""

    info: RunInfo
    store: RunFolder
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    menu: list[str] = field(default_factory=list)
    tried: dict[Schedule, Experiment] = field(default_factory=dict)
    began_at: float = field(default_factory=time.monotonic)

    def began(self, combiner: Combiner, labs: int) -> None:
        """Take that labs are up."""
        self.began_at = time.monotonic()
        self.menu = list(combiner.menu)
        version = self.info.versions["handoff"]
        self.progress.began(
            self.info.stack.name, version=version, faults=len(self.menu), labs=labs, seed=self.info.seed
        )

    def trial_ended(self, ended: Ended) -> None:
        """Take one that ended."""
        self.tally.count(ended)
        self.tried.setdefault(ended.schedule, ended.experiment)
        self.progress.trial_ended(ended, self.tally)
        conducted = ended.conducted
        self.store.write_history(list_lines(conducted.result, conducted.record, conducted.origin))

    def decisions(self) -> Iterator[dict[str, Any]]:
        """List the planned decisions of everything that was tried, as of a run."""
        return list_decisions(self.info.seed, self.tried.values())
