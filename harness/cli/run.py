"""`handoff run`: run the experiments of a stack and say for each clause whether it holds."""

import asyncio
import datetime as dt
import platform
import random
import signal
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

from harness.cli.engine import EngineOption, read_kind
from harness.cli.exits import NOT_READY, OK, UNKNOWN, VIOLATED
from harness.cli.labs import ATTACHED, CONTAINERS, Given, build_options, choose_where
from harness.cli.regressions import RegressionsOption, join_regressions, render_regressions
from harness.cli.selection import ensure_integration, select, shard
from harness.cli.stack_file import DEFAULT, StackArgument, read_text
from harness.cli.terminal import say_json
from harness.core.archive import list_lines
from harness.core.compile import compile_stack
from harness.core.decisions import list_decisions
from harness.core.experiments import Experiment, Plan
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError
from harness.core.result import Result, Skipped
from harness.core.stack import Stack
from harness.engine.conduct import Conducted
from harness.engine.run import Options, Runner
from harness.report import Progress, render_summary, write_html
from harness.report.run_json import RunInfo, build_experiment, build_run
from harness.store.folder import RunFolder, make_folder, name_run

DEFAULT_LABS = 4
# One of containers weighs twice what one of processes does.
DEFAULT_CONTAINER_LABS = 2
LABS_HELP = f"How many labs to run at once; {DEFAULT_LABS} unless given, {DEFAULT_CONTAINER_LABS} of containers."
DEFAULT_OUT = Path("reports")
LAB_HELP = "A new lab, of processes or of containers, or one that is up (handoff lab up), as with --attach."
SEED_RANGE = 1 << 31


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended: its document, where it stands, the exit code it earns, and whether its rows were shown already."""

    document: dict[str, Any]
    folder: Path
    code: int
    rows_shown: bool


def run(  # noqa: PLR0913 - one parameter an option
    stack: StackArgument = DEFAULT,
    *,
    labs: Annotated[int | None, typer.Option("-n", min=1, max=64, help=LABS_HELP)] = None,
    only: Annotated[str | None, typer.Option("-k", metavar="EXPR", help="Run only these experiments.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Decide by this seed; a new one otherwise.")] = None,
    engine: EngineOption = None,
    lab: Annotated[str | None, typer.Option(metavar="embedded|containers|attached[:ID]", help=LAB_HELP)] = None,
    integration: Annotated[
        str | None, typer.Option(metavar="'CMD'", help="Start this command instead of the stack's.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="In a lab of containers, start this image instead of the stack's."),
    ] = None,
    attach: Annotated[str | None, typer.Option(metavar="URL", help="Judge an integration that runs there.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="Let --attach name this host, which is not loopback.")
    ] = None,
    require: Annotated[bool, typer.Option("--require", help="Exit 12 when a handoff cannot be driven.")] = False,
    regressions: RegressionsOption = None,
    part: Annotated[str | None, typer.Option("--shard", metavar="i/n", help="Run one of n shards.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write the run below this folder.")] = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="Print run.json on stdout.")] = False,
) -> None:
    """
    Run the experiments a stack.yaml compiles to, and print a verdict with evidence for every clause.

    Ctrl-C once lifts the faults, judges what is there and writes the report.
    """
    ensure_integration(integration, attach)
    text = read_text(stack)
    declared = join_regressions(load_stack(text, file=str(stack)), stack, regressions)
    plan = compile_stack(declared)
    chosen = shard(select(plan.experiments, only), part)
    stack_path = None if str(stack) == "-" else stack.resolve()
    given = Given(lab, read_kind(engine), integration, attach, image, tuple(allow_host or ()))
    where = choose_where(declared, given, stack_path=stack_path)
    started = dt.datetime.now(dt.UTC)
    folder = make_run_folder(out, started)
    info = RunInfo(
        run_id=folder.name,
        stack=declared,
        stack_path=str(stack),
        seed=random.SystemRandom().randrange(SEED_RANGE) if seed is None else seed,
        engine=where.engine,
        lab=where.kind,
        labs=min(labs or choose_labs(where.kind), len(chosen)) if where.kind != ATTACHED else 1,
        started_at=started,
        today=started.date(),
        versions=list_versions(),
        integration=(*given.as_words(), *(("--regressions", str(regressions)) if regressions else ())),
    )
    options = build_options(info, given, where, stack_path=stack_path)
    finished = _run(info, options, plan, chosen, folder, text)
    if as_json:
        say_json(finished.document)
    else:
        console = Console(highlight=False, emoji=False)
        report = finished.folder / "index.html"
        render_summary(finished.document, console, report=report, rows=not finished.rows_shown)
    undriven = {row.handoff for row in plan.coverage} - {experiment.handoff for experiment in plan.experiments}
    left_out = bool(undriven or finished.document["skipped"])
    raise typer.Exit(NOT_READY if require and left_out and finished.code == OK else finished.code)


def choose_labs(kind: str) -> int:
    """Choose how many labs of a kind run at once, where nobody said."""
    return DEFAULT_CONTAINER_LABS if kind == CONTAINERS else DEFAULT_LABS


def make_run_folder(out: Path, started: dt.datetime, *, name: str = "") -> Path:
    """Make the folder of a run, whose own name is the time and goes after what it is; raises StackError where none can be made."""
    try:
        return make_folder(out, f"{name}-{name_run(started)}" if name else name_run(started))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"--out {out} cannot be written to: {reason}"
        fix = "name a folder that exists or can be made, and that you may write to"
        raise StackError((Problem("out", message, "<command line>", fix=fix),)) from error


def _run(
    info: RunInfo, options: Options, plan: Plan, chosen: tuple[Experiment, ...], folder: Path, text: str
) -> Finished:
    with RunFolder(folder) as store, Progress() as progress:
        store.write_stack(text)
        store.write_regressions(render_regressions(info.stack))
        store.write_decisions(list_decisions(info.seed, chosen))
        progress.started(_introduce(info, chosen))
        sink = _Sink(info, store, progress)
        results, skipped, interrupted = uvloop.run(_conduct(info.stack, options, chosen, sink))
        document = build_run(
            replace(info, interrupted=interrupted, finished_at=dt.datetime.now(dt.UTC)), plan, results, skipped
        )
        progress.finished(document)
        store.write_run(document)
        write_html(document, folder / "index.html")
    return Finished(document, folder, decide_exit(document), progress.live)


async def _conduct(
    stack: Stack, options: Options, chosen: tuple[Experiment, ...], sink: "_Sink"
) -> tuple[list[Result], list[Skipped], bool]:
    """Run in labs until done or until the user stops; a second Ctrl-C does not wait for anything."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wind_down() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        stop.set()
        sink.stopping()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, wind_down)
    results, skipped = await Runner(stack, options, sink, stop).run(chosen)
    return results, skipped, stop.is_set()


