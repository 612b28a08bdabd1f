"""What a search shows in a terminal: a line a trial on stderr while it goes, its findings on stdout when it is done."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.report.lines import STYLES, build_header
from harness.report.marks import choose_marks, clean
from harness.report.phrases import plural, say_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from harness.explore.document import Tally
    from harness.explore.hunt import Ended

STOPPING = "interrupted: lifting the faults, telling what was found (Ctrl-C again ends at once)"
_LABEL_W = 11
_TITLE_W = 10


class Progress(AbstractContextManager["Progress"]):
    """
    Show trials as they end, on stderr unless given another console: one line each, or a single one on a terminal.

    As a context manager it leaves the terminal clean however the search ends.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._marks = choose_marks(self._console.encoding)
        live = self._console.file.isatty() and not self._console.is_dumb_terminal
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if live else None
        self._lock = Lock()

    def began(self, stack: str, *, version: str, faults: int, labs: int, seed: int) -> None:
        """Take what is known once labs are up."""
        header = build_header(
            stack, version=version, experiments=None, labs=labs, seed=str(seed), marks=self._marks
        ).append(f"{self._marks.separator}{plural(faults, 'fault')}", style="bold")
        with self._lock:
            self._console.print(header, soft_wrap=True, highlight=False)
            if self._live is not None:
                self._live.start()

    def trial_ended(self, ended: Ended, tally: Tally) -> None:
        """Take one trial that ended."""
        verdict = ended.conducted.result.verdict
        standing, timing = str(verdict.outcome), ended.conducted.result.timing
        line = Text(f"{ended.number:>4}  {ended.phase:<7}  ", no_wrap=True, overflow="ellipsis")
        line.append(f"{standing:<8}", style=STYLES[standing])
        size = f"{plural(len(ended.schedule), 'strike')}, {plural(ended.schedule.slots, 'order')}"
        line.append(f"  {ended.experiment.shape}  {size}  {say_seconds(timing.duration_s)}")
        if standing != "held":
            line.append(f"  {clean(verdict.reason, self._marks)}")
        with self._lock:
            if self._live is None:
                self._console.print(line, soft_wrap=True, highlight=False)
            else:
                counts = ", ".join(f"{count} {name}" for name, count in tally.verdicts.items())
                self._live.update(Text(f"{counts}\n").append_text(line), refresh=True)

    def stopping(self) -> None:
        """Take that the user wants to stop, and say at once what becomes of the search."""
        line = Text(STOPPING, style="yellow")
        with self._lock:
            if self._live is None:
                self._console.print(line, soft_wrap=True, highlight=False)
            else:
                self._live.update(line, refresh=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal clean."""
        if self._live is not None:
            self._live.stop()


def render_exploration(document: Mapping[str, Any], console: Console, *, report: Path) -> None:
    """Print the findings of a search and its totals; commands and paths are never broken over lines."""
    printer = _Printer(console)
    for found in document["found"]:
        printer.finding(found, document["confidence"])
    printer.totals(document, report)


class _Printer:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._marks = choose_marks(console.encoding)

    def finding(self, found: Mapping[str, Any], confidence: float) -> None:
        self._line(Text(f"{'VIOLATED':<{_TITLE_W}}", style="bold red").append(found["id"], style="bold"))
        self._fields("strikes", [_say_strike(each) for each in found["strikes"]])
        self._fields("declared", [found["declared"]])
        self._fields("observed", [found["observed"]])
        self._fields("confirmed", [_say_confirmed(found, confidence)])
        self._fields("shrunk", [_say_shrunk(found)])
        if found["file"] is None:
            self._fields("not kept", [found["not_kept"] or "no further run broke it"])
        else:
            self._fields("kept as", [found["file"]], copied=True)
            self._fields("reproduce", [found["reproduce"]], copied=True)
        self._line()

    def totals(self, document: Mapping[str, Any], report: Path) -> None:
        if document["failure"] is not None:
            self._line(Text(f"no lab was left: {clean(document['failure'], self._marks)}", style="yellow"))
        if document["interrupted"]:
            self._line(Text("interrupted: this is what was tried by then", style="yellow"))
        for line in _list_totals(document):
            self._line(Text(line))
        self._line(Text(f"report: {clean(str(report), self._marks)}"))

    def _fields(self, label: str, values: Sequence[str], *, copied: bool = False) -> None:
        room = max(20, self._console.width - 2 - _LABEL_W)
        for number, value in enumerate(values):
            said = Text(clean(value, self._marks))
            for place, part in enumerate([said] if copied else said.wrap(self._console, room)):
                head = label if number == place == 0 else ""
                line = Text(f"  {head:<{_LABEL_W}}", style="dim").append(part.plain, style="not dim")
                self._line(line)

    def _line(self, line: Text | None = None) -> None:
        shown = line if line is not None else Text()
        shown.rstrip()
        self._console.print(shown, soft_wrap=True, highlight=False)


def _say_strike(strike: Mapping[str, Any]) -> str:
    whom = "every order" if strike["order"] == "every" else f"order {strike['order']}"
    which = "every call" if strike["attempt"] == "every" else f"call {strike['attempt']}"
    until = strike["begins"] + strike["lasts"] - 1
    when = f"slot {until}" if strike["lasts"] == 1 else f"slots {strike['begins']} to {until}"
    return f"{strike['fault']} at {which} of {whom}, in {when}"


def _say_confirmed(found: Mapping[str, Any], confidence: float) -> str:
    if not found["runs"]:
        return "not run again: nothing was left of the budget"
    again = f"{found['hits']} of {plural(found['runs'], 'further run')}"
    if not found["hits"]:
        return f"{again}: seen once, and not again"
    return f"{again}: it breaks in at least {found['at_least']:.0%} of all, with a confidence of {confidence:.0%}"


def _say_shrunk(found: Mapping[str, Any]) -> str:
    drawn = found["drawn"]
    was = f"from {plural(drawn['strikes'], 'strike')} on {plural(drawn['slots'], 'order')}"
    now = f"to {plural(len(found['strikes']), 'strike')} on {plural(found['slots'], 'order')}"
    return f"{was} {now}" + ("" if found["smallest"] else "; nothing was left of the budget to try smaller ones")


def _list_totals(document: Mapping[str, Any]) -> Iterator[str]:
    trials, verdicts = document["trials"], document["verdicts"]
    made = sum(trials.values())
    took = f"in {say_seconds(document['seconds'])}"
    aside = [
        f"{trials[phase]} {words}"
        for phase, words in (("smaller", "to shrink"), ("again", "to confirm"))
        if trials[phase]
    ]
    more = f" ({', '.join(aside)})" if aside else ""
    yield f"{plural(document['drawn'], 'schedule')} drawn, {plural(made, 'trial')}{more} {took}"
    yield ", ".join(f"{verdicts[name]} {name}" for name in ("held", "violated", "unknown"))
    if document["fewer_than"] is not None:
        share, sure = document["fewer_than"], document["confidence"]
        yield f"nothing found: fewer than {share:.1%} of such schedules break a promise, with a confidence of {sure:.0%}"
    elif not document["found"]:
        yield "nothing found, and nothing proven: no trial was held"
