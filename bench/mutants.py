"""
How many mistakes in the checkers their tests would notice: `python -m bench.mutants [WORD…]`, or `make mutants`.

Every mutant is a copy of this process with one mistake in one checker (see `bench.mutating`). It judges the golden traces
first, then runs the tests of the checkers; the first that fails kills it. What survives is listed. The words choose files by
their paths. Exits with 1 where the tests fail without any mistake.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

from bench.grafting import graft
from bench.mutating import list_mutants
from harness.core.golden import build_stage, load_trace
from harness.core.golden.trace import list_differences
from harness.core.judging import judge_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import IO

    from bench.mutating import Mutant
    from harness.core.golden.cast import Stage
    from harness.core.golden.trace import Trace

ROOT = Path(__file__).parents[1]
CORE = "harness/core"
TESTS = "tests/core"
SLICE = "scenarios/slice.yaml"
CHECKERS = (
    "backoff",
    "canary",
    "conditions",
    "ends",
    "estimate",
    "gates",
    "jitter",
    "judging",
    "settling",
    "timing",
    "undeclared",
    "verdict",
    "witnesses",
)
# Tests of what leads to an experiment, and those that judge the traces once more.
LEFT_OUT = tuple(
    f"test_{name}"
    for name in ("absence", "compile", "golden", "judging_again", "linear", "lint", "regression", "stack")
)
# What a mutant may use of a processor before it counts as one that never ends.
MOST_S = 30
SURVIVED, BY_TRACE, BY_TEST = range(3)


def main(words: list[str]) -> int:
    """Run every mutant of the chosen files and print what became of them."""
    os.chdir(ROOT)
    sys.path[:0] = [TESTS, str(ROOT)]
    runner = Runner(words)
    options = ["-q", "-s", "--assert=plain", "-p", "no:randomly", "-p", "no:xdist", "--hypothesis-seed=0"]
    files = [path for path in Path(TESTS).rglob("test_*.py") if not path.stem.startswith(LEFT_OUT)]
    return int(pytest.main([*options, *sorted(map(str, files))], plugins=[runner]))


@dataclass(slots=True)
class Proof:
    """One trace or test: whether it fails, how, and the functions it came through when there was no mistake."""

    fails: Callable[[bool], bool]
    how: int
    name: str
    passed: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Runner:
    """A plugin that takes the place of running the collected tests: it runs them once for each mutant, in a process of its own."""

    words: list[str]
    proofs: list[Proof] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)
    found: Counter[int] = field(default_factory=Counter)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Check that nothing fails without a mutant, then run them all."""
        began = time.monotonic()
        self.proofs = [_prove_trace(trace) for trace in _read_traces()]
        self.proofs += [_prove_test(item) for item in session.items]
        self._look_sound()
        running: dict[int, Mutant] = {}
        for mutant in self._list_mutants():
            if len(running) == (os.cpu_count() or 1):
                self._collect(running)
            running[_fork(partial(self._try, mutant))] = mutant
        while running:
            self._collect(running)
        self._report(time.monotonic() - began)
        return True

    def _look_sound(self) -> None:
        """Run everything once without a mistake, and note which functions each trace and test comes through."""
        with TemporaryFile("w+") as told:
            if _wait(_fork(partial(self._trace_all, told), aloud=True)) != SURVIVED:
                raise pytest.UsageError("the traces or the tests fail without any mutant: run pytest tests/core")
            told.seek(0)
            for proof, line in zip(self.proofs, told, strict=True):
                proof.passed = frozenset((file, name) for file, name in json.loads(line))

    def _trace_all(self, told: IO[str]) -> int:
        for proof in self.proofs:
            passed: set[tuple[str, str]] = set()
            sys.setprofile(partial(_note, passed))
            failed = proof.fails(True)
            sys.setprofile(None)
            if failed:
                print(f"fails without any mutant: {proof.name}")
                return proof.how
            told.write(json.dumps(sorted(passed)) + "\n")
        told.flush()
        return SURVIVED

    def _list_mutants(self) -> list[Mutant]:
        paths = [*sorted(Path(CORE, "checks").glob("*.py")), *(Path(CORE, f"{name}.py") for name in CHECKERS)]
        chosen = [path for path in paths if not self.words or any(word in str(path) for word in self.words)]
        return [
            mutant
            for path in chosen
            for mutant in list_mutants(ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(CORE)))
        ]

    def _try(self, mutant: Mutant) -> int:
        module = importlib.import_module(f"{CORE}/{mutant.file}".removesuffix(".py").replace("/", "."))
        graft(module, mutant.apply())
        where = (str(module.__file__), mutant.function)
        for proof in self.proofs:
            if (not mutant.function or where in proof.passed) and proof.fails(mutant.file == "witnesses.py"):
                return proof.how
        return SURVIVED

    def _collect(self, running: dict[int, Mutant]) -> None:
        pid, status = os.waitpid(-1, 0)
        mutant = running.pop(pid)
        how = _read_status(status)
        self.found[how] += 1
        if how == SURVIVED:
            self.survivors.append(mutant)
            print(f"survived: {mutant}", flush=True)

    def _report(self, took_s: float) -> None:
        total = sum(self.found.values())
        killed = total - self.found[SURVIVED]
        print(f"{killed} of {total} mutants killed ({killed / max(total, 1):.1%}) in {took_s / 60:.0f} min:", end=" ")
        print(f"{self.found[BY_TRACE]} by a golden trace, {killed - self.found[BY_TRACE]} by another test.", end=" ")
        print(f"{self.found[SURVIVED]} survived:")
        for mutant in sorted(self.survivors, key=lambda each: (each.file, each.line)):
            print(f"  {mutant}")


