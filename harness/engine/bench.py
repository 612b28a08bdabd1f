"""A lab that is ready for one experiment after another."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.core.compile import compile_stack
from harness.core.compile.frame import HORIZON
from harness.lab.starvation import read_waits

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from harness.core.experiments import Experiment
    from harness.core.stack import Fake, Stack
    from harness.engine.observer import Observer
    from harness.engine.recorder import Recorder
    from harness.lab.control import ControlClient
    from harness.lab.lab import Lab


@dataclass(slots=True)
class Bench:
    """
    A lab with its recorder and observer.

    `stack` is what of the declared one can be driven here; `left_out` says by handoff why the rest of it cannot.

    `unsettled` says why it is not: the last experiment did not leave it so, or no order passed to begin with; it is empty
    while the lab is settled. `known` are the tokens of the catalogue and of everything reserved here so far; `left` the ids of
    what was put aside already when the lab was taken over, or was taken up in vain at the end of an experiment. `stop` is set
    when the user wants to stop.
    """

    stack: Stack
    lab: Lab
    recorder: Recorder
    observer: Observer
    stop: asyncio.Event
    seed: int = 0
    index: int = 0
    unsettled: str = ""
    known: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    left_out: Mapping[str, str] = field(default_factory=dict)
    _fitting: dict[str, Experiment] = field(default_factory=dict)

    def fit(self, experiment: Experiment) -> Experiment | None:
        """
        Return an experiment as it is where only this bench's stack can be driven; None where it is about something left out.

        What is left out is expected of no order, and no other handoff waits for it.
        """
        if not self.left_out:
            return experiment
        if not self._fitting:
            self._fitting = {each.id: each for each in compile_stack(self.stack).experiments}
        return self._fitting.get(experiment.id)

    def explain_absence(self, experiment: Experiment) -> str:
        """Say why an experiment cannot be run here; empty where it can."""
        if self.fit(experiment) is not None:
            return ""
        return self.left_out.get(experiment.handoff) or f"it needs what is left out: {', '.join(self.left_out)}"

    @property
    def entity(self) -> re.Pattern[str] | None:
        """The stack's own way to find the order in a reference."""
        pattern = self.stack.integration.entity
        return re.compile(pattern) if pattern is not None else None

    @property
    def usable(self) -> bool:
        """Tell whether another experiment makes sense here."""
        return not self.unsettled and not self.recorder.lost

    def find_control(self, fake: Fake) -> ControlClient | None:
        """Find the control plane of the system that this fake plays; None where the stack has none."""
        playing = (name for name, system in self.stack.systems.items() if system.fake == fake)
        return next((self.lab.controls[name] for name in playing if name in self.lab.controls), None)

    def read_waits(self) -> dict[int, float]:
        """Read how long the lab's processes, the integration's among them, and our own have waited, as `read_waits` does."""
        lab = self.lab
        pids = {process.pid for process in lab.processes.values()} | {lab.integration.pid, os.getpid()}
        return read_waits(pid for pid in pids if pid is not None)

    @property
    def settle_s(self) -> float:
        """How long the slowest breaker of the stack may keep a handoff paused, in lab seconds."""
        breakers = [handoff.breaker for handoff in self.stack.handoffs if handoff.breaker is not None]
        pauses = [breaker.pause_s * (breaker.probes + 1) for breaker in breakers]
        return HORIZON * max(pauses, default=0.0) / self.stack.time.scale
