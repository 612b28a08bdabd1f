"""Print the summary of a run: what broke with declared beside observed, what could not be judged, the totals."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.report.lines import STYLES, build_header, build_rows_text
from harness.report.marks import Marks, choose_marks, clean
from harness.report.model import Experiment
from harness.report.phrases import plural, say_first_try, say_seconds, say_support
from harness.report.view import RunView, build_view

_TITLE_W = 10
_LABEL_W = 11
_NAMED, _LISTED = 4, 8
_BEYOND = "beyond the waits the clauses demand"


def render_summary(
    run: Mapping[str, Any], console: Console, *, report: Path | str | None = None, rows: bool = True
) -> None:
    """
    Print the summary of a parsed run.json.

    `report` is the path named at the end. `rows=False` leaves out header and rows, for a terminal that shows them
    already. Commands and paths are never broken over lines, so that they can be copied.
    """
    view = build_view(run)
    printer = _Printer(console)
    if rows:
        printer.rows(view)
    for item in view.broken:
        printer.violated(item.experiment)
    for experiment in view.undecided:
        printer.unknown(experiment)
    for experiment in view.accepted:
        printer.accepted(experiment)
    printer.undeclared(view)
    printer.left_out(view)
    printer.totals(view, report)


class _Printer:
    """Prints one block after the other, each followed by an empty line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._marks: Marks = choose_marks(console.encoding)

    def rows(self, view: RunView) -> None:
        self._line(
            build_header(
                view.stack,
                version=view.version,
                experiments=view.totals.judged,
                labs=view.labs,
                seed=view.seed,
                marks=self._marks,
            )
        )
        self._line()
        rows = {
            row.id: (row.protocol, [item.standing for item in row.experiments if not item.superseded])
            for row in view.rows
        }
        for line in build_rows_text(rows, width=self._console.width, marks=self._marks):
            self._line(line)
        self._line()

    def violated(self, experiment: Experiment) -> None:
        self._title("VIOLATED", experiment.id, "bold red")
        self._field("declared", experiment.declared or "not stated", tail=experiment.location)
        self._field("observed", experiment.observed or experiment.reason or "not stated")
        self._field("receipts", say_support(experiment))
        self._copyable("reproduce", experiment.reproduce)
        self._line()

    def unknown(self, experiment: Experiment) -> None:
        self._title("UNKNOWN", experiment.id, "bold yellow", tail=experiment.unknown_kind)
        self._text(experiment.reason or experiment.observed or "the run does not say why")
        self._copyable("reproduce", experiment.reproduce)
        self._line()

    def accepted(self, experiment: Experiment) -> None:
        accepted = experiment.accepted
        if accepted is None:
            return
        until = f"until {accepted.until}" if accepted.until else ""
        self._title("ACCEPTED", experiment.id, "bold blue", tail=until)
        self._text(f"{accepted.reason or 'no reason given'} ({experiment.verdict})")
        self._field("declared", experiment.declared)
        self._field("observed", experiment.observed or experiment.reason)
        self._line()

    def left_out(self, view: RunView) -> None:
        for experiment in view.first_tries:
            self._title("RERUN", experiment.id, "bold")
            self._text(f"{say_first_try(experiment)}; the rerun counts")
        for group in view.left_out:
            title, what = ("SKIPPED", "experiment") if group.state == "skipped" else ("NOT RUN", "clause")
            named = group.names if len(group.names) <= _NAMED else (_count_named(group.names, what),)
            for name in named:
                self._title(title, name, "bold")
            self._text(group.why)
        if view.first_tries or view.left_out:
            self._line()

    def undeclared(self, view: RunView) -> None:
        for met in view.undeclared[:_LISTED]:
            often = f"{met.count} times" if met.count is not None and met.count > 1 else ""
            self._title("MET", met.where, "bold", tail=often)
            self._text(f"{met.what}; declared nowhere")
        if len(view.undeclared) > _LISTED:
            self._text(f"and {len(view.undeclared) - _LISTED} more in the report")
        if view.undeclared:
            self._line()

    def totals(self, view: RunView, report: Path | str | None) -> None:
        for line in view.mismatches:
            self._title("MISMATCH", line, "bold yellow")
        if view.interrupted:
            self._line(Text("interrupted: the totals are of what was finished by then", style="yellow"))
        self._flow(list(self._say_totals(view)))
        overhead = view.times.median_overhead_s
        last = [] if overhead is None else [Text(f"median overhead {say_seconds(overhead)} {_BEYOND}")]
        last += [] if report is None else [Text(f"report: {clean(str(report), self._marks)}")]
        self._flow(last)

    def _say_totals(self, view: RunView) -> Iterator[Text]:
        counts = [
            Text(f"{getattr(view.totals, name)} {name}", style=STYLES.get(name, ""))
            for name in ("held", "violated", "unknown", "accepted", "skipped")
            if getattr(view.totals, name) or name in {"held", "violated", "unknown"}
        ]
        yield Text(self._marks.separator).join(counts)
        if view.clauses:
            yield Text(f"{view.exercised} of {view.clauses} clauses exercised")
        ledger = view.ledger
        if ledger is not None:
            known = ((ledger.lost, "lost"), (ledger.duplicated, "doubled"), (ledger.unseen or None, "not to be seen"))
            parts = [plural(ledger.orders, "order")] if ledger.orders is not None else []
            yield Text("ledger: " + ", ".join(parts + [f"{n} {word}" for n, word in known if n is not None]))

    def _flow(self, parts: list[Text]) -> None:
        line = Text()
        for part in parts:
            if line and line.cell_len + 4 + part.cell_len > self._console.width:
                self._line(line)
                line = Text()
            line = Text("    ").join([line, part]) if line else part
        if line:
            self._line(line)

    def _title(self, title: str, subject: str, style: str, *, tail: str = "") -> None:
        line = Text(f"{title:<{_TITLE_W}}", style=style).append(clean(subject, self._marks), style="bold")
        self._with_tail(line, tail)

    def _field(self, label: str, value: str, *, tail: str = "") -> None:
        if not value:
            return
        room = max(20, self._console.width - 2 - _LABEL_W)
        first, *rest = Text(clean(value, self._marks)).wrap(self._console, room)
        self._with_tail(
            Text(f"  {label:<{_LABEL_W}}", style="dim").append_text(_upright(first)), tail if not rest else ""
        )
        for line in rest:
            self._line(Text(" " * (2 + _LABEL_W)).append_text(line))
        if tail and rest:
            self._line(Text(" " * (2 + _LABEL_W)).append(clean(tail, self._marks), style="dim"))

    def _text(self, value: str) -> None:
        for line in Text(clean(value, self._marks)).wrap(self._console, max(20, self._console.width - 2)):
            self._line(Text("  ").append_text(line))

    def _copyable(self, label: str, value: str) -> None:
        self._line(Text(f"  {label:<{_LABEL_W}}", style="dim").append(clean(value, self._marks), style="not dim"))

    def _with_tail(self, line: Text, tail: str) -> None:
        """Print a line with something at its right edge, on a line of its own where there is no room."""
        if tail:
            end = Text(clean(tail, self._marks), style="dim")
            gap = min(self._console.width, 100) - line.cell_len - end.cell_len
            line = line.append(" " * gap if gap >= 2 else f"\n{' ' * (2 + _LABEL_W)}").append_text(end)
        self._line(line)

    def _line(self, line: Text | None = None) -> None:
        shown = line if line is not None else Text()
        shown.rstrip()
        self._console.print(shown, soft_wrap=True, highlight=False)


def _upright(text: Text) -> Text:
    text.stylize("not dim")
    return text


def _count_named(names: Sequence[str], what: str) -> str:
    """Count experiments or clauses, and name their handoffs where these are few."""
    handoffs = tuple(dict.fromkeys(name.partition("/")[0] for name in names))
    whose = f" of {', '.join(handoffs)}" if len(handoffs) <= _NAMED else ""
    return f"{plural(len(names), what)}{whose}"