def _prove_trace(trace: Trace) -> Proof:
    driven, rested = trace.history, trace.rested

    def fails(fresh: bool) -> bool:
        seen = (trace.history, trace.rested) if fresh else (driven, rested)
        return bool(list_differences(trace, judge_whole(trace.experiment, *seen).verdict))

    return Proof(fails, BY_TRACE, trace.location.file)


def _prove_test(item: pytest.Item) -> Proof:
    def fails(_: bool) -> bool:
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))

    return Proof(fails, BY_TEST, item.nodeid)


def _note(passed: set[tuple[str, str]], frame: FrameType, event: str, _: object) -> None:
    if event == "call" and CORE in frame.f_code.co_filename:
        passed.add((frame.f_code.co_filename, frame.f_code.co_qualname))


def _read_traces() -> list[Trace]:
    def find(name: str) -> Stage | None:
        path = ROOT / name
        return (
            stages.setdefault(name, build_stage(path.read_text(encoding="utf-8"), file=name))
            if path.is_file()
            else None
        )

    stages: dict[str, Stage] = {}
    stages[SLICE] = build_stage((ROOT / SLICE).read_text(encoding="utf-8"), file=SLICE)
    files = sorted((ROOT / "scenarios/golden").glob("*.yaml"))
    read = (
        load_trace(path.read_text(encoding="utf-8"), file=path.name, stage=stages[SLICE], find=find) for path in files
    )
    return [trace for trace in read if not trace.raising]


def _fork(work: Callable[[], int], *, aloud: bool = False) -> int:
    """Do the work in a copy of this process that says nothing, and return the copy's number."""
    pid = os.fork()
    if pid:
        return pid
    if not aloud:
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
    try:
        code = work()
    except BaseException:  # noqa: BLE001 - whatever a mistake leads to, it was noticed
        code = BY_TEST
    os._exit(code)


def _wait(pid: int) -> int:
    return _read_status(os.waitpid(pid, 0)[1])


def _read_status(status: int) -> int:
    """Return what became of a mutant: one that was ended for using too much of a processor was noticed, too."""
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else BY_TEST


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
