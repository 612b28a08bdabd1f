"""Triggers: what must have gone wrong for a resolution path to apply."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Literal, get_args

from harness.core.problems import NOWHERE, Location

Condition = Literal[
    "rate_limited",
    "session_expired",
    "permission_denied",
    "timeout",
    "connection",
    "malformed",
    "lost_response",
    "not_persisted",
    "partial_allocation",
    "dropped",
    "duplicate",
    "out_of_order",
    "bad_signature",
    "stale",
    "receiver_down",
    "subscription_removed",
    "crash",
    "file_truncated",
    "file_duplicate",
    "file_missing",
    "file_rejected",
    "ack_missing",
    "any",
]
CONDITIONS: tuple[str, ...] = get_args(Condition)

AMOUNTS = frozenset({"amount", "total", "total_price", "order.total"})
"""What stacks call the amount of an order."""

_THRESHOLD = re.compile(
    r"\s*(?P<field>[A-Za-z_][A-Za-z0-9_.]{0,60})\s*(?P<operator>>=|<=|==|!=|>|<)\s*"
    r"(?P<value>-?[0-9]{1,15}(?:\.[0-9]{1,6})?)\s*(?P<unit>[A-Za-z]{0,10})\s*"
)

THRESHOLD_PATTERN = f"^{re.sub(r'[?]P<[a-z]+>', '', _THRESHOLD.pattern)}$"
"""The same without names of its groups, as editors read it."""


class Specificity(IntEnum):
    """Rank triggers: where several match, the highest wins."""

    ANY = 0
    STATUS = 1
    CONDITION = 2
    THRESHOLD = 3
    CODE = 4
    CODE_AND_TEXT = 5


@dataclass(frozen=True, slots=True)
class Threshold:
    """Compare a value of the order with a limit, such as `amount > 500.00 EUR`."""

    field: str
    operator: str
    value: Decimal
    unit: str = ""

    def __str__(self) -> str:
        """Write the comparison without spaces."""
        return f"{self.field}{self.operator}{self.value:f}{self.unit}"

    @property
    def subject(self) -> str:
        """Return what is compared: every name of an order's amount is the same."""
        return "amount" if self.field in AMOUNTS else self.field

    def overlaps(self, other: Threshold) -> bool:
        """Tell whether one value can satisfy both comparisons: of the same field, or both of the order's amount."""
        if self.subject != other.subject or (self.unit and other.unit and self.unit != other.unit):
            return False
        step = Decimal("0.0000001")
        edges = {edge + delta for edge in (self.value, other.value) for delta in (-step, Decimal(0), step)}
        return any(self.holds(edge) and other.holds(edge) for edge in edges)

    def holds(self, value: Decimal) -> bool:
        """Tell whether a value satisfies the comparison."""
        sign = (value > self.value) - (value < self.value)
        return sign in {">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0), "==": (0,), "!=": (-1, 1)}[self.operator]


@dataclass(frozen=True, slots=True)
class Trigger:
    """
    Say which failures a path applies to; exactly one of `status`, `code`, `when` and `condition` is set.

    `text` narrows a code to answers that contain it. The location does not count when triggers are compared.
    """

    status: int | None = None
    code: str | None = None
    text: str | None = None
    when: Threshold | None = None
    condition: Condition | None = None
    location: Location = field(default=NOWHERE, compare=False)

    @property
    def specificity(self) -> Specificity:
        """Return how specific the trigger is; the most specific one that matches wins."""
        if self.code is not None:
            return Specificity.CODE if self.text is None else Specificity.CODE_AND_TEXT
        if self.when is not None:
            return Specificity.THRESHOLD
        if self.status is not None:
            return Specificity.STATUS
        return Specificity.ANY if self.condition == "any" else Specificity.CONDITION

    @property
    def slug(self) -> str:
        """Return the trigger as it stands in experiment ids: no spaces, no slashes, no colons."""
        if self.code is not None:
            code = _slug(self.code)
            code = f"code-{code}" if code.isdigit() or code in CONDITIONS else code
            return code if self.text is None else f"{code}+{_slug(self.text)}"
        if self.when is not None:
            return str(self.when)
        return str(self.status) if self.status is not None else str(self.condition)

    def ties_with(self, other: Trigger) -> bool:
        """Tell whether one failure can match both while neither is more specific."""
        if self.specificity != other.specificity:
            return False
        if self.when is not None and other.when is not None:
            return self.when.overlaps(other.when)
        if self.text is not None and other.text is not None:
            mine, theirs = self.text.casefold(), other.text.casefold()
            return self.code == other.code and (mine in theirs or theirs in mine)
        return self == other

    def shares_id_with(self, other: Trigger) -> bool:
        """Tell whether both stand in ids as the same word, although no failure need match both."""
        return self.slug == other.slug


def parse_threshold(text: str) -> Threshold:
    """Read a comparison such as `amount > 500.00 EUR`; raise ValueError with a sentence when it is none."""
    match = _THRESHOLD.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text[:60]}` is not a comparison such as `amount > 500.00 EUR`")
    return Threshold(match["field"], match["operator"], Decimal(match["value"]), match["unit"])


def _slug(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text.strip()).strip("-") or "code"
