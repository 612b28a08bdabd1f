"""Each API fault once, against a running vendor."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

NOTE = {"text": "about order 411001"}


@pytest.fixture
def ordered(toy: RunningFake) -> RunningFake:
    """Give a toy that knows one order."""
    toy.seed(entities=[{"name": "#411001", "aliases": ["6411001", "411001"]}])
    return toy


def exchange_of(toy: RunningFake) -> dict[str, object]:
    """Return the newest exchange entry."""
    return toy.journal("exchange")[-1]


def test_a_quiet_call_is_journaled_whole(ordered: RunningFake) -> None:
    """Without faults the journal tells operation, entity, sizes, hash, status and both times of a call."""
    answer = ordered.client.post("/notes?token=hush&x=1", json=NOTE)
    entry = exchange_of(ordered)
    assert answer.status_code == 201
    assert {
        "operation": "note.create",
        "shared": False,
        "entity": "#411001",
        "method": "POST",
        "path": "/notes?token=REDACTED&x=1",
        "request_bytes": len(answer.request.content),
        "response_bytes": len(answer.content),
        "status": 201,
        "code": None,
        "faults": [],
    }.items() <= entry.items()
    assert entry["received_mono"] <= entry["answered_mono"]
    [change] = ordered.journal("change")
    assert change["exchange"] == entry["id"]
    assert change["entity"] == "#411001"
    assert "hush" not in json.dumps(ordered.journal())


def test_status_answers_in_the_vendors_shape(ordered: RunningFake) -> None:
    """``status`` answers with the status and its Retry-After, and writes nothing."""
    ordered.arm("status", params={"status": 503, "retry_after_s": 2})
    answer = ordered.client.post("/notes", json=NOTE)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (503, "2", {"error": "status"})
    assert ordered.state("notes") == []
    assert exchange_of(ordered)["faults"] == ["f1"]


@pytest.mark.parametrize("commit", [False, True])
def test_error_answers_a_vendor_error(ordered: RunningFake, commit: bool) -> None:
    """``error`` answers a vendor error; with ``commit`` the call was carried out all the same."""
    ordered.arm("error", params={"code": "BROKEN", "text": "no good", "commit": commit})
    answer = ordered.client.post("/notes", json=NOTE)
    assert (answer.status_code, answer.json()) == (422, {"error": "no good"})
    assert exchange_of(ordered)["code"] == "BROKEN"
    assert len(ordered.state("notes")) == commit


@pytest.mark.parametrize(
    ("kind", "status"), [("rate_limited", 429), ("session_expired", 401), ("permission_denied", 403)]
)
def test_refusals_have_the_vendors_words(ordered: RunningFake, kind: str, status: int) -> None:
    """The vendor's own refusals come with its own status, and write nothing."""
    ordered.arm(kind)
    assert ordered.client.post("/notes", json=NOTE).status_code == status
    assert ordered.state("notes") == []


