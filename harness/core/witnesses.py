"""
Pair what the tap saw with what the fakes saw.

Both witnesses record a call by method, path and the hash of its body; repeated calls that are equal in all three are told
apart by time, since a fake gets a call only while the tap has it open. What cannot be paired, and what a paired call's
witnesses say differently without a fault to explain it, is a disagreement.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Entry = Mapping[str, Any]

# A vendor may finish with a call after its client has gone.
AFTERWARDS_S = 5.0
CLOCK_GRAIN_S = 0.005


@dataclass(frozen=True, slots=True)
class Pair:
    """One call as the tap and the fake saw it; either may be missing."""

    tap: Entry | None
    fake: Entry | None


def pair_calls(tap: Sequence[Entry], fake: Sequence[Entry]) -> tuple[Pair, ...]:
    """
    Pair the outbound exchanges of one system, in the order the tap saw them begin.

    What a fake received belongs to the newest equal call the tap had open then, of those with the same answer if there are
    any: an older one that never arrived cannot take it, and two equal calls at once do not swap their answers.
    """
    in_order = sorted(tap, key=lambda entry: entry["started_mono"])
    coming: defaultdict[tuple[str, str, str], deque[Entry]] = defaultdict(deque)
    for call in in_order:
        coming[_name(call)].append(call)
    under_way: defaultdict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    matches: dict[str, Entry] = {}
    left: list[Pair] = []
    for seen in sorted(fake, key=lambda entry: entry["received_mono"]):
        name = _name(seen)
        while coming[name] and _has_begun(coming[name][0], seen):
            under_way[name].append(coming[name].popleft())
        # What is over for this one is over for all that were received later.
        candidates = [call for call in under_way[name] if call["id"] not in matches and _is_open(call, seen)]
        under_way[name] = candidates
        if candidates:
            alike = [call for call in candidates if call["status"] == seen["status"]]
            matches[(alike or candidates)[-1]["id"]] = seen
        else:
            left.append(Pair(None, seen))
    return (*(Pair(call, matches.get(call["id"])) for call in in_order), *left)


def pair_deliveries(tap: Sequence[Entry], deliveries: Sequence[Entry]) -> tuple[Pair, ...]:
    """Pair webhook deliveries with the inbound exchanges of the tap."""
    in_order = sorted(tap, key=lambda entry: entry["started_mono"])
    coming: defaultdict[str, deque[Entry]] = defaultdict(deque)
    for call in in_order:
        coming[call["request_sha256"]].append(call)
    matched: set[str] = set()
    pairs: list[Pair] = []
    for sent in sorted(deliveries, key=lambda entry: entry["sent_mono"]):
        if sent["outcome"] == "suppressed":
            continue
        waiting = coming[sent["body_sha256"]]
        while waiting and (waiting[0]["id"] in matched or _is_before(waiting[0], sent)):
            waiting.popleft()
        inside = takewhile(lambda call, sent=sent: _is_carried(call, sent), waiting)  # type: ignore[misc]  # bound early
        candidates = [call for call in inside if call["id"] not in matched]
        match = next((call for call in candidates if call["status"] == sent["status"]), next(iter(candidates), None))
        if match is not None:
            matched.add(match["id"])
        pairs.append(Pair(match, sent))
    return (*pairs, *(Pair(call, None) for call in in_order if call["id"] not in matched))


def list_disagreements(pairs: Iterable[Pair], *, since: float) -> tuple[str, ...]:
    """List the calls begun after `since` on which the witnesses differ and no fault explains why."""
    return tuple(
        sentence
        for pair in pairs
        if _began(pair) >= since and not _explained(pair)
        for sentence in [_differ(pair)]
        if sentence
    )


def _differ(pair: Pair) -> str:
    if pair.tap is None:
        return f"{_describe(pair.fake)} reached the other side without passing the tap" if pair.fake else ""
    if pair.fake is None:
        never = f"{_describe(pair.tap)} passed the tap ({pair.tap['end']}) and never reached the other side"
        return "" if _is_cut_short(pair.tap) else never
    if pair.tap["end"] == "client_closed":
        return ""  # the client hung up: what the vendor answered afterwards is its own affair
    if pair.tap["status"] != pair.fake["status"]:
        return f"{_describe(pair.tap)} was answered {pair.fake['status']} and seen as {pair.tap['status']}"
    return ""


def _is_cut_short(call: Entry) -> bool:
    """Tell whether the client was gone before its request was whole, as one is that dies while it sends."""
    return call["end"] == "client_closed" and call.get("request_mono") is None


def _explained(pair: Pair) -> bool:
    return bool((pair.tap and pair.tap.get("rule")) or (pair.fake and pair.fake.get("faults")))


def _name(entry: Entry) -> tuple[str, str, str]:
    return entry["method"], entry["path"], entry["request_sha256"]


def _has_begun(call: Entry, seen: Entry) -> bool:
    return bool(call["started_mono"] - CLOCK_GRAIN_S <= seen["received_mono"])


def _is_open(call: Entry, seen: Entry) -> bool:
    return bool(seen["received_mono"] <= call["ended_mono"] + AFTERWARDS_S)


def _is_before(call: Entry, sent: Entry) -> bool:
    return bool(call["started_mono"] < sent["sent_mono"] - CLOCK_GRAIN_S)


def _is_carried(call: Entry, sent: Entry) -> bool:
    return bool(call["started_mono"] <= sent["ended_mono"] + CLOCK_GRAIN_S)


def _began(pair: Pair) -> float:
    if pair.tap is not None:
        return float(pair.tap["started_mono"])
    seen = pair.fake or {}
    return float(seen.get("received_mono") or seen.get("sent_mono") or 0.0)


def _describe(entry: Entry) -> str:
    if "webhook_id" in entry:
        return f"webhook {entry['topic']} attempt {entry['attempt']}"
    return f"{entry['method']} {entry['path']}"
