"""
Show a run while it goes: live rows on a terminal, plain lines anywhere else.

A sink is told four things: the run started, an experiment is done, the user wants to stop, the run finished. On a
terminal there is one row a handoff that fills with marks; elsewhere each finished experiment is one line without any
control code.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import Lock
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.report.lines import STYLES, build_header, build_rows_text
from harness.report.marks import choose_marks, clean
from harness.report.model import Experiment
from harness.report.phrases import say_seconds
from harness.report.reading import count, mapping, objects, read_experiments, text

_STOPPING = "interrupted: lifting the faults, judging what is there (Ctrl-C again ends at once)"


class Progress(AbstractContextManager["Progress"]):
    """
    A sink for the events of a run, writing to stderr unless given another console.

    As a context manager it leaves the terminal clean however the run ends, Ctrl-C included. Safe to call from several
    threads. `live` says which of the two ways it chose: live rows need a terminal that can move its cursor.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._marks = choose_marks(self._console.encoding)
        stream = self._console.file
        self.live = stream.isatty() and not self._console.is_dumb_terminal
        self._lock = Lock()
        self._display: Live | None = None
        self._rows: dict[str, tuple[str, dict[str, str]]] = {}
        self._header = Text()
        self._latest = Text()
        self._planned: int | None = None

    def started(self, info: Mapping[str, Any]) -> None:
        """
        Take what is known before the first experiment; every field may be missing.

        `stack`, `seed`, `labs`, `versions` as in run.json; `handoffs` `[{"id","protocol"}]`; `experiments` the number
        planned, or a list of `{"id","handoff"}`, which shows how much of each handoff is still to come.
        """
        with self._lock:
            planned = objects(info, "experiments")
            self._planned = len(planned) if planned else count(info, "experiments")
            for handoff in objects(info, "handoffs"):
                self._rows[text(handoff, "id")] = (text(handoff, "protocol").replace("_", " "), {})
            for item in planned:
                name = text(item, "id")
                self._row(text(item, "handoff") or name.partition("/")[0])[name] = "pending"
            stack = mapping(info, "stack")
            self._header = build_header(
                text(stack, "name") if stack else text(info, "stack"),
                version=text(mapping(info, "versions"), "handoff"),
                experiments=self._planned,
                labs=count(info, "labs"),
                seed=text(info, "seed"),
                marks=self._marks,
            )
            if self.live:
                self._display = Live(
                    self._draw(),
                    console=self._console,
                    auto_refresh=False,
                    redirect_stdout=False,
                    vertical_overflow="crop",
                )
                self._display.start(refresh=True)
            else:
                self._print(self._header)

    def experiment_done(self, result: Mapping[str, Any]) -> None:
        """Take one finished experiment, shaped as in run.json; a rerun takes the place of what it repeats."""
        with self._lock:
            (experiment,) = read_experiments({"experiments": [result]})
            self._row(experiment.handoff)[experiment.rerun_of or experiment.id] = experiment.standing
            if self.live:
                self._latest = self._line(experiment, short=True)
                self._refresh()
            else:
                self._print(self._line(experiment, short=False))

    def stopping(self) -> None:
        """Take that the user wants to stop, and say at once what becomes of the run."""
        line = Text(_STOPPING, style="yellow")
        with self._lock:
            if self.live:
                self._latest = line
                self._refresh()
            else:
                self._print(line)

    def finished(self, run: Mapping[str, Any]) -> None:  # noqa: ARG002 - the third event of a sink, whatever it carries
        """Take the finished run and leave the rows as they stand."""
        self.stop()

    def stop(self) -> None:
        """End the live region, cursor and all; a second call does nothing."""
        with self._lock:
            display, self._display = self._display, None
            self._latest = Text()
            if display is not None:
                display.update(self._draw())
                display.vertical_overflow = "visible"
                display.stop()

    def __enter__(self) -> Self:
        """Return the sink itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal clean."""
        self.stop()

    def _row(self, handoff: str) -> dict[str, str]:
        return self._rows.setdefault(handoff, ("", {}))[1]

    def _refresh(self) -> None:
        if self._display is not None:
            self._display.update(self._draw(), refresh=True)

    def _draw(self) -> Group:
        rows = {name: (protocol, list(standings.values())) for name, (protocol, standings) in self._rows.items()}
        lines = build_rows_text(rows, width=self._console.width, marks=self._marks)
        return Group(self._header, Text(), *lines, *([Text(), self._latest] if self._latest else []))

    def _line(self, experiment: Experiment, *, short: bool) -> Text:
        width = len(str(self._planned or 0))
        done = sum(standing != "pending" for _, row in self._rows.values() for standing in row.values())
        counter = f"{done:>{width}}/{self._planned}  " if self._planned else ""
        if experiment.rerun_of:
            counter = f"{'again':<{len(counter) - 2}}  "
        line = Text(counter, no_wrap=True, overflow="ellipsis")
        line.append(f"{experiment.standing:<8}", style=STYLES[experiment.standing])
        line.append(f"  {clean(experiment.id, self._marks)}  {_say_timing(experiment)}")
        if not short and experiment.standing != "held":
            line.append(f"  {clean(experiment.reason or experiment.observed, self._marks)}")
        return line

    def _print(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, soft_wrap=True, highlight=False)


def _say_timing(experiment: Experiment) -> str:
    timing = experiment.timing
    parts = (("wait", timing.inherent_s), ("integration", timing.integration_s), ("overhead", timing.overhead_s))
    return "  ".join(f"{name} {say_seconds(value)}" for name, value in parts if value is not None)
