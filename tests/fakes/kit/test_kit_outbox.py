"""The webhook outbox: ladder, journal, and each webhook fault once."""

from __future__ import annotations

import hashlib
import json
import socket
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver, RunningFake


@pytest.fixture
def noted(toy: RunningFake, receiver: Receiver) -> RunningFake:
    """Give a toy that sends to the receiver and knows one order."""
    toy.seed(settings={"address": receiver.url}, entities=[{"name": "#1", "aliases": ["411001"]}])
    return toy


def create(toy: RunningFake) -> None:
    """Make a note about the order."""
    assert toy.client.post("/notes", json={"text": "411001"}).status_code == 201


def deliveries(toy: RunningFake, count: int) -> list[dict[str, Any]]:
    """Return so many delivery entries, waiting for them."""
    return toy.wait_for(lambda entry: entry["type"] == "delivery", count=count)


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Tell whether the toy's signature is genuine and over this body."""
    return headers.get("X-Toy-Signature") == f"genuine:{len(body)}"


def test_a_webhook_is_sent_once_and_journaled(noted: RunningFake, receiver: Receiver) -> None:
    """A webhook that is taken is sent once, on the address with its query, and the journal tells how it went."""
    create(noted)
    [entry] = deliveries(noted, 1)
    [got] = receiver.wait(1)
    assert {
        "topic": "notes/created",
        "entity": "#1",
        "attempt": 1,
        "address": receiver.url,
        "body_sha256": hashlib.sha256(got.body).hexdigest(),
        "status": 200,
        "error": None,
        "outcome": "delivered",
        "faults": [],
    }.items() <= entry.items()
    assert got.path == "/hooks?x=1"
    assert is_signed(got.headers, got.body)
    assert entry["sent_mono"] <= entry["ended_mono"]


@pytest.mark.parametrize("status", [204, 201])
def test_any_2xx_is_success(noted: RunningFake, receiver: Receiver, status: int) -> None:
    """Every 2xx takes a webhook."""
    receiver.usual = status
    create(noted)
    assert deliveries(noted, 1)[0]["outcome"] == "delivered"


def test_failures_climb_the_ladder_until_it_is_taken(noted: RunningFake, receiver: Receiver) -> None:
    """A redirect and a 500 are failures; the next attempts come after the ladder's waits, divided by the time scale."""
    receiver.answers = [302, 500]
    create(noted)
    entries = deliveries(noted, 3)
    assert [(e["attempt"], e["status"], e["outcome"]) for e in entries] == [
        (1, 302, "failed"),
        (2, 500, "failed"),
        (3, 200, "delivered"),
    ]
    assert len({entry["webhook_id"] for entry in entries}) == 1
    waits = [later["sent_mono"] - earlier["ended_mono"] for earlier, later in pairwise(entries)]
    assert waits[0] >= 0.010
    assert waits[1] >= 0.020


def test_it_gives_up_at_the_ladders_end(noted: RunningFake, receiver: Receiver) -> None:
    """After the last rung the webhook is given up and never sent again."""
    receiver.usual = 500
    create(noted)
    assert [entry["outcome"] for entry in deliveries(noted, 3)] == ["failed", "failed", "gave_up"]
    noted.act("notify")
    deliveries(noted, 6)
    assert len(receiver.received) == 6


def test_a_refused_connection_is_an_error_of_its_own(noted: RunningFake) -> None:
    """Nobody listening is ``connect``, not a status."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    noted.seed(settings={"address": f"http://127.0.0.1:{port}/"})
    create(noted)
    assert {(entry["status"], entry["error"]) for entry in deliveries(noted, 3)} == {(None, "connect")}


def test_a_receiver_that_never_answers_times_out(noted: RunningFake, receiver: Receiver) -> None:
    """An attempt that is not answered in time failed by ``timeout``."""
    receiver.answers = [None]
    create(noted)
    first, second = deliveries(noted, 2)
    assert (first["status"], first["error"], first["outcome"]) == (None, "timeout", "failed")
    assert second["outcome"] == "delivered"


def test_a_connection_that_breaks_is_a_reset(noted: RunningFake) -> None:
    """A receiver that hangs up without an answer is ``reset``."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        noted.seed(settings={"address": f"http://127.0.0.1:{server.getsockname()[1]}/"})
        create(noted)
        for _ in range(3):
            connection, _ = server.accept()
            connection.recv(65536)
            connection.close()
        assert {entry["error"] for entry in deliveries(noted, 3)} == {"reset"}


def test_dropped_is_never_sent(noted: RunningFake, receiver: Receiver) -> None:
    """``webhook_dropped`` suppresses the webhook with all its attempts."""
    noted.arm("webhook_dropped", operation="notes/created", entity="#1", attempts=[1])
    create(noted)
    [entry] = deliveries(noted, 1)
    assert (entry["outcome"], entry["status"], entry["faults"]) == ("suppressed", None, ["f1"])
    create(noted)
    deliveries(noted, 2)
    assert len(receiver.received) == 1
    [hit] = [e for e in noted.journal("fault") if e["event"] == "hit"]
    assert (hit["webhook_id"], hit["entity"], hit["ordinal"]) == (entry["webhook_id"], "#1", 1)


