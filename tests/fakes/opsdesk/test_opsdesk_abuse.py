"""Garbage and crowds at the ops desk."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

KEY = "0123456789abcdef0123456789abcdef"
PATHS = ["/v2/enqueue", "/services/T1/B1/x", "/api/v2/tickets.json"]
BODIES = [b"", b"{", b"null", b"7", b"\xff\xfe", b"[" * 100_000, b'{"a":1' + b"0" * 6000 + b"}", b'{"a":"\\udfff"}']


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BODIES)
def test_garbage_is_refused(opsdesk: RunningFake, path: str, body: bytes) -> None:
    """Bodies that cannot be read get the vendor's 400."""
    answer = opsdesk.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/enqueue", 405),
        ("DELETE", "/api/v2/tickets.json", 405),
        ("GET", "/services/T1/B1/x", 405),
        ("GET", "/api/v2/nope", 404),
        ("GET", f"/api/v2/tickets/{'9' * 40}.json", 404),
        ("PUT", "/api/v2/tickets/%ff.json", 404),
        ("GET", "/api/v2/search.json", 422),
    ],
)
def test_wrong_ways_are_refused(opsdesk: RunningFake, method: str, path: str, status: int) -> None:
    """Unknown paths and wrong methods get a 4xx in the shape of the desk they are nearest to."""
    answer = opsdesk.client.request(method, path)
    assert answer.status_code == status
    assert (answer.headers["Content-Type"] == "text/plain; charset=utf-8") == path.startswith("/services")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
tickets = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("subject", "comment", "external_id", "group", "group_id", "tags", "custom_fields", "status"), json_values
    ),
)
events = st.fixed_dictionaries(
    {"routing_key": st.just(KEY)},
    optional={"event_action": st.just("trigger") | json_values, "dedup_key": json_values, "payload": json_values},
)
messages = st.fixed_dictionaries({}, optional=dict.fromkeys(("text", "blocks", "attachments", "channel"), json_values))


@given(body=json_values | events | messages | tickets.map(lambda inner: {"ticket": inner}))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_breaks_it(opsdesk: RunningFake, body: Any) -> None:
    """No JSON body makes the ops desk fail."""
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    headers = {"Content-Type": "application/json"}
    answers = [opsdesk.client.post(path, content=content, headers=headers) for path in PATHS]
    assert max(answer.status_code for answer in answers) < 500
    opsdesk.state("alerts")


def test_a_crowd_opens_one_alert_a_key(opsdesk: RunningFake) -> None:
    """Of 300 triggers at once of three keys, every one is counted and three alerts are open."""
    opsdesk.seed(settings={"events_per_min": 1000})

    def work() -> None:
        with httpx2.Client(base_url=opsdesk.url, timeout=60) as client:
            for i in range(30):
                payload = {"summary": "s", "source": "x", "severity": "error"}
                body = {"routing_key": KEY, "event_action": "trigger", "dedup_key": f"k{i % 3}", "payload": payload}
                assert client.post("/v2/enqueue", json=body).status_code == 202

    workers = [threading.Thread(target=work) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted((alert["dedup_key"], alert["triggers"]) for alert in opsdesk.state("alerts")) == [
        ("k0", 100),
        ("k1", 100),
        ("k2", 100),
    ]
