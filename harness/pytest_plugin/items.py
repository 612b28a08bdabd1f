"""A stack.yaml as a collector, its experiments as items."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.core.problems import StackError
from harness.core.verdict import Outcome
from harness.engine.attachment import explain_unfit, is_attached
from harness.lab.errors import LabError
from harness.lab.live_keys import ensure_safe_text
from harness.pytest_plugin.keys import use_lab
from harness.pytest_plugin.lab import LabThread, read_options
from harness.report.words import describe_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.core.experiments import Coverage, Experiment
    from harness.core.result import Result
    from harness.core.stack import Stack
    from harness.engine.run import Options


class StackFile(pytest.File):
    """A stack.yaml named on the command line."""

    stack: Stack
    _lab: LabThread | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """Compile it: an item an experiment, and a skipped one for each clause that has none."""
        name = os.path.relpath(self.path, self.config.invocation_params.dir)
        try:
            self.stack = load_stack(ensure_safe_text(self.path.read_text(encoding="utf-8"), name), file=name)
        except UnicodeDecodeError as error:
            raise self.CollectError(f"{name}: not UTF-8: {error}") from error
        except StackError as error:
            raise self.CollectError("\n".join(problem.render() for problem in error.problems)) from error
        plan = compile_stack(self.stack)
        for experiment in plan.experiments:
            yield ExperimentItem.from_parent(self, name=experiment.id, experiment=experiment)
        for row in plan.coverage:
            if row.not_exercised:
                yield UnexercisedItem.from_parent(self, name=row.clause, row=row)

    def open_lab(self) -> LabThread:
        """Return the lab of this stack, the only one of this process that is up."""
        if self._lab is None:
            self._lab = LabThread(self.stack, self._options())
        use_lab(self.config, self._lab)
        return self._lab

    def skip_unfit(self, experiment: Experiment) -> None:
        """Skip aloud what cannot be done to an integration that runs elsewhere."""
        reason = explain_unfit(experiment) if is_attached(self.stack, self._options()) else ""
        if reason:
            pytest.skip(reason)

    def _options(self) -> Options:
        return read_options(self.config, self.path)


class Unproven(Exception):  # noqa: N818 - it is no error, it is a verdict
    """A verdict that is not held."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.verdict.reason)
        self.result = result


class ExperimentItem(pytest.Item):
    """One experiment."""

    def __init__(self, *, experiment: Experiment, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.experiment = experiment

    def runtest(self) -> None:
        """Run it; anything but held fails."""
        stack_file = self.parent
        if not isinstance(stack_file, StackFile):
            self._misplaced()
        stack_file.skip_unfit(self.experiment)
        try:
            lab = stack_file.open_lab()
            if reason := lab.explain_absence(self.experiment):
                pytest.skip(reason)
            result = lab.conduct(self.experiment)
        except (LabError, StackError) as error:
            pytest.fail(str(error), pytrace=False)
        verdict = result.verdict
        self.user_properties.append(("verdict", str(verdict.outcome)))
        if verdict.kind is not None:
            self.user_properties.append(("unknown_kind", str(verdict.kind)))
        if verdict.outcome is not Outcome.HELD:
            raise Unproven(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show declared beside observed instead of a traceback."""
        if isinstance(excinfo.value, Unproven):
            return "\n".join([*describe_result(excinfo.value.result), f"reproduce  {self._reproduce()}"])
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the clause stands."""
        line = self.experiment.location.rsplit(":", 2)[1]
        return self.path, int(line) - 1, self.name

    def _reproduce(self) -> str:
        """Build the command that runs this experiment alone, the same way."""
        words = ["pytest", os.path.relpath(self.path, self.config.invocation_params.dir), "-k", self.name]
        for option in ("--handoff-seed", "--handoff-integration", "--handoff-attach"):
            given = self.config.getoption(option)
            words += [] if given is None else [option, str(given)]
        return shlex.join(words)

    def _misplaced(self) -> NoReturn:
        raise TypeError("an experiment belongs to a stack file")


class UnexercisedItem(pytest.Item):
    """A clause no experiment exercises."""

    def __init__(self, *, row: Coverage, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.row = row

    def runtest(self) -> None:
        """Skip it aloud."""
        pytest.skip(self.row.not_exercised)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the clause stands."""
        return self.path, None, self.name
