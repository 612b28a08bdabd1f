"""`handoff zoo`: measure whether the oracle catches what is broken, and nothing else."""

import asyncio
import datetime as dt
import json
import os
import platform
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
import uvloop

from harness.cli.exits import OK, UNKNOWN, VIOLATED
from harness.cli.run import DEFAULT_OUT, make_run_folder
from harness.cli.selection import shard
from harness.cli.stack_file import DEFAULT, StackArgument
from harness.cli.terminal import say, say_json
from harness.report.detection import render_detection, say_score
from harness.store.folder import write_text
from harness.zoo.document import Machine, Measured, build_document
from harness.zoo.inhabitant import CORRECT, Inhabitant
from harness.zoo.listing import choose_names, list_inhabitants
from harness.zoo.measuring import Measuring
from harness.zoo.sabotage.catalogue import SABOTAGES
from harness.zoo.sabotage.sabotage import Sabotage
from harness.zoo.scoring import Row

DEFAULT_ZOO = "python -m scenarios.zoo"
ZOO_HELP = "The command that lists integrations (CMD --list) and runs one (CMD NAME)."
PART_HELP = "Measure one of N parts; all parts together are everything."
# What two processors do in 25 minutes; the labs of what is broken wait more than they work, so more of them fit.
DEFAULT_MOST, ZOO_LABS = 12, 6
MOST_HELP = "Give each about N experiments; those about what it breaks are never left out."
DOCUMENT, TABLES = "zoo.json", "detection.md"


def zoo(  # noqa: PLR0913 - one parameter an option
    stack: StackArgument = DEFAULT,
    *,
    command: Annotated[str, typer.Option("--zoo", metavar="'CMD'", help=ZOO_HELP)] = DEFAULT_ZOO,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Measure only this one; may be repeated.")
    ] = None,
    part: Annotated[str | None, typer.Option(metavar="K/N", help=PART_HELP)] = None,
    most: Annotated[int, typer.Option(min=1, metavar="N", help=MOST_HELP)] = DEFAULT_MOST,
    labs: Annotated[int, typer.Option("-n", min=1, max=64, help="How many labs to run at once.")] = ZOO_LABS,
    seed: Annotated[int, typer.Option(min=0, help="Draw the samples by this seed.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write the measurement below this folder.")] = DEFAULT_OUT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document on stdout.")] = False,
) -> None:
    """
    Measure the detection score: broken integrations must be caught, correct ones cleared, sabotage of the harness noticed.

    STACK is for those of the zoo that name no stack of their own. Exits 1 where one is missed, wrongly accused or green, 10
    where nothing can be said of one.
    """
    inhabitants = list_inhabitants(command, stack=stack)
    names = [*(each.name for each in inhabitants), *(each.name for each in SABOTAGES)]
    chosen = choose_names(names, only or ())
    chosen = frozenset(shard([name for name in names if name in chosen], part, option="--part", what="of the zoo"))
    started = dt.datetime.now(dt.UTC)
    folder = make_run_folder(out, started, name="zoo")
    measuring = Measuring(seed, labs, asyncio.Event(), _tell, most=most)
    measured = [each for each in inhabitants if each.name in chosen]
    for each in measured:
        measuring.read(each)
    victim = next((each for each in inhabitants if each.kind == CORRECT), None)
    rows = uvloop.run(_measure(measuring, measured, [each for each in SABOTAGES if each.name in chosen], victim))
    about = Measured(
        zoo=command,
        seed=seed,
        labs=labs,
        part=part,
        most=most,
        started_at=started,
        finished_at=dt.datetime.now(dt.UTC),
        interrupted=measuring.stop.is_set(),
        machine=_describe_machine(),
    )
    document = build_document(about, rows, measuring.left_out)
    write_text(folder / DOCUMENT, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / TABLES, render_detection(document))
    if as_json:
        say_json(document)
    else:
        say(f"\n{say_score(document)}\n{folder / TABLES}")
    raise typer.Exit(_decide_exit(document))


async def _measure(
    measuring: Measuring, inhabitants: list[Inhabitant], sabotages: list[Sabotage], victim: Inhabitant | None
) -> list[Row]:
    """Measure until done or until the user stops; a second Ctrl-C does not wait for anything."""
    loop = asyncio.get_running_loop()

    def wind_down() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        measuring.stop.set()
        say("interrupted: ending what runs (Ctrl-C again ends at once)", to=sys.stderr)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, wind_down)
    return await measuring.run(inhabitants, sabotages, victim=victim)


def _tell(row: Row) -> None:
    """Tell of a row as soon as it is there, beside whatever goes to stdout."""
    by = ", ".join(row.caught_by) or row.why
    say(f"{row.finding:9} {row.name:32} {row.ran:3} experiments {row.duration_s:6.1f} s   {by[:200]}", to=sys.stderr)


def _decide_exit(document: dict[str, Any]) -> int:
    summary = document["summary"]
    if summary["wrong"]:
        return VIOLATED
    return UNKNOWN if summary["untold"] or document["interrupted"] or not document["rows"] else OK


def _describe_machine() -> Machine:
    return Machine(
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 1024**3, 1),
        platform=sys.platform,
        python=platform.python_version(),
        handoff=version("handoff-chaos"),
    )
