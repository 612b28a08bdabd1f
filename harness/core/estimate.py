"""
Backoff as it was seen: which policy the waits between attempts look like, whatever is declared.

Every family of jitter is weighed by how well it explains the waits, averaged over all bases and factors it could have: what
would explain anything explains little. Where no family stands out, the sample is too small, and nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import exp, inf, log, prod
from typing import TYPE_CHECKING

from harness.core.jitter import FAMILIES, LATE_S, LATE_SHARE, Family, Wait, cap_decorrelated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# How sure a family must be, and how much of what a value may be its interval covers.
SURE, COVERED = 0.95, 0.95
# How much less than the best speaks for an explanation that is not worth a thought.
SLIGHT = 0.05
# Two waits fit every base and factor there is.
FEWEST = 3
# More waits than these make nothing surer that matters.
MOST = 24
# Waits that may be late by more than this part of the longest of all tell nothing.
BLURRED = 0.25
# Bases over three orders of magnitude, and factors up to four, are taken to be as likely as each other.
BASES, STEEPEST = log(1000), 4.0
FACTORS, SLICES = 40, 20
# Where waits do not bound a base, it is looked for over so many times what they do bound.
REACH = 40.0


@dataclass(frozen=True, slots=True)
class Range:
    """What a value is likeliest to be, and the interval it lies in."""

    likeliest: float
    lowest: float
    highest: float

    def multiply(self, times: float) -> Range:
        """Return it so many times as large."""
        return Range(self.likeliest * times, self.lowest * times, self.highest * times)

    def widen(self, share: float) -> Range:
        """Widen it by a share of its bounds."""
        return Range(self.likeliest, self.lowest * max(0.0, 1 - share), self.highest * (1 + share))

    def __str__(self) -> str:
        """Say it, to hundredths."""
        return f"{self.likeliest:.2f} ({self.lowest:.2f} to {self.highest:.2f})"


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    What so many waits look like, those that a busy machine blurred left out; base and cap in the seconds they were given in.

    `families` are all that may be, the likeliest first: more than one where the waits do not tell, and then nothing else is
    said. `factor` and `cap` are None where no wait shows them.
    """

    waits: int
    families: tuple[str, ...] = ()
    base: Range | None = None
    factor: Range | None = None
    cap: Range | None = None

    def multiply(self, times: float) -> Estimate:
        """Return it in another unit, of which so many are one of these."""
        base, cap = (None if each is None else each.multiply(times) for each in (self.base, self.cap))
        return replace(self, base=base, cap=cap)

    def __str__(self) -> str:
        """Say what was seen, or why that says nothing."""
        counted = f"{self.waits or 'no'} wait{'' if self.waits == 1 else 's'}"
        if self.base is None:
            among = f": the jitter may be {' or '.join(self.families)}" if len(self.families) > 1 else ""
            return f"{counted}, too few to tell the backoff{among}"
        said = ["no jitter" if self.families[0] == "none" else f"{self.families[0]} jitter", f"base ≈ {self.base} s"]
        said += [f"factor ≈ {self.factor}"] if self.factor is not None else []
        said += [f"at most ≈ {self.cap} s"] if self.cap is not None else []
        return f"{', '.join(said)}, from {counted}"


