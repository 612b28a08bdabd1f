"""PagerDuty Events v2: alerts and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.conftest import RunningFake

KEY = "0123456789abcdef0123456789abcdef"


def event(action: str = "trigger", **changes: Any) -> dict[str, Any]:
    """Return an event; a change to None leaves the field out."""
    details = {"handoff": "order-to-erp", "entity": "#411001", "code": "USER_ERROR", "role": "oncall"}
    payload = {"summary": "stuck", "source": "integration", "severity": "error", "custom_details": details}
    whole = {"routing_key": KEY, "event_action": action, "dedup_key": "k1", "payload": payload, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def send(fake: RunningFake, body: dict[str, Any]) -> httpx2.Response:
    """Post an event."""
    return fake.client.post("/v2/enqueue", json=body)


def test_a_trigger_opens_an_alert(opsdesk: RunningFake) -> None:
    """An accepted event is an open alert that tells handoff, entity, code and the role its key belongs to."""
    opsdesk.seed(
        entities=[{"name": "#411001", "aliases": ["411001"]}],
        settings={"roles": [{"role": "oncall", "key": KEY, "channel": "pagerduty"}]},
    )
    answer = send(opsdesk, event())
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "success", "message": "Event processed", "dedup_key": "k1"},
    )
    [alert] = opsdesk.state("alerts")
    assert {
        "role": "oncall",
        "routing_key": KEY,
        "dedup_key": "k1",
        "state": "triggered",
        "triggers": 1,
        "severity": "error",
        "summary": "stuck",
        "handoff": "order-to-erp",
        "entity": "#411001",
        "code": "USER_ERROR",
    }.items() <= alert.items()
    assert opsdesk.journal("exchange")[0]["entity"] == "#411001"


def test_the_same_key_adds_to_an_open_alert(opsdesk: RunningFake) -> None:
    """Triggers of an open key are one alert; after it was resolved the key opens a new one."""
    for _ in range(3):
        send(opsdesk, event())
    assert [(alert["state"], alert["triggers"]) for alert in opsdesk.state("alerts")] == [("triggered", 3)]
    send(opsdesk, event("acknowledge"))
    assert opsdesk.state("alerts")[0]["state"] == "acknowledged"
    send(opsdesk, event())
    send(opsdesk, event("resolve"))
    send(opsdesk, event())
    found = [(alert["state"], alert["triggers"]) for alert in opsdesk.state("alerts")]
    assert found == [("resolved", 4), ("triggered", 1)]


def test_a_key_is_scoped_to_its_routing_key(opsdesk: RunningFake) -> None:
    """The same key under another routing key is another alert, without a role when nobody has that key."""
    send(opsdesk, event())
    send(opsdesk, event(routing_key=KEY[::-1]))
    assert [(alert["routing_key"], alert["role"]) for alert in opsdesk.state("alerts")] == [
        (KEY, None),
        (KEY[::-1], None),
    ]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_unknown_key_is_accepted_and_dropped(opsdesk: RunningFake, action: str) -> None:
    """Acknowledging or resolving nothing is accepted and changes nothing."""
    assert send(opsdesk, event(action, payload=None)).status_code == 202
    assert opsdesk.state("alerts") == []


def test_a_missing_key_is_made_up(opsdesk: RunningFake) -> None:
    """Without a key every trigger is an alert of its own."""
    keys = {send(opsdesk, event(dedup_key=None)).json()["dedup_key"] for _ in range(2)}
    assert len(keys) == len(opsdesk.state("alerts")) == 2


def test_a_person_resolves_an_alert(opsdesk: RunningFake) -> None:
    """``resolve`` ends the open alerts of a key; there is nothing to resolve after that."""
    send(opsdesk, event())
    [alert] = opsdesk.state("alerts")
    assert opsdesk.act("resolve", dedup_key="k1") == {"resolved": [alert["id"]]}
    assert opsdesk.state("alerts")[0]["state"] == "resolved"
    assert opsdesk.control.post("/act/resolve", json={"dedup_key": "k1"}).status_code == 404


def test_a_role_key_of_any_length_is_taken(opsdesk: RunningFake) -> None:
    """A key that was registered is accepted whatever it looks like."""
    assert send(opsdesk, event(routing_key="short")).status_code == 400
    opsdesk.seed(settings={"roles": [{"role": "oncall", "key": "short"}]})
    assert send(opsdesk, event(routing_key="short")).status_code == 202
    assert opsdesk.state("alerts")[0]["role"] == "oncall"


@pytest.mark.parametrize(
    "change",
    [
        {"routing_key": None},
        {"routing_key": 7},
        {"event_action": "explode"},
        {"event_action": ["trigger"]},
        {"dedup_key": "x" * 256},
        {"dedup_key": 7},
        {"payload": None},
        {"payload": []},
        {"payload": {"summary": "s", "source": "x", "severity": "awful"}},
        {"payload": {"summary": "s", "source": "x", "severity": ["error"]}},
        {"payload": {"summary": "s" * 1025, "source": "x", "severity": "error"}},
        {"payload": {"source": "x", "severity": "error"}},
        {"event_action": "resolve", "dedup_key": None},
    ],
)
def test_a_bad_event_is_refused(opsdesk: RunningFake, change: dict[str, Any]) -> None:
    """What is no event is a 400 that lists what is wrong."""
    answer = send(opsdesk, event(**change))
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")
    assert answer.json()["errors"]
    assert opsdesk.state("alerts") == []


def test_too_many_events_are_dropped(opsdesk: RunningFake) -> None:
    """Past the limit of a routing key events are refused, other keys are not."""
    opsdesk.seed(settings={"events_per_min": 2})
    assert [send(opsdesk, event()).status_code for _ in range(3)] == [202, 202, 429]
    assert send(opsdesk, event(routing_key=KEY[::-1])).status_code == 202
    assert opsdesk.state("alerts")[0]["triggers"] == 2


def test_a_huge_event_is_refused(opsdesk: RunningFake) -> None:
    """An event over 512 KB is not taken."""
    assert send(opsdesk, event(client="x" * 600_000)).status_code == 413


def test_an_alert_can_be_lost_on_its_way(opsdesk: RunningFake) -> None:
    """A fault on the operation hits alerts about its order only."""
    opsdesk.seed(entities=[{"name": "#411001", "aliases": ["411001"]}])
    opsdesk.arm("status", operation="alert.enqueue", entity="#411001", params={"status": 500})
    assert send(opsdesk, event()).status_code == 500
    other = event()
    other["payload"]["custom_details"]["entity"] = "#411002"
    assert send(opsdesk, other).status_code == 202
