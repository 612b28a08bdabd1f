"""
The circuit breaker of a handoff.

purgatory's state machine decides about opening, reopening and closing. Around it stands what it does not have: a limit on the number
of probes (it lets everything through when half open), a memory of which sends began before the last change (their late answers
would reopen or close it), and a timer, so that the backlog itself provides the probe instead of waiting for new traffic.

The state is not kept across a restart: the breaker starts closed, and a system that is still down opens it again after the
declared number of failures, with a new alert. Attempts of the orders are in the queue, so no order gets more of them for it.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from purgatory.domain.model import CLOSED, HALF_OPENED, OPENED, Context

from reference.outcomes import Health
from reference.policy import BreakerPolicy

_FAILED = ConnectionError(
    "a failure on the wire"
)  # the state machine asks for an exception, and looks at its class alone


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send once. `period` numbers the stretch between two changes of state it was given in."""

    period: int


@dataclass(frozen=True, slots=True)
class Opening:
    """The breaker opened, or opened again after a failed probe (`again`): same outage, same `dedup_key`."""

    handoff: str
    dedup_key: str
    failures: int
    again: bool


class Breaker:
    """
    Lets sends through or not. Never waits itself: whoever gets no permit holds its order until `on_change` is called.

    `pause_s` is the pause to keep in this process's time, that is, already scaled.
    """

    def __init__(self, handoff: str, policy: BreakerPolicy, *, pause_s: float, on_change: Callable[[], None]) -> None:
        self._handoff = handoff
        self._probes = policy.probes
        self._on_change = on_change
        self._circuit = Context(handoff, threshold=policy.failures, ttl=pause_s)
        self._period = 0
        self._probing = 0
        self._failures = 0
        self._dedup_key = ""

    def admit(self) -> Permit | None:
        """Give leave to send once, or None while nothing may be sent. Each permit is handed back by `record` or `abandon`."""
        if self._circuit.state == OPENED:
            if not self._pause_is_over():
                return None
            self._circuit.handle_new_request()  # turns it half open
            self._enter_period()
        if self._circuit.state == HALF_OPENED:
            if self._probing >= self._probes:
                return None
            self._probing += 1
        return Permit(self._period)

    def record(self, permit: Permit, health: Health) -> Opening | None:
        """Note how a send ended; return the opening it caused, if it did."""
        if permit.period != self._period:
            return None  # it was sent before the last change and says nothing about the time since
        before = self._circuit.state
        if health is Health.DOWN:
            self._failures += 1
            self._circuit.handle_exception(_FAILED)
        elif health is Health.UP or before == HALF_OPENED:
            # A refusal neither counts nor resets, but a probe that got one has reached a system that answers.
            self._failures = 0
            self._circuit.handle_end_request()
        self._circuit.messages.clear()  # events for purgatory's own listeners, of which there are none
        return self._change(before) if self._circuit.state != before else None

    def abandon(self, permit: Permit) -> None:
        """Hand back a permit that was not used, or whose send was cut short by shutting down."""
        if permit.period == self._period and self._circuit.state == HALF_OPENED:
            self._probing -= 1
            self._on_change()

    def view(self) -> dict[str, object]:
        """Return the state as it is shown to operators; `half_open` as soon as a probe would be let through."""
        waiting = self._circuit.state == OPENED and not self._pause_is_over()
        state = "closed" if self._circuit.state == CLOSED else "open" if waiting else "half_open"
        view: dict[str, object] = {"handoff": self._handoff, "state": state, "consecutive_failures": self._failures}
        return view | ({"opened_at": self._circuit.opened_at} if self._circuit.opened_at else {})

    def _change(self, before: str) -> Opening | None:
        self._enter_period()
        self._on_change()
        if self._circuit.state != OPENED:
            return None
        self._arm()
        if before == CLOSED:
            self._dedup_key = f"{self._handoff}:breaker:{uuid.uuid4().hex[:12]}"
        return Opening(self._handoff, self._dedup_key, self._failures, again=before == HALF_OPENED)

    def _enter_period(self) -> None:
        self._period += 1
        self._probing = 0

    def _arm(self) -> None:
        wait_s = (self._circuit.opened_at or 0.0) + self._circuit.ttl - time.time()
        asyncio.get_running_loop().call_later(max(wait_s, 0.0) + 0.001, self._end_pause)

    def _end_pause(self) -> None:
        if self._circuit.state != OPENED:
            return
        if self._pause_is_over():
            self._on_change()
        else:  # opened again meanwhile, or the timer was a little early
            self._arm()

    def _pause_is_over(self) -> bool:
        # The same strict comparison as in purgatory, which otherwise raises.
        return time.time() > (self._circuit.opened_at or 0.0) + self._circuit.ttl