@pytest.mark.parametrize("same_id", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_duplicates_share_their_event(noted: RunningFake, receiver: Receiver, same_id: bool, together: bool) -> None:
    """``webhook_duplicate`` sends so many in all, under one webhook id or several, always of one event."""
    noted.arm("webhook_duplicate", params={"copies": 3, "same_id": same_id, "together": together})
    create(noted)
    entries = deliveries(noted, 3)
    assert len({entry["webhook_id"] for entry in entries}) == (1 if same_id else 3)
    assert len({entry["event_id"] for entry in entries}) == 1
    assert len({got.body for got in receiver.wait(3)}) == 1


def test_copies_sent_together_do_not_wait_for_each_other(noted: RunningFake, receiver: Receiver) -> None:
    """Of two copies sent together both arrive although the first is not answered."""
    receiver.answers = [None]
    noted.arm("webhook_duplicate", params={"copies": 2, "together": True})
    create(noted)
    deliveries(noted, 1)
    receiver.wait(2)


def test_out_of_order_waits_for_the_other_topic(noted: RunningFake, receiver: Receiver) -> None:
    """``webhook_out_of_order`` holds a webhook until the other topic about the same order was delivered."""
    noted.arm("webhook_out_of_order", operation="notes/created", params={"after_topic": "notes/updated"})
    create(noted)
    noted.act("notify")
    assert [entry["topic"] for entry in deliveries(noted, 2)] == ["notes/updated", "notes/created"]
    assert len(receiver.wait(2)) == 2


def test_a_held_webhook_goes_when_its_fault_ends(noted: RunningFake, receiver: Receiver) -> None:
    """A webhook that is held is sent once the fault is lifted."""
    noted.arm("webhook_out_of_order", operation="notes/created", params={"after_topic": "notes/updated"})
    create(noted)
    assert noted.journal("delivery") == []
    noted.lift()
    assert deliveries(noted, 1)[0]["outcome"] == "delivered"
    receiver.wait(1)


@pytest.mark.parametrize("how", ["forged", "missing", "other_body"])
def test_a_bad_signature_is_sent_once(noted: RunningFake, receiver: Receiver, how: str) -> None:
    """``webhook_bad_signature`` never verifies and is not tried again when it is refused."""
    receiver.usual = 401
    noted.arm("webhook_bad_signature", params={"how": how})
    create(noted)
    [entry] = deliveries(noted, 1)
    [got] = receiver.wait(1)
    assert (entry["status"], entry["outcome"], entry["faults"]) == (401, "gave_up", ["f1"])
    assert not is_signed(got.headers, got.body)
    assert ("X-Toy-Signature" in got.headers) == (how != "missing")


@pytest.mark.parametrize("mutation", ["truncated", "not_json", "wrong_types", "missing_fields", "empty"])
def test_a_malformed_body_is_signed_correctly(noted: RunningFake, receiver: Receiver, mutation: str) -> None:
    """``webhook_malformed`` sends a body nobody can understand under a genuine signature."""
    noted.arm("webhook_malformed", params={"mutation": mutation})
    create(noted)
    [got] = receiver.wait(1)
    assert is_signed(got.headers, got.body)
    if mutation in {"wrong_types", "missing_fields"}:
        broken = json.loads(got.body)
        assert isinstance(broken, dict)
        assert not isinstance(broken.get("text"), str)
    else:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
            json.loads(got.body)


def test_delayed_comes_late(noted: RunningFake, receiver: Receiver) -> None:
    """``webhook_delayed`` sends the webhook so many seconds later."""
    noted.arm("webhook_delayed", params={"seconds": 0.2})
    create(noted)
    [entry] = deliveries(noted, 1)
    [change] = noted.journal("change")
    assert entry["sent_mono"] - change["mono"] >= 0.2
    receiver.wait(1)


def test_reset_stops_what_is_being_sent(noted: RunningFake, receiver: Receiver) -> None:
    """After a reset nothing of before is sent any more."""
    noted.arm("webhook_delayed", params={"seconds": 0.05})
    create(noted)
    noted.reset()
    noted.seed(settings={"address": receiver.url})
    create(noted)
    deliveries(noted, 1)
    noted.arm("webhook_delayed", params={"seconds": 0.1})
    create(noted)
    deliveries(noted, 2)
    assert len(receiver.received) == 2


def test_two_hundred_webhooks_arrive_exactly_once(noted: RunningFake, receiver: Receiver) -> None:
    """Many webhooks at once are neither lost nor doubled."""
    for _ in range(200):
        create(noted)
    entries = deliveries(noted, 200)
    assert {entry["outcome"] for entry in entries} == {"delivered"}
    assert len({got.body for got in receiver.wait(200)}) == 200
    assert len(receiver.received) == 200
