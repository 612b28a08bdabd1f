"""What each webhook fault makes of a delivery: a plan the outbox follows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from fakes.kit.bodies import dump_json
from fakes.kit.kinds import REMOVAL

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from fakes.kit.board import Hit


def _same(body: bytes) -> bytes:
    return body


@dataclass(frozen=True, slots=True)
class Plan:
    """How to deliver one webhook; the defaults are the vendor's good day."""

    fault_id: str | None = None
    dropped: bool = False
    copies: int = 1
    same_id: bool = True
    together: bool = True
    delay_s: float = 0.0
    after_topic: str | None = None
    ended: asyncio.Event | None = None
    age_s: float = 0.0
    signed_now: bool = False
    signing: Literal["genuine", "forged", "missing"] = "genuine"
    signs_original: bool = False
    retries: bool = True
    mutate: Callable[[bytes], bytes] = _same


def _drop(hit: Hit) -> Plan:
    return Plan(hit.fault.id, dropped=True)


def _duplicate(hit: Hit) -> Plan:
    params = hit.fault.params
    return Plan(hit.fault.id, copies=params["copies"], same_id=params["same_id"], together=params["together"])


def _out_of_order(hit: Hit) -> Plan:
    return Plan(hit.fault.id, after_topic=hit.fault.params["after_topic"], ended=hit.ended)


def _bad_signature(hit: Hit) -> Plan:
    how = hit.fault.params["how"]
    if how == "other_body":
        return Plan(hit.fault.id, signs_original=True, mutate=change_body, retries=False)
    return Plan(hit.fault.id, signing=how, retries=False)


def _malform(hit: Hit) -> Plan:
    return Plan(hit.fault.id, mutate=MUTATIONS[hit.fault.params["mutation"]])


def _delay(hit: Hit) -> Plan:
    return Plan(hit.fault.id, delay_s=hit.fault.params["seconds"])


def _age(hit: Hit) -> Plan:
    age_s = hit.fault.params["age_s"]
    if hit.fault.params["signed"] == "now":
        return Plan(hit.fault.id, age_s=age_s, signed_now=True, mutate=partial(backdate, age_s=age_s))
    return Plan(hit.fault.id, age_s=age_s)


PLANS: dict[str, Callable[[Hit], Plan]] = {
    "webhook_dropped": _drop,
    "webhook_duplicate": _duplicate,
    "webhook_out_of_order": _out_of_order,
    "webhook_bad_signature": _bad_signature,
    "webhook_malformed": _malform,
    "webhook_delayed": _delay,
    "webhook_stale": _age,
    REMOVAL: _drop,
}


def change_body(body: bytes) -> bytes:
    """Return a body that still decodes but differs from the one that was signed."""
    value = json.loads(body)
    return dump_json({**value, "note": "changed on the way"}) if isinstance(value, dict) else body + b" "


def backdate(body: bytes, *, age_s: float) -> bytes:
    """Return the body of an event that happened so much earlier: what it tells of stays as it is."""
    value = json.loads(body)
    if isinstance(value.get("created"), int):
        value["created"] -= int(age_s)
    if isinstance(value.get("timestamp"), str):
        at = datetime.fromisoformat(value["timestamp"]) - timedelta(seconds=age_s)
        value["timestamp"] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return dump_json(value)


def _retype(value: Any) -> Any:
    """Make of every scalar one of another type, keep the shape: texts become numbers, numbers become lists."""
    if isinstance(value, dict):
        return {name: _retype(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {"0": [_retype(inner) for inner in value]}
    return 7 if isinstance(value, str) else [value]


def _truncate(body: bytes) -> bytes:
    return body[: max(1, len(body) * 2 // 3)]


def _replace_by_text(_: bytes) -> bytes:
    return b"<html><body>Temporarily unavailable</body></html>"


def _change_types(body: bytes) -> bytes:
    return dump_json(_retype(json.loads(body)))


def _strip_fields(body: bytes) -> bytes:
    value = json.loads(body)
    kept = [name for name in ("created_at", "updated_at", "currency") if name in value]
    return dump_json({name: value[name] for name in kept})


def _empty(_: bytes) -> bytes:
    return b""


MUTATIONS: dict[str, Callable[[bytes], bytes]] = {
    "truncated": _truncate,
    "not_json": _replace_by_text,
    "wrong_types": _change_types,
    "missing_fields": _strip_fields,
    "empty": _empty,
}