@pytest.mark.parametrize("mutation", ["html", "truncated", "not_json", "empty"])
@pytest.mark.parametrize("commit", [False, True])
def test_malformed_is_a_success_nobody_can_read(ordered: RunningFake, mutation: str, commit: bool) -> None:
    """``malformed`` answers 200 under the usual content type with a body that is no JSON."""
    ordered.arm("malformed", params={"mutation": mutation, "commit": commit})
    answer = ordered.client.post("/notes", json=NOTE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "Location" not in answer.headers
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        answer.json()
    assert len(ordered.state("notes")) == commit


def test_malformed_has_a_body_even_where_the_vendor_sends_none(ordered: RunningFake) -> None:
    """A call that answers 204 gets a broken body all the same."""
    note = ordered.client.post("/notes", json=NOTE).json()
    ordered.arm("malformed", params={"mutation": "truncated"})
    answer = ordered.client.put(f"/notes/{note['id']}", json={"text": "new"})
    assert answer.status_code == 200
    assert answer.content
    assert ordered.state("notes")[0]["text"] == NOTE["text"]


def test_not_persisted_answers_success_and_writes_nothing(ordered: RunningFake) -> None:
    """``not_persisted`` answers as ever, but nothing is there, and the journal shows no change."""
    ordered.arm("not_persisted")
    answer = ordered.client.post("/notes", json=NOTE)
    assert answer.status_code == 201
    ordered.lift()
    assert ordered.client.get(answer.headers["Location"]).status_code == 404
    assert ordered.journal("change") == []


def test_lost_response_resets_the_connection(ordered: RunningFake) -> None:
    """``lost_response: reset`` carries the call out and resets the connection without a byte of an answer."""
    ordered.arm("lost_response", params={"how": "reset"})
    body = json.dumps(NOTE).encode()
    with socket.create_connection(("127.0.0.1", ordered.port), timeout=20) as sock:
        sock.sendall(b"POST /notes HTTP/1.1\r\nHost: toy\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert len(ordered.state("notes")) == 1
    entry = exchange_of(ordered)
    assert (entry["status"], entry["answered_mono"], entry["withheld_status"]) == (None, None, 201)


def test_lost_response_hangs_until_the_client_leaves(ordered: RunningFake) -> None:
    """``lost_response: hang`` carries the call out, journals it, and never answers."""
    ordered.arm("lost_response", params={"how": "hang"}, count=1)
    with pytest.raises(httpx2.ReadTimeout):
        ordered.client.post("/notes", json=NOTE, timeout=0.2)
    assert len(ordered.state("notes")) == 1
    assert exchange_of(ordered)["withheld_status"] == 201
    assert ordered.client.get("/ping").status_code == 200


def test_delay_answers_late(ordered: RunningFake) -> None:
    """``delay`` answers what it would have answered, so many seconds later."""
    ordered.arm("delay", params={"seconds": 0.2})
    assert ordered.client.post("/notes", json=NOTE).status_code == 201
    entry = exchange_of(ordered)
    assert entry["answered_mono"] - entry["received_mono"] >= 0.2


def test_a_client_that_leaves_a_delayed_call_gets_no_answer(ordered: RunningFake) -> None:
    """When the client gives up first, the journal says that no answer left."""
    ordered.arm("delay", params={"seconds": 600}, count=1)
    with pytest.raises(httpx2.ReadTimeout):
        ordered.client.post("/notes", json=NOTE, timeout=0.1)
    [entry] = ordered.wait_for(lambda entry: entry["type"] == "exchange")
    assert (entry["status"], entry["withheld_status"]) == (None, 201)


def test_a_fault_hits_the_declared_attempts_only(ordered: RunningFake) -> None:
    """Over the wire, the first two calls about an order are hit, the third and other orders are not."""
    ordered.arm("status", operation="note.create", entity="#411001", attempts=[1, 2], params={"status": 500})
    texts = ["411001", "other", "411001", "411001"]
    assert [ordered.client.post("/notes", json={"text": t}).status_code for t in texts] == [500, 201, 500, 201]
    assert ordered.lift()["hits"] == 2


def test_the_journal_tells_a_faults_whole_story(ordered: RunningFake) -> None:
    """Arming, hits with their exchange, and the end are all written."""
    armed = ordered.arm("status", params={"status": 500}, count=1)
    ordered.client.post("/notes", json=NOTE)
    story = ordered.journal("fault")
    assert [entry["event"] for entry in story] == ["armed", "hit", "lifted"]
    assert story[0]["seq"] == armed["armed_seq"]
    assert story[1]["exchange"] == exchange_of(ordered)["id"]


def test_a_fault_expires_by_itself(ordered: RunningFake) -> None:
    """The journal tells that a fault's time was over, without anybody asking."""
    ordered.arm("status", params={"status": 500}, ttl_s=0.05)
    ordered.wait_for(lambda entry: entry.get("event") == "expired")
    assert ordered.client.get("/ping").status_code == 200


def test_faults_count_exactly_under_concurrency(ordered: RunningFake) -> None:
    """Forty calls at once meet a fault on five attempts exactly five times."""
    ordered.arm("status", params={"status": 500}, attempts=[1, 2, 3, 4, 5])
    statuses: list[int] = []

    def call() -> None:
        with httpx2.Client(base_url=ordered.url, timeout=20) as client:
            statuses.extend(client.post("/notes", json=NOTE).status_code for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 35 + [500] * 5
    assert len(ordered.state("notes")) == 35


def test_a_client_that_never_hangs_up_is_let_go_when_the_fault_has_had_its_time(ordered: RunningFake) -> None:
    """An answer that hangs ends with a reset after the fault's time to live, whoever armed it."""
    ordered.arm("lost_response", params={"how": "hang"}, ttl_s=0.3, count=1)
    with pytest.raises(httpx2.ReadError):
        ordered.client.post("/notes", json=NOTE, timeout=30)
    assert exchange_of(ordered)["withheld_status"] == 201
