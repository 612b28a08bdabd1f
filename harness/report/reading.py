"""
Read the parts of run.json into values.

Every field may be missing or of another type than expected: an interrupted run, an older harness and a half-written
file must all be shown. A verdict that cannot be read is `unknown`, never `held`.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.report.model import (
    VERDICTS,
    Accepted,
    Backoff,
    Check,
    Event,
    Evidence,
    Experiment,
    Fault,
    Gap,
    Gate,
    Handoff,
    Ledger,
    Met,
    Receipt,
    Skipped,
    Standing,
    Stray,
    Timeline,
    Timing,
    Verdict,
)

_LARGEST = 1e15  # beyond, nothing a run counts or measures: more likely garbage, and infinities with it


def text(data: Mapping[str, Any], key: str) -> str:
    """Return the field as text, empty when it is missing or null."""
    value = data.get(key)
    return "" if value is None else str(value)


def number(data: Mapping[str, Any], key: str) -> float | None:
    """Return the field as a finite number, None when it is anything else."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def count(data: Mapping[str, Any], key: str) -> int | None:
    """Return the field as a whole number, None when it is anything else."""
    value = number(data, key)
    return None if value is None else int(value)


def mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the field as an object, empty when it is anything else."""
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def objects(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list field, empty when there is no list."""
    value = data.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def read_verdict(data: Mapping[str, Any]) -> Verdict:
    """Return the verdict; one that cannot be read is unknown."""
    for verdict in VERDICTS:
        if data.get("verdict") == verdict:
            return verdict
    return "unknown"


def read_experiments(
    run: Mapping[str, Any], *, timelines: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Experiment, ...]:
    """
    Read all experiments in their order.

    `timelines` (by experiment id) take the place of the ones in the run. An experiment another one is a rerun of is
    marked superseded: it is shown, and not counted.
    """
    listed = objects(run, "experiments")
    rerun = {_read_rerun(item) for item in listed} - {""}
    seen: Counter[str] = Counter()
    return tuple(_read_experiment(item, rerun, seen, timelines or {}) for item in listed)


def _read_experiment(
    data: Mapping[str, Any], rerun: set[str], seen: Counter[str], timelines: Mapping[str, Mapping[str, Any]]
) -> Experiment:
    name = text(data, "id") or "unnamed"
    handoff = text(data, "handoff") or name.partition("/")[0]
    verdict = read_verdict(data)
    accepted = read_accepted(data)
    standing: Standing = "accepted" if accepted and verdict != "held" else verdict
    return Experiment(
        id=name,
        anchor=_build_anchor(name, seen),
        handoff=handoff,
        clause=clause_of(data, name, handoff),
        shape=text(data, "shape") or name.rpartition("/")[2],
        verdict=verdict,
        standing=standing,
        superseded=name in rerun and not _read_rerun(data),
        unknown_kind=text(data, "unknown_kind"),
        reason=text(data, "reason"),
        declared=text(data, "declared"),
        observed=text(data, "observed"),
        location=text(data, "location"),
        faults=tuple(_read_fault(item) for item in objects(data, "faults")),
        gates=tuple(_read_gate(item) for item in objects(data, "gates")),
        checks=tuple(_read_check(item) for item in objects(data, "checks")),
        timing=_read_timing(data),
        reproduce=text(data, "reproduce") or f"handoff run -k {name}",
        timeline=_read_timeline(timelines.get(name) or mapping(data, "timeline")),
        rerun_of=_read_rerun(data),
        first_try=_read_first_try(mapping(data, "rerun_of")),
        accepted=accepted,
    )


def _read_rerun(data: Mapping[str, Any]) -> str:
    """Return the id of what this is a rerun of; a rerun that tells its first try in itself repeats no other."""
    return "" if mapping(data, "rerun_of") else text(data, "rerun_of")


def _read_first_try(first: Mapping[str, Any]) -> str:
    told = (text(first, key) for key in ("verdict", "outcome", "unknown_kind", "kind", "reason"))
    return ", ".join(word for word in told if word)


def clause_of(data: Mapping[str, Any], name: str, handoff: str) -> str:
    """Return the clause without its handoff: `429:retry`, `breaker`; taken from the experiment id where it is missing."""
    stated = text(data, "clause") or name.rpartition("/")[0] or name
    return stated.removeprefix(f"{handoff}/")


def _build_anchor(name: str, seen: Counter[str]) -> str:
    slug = "e-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:120] or "unnamed")
    seen[slug] += 1
    return slug if seen[slug] == 1 else f"{slug}--{seen[slug]}"


def read_accepted(data: Mapping[str, Any]) -> Accepted | None:
    """Read why the verdict is lived with, None when it is not."""
    accepted = mapping(data, "accepted")
    return Accepted(reason=text(accepted, "reason"), until=text(accepted, "until")) if accepted else None


def _read_fault(data: Mapping[str, Any]) -> Fault:
    listed = data.get("receipts")
    return Fault(
        id=text(data, "id"),
        kind=text(data, "kind"),
        target=text(data, "target"),
        receipts=len(listed) if isinstance(listed, list | tuple) else count(data, "receipts"),
        listed=tuple(_read_receipt(item) for item in objects(data, "receipts")),
        min_receipts=count(data, "min_receipts"),
        expected_receipts=count(data, "expected_receipts"),
    )