def estimate_backoff(waits: Iterable[Wait]) -> Estimate:
    """Estimate the policy behind some waits: its jitter, base, factor and cap, as far as they tell."""
    seen = tuple(waits)
    longest_s = max((wait.waited_s for wait in seen), default=0.0)
    seen = tuple(wait for wait in seen if wait.late_s <= BLURRED * longest_s)
    # Every so many of them, where there are more: the first ones alone would be of the first orders.
    taken = seen[:: -(-len(seen) // MOST)] if seen else ()
    found = list(_list_explanations(taken)) if len(seen) >= FEWEST else []
    total = sum(each.weight for each in found)
    if not total:
        return Estimate(len(seen))
    shares = {name: sum(each.weight for each in found if each.family == name) / total for name in FAMILIES}
    likely = tuple(sorted((name for name in shares if shares[name] > 1 - SURE), key=lambda name: -shares[name]))
    if not likely or shares[likely[0]] < SURE:
        return Estimate(len(seen), likely)
    return _merge(len(seen), [each for each in found if each.family == likely[0]])


@dataclass(frozen=True, slots=True)
class _Explanation:
    """One way to explain all waits: how much speaks for it, and the values it takes."""

    family: str
    weight: float
    base: Range
    factor: Range | None = None
    cap: Range | None = None


def _merge(waits: int, found: Sequence[_Explanation]) -> Estimate:
    """
    Say what the explanations of one family have in common: intervals that hold what any of them takes to be possible.

    Where the cap sets in, if at all, jitter may hide: without being sure that it does nothing is said of it.
    """
    likely = [each for each in found if each.weight > SLIGHT * max(other.weight for other in found)]
    best = max(likely, key=lambda each: each.weight)
    capped = all(each.cap is not None for each in likely)
    return Estimate(
        waits,
        (best.family,),
        _join(best.base, [each.base for each in likely]),
        _join(best.factor, [each.factor for each in likely]),
        _join(best.cap, [each.cap for each in likely]) if capped else None,
    )


def _join(best: Range | None, others: Iterable[Range | None]) -> Range | None:
    """Widen an interval to hold all others; None where the best, or any other, says nothing."""
    found = [each for each in others if each is not None]
    if best is None:
        return None
    return Range(best.likeliest, min(each.lowest for each in found), max(each.highest for each in found))


def _list_explanations(waits: Sequence[Wait]) -> Iterator[_Explanation]:
    """Explain the waits by each family, growing all along or only up to a cap."""
    ordinals = sorted({wait.ordinal for wait in waits})
    for name, family in FAMILIES.items():
        whole = _explain(name, family, waits)
        if whole is not None:
            yield whole
        if not family.grows:
            yield from _explain_cut(name, waits)
            continue
        for first in ordinals[1:]:
            capped = _explain_capped(name, family, waits, first)
            if capped is not None:
                yield capped


def _explain_cut(name: str, waits: Sequence[Wait]) -> Iterator[_Explanation]:
    """Explain waits of which several are as long as the longest by a cap that cut them."""
    longest = max(waits, key=lambda wait: wait.waited_s)
    alike = sorted(wait.waited_s for wait in waits if wait.waited_s >= longest.waited_s - 2 * longest.mean_late_s)
    if len(alike) == 1 or len(waits) - len(alike) < FEWEST - 1:
        return  # no cap shows, or nothing but the cap does
    cut = _explain(name, cap_decorrelated(alike[0]), waits)
    if cut is not None:
        share = min(1.0, longest.mean_late_s / alike[0] / BASES)
        cap = Range(alike[0], alike[0], alike[0]).widen(LATE_SHARE + LATE_S / alike[0])
        yield _Explanation(name, cut.weight * share, cut.base, cap=cap)


def _explain_capped(name: str, family: Family, waits: Sequence[Wait], first: int) -> _Explanation | None:
    """Explain waits that grow until the ordinal `first`, and from there on would be longer, were it not for a cap."""
    head = [wait for wait in waits if wait.ordinal < first]
    flat = [Wait(1, wait.waited_s, late_s=wait.late_s) for wait in waits if wait.ordinal >= first]
    few = (
        len({wait.ordinal for wait in head}),
        len({wait.ordinal for wait in waits}) - len({wait.ordinal for wait in head}),
    )
    if max(few) == 1 or len(flat) == 1:
        return None  # neither what grows nor what does not can be seen
    grown, even = _explain(name, family, head), _explain(name, family, flat)
    if grown is None or even is None:
        return None
    steepest = grown.factor.highest if grown.factor is not None else STEEPEST
    next_s = grown.base.likeliest * steepest ** (first - 1)
    if not grown.base.likeliest < even.base.likeliest < next_s:
        return None
    return _Explanation(name, grown.weight * even.weight, grown.base, grown.factor, even.base)


def _explain(name: str, family: Family, waits: Sequence[Wait]) -> _Explanation | None:
    """Average how well a family explains the waits over its bases and factors; None where it cannot at all."""
    factors, share = _list_factors(family, waits)
    weighed = [
        (each, base, wide, factor) for factor in factors for base, wide, each in _list_bases(family, waits, factor)
    ]
    weight = sum(each for each, _, _, _ in weighed)
    if not weight:
        return None
    base = _find_range([(base, wide, each) for each, base, wide, _ in weighed])
    # Nobody is more exact than the timers that were waited on.
    inexact = LATE_SHARE + LATE_S / base.likeliest
    factor = (
        _find_range([(factor, 1.0, each) for each, _, _, factor in weighed]).widen(inexact)
        if len(factors) > 1
        else None
    )
    base = base.widen(inexact)
    # However late the others may have been, the shortest wait may have been in time.
    steep = factor.likeliest if factor is not None else 1.0
    punctual = min(family.bound(wait)[1] / steep ** (wait.ordinal - 1) for wait in waits)
    if name == "none":
        base = replace(base, highest=max(base.highest, punctual))
    return _Explanation(name, weight * share / len(factors), base, factor)


def _list_factors(family: Family, waits: Sequence[Wait]) -> tuple[list[float], float]:
    """List the factors that waits leave room for, evenly over their logarithms, and which share of all factors that is."""
    ordinals = sorted({wait.ordinal for wait in waits})
    if not family.grows or len(ordinals) == 1:
        return [1.0], 1.0
    bounds = [_bound(family, [wait for wait in waits if wait.ordinal == ordinal]) for ordinal in ordinals]
    lowest, highest = 0.0, log(STEEPEST)
    for (few, (least, most)), (many, (lower, upper)) in combinations(zip(ordinals, bounds, strict=True), 2):
        steps = many - few
        lowest = max(lowest, log(lower / most) / steps if lower > 0 and most < inf else 0.0)
        highest = min(highest, log(upper / least) / steps if least > 0 and upper < inf else highest)
    if lowest > highest:
        return [], 0.0
    step = (highest - lowest) / FACTORS
    return [exp(lowest + step * at) for at in range(FACTORS + 1)], (highest - lowest) / log(STEEPEST)


def _list_bases(family: Family, waits: Sequence[Wait], factor: float) -> Iterator[tuple[float, float, float]]:
    """Slice the bases that waits leave room for at a factor: the middle of each, how many times that it reaches, and what speaks for it."""
    grown = [factor ** (wait.ordinal - 1) if family.grows else 1.0 for wait in waits]
    bounds = [
        (least / times, most / times)
        for (least, most), times in zip((family.bound(wait) for wait in waits), grown, strict=True)
    ]
    least, most = max(bound[0] for bound in bounds), min(bound[1] for bound in bounds)
    if least > most:
        return
    most = min(most, least * REACH) if least > 0 else most
    least = max(least, most / REACH)
    step = log(most / least) / SLICES if 0 < least < most < inf else 0.0
    for at in range(SLICES if step else 0):
        base = least * exp(step * (at + 0.5))
        weight = prod(family.weigh(wait, base * times) for wait, times in zip(waits, grown, strict=True))
        yield base, exp(step / 2), weight * step / BASES


def _bound(family: Family, waits: Sequence[Wait]) -> tuple[float, float]:
    bounds = [family.bound(wait) for wait in waits]
    return max(least for least, _ in bounds), min(most for _, most in bounds)


def _find_range(weighed: Iterable[tuple[float, float, float]]) -> Range:
    """Find the middle of weighed slices, and what all but the outermost cover: whole slices, however wide they are."""
    ordered = sorted(weighed)
    total, passed = sum(weight for _, _, weight in ordered), 0.0
    marks = [(1 - COVERED) / 2, 0.5, (1 + COVERED) / 2]
    found: list[tuple[float, float]] = []
    for value, wide, weight in ordered:
        passed += weight
        while len(found) < len(marks) and passed >= marks[len(found)] * total * (1 - 1e-9):
            found.append((value, wide))
    (lowest, below), (likeliest, _), (highest, above) = found
    return Range(likeliest, lowest / below, highest * above)
