"""The lines both terminal surfaces share: the header of a run and one row a handoff."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.text import Text

from harness.report.marks import Marks, clean

STYLES = {"held": "green", "violated": "bold red", "unknown": "yellow", "accepted": "blue", "pending": "dim"}
_ORDER = ("held", "violated", "unknown", "accepted")


def build_header(
    stack: str, *, version: str, experiments: int | None, labs: int | None, seed: str, marks: Marks
) -> Text:
    """Build the first line: "handoff 0.1 · acme · 68 experiments · 4 labs · seed 11", leaving out what is not known."""
    parts = [
        f"handoff {version}".strip(),
        stack,
        "" if experiments is None else f"{experiments} experiment{'' if experiments == 1 else 's'}",
        "" if labs is None else f"{labs} lab{'' if labs == 1 else 's'}",
        f"seed {seed}" if seed else "",
    ]
    return Text(marks.separator.join(clean(part, marks) for part in parts if part), style="bold")


def build_rows_text(rows: Mapping[str, tuple[str, Sequence[str]]], *, width: int, marks: Marks) -> list[Text]:
    """
    Build all rows from name → (protocol, standings): name, protocol, a mark an experiment, the counts; columns aligned.

    Where the marks do not all fit into `width` cells, held and pending ones give way first: what is wrong stays in sight.
    """
    names_width = min(max((len(clean(name, marks)) for name in rows), default=0), max(12, width // 3))
    heads = [_build_head(name, protocol, names_width, marks) for name, (protocol, _) in rows.items()]
    tallies = [_build_tally(standings) for _, standings in rows.values()]
    widest = max((head.cell_len + tally.cell_len for head, tally in zip(heads, tallies, strict=True)), default=0)
    most = max((len(standings) for _, standings in rows.values()), default=0)
    room = min(most, max(6, width - widest - 3))
    return [
        head.append_text(_build_marks(standings, room, marks)).append("  ").append_text(tally)
        for head, tally, (_, standings) in zip(heads, tallies, rows.values(), strict=True)
    ]


def _build_head(name: str, protocol: str, names_width: int, marks: Marks) -> Text:
    shown = clean(name, marks)
    if len(shown) > names_width:
        shown = shown[: names_width - len(marks.more)] + marks.more
    return Text(f"{shown:<{names_width}}  {clean(protocol, marks):<9} ", no_wrap=True, overflow="crop")


def _build_tally(standings: Sequence[str]) -> Text:
    counts = Counter(standings)
    return Text("  ").join(
        Text(f"{counts[standing]:>3} {standing}", style=STYLES[standing]) for standing in _ORDER if counts[standing]
    )


def _build_marks(standings: Sequence[str], room: int, marks: Marks) -> Text:
    line = Text()
    for mark in _choose(standings, room - len(marks.more) if len(standings) > room else room):
        line.append(marks.of(mark), style=STYLES.get(mark, "dim"))
    if len(standings) > room:
        line.append(marks.more, style="dim")
    line.append(" " * (room - line.cell_len))
    return line


def _choose(standings: Sequence[str], room: int) -> list[str]:
    if len(standings) <= room:
        return list(standings)
    telling = [index for index, standing in enumerate(standings) if standing not in {"held", "pending"}]
    kept = set(telling[:room])
    rest = [index for index in range(len(standings)) if index not in kept]
    kept |= set(rest[: room - len(kept)])
    return [standings[index] for index in sorted(kept)]