class _Sink:
    """Show each result and write down what it was made from, as soon as it is there."""

    def __init__(self, info: RunInfo, store: RunFolder, progress: Progress) -> None:
        self._info = info
        self._store = store
        self._progress = progress

    def stopping(self) -> None:
        """Take that the user wants to stop."""
        self._progress.stopping()

    def experiment_done(self, conducted: Conducted) -> None:
        """Take one that ended."""
        result = conducted.result
        self._progress.experiment_done(build_experiment(self._info, result))
        self._store.write_history(list_lines(result, conducted.record, conducted.origin))


def decide_exit(document: dict[str, Any]) -> int:
    """Decide the exit code: violated before unknown, unknown before held; a run that is not whole is not a held one."""
    summary = document["summary"]
    missed = any(item.get("applicable", True) for item in document["skipped"])
    if summary["violated"]:
        return VIOLATED
    if summary["unknown"] or missed or document["interrupted"] or not document["experiments"]:
        return UNKNOWN
    return OK


def _introduce(info: RunInfo, chosen: tuple[Experiment, ...]) -> dict[str, Any]:
    return {
        "stack": info.stack.name,
        "seed": info.seed,
        "labs": info.labs,
        "versions": dict(info.versions),
        "handoffs": [{"id": handoff.id, "protocol": handoff.protocol} for handoff in info.stack.handoffs],
        "experiments": [{"id": experiment.id, "handoff": experiment.handoff} for experiment in chosen],
    }


def list_versions() -> dict[str, str]:
    """List the versions of what runs: of handoff, Python and the platform."""
    return {"handoff": version("handoff-chaos"), "python": platform.python_version(), "platform": sys.platform}
