"""Signals: end or freeze a process at an exact point of an exchange."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.wire.matching import EntityFinder
from harness.wire.rules import DEFAULT_TTL_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.wire.rules import Call


Moment = Literal["response_head", "response_end"]


@dataclass(frozen=True, slots=True)
class Signal:
    """Send `signal` (`KILL`, `STOP`, …) to `pid` when the `nth` matching exchange to reach `when` does so.

    `response_head`: before a byte of that head is passed on. `response_end`: once the tap has the whole answer, before its
    last byte is passed on. It happens once; the signal is then used up. It lifts itself after `ttl_s`; so does a process that
    was stopped go on.
    """

    id: str
    listener: str
    pid: int
    signal: str
    operation: str | None = None
    entities: Mapping[str, tuple[str, ...]] | None = None
    when: Moment = "response_head"
    nth: int = 1
    ttl_s: float = DEFAULT_TTL_S

    def as_body(self) -> dict[str, Any]:
        """Return the signal as JSON values, without what is not set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def signal_number(name: str) -> signal.Signals:
    """Return the signal of that name, with or without SIG; raise ValueError if there is none."""
    try:
        return signal.Signals["SIG" + name.upper().removeprefix("SIG")]
    except KeyError:
        raise ValueError(f"{name} is no signal") from None


class ArmedSignal:
    """A signal waiting for its moment."""

    def __init__(self, wanted: Signal, used_up: Callable[[Signal], None]) -> None:
        self.signal = wanted
        self._used_up = used_up
        self._reached = 0
        self._finder = None if wanted.entities is None else EntityFinder(wanted.entities)

    def reach(self, call: Call, moment: Moment) -> tuple[bool, str | None]:
        """Count an exchange at its moment if it matches; return whether it is the nth, and its entity."""
        if moment != self.signal.when or self.signal.operation not in (None, call.operation):
            return False, None
        entity = None
        if self._finder is not None:
            entity = self._finder.find(call.target, call.body)
            if entity is None:
                return False, None
        self._reached += 1
        return self._reached == self.signal.nth, entity

    def send(self) -> str | None:
        """Signal the process, once; return what went wrong, or None."""
        self._used_up(self.signal)
        number = signal_number(self.signal.signal)
        try:
            os.kill(self.signal.pid, number)
        except OSError as error:
            return (error.strerror or str(error)).lower()
        if number == signal.SIGSTOP:
            asyncio.get_running_loop().call_later(self.signal.ttl_s, _thaw, self.signal.pid)
        return None


def _thaw(pid: int) -> None:
    """Let a process go on that nobody else may be left to wake; one that runs takes no notice."""
    with suppress(OSError):
        os.kill(pid, signal.SIGCONT)
