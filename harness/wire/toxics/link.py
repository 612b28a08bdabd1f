"""One direction of one proxied connection: a socket read, a chain of stages, a socket written."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from harness.wire.toxics.stage import Chunk, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from harness.wire.toxics.endpoint import Endpoint
    from harness.wire.toxics.fitting import Fitting
    from harness.wire.toxics.stage import Outlet


class Link:
    """Carry bytes from `source` to `dest` through the toxics fitted, which may change while it runs.

    The end of the source, orderly or not, travels through the toxics too and then closes `dest` in both directions.
    """

    def __init__(self, source: Endpoint, dest: Endpoint, *, random: Random, reset_on_close: Callable[[], None]) -> None:
        self.reset_on_close = reset_on_close
        self._source = source
        self._dest = dest
        self._random = random
        self._stages: list[tuple[Fitting, Stage]] = []

    def start(self, fittings: Iterable[Fitting]) -> None:
        """Put the toxics in place and let the bytes flow."""
        for fitting in fittings:
            self.add(fitting)
        self._source.flow_into(self)

    def feed(self, data: bytes) -> None:
        """Take bytes from the source."""
        if self._stages:
            self._stages[0][1].push(Chunk(data, time.monotonic()))
        else:
            self._dest.write(data)
        self.relieved()

    def finish(self) -> None:
        """Take note that the source has ended."""
        self._entry.finish()

    def relieved(self) -> None:
        """Read from the source only while the first stage, or without any the socket, takes more."""
        self._source.hold(held=self._entry.full)

    def add(self, fitting: Fitting) -> None:
        """Put a toxic at the end of the chain."""
        stage = Stage(fitting.roll(self._random), self._dest, self, random=self._random)
        if self._stages:
            self._stages[-1][1].outlet = stage
        self._stages.append((fitting, stage))
        self.relieved()

    def update(self, fitting: Fitting) -> None:
        """Go on under the new configuration of a toxic."""
        for stage in self._of(fitting):
            stage.update(fitting.roll(self._random))

    def remove(self, fitting: Fitting) -> None:
        """Take a toxic out once it has passed on what it holds."""
        for stage in self._of(fitting):
            stage.remove(partial(self._unlink, stage))

    def cancel(self) -> None:
        """Stop every stage, dropping what is under way."""
        for _, stage in self._stages:
            stage.cancel()
        self._stages.clear()

    @property
    def _entry(self) -> Outlet:
        return self._stages[0][1] if self._stages else self._dest

    def _of(self, fitting: Fitting) -> list[Stage]:
        return [stage for fitted, stage in self._stages if fitted is fitting]

    def _unlink(self, gone: Stage) -> None:
        place = next(i for i, (_, stage) in enumerate(self._stages) if stage is gone)
        if place:
            self._stages[place - 1][1].outlet = gone.outlet
        del self._stages[place]
        self.relieved()
