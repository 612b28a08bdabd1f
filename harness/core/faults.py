"""
Faults as values, and the decision whether one hits.

A decision is a pure function of the seed, the fault, the order's ordinal in the plan and the attempt, so one seed gives
the same planned decisions whatever the timing, the vendor's ids or the order in which things happen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Layer(StrEnum):
    """Who makes a fault."""

    VENDOR = "vendor"  # the fake, as only it knows what the vendor would answer
    WEBHOOK = "webhook"  # the fake's sender
    WIRE = "wire"  # the tap and the toxic engine
    PROCESS = "process"  # a signal to the integration, timed by the tap
    ACT = "act"  # something done at the vendor, such as revoking every session


@dataclass(frozen=True, slots=True)
class Toxic:
    """One toxic of the wire: type, stream (`upstream` towards the vendor, `downstream` back) and attributes."""

    type: str
    stream: Literal["upstream", "downstream"]
    attributes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One fault of an experiment.

    `orders` are ordinals in the plan; none means every call of the operations. `attempts` are the matching exchanges it
    hits, counted for each order apart (or over all without orders); None means all. `minimum` receipts gate the verdict;
    `expected` is what a correct integration would leave and gates nothing.
    """

    id: str
    kind: str
    layer: Layer
    system: str
    operations: tuple[str, ...] = ()
    orders: tuple[int, ...] = ()
    attempts: tuple[int, ...] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    toxics: tuple[Toxic, ...] = ()
    probability: float = 1.0
    minimum: int = 1
    expected: int = 1

    @property
    def target(self) -> str:
        """Name what it is aimed at, for people."""
        return f"{self.system} {' '.join(self.operations)}".strip()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a fault will hit one attempt of one order; order 0 stands for all orders together."""

    fault: str
    order: int
    attempt: int
    hit: bool


def draw(seed: int, *words: object) -> float:
    """Draw a number in [0, 1) that depends on the seed and the words alone."""
    text = "\x1f".join(str(word) for word in (seed, *words))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def decide(seed: int, experiment: str, fault: Fault, *, order: int, attempt: int) -> bool:
    """Decide whether the fault hits this attempt of this order."""
    if fault.orders and order not in fault.orders:
        return False
    if fault.attempts is not None and attempt not in fault.attempts:
        return False
    return draw(seed, experiment, fault.id, order, attempt) < fault.probability


def plan_decisions(seed: int, experiment: str, fault: Fault, *, horizon: int) -> Iterator[Decision]:
    """List the decisions for attempts 1 to `horizon`, in canonical order."""
    for order in fault.orders or (0,):
        for attempt in range(1, horizon + 1):
            yield Decision(fault.id, order, attempt, decide(seed, experiment, fault, order=order, attempt=attempt))
