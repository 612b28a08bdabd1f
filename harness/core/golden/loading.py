"""From the text of a trace to a `Trace`, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.core.compile.menu import build_menu
from harness.core.document import Document, read_document
from harness.core.gates import list_gates
from harness.core.golden.cast import ORIGIN, Cast, Stage, build_stage
from harness.core.golden.lines import LineError, read_line
from harness.core.golden.scribe import SHOWN, Scribe
from harness.core.golden.trace import LASTING, Expected, Trace, TraceError
from harness.core.golden.verbs import tell
from harness.core.history import History
from harness.core.problems import Problem, StackError, nearest
from harness.core.record import Scope
from harness.core.regression import read_regression
from harness.core.verdict import Outcome, UnknownKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.core.nodes import Node
    from harness.core.stack import Stack

FIELDS = (
    "story",
    "stack",
    "absent",
    "regression",
    "experiment",
    "observable",
    "raising",
    "history",
    "until",
    "rest",
    "verdict",
    "by",
    "says",
)
REQUIRED = ("story", "experiment", "history", "verdict")
VERDICTS = ("held", "violated", *(f"unknown {kind}" for kind in UnknownKind))
STACK_FILE = ".yaml"


def load_trace(text: str, *, file: str, stage: Stage, find: Callable[[str], Stage | None] | None = None) -> Trace:
    """
    Return the trace a text tells, in an experiment of `stage` unless it brings its own stack or names a file of one.

    `find` returns the stage of a file, None where there is no such file. Raises TraceError with every problem of the text,
    each with its place.
    """
    document = read_document(text, file=file)
    if document.root is None or document.problems or document.root.kind != "mapping":
        found = document.problems or (Problem("wrong-type", "a trace is a mapping of fields", file, 1, 1),)
        raise TraceError(found)
    return _Reader(document, document.root, find).read(stage)


@dataclass(slots=True)
class _Reader:
    document: Document
    root: Node
    find: Callable[[str], Stage | None] | None
    problems: list[Problem] = field(default_factory=list)

    def read(self, stage: Stage) -> Trace:
        self._check_fields()
        stage = self._read_stage(stage)
        stage = self._read_regression(stage.leave_out(self._read_absent(stage.stack)))
        expected = self._read_expected()
        cast = self._read_cast(stage)
        if cast is None or expected is None:
            raise TraceError(tuple(self.problems))
        scribe = Scribe(cast)
        self._tell(scribe, "history")
        until = self._read_until(scribe)
        observable = self._read_observable(stage.stack)
        _read_once_more(scribe, observable, until)
        told = tuple(scribe.entries)
        self._tell(scribe, "rest")
        if len(scribe.entries) > len(told):
            _read_once_more(scribe, observable, scribe.newest)
        self._check_names(cast, expected)
        if self.problems:
            raise TraceError(tuple(self.problems))
        return Trace(
            story=self.root.text("story") or "",
            experiment=cast.experiment,
            scope=Scope(ORIGIN, ORIGIN + until, cast.experiment.faults, observable),
            entries=told,
            expected=expected,
            location=self.root.location,
            rest=tuple(scribe.entries[len(told) :]),
            raising=self.root.text("raising") or "",
        )

    def _check_fields(self) -> None:
        for key in self.root.entries:
            if key not in FIELDS:
                self._complain("unknown-key", f"`{key}` is no field of a trace", self.root.keys[key], FIELDS, key)
        for key in REQUIRED:
            if key not in self.root.entries:
                self._complain("missing-key", f"a trace needs `{key}`", self.root)

    def _read_stage(self, stage: Stage) -> Stage:
        text = self.root.text("stack")
        if text is None:
            return stage
        try:
            if "\n" in text or not text.endswith(STACK_FILE):
                return build_stage(text, file=f"{self.document.file} (its stack)")
            found = self.find(text) if self.find is not None else None
        except StackError as error:
            raise TraceError((*self.problems, *error.problems)) from None
        if found is None:
            self._complain("no-stack", f"there is no stack `{text}`", self.root.get("stack") or self.root)
            raise TraceError(tuple(self.problems))
        return found

    def _read_absent(self, stack: Stack) -> tuple[str, ...]:
        """Read which systems of the stack the lab of the trace was without."""
        names = self._read_names("absent")
        for name in names:
            if name not in stack.systems:
                at = self.root.get("absent") or self.root
                self._complain("unknown-system", f"the stack has no system `{name}`", at, tuple(stack.systems), name)
        return names

    def _read_regression(self, stage: Stage) -> Stage:
        """Read the schedule whose experiment the trace is about, where it is about one."""
        text = self.root.text("regression")
        if text is None:
            return stage
        try:
            file = f"{self.document.file} (its regression)"
            return stage.strike(
                read_regression(text, file=file, faults=build_menu(stage.stack), stack=stage.stack.name)
            )
        except StackError as error:
            raise TraceError((*self.problems, *error.problems)) from None

    def _read_cast(self, stage: Stage) -> Cast | None:
        name = self.root.text("experiment") or ""
        if name in stage.experiments:
            return Cast(stage.stack, stage.experiments[name])
        at = self.root.get("experiment") or self.root
        known = tuple(stage.experiments)
        self._complain("unknown-experiment", f"the stack has no experiment `{name}`", at, known, name)
        return None

    def _read_expected(self) -> Expected | None:
        node = self.root.get("verdict")
        word = self.root.text("verdict") or ""
        if node is None:
            return None
        if word not in VERDICTS:
            self._complain("unknown-verdict", f"`{word}` is no verdict", node, VERDICTS, word)
            return None
        outcome, _, kind = word.partition(" ")
        by = self._read_names("by")
        if bool(by) is (outcome == Outcome.HELD):
            what = "a held verdict is decided by every check: drop `by`" if by else "say what decides it: `by`"
            self._complain("by", what, self.root.get("by") or node)
        return Expected(Outcome(outcome), UnknownKind(kind) if kind else None, by, self.root.text("says") or "")

    def _check_names(self, cast: Cast, expected: Expected) -> None:
        """Complain of checks and gates the experiment does not have."""
        checks = (*(check.name for check in cast.experiment.checks), *LASTING)
        gates = tuple(gate.name for gate in list_gates(cast.experiment, History(0.0)))
        raising = self.root.text("raising")
        for name, at, known in (
            *((name, "by", (*checks, *gates)) for name in expected.by),
            *([(raising, "raising", checks)] if raising else []),
        ):
            if name not in known:
                where = self.root.get(at) or self.root
                self._complain("unknown-check", f"the experiment has no check or gate `{name}`", where, known, name)

    def _read_names(self, key: str) -> tuple[str, ...]:
        node = self.root.get(key)
        if node is None:
            return ()
        values = [item.value for item in node.items] if node.kind == "list" else [node.value]
        return tuple(str(value) for value in values)

    def _read_observable(self, stack: Stack) -> frozenset[str]:
        if self.root.get("observable") is not None:
            return frozenset(self._read_names("observable"))
        observe = stack.integration.observe
        return frozenset(what for what in SHOWN if getattr(observe, what) is not None)

    def _read_until(self, scribe: Scribe) -> float:
        node = self.root.get("until")
        if node is None:
            return scribe.newest
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or value < scribe.newest:
            message = f"`until` is a number of seconds, not before the last line at {scribe.newest:g}"
            self._complain("until", message, node)
            return scribe.newest
        scribe.newest = float(value)
        return float(value)

    def _tell(self, scribe: Scribe, key: str) -> None:
        node = self.root.get(key)
        if node is None:
            return
        if node.kind != "list":
            self._complain("wrong-type", f"`{key}` is a list of lines", node)
            return
        for item in node.items:
            try:
                tell(scribe, read_line(str(item.value) if item.kind == "scalar" else ""))
            except LineError as error:
                found = {"expected": error.expected, "suggestion": error.suggestion}
                self.problems.append(self.document.problem("line", error.message, item, **found))

    def _complain(self, code: str, message: str, at: Node, expected: tuple[str, ...] = (), found: str = "") -> None:
        suggestion = nearest(found, expected) if found else ""
        self.problems.append(
            self.document.problem(code, message, at, expected=expected, suggestion=suggestion, found=found)
        )


def _read_once_more(scribe: Scribe, observable: Iterable[str], t: float) -> None:
    """Have the integration asked for everything it shows."""
    for what in sorted(frozenset(SHOWN).intersection(observable)):
        scribe.observe(what, t)