def _read_receipt(data: Mapping[str, Any]) -> Receipt:
    return Receipt(
        t=number(data, "t"),
        where=text(data, "where"),
        entity=text(data, "entity"),
        client_saw=text(data, "client_saw"),
        server_saw=text(data, "server_saw"),
    )


def _read_gate(data: Mapping[str, Any]) -> Gate:
    return Gate(name=text(data, "name"), passed=data.get("passed") is True, detail=text(data, "detail"))


def _read_check(data: Mapping[str, Any]) -> Check:
    return Check(
        name=text(data, "name"),
        verdict=read_verdict(data),
        declared=text(data, "declared"),
        observed=text(data, "observed"),
        evidence=tuple(_read_evidence(item) for item in objects(data, "evidence")),
    )


def _read_evidence(data: Mapping[str, Any]) -> Evidence:
    return Evidence(what=text(data, "what"), t=number(data, "t"), exchange=text(data, "exchange"))


def _read_timing(data: Mapping[str, Any]) -> Timing:
    return Timing(
        duration_s=number(data, "duration_s"),
        inherent_s=number(data, "inherent_wait_s"),
        integration_s=number(data, "integration_s"),
        overhead_s=number(data, "overhead_s"),
    )


def _read_timeline(data: Mapping[str, Any]) -> Timeline | None:
    events = [event for item in objects(data, "events") if (event := _read_event(item))]
    gaps = [gap for item in objects(data, "gaps") if (gap := _read_gap(item))]
    if not events and not gaps:
        return None
    events.sort(key=lambda event: event.t)
    last = max([event.until_t or event.t for event in events] + [gap.to_t for gap in gaps])
    return Timeline(duration_s=max(number(data, "duration_s") or 0.0, last), events=tuple(events), gaps=tuple(gaps))


def _read_event(data: Mapping[str, Any]) -> Event | None:
    t = number(data, "t")
    if t is None:
        return None
    return Event(
        t=t,
        lane=text(data, "lane"),
        kind=text(data, "kind"),
        label=text(data, "label"),
        entity=text(data, "entity"),
        fault=text(data, "fault"),
        until_t=number(data, "until_t"),
    )


def _read_gap(data: Mapping[str, Any]) -> Gap | None:
    start, end = number(data, "from_t"), number(data, "to_t")
    if start is None or end is None:
        return None
    observed = number(data, "observed_s")
    return Gap(
        from_t=start,
        to_t=end,
        declared_min_s=number(data, "declared_min_s"),
        declared_max_s=number(data, "declared_max_s"),
        observed_s=end - start if observed is None else observed,
    )


def read_handoffs(run: Mapping[str, Any]) -> tuple[Handoff, ...]:
    """Read the handoffs the run lists, in their order."""
    return tuple(
        Handoff(
            id=text(item, "id"),
            source=text(item, "from"),
            target=text(item, "to"),
            protocol=text(item, "protocol"),
            owner=text(item, "owner"),
            impact=text(item, "impact"),
        )
        for item in objects(run, "handoffs")
    )


def read_skipped(run: Mapping[str, Any]) -> tuple[Skipped, ...]:
    """Read what was left out."""
    return tuple(Skipped(id=text(item, "id"), reason=text(item, "reason")) for item in objects(run, "skipped"))


def read_undeclared(run: Mapping[str, Any]) -> tuple[Met, ...]:
    """Read what was met and is declared nowhere."""
    return tuple(
        Met(
            kind=text(item, "kind"),
            where=text(item, "where"),
            what=text(item, "what"),
            count=count(item, "count"),
            experiments=_read_names(item, "experiments"),
        )
        for item in objects(run, "undeclared")
    )


def _read_names(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    listed = data.get(key)
    return tuple(str(name) for name in listed) if isinstance(listed, list | tuple) else ()


def read_backoff(run: Mapping[str, Any]) -> tuple[Backoff, ...]:
    """Read what the waits of each clause looked like."""
    return tuple(
        Backoff(text(item, "clause"), text(item, "declared"), text(item, "observed"))
        for item in objects(run, "backoff")
    )


def read_ledger(run: Mapping[str, Any]) -> Ledger | None:
    """Read where the orders ended up, None when the run holds no ledger."""
    data = mapping(run, "ledger")
    if not data:
        return None
    return Ledger(
        orders=count(data, "orders"),
        captured=count(data, "captured"),
        posted=count(data, "posted"),
        parked=count(data, "parked"),
        lost=count(data, "lost"),
        duplicated=count(data, "duplicated"),
        violations=tuple(_read_stray(item) for item in objects(data, "violations")),
        fulfilled=count(data, "fulfilled"),
        cancelled=count(data, "cancelled"),
        unseen=count(data, "unseen"),
    )


def _read_stray(data: Mapping[str, Any]) -> Stray:
    story = data.get("story")
    lines = story if isinstance(story, list | tuple) else [story] if story else []
    return Stray(entity=text(data, "entity"), state=text(data, "state"), story=tuple(str(line) for line in lines))
