"""One direction of one proxied connection: a socket read, a chain of stages, a socket written."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from harness.wire.toxics.reset_peer import ResetPeer
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
        self._reset_on_close = reset_on_close
        self._source = source
        self._dest = dest
        self._random = random
        self._stages: list[tuple[Fitting, Stage]] = []

    def start(self, fittings: Iterable[Fitting]) -> None:
        """Put the toxics in place and let the bytes flow."""
        for fitting in fittings:
            if isinstance(fitting.toxic, ResetPeer):  # decided here once, whether or not the connection is spared
                self._reset_on_close()
            stage = self._append(fitting)
            if len(self._stages) > 1:
                self._stages[-2][1].outlet = stage
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
        """Put a toxic at the end of the chain; the one before it passes on at once what it holds, which the new one does not see."""
        stage = self._append(fitting)
        if len(self._stages) > 1:
            self._restart(len(self._stages) - 2, outlet=stage)
        self.relieved()

    def update(self, fitting: Fitting) -> None:
        """Go on under the new configuration of a toxic."""
        for place in self._places(fitting):
            self._restart(place)

    def remove(self, fitting: Fitting) -> None:
        """Take a toxic out once it, and the one before it, have passed on what they hold; some close the connection instead."""
        closes = fitting.toxic.closes_when_removed
        for place in self._places(fitting):
            stage = self._stages[place][1]
            if place and not closes:
                self._restart(place - 1)
            stage.remove(partial(self._unlink, stage), closes=closes)

    def cancel(self) -> None:
        """Stop every stage, dropping what is under way."""
        for _, stage in self._stages:
            stage.cancel()
        self._stages.clear()

    @property
    def _entry(self) -> Outlet:
        return self._stages[0][1] if self._stages else self._dest

    def _append(self, fitting: Fitting) -> Stage:
        stage = Stage(fitting.roll(self._random), self._dest, self, random=self._random)
        self._stages.append((fitting, stage))
        return stage

    def _restart(self, place: int, *, outlet: Outlet | None = None) -> None:
        """Have a toxic decided anew whether it spares the connection, and passing on what it holds, as Toxiproxy does."""
        fitting, stage = self._stages[place]
        stage.update(fitting.roll(self._random), outlet=outlet)

    def _places(self, fitting: Fitting) -> list[int]:
        return [place for place, (fitted, _) in enumerate(self._stages) if fitted is fitting]

    def _unlink(self, gone: Stage) -> None:
        place = next(i for i, (_, stage) in enumerate(self._stages) if stage is gone)
        if place:
            self._stages[place - 1][1].skip(gone)
        del self._stages[place]
        self.relieved()
