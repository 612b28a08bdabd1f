"""Faults of a vendor that mappings play: which call they meet is exact, and what a client sees is WireMock's own."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake


def write(fake: RunningFake, note: str = "a", order: str = "#1", **headers: str) -> int:
    """Write a note and return the status."""
    return fake.client.put(f"/notes/{note}", json={"order": order, "text": "t"}, headers=headers).status_code


def list_notes(fake: RunningFake) -> list[str]:
    """List the ids of the notes that are kept."""
    return [note["id"] for note in fake.state("notes")]


def send_raw(fake: RunningFake) -> bytes | str:
    """Write a note over a bare socket; return everything that came, or `reset`."""
    body = b'{"order":"#1","text":"t"}'
    head = f"PUT /notes/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", fake.port), timeout=20) as client:
        client.sendall(head.encode() + body)
        came = b""
        try:
            while chunk := client.recv(65_536):
                came += chunk
        except ConnectionResetError:
            return "reset"
        return came


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([1], [503, 201, 201, 201, 201]),
        ([1, 3], [503, 201, 503, 201, 201]),
        ([2, 5], [201, 503, 201, 201, 503]),
        (None, [503, 503, 503, 503, 503]),
    ],
)
def test_attempts_are_exact(notes: RunningFake, attempts: list[int] | None, expected: list[int]) -> None:
    """Those attempts are hit that were named, whether they follow each other or not; without any, all are."""
    given = {} if attempts is None else {"attempts": attempts}
    notes.arm("status", operation="note.write", entity="#1", params={"status": 503}, **given)
    assert [write(notes) for _ in range(5)] == expected
    ordinals = [entry["ordinal"] for entry in notes.journal("fault") if entry["event"] == "hit"]
    assert ordinals == [place for place, status in enumerate(expected, 1) if status == 503]
    assert notes.lift()["hits"] == expected.count(503)
    assert write(notes) == 201


def test_entities_are_counted_apart(notes: RunningFake) -> None:
    """Each order of a fault has attempts of its own, and other orders have none."""
    notes.arm("status", entities=["#1", "#2"], attempts=[2], params={"status": 500})
    orders = ["#1", "#2", "#3", "#2", "#1", "#3", "#1"]
    assert [write(notes, f"n{order[1:]}", order) for order in orders] == [201, 201, 201, 500, 500, 201, 201]


def test_without_entities_all_calls_are_counted(notes: RunningFake) -> None:
    """A fault without orders counts every call of its operation, and no other call."""
    notes.arm("status", operation="note.write", attempts=[1, 3], params={"status": 500})
    assert write(notes, order="#1") == 500
    assert notes.client.get("/notes/a").status_code == 404
    assert [write(notes, order=order) for order in ("#2", "#1", "#9")] == [201, 500, 201]


def test_several_faults_count_side_by_side(notes: RunningFake) -> None:
    """Every fault counts every call it meets, whichever acts; of two that want a call, the one armed first does."""
    notes.arm("status", "f1", entity="#1", attempts=[1, 2], params={"status": 500})
    notes.arm("status", "f2", entity="#1", attempts=[2, 3], params={"status": 502})
    notes.arm("status", "f3", attempts=[4], params={"status": 503})
    assert [write(notes) for _ in range(5)] == [500, 500, 502, 503, 201]
    hits = [(entry["fault"], entry["ordinal"]) for entry in notes.journal("fault") if entry["event"] == "hit"]
    assert hits == [("f1", 1), ("f1", 2), ("f2", 3), ("f3", 4)]


def test_count_ends_a_fault(notes: RunningFake) -> None:
    """After so many hits a fault is gone, though the last of them still gets its answer from it."""
    notes.arm("error", params={"code": "busy", "commit": True}, count=2)
    assert [write(notes) for _ in range(3)] == [422, 422, 201]
    assert [entry["event"] for entry in notes.journal("fault")] == ["armed", "hit", "hit", "lifted"]


def test_a_fault_expires_by_itself(notes: RunningFake) -> None:
    """A fault whose harness is gone ends when its time is over."""
    notes.arm("status", params={"status": 500}, ttl_s=0.3)
    notes.wait_for(lambda entry: entry.get("event") == "expired")
    assert write(notes) == 201


def test_an_id_is_armed_again_at_once(notes: RunningFake) -> None:
    """What is taken out of WireMock late never is what was put in anew."""
    for status in range(500, 540):
        notes.arm("status", params={"status": status})
        assert write(notes) == status
        notes.lift()
    assert write(notes) == 201


def test_a_reset_ends_everything(notes: RunningFake) -> None:
    """After a reset nothing is armed, nothing kept, and nothing of the old faults is met."""
    notes.arm("status", params={"status": 500})
    notes.reset()
    assert write(notes) == 201
    notes.arm("status", params={"status": 501})
    assert write(notes) == 501


@pytest.mark.parametrize("commit", [False, True])
@pytest.mark.parametrize(
    ("kind", "params"),
    [("error", {"code": "busy"}), ("malformed", {"mutation": "truncated"}), ("empty_response", {})],
)
def test_commit_carries_the_call_out(notes: RunningFake, kind: str, params: dict[str, Any], commit: bool) -> None:
    """With `commit` the note is there although the client was told otherwise; without, it is not."""
    notes.arm(kind, params={**params, "commit": commit}, attempts=[1])
    try:
        write(notes)
    except httpx2.RemoteProtocolError:
        assert kind == "empty_response"
    assert list_notes(notes) == (["a"] if commit else [])
    [call] = notes.journal("exchange")
    assert call["faults"] == ["f1"]
    assert call.get("withheld_status") == (201 if commit and kind == "empty_response" else None)


def test_not_persisted_answers_and_keeps_nothing(notes: RunningFake) -> None:
    """The answer is a success to the letter, and nothing is there."""
    notes.arm("not_persisted", attempts=[1])
    assert write(notes) == 201
    assert list_notes(notes) == []
    assert notes.client.get("/notes/a").status_code == 404
    assert write(notes) == 201
    assert list_notes(notes) == ["a"]


def test_a_lost_answer_is_lost_after_the_call_was_carried_out(notes: RunningFake) -> None:
    """The client sees a reset, the note is there, the journal says what was withheld."""
    notes.arm("lost_response", params={"how": "reset"}, attempts=[1])
    with pytest.raises(httpx2.NetworkError):
        write(notes)
    assert list_notes(notes) == ["a"]
    [call] = notes.journal("exchange")
    assert (call["status"], call["withheld_status"], call["answered_mono"]) == (None, 201, None)


def test_empty_response_ends_without_a_byte(notes: RunningFake) -> None:
    """The connection is closed, and nothing came."""
    notes.arm("empty_response")
    assert send_raw(notes) == b""


def test_connection_reset_is_a_reset(notes: RunningFake) -> None:
    """The connection is reset, which is not the same as closed."""
    notes.arm("connection_reset")
    assert send_raw(notes) == "reset"


def test_random_then_close_is_no_http(notes: RunningFake) -> None:
    """Some bytes come that are no answer, then the end."""
    notes.arm("random_then_close")
    came = send_raw(notes)
    assert isinstance(came, bytes)
    assert came
    assert not came.startswith(b"HTTP/")


def test_malformed_chunk_is_a_200_that_breaks(notes: RunningFake) -> None:
    """A good head comes, then what is no chunk, then the end."""
    notes.arm("malformed_chunk")
    came = send_raw(notes)
    assert isinstance(came, bytes)
    head, _, body = came.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"transfer-encoding: chunked" in head.lower()
    assert body
    assert b"\r\n0\r\n" not in body


@pytest.mark.parametrize(
    ("kind", "status"),
    [("empty_response", None), ("connection_reset", None), ("random_then_close", None), ("malformed_chunk", 200)],
)
def test_a_socket_fault_is_seen_by_a_client_and_journaled(notes: RunningFake, kind: str, status: int | None) -> None:
    """A real client gets an error, its next call goes through, and the journal has the call with its fault."""
    notes.arm(kind, entity="#1", attempts=[1])
    with pytest.raises(httpx2.TransportError):
        write(notes)
    assert write(notes) == 201
    first, second = notes.journal("exchange")
    assert (first["status"], first["faults"], second["faults"]) == (status, ["f1"], [])
    assert (first["answered_mono"] is None) == (status is None)


def test_an_unknown_kind_is_refused_with_the_nearest(notes: RunningFake) -> None:
    """Arming what this vendor cannot do says what it can."""
    answer = notes.control.post("/faults", json={"id": "f", "kind": "empty_respnse"})
    assert answer.status_code == 422
    assert "empty_response" in answer.json()["detail"]


def test_a_crowd_of_orders_gets_exactly_its_own_faults(notes: RunningFake) -> None:
    """Under load from many clients at once every order meets its faults on its own attempts, and no other order's."""
    orders = [f"#{number}" for number in range(100, 124)]
    notes.seed(entities=[{"name": order, "aliases": [order.lstrip("#")]} for order in orders])
    hit, spared = orders[::2], orders[1::2]
    notes.arm("status", "f1", operation="note.write", entities=hit, attempts=[1, 3], params={"status": 503})
    notes.arm("error", "f2", operation="note.write", entities=hit[:4], attempts=[2], params={"code": "busy"})
    together = threading.Barrier(8)

    def call_all(mine: list[str]) -> dict[str, list[int]]:
        with httpx2.Client(base_url=notes.url, timeout=60) as client:
            together.wait()
            return {
                order: [
                    client.put(f"/notes/{order.lstrip('#')}", json={"order": order, "text": "t"}).status_code
                    for _ in range(4)
                ]
                for order in mine
            }

    with ThreadPoolExecutor(8) as pool:
        seen: dict[str, list[int]] = {}
        for part in pool.map(call_all, [orders[start::8] for start in range(8)]):
            seen |= part
    assert {order: seen[order] for order in hit[4:]} == {order: [503, 201, 503, 201] for order in hit[4:]}
    assert {order: seen[order] for order in hit[:4]} == {order: [503, 422, 503, 201] for order in hit[:4]}
    assert {order: seen[order] for order in spared} == {order: [201] * 4 for order in spared}
    assert notes.lift("f1")["hits"] == 24
    for call in notes.journal("exchange"):
        assert (call["status"] == 503) == (call["faults"] == ["f1"])
