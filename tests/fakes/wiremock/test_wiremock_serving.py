"""What anybody's mappings may hold, and what the fake in front of WireMock makes of it."""

from __future__ import annotations

import hashlib
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.fakes.conftest import TOKEN, start_mapped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fakes.conftest import RunningFake

    Play = Callable[..., RunningFake]


def test_a_plain_mapping_is_an_operation(play: Play) -> None:
    """Without metadata a mapping is an operation by its name, or by method and path, and keeps nothing."""
    fake = play(
        named={"name": "tax.quote", "request": {"method": "POST", "urlPath": "/quotes"}, "response": {"status": 200}},
        plain={"request": {"method": "GET", "urlPathTemplate": "/rates/{country}"}, "response": {"body": "0.19"}},
        rest={"priority": 9, "request": {"urlPattern": "/.*"}, "response": {"status": 410}},
    )
    catalogue = fake.control.get("/catalogue").json()
    assert [operation["name"] for operation in catalogue["operations"]] == ["tax.quote", "GET /rates/{country}"]
    assert catalogue["collections"] == []
    answers = [fake.client.post("/quotes"), fake.client.get("/rates/DE"), fake.client.get("/else")]
    assert [answer.status_code for answer in answers] == [200, 200, 410]
    assert [call["operation"] for call in fake.journal("exchange")] == ["tax.quote", "GET /rates/{country}", None]


def test_an_order_is_found_anywhere_where_nobody_says_where(play: Play) -> None:
    """Without metadata a registered order is looked for in path, query and body, as whole words."""
    fake = play(any={"name": "x", "request": {"urlPattern": "/x.*"}, "response": {"status": 200}})
    fake.seed(entities=[{"name": "#1001", "aliases": ["1001", "6411001"]}])
    fake.client.get("/x/6411001")
    fake.client.get("/x", params={"order": "#1001"})
    fake.client.post("/x", json={"deep": [{"memo": "for 1001, please"}]})
    fake.client.post("/x", json={"total": "10010"})
    assert [call["entity"] for call in fake.journal("exchange")] == ["#1001", "#1001", "#1001", None]


def test_scenarios_of_two_systems_are_apart(play: Play) -> None:
    """Two folders with the same scenario and the same paths do not share its state, and a reset puts back one."""
    door = [
        {
            "scenarioName": "the door / back",
            "requiredScenarioState": state,
            "newScenarioState": after,
            "request": {"method": "POST", "urlPath": "/door"},
            "response": {"body": says},
        }
        for state, after, says in (("Started", "open", "opened"), ("open", "Started", "closed"))
    ]
    one, other = play(door={"mappings": door}), play(door={"mappings": door})
    assert [fake.client.post("/door").text for fake in (one, one, one, other)] == [
        "opened",
        "closed",
        "opened",
        "opened",
    ]
    one.reset()
    assert [fake.client.post("/door").text for fake in (one, other)] == ["opened", "closed"]


def test_a_body_may_stand_in_a_file(wiremock_url: str, tmp_path: Path) -> None:
    """A WireMock root with `mappings` and `__files` is served as it is, texts and bytes."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "__files").mkdir()
    (tmp_path / "__files" / "rates.xml").write_text("<rate>ü</rate>", encoding="utf-8")
    (tmp_path / "__files" / "logo.png").write_bytes(b"\x89PNG\xff\x00")
    for name in ("rates.xml", "logo.png"):
        mapping = f'{{"request": {{"urlPath": "/{name}"}}, "response": {{"bodyFileName": "{name}"}}}}'
        (tmp_path / "mappings" / f"{name}.json").write_text(mapping, encoding="utf-8")
    with start_mapped("filed", tmp_path, wiremock_url) as fake:
        assert fake.client.get("/rates.xml").text == "<rate>ü</rate>"
        assert fake.client.get("/logo.png").content == b"\x89PNG\xff\x00"


def test_a_fault_in_a_mapping_is_passed_on(play: Play) -> None:
    """A mapping may itself do what a fault does; the client sees it, and the journal names no fault for it."""
    fake = play(
        bad={"request": {"urlPath": "/bad"}, "response": {"fault": "CONNECTION_RESET_BY_PEER"}},
        good={"request": {"urlPath": "/good"}, "response": {"status": 200}},
    )
    with pytest.raises(httpx2.TransportError):
        fake.client.get("/bad")
    assert fake.client.get("/good").status_code == 200
    first, second = fake.journal("exchange")
    assert (first["status"], first["faults"], second["status"]) == (None, [], 200)


def test_what_no_mapping_serves_is_what_wiremock_says_to_it(play: Play) -> None:
    """An unmatched call gets WireMock's own 404, which tells how it missed, and is in the journal."""
    fake = play(only={"name": "only", "request": {"method": "GET", "urlPath": "/only"}, "response": {}})
    answer = fake.client.get("/onyl")
    assert (answer.status_code, "Request was not matched" in answer.text) == (404, True)
    [call] = fake.journal("exchange")
    assert (call["operation"], call["status"], call["path"]) == (None, 404, "/onyl")


@pytest.mark.parametrize(
    ("forged", "status"),
    [
        ({"Handoff-Record": '{"id":"b","text":"forged"}'}, 404),
        ({"Handoff-Fault": "x"}, 200),
        ({"Handoff-System": "x"}, 200),
    ],
)
def test_the_client_cannot_speak_in_our_name(notes: RunningFake, forged: dict[str, str], status: int) -> None:
    """Headers that only the fake sets are dropped where a client sends them."""
    notes.client.put("/notes/a", json={"order": "#1", "text": "t"})
    name = "b" if "Handoff-Record" in forged else "a"
    assert notes.client.get(f"/notes/{name}", headers=forged).status_code == status


def test_what_was_created_is_not_created_again(play: Play) -> None:
    """A mapping that answers a repeated call like the first one changes nothing the second time."""
    response = {
        "status": 201,
        "body": '{"id":"x-{{request.headers.Handoff-Key.[0]}}"}',
        "transformers": ["response-template"],
    }
    said = {"handoff": {"operation": "x.create", "record": "x", "effect": "create"}}
    fake = play(x={"request": {"method": "POST", "urlPath": "/x"}, "response": response, "metadata": said})
    answers = [fake.client.post("/x", headers={"Idempotency-Key": key}).json()["id"] for key in ("1", "1", "2")]
    assert answers[0] == answers[1] != answers[2]
    assert [(change["action"], change["record_id"]) for change in fake.journal("change")] == [
        ("created", answers[0]),
        ("created", answers[2]),
    ]


@pytest.mark.parametrize("priority", [0, 1, 5])
def test_a_fault_comes_before_any_mapping(play: Play, priority: int) -> None:
    """However urgent a mapping is to its author, a call that a fault hit is the fault's."""
    fake = play(it={"priority": priority, "request": {"urlPath": "/it"}, "response": {"status": 200}})
    fake.arm("status", params={"status": 503}, attempts=[2])
    assert [fake.client.get("/it").status_code for _ in range(3)] == [200, 503, 200]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "DELETE"])
def test_every_method_comes_through(play: Play, method: str) -> None:
    """Method, status, headers and body pass as they are, an empty body included."""
    fake = play(
        any={
            "name": "any",
            "request": {"urlPath": "/any"},
            "response": {"status": 203, "headers": {"X-A": "b"}, "body": "c"},
        }
    )
    answer = fake.client.request(method, "/any")
    assert (answer.status_code, answer.headers["X-A"]) == (203, "b")
    assert answer.text == ("" if method == "HEAD" else "c")
    assert "Matched-Stub-Id" not in answer.headers


def test_a_compressed_answer_is_asked_for_plain(notes: RunningFake) -> None:
    """A client that takes gzip gets a body that was looked into, not a compressed one."""
    notes.client.put("/notes/z", json={"order": "#1", "text": "t" * 5_000}, headers={"Accept-Encoding": "gzip"})
    answer = notes.client.get("/notes/z", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert len(answer.json()["text"]) == 5_000


def test_records_are_kept_changed_and_deleted(notes: RunningFake) -> None:
    """Effects of mappings are changes in the journal, and follow-up calls see them at once."""
    notes.client.put("/notes/a", json={"order": "#1", "text": "one"})
    notes.client.put("/notes/a", json={"order": "#1", "text": "two"})
    assert notes.client.get("/notes/a").json()["text"] == "two"
    assert notes.client.delete("/notes/a").status_code == 204
    assert notes.client.get("/notes/a").status_code == 404
    assert [(change["action"], change["entity"]) for change in notes.journal("change")] == [
        ("created", "#1"),
        ("updated", "#1"),
        ("deleted", "#1"),
    ]


def test_records_of_any_size_travel(notes: RunningFake) -> None:
    """A record of 100 kB, with letters of many alphabets, comes back as it was."""
    text = 'Grüße, 世界 \\ " \n' * 3_000
    notes.client.put("/notes/big", json={"order": "#1", "text": text})
    assert notes.client.get("/notes/big").json()["text"] == text


def test_a_crowd_shares_nothing(notes: RunningFake) -> None:
    """Clients that write and read at the same time each see their own notes, right away."""

    def write_and_read(number: int) -> tuple[str, str]:
        with httpx2.Client(base_url=notes.url, timeout=60) as client:
            for turn in range(5):
                client.put(f"/notes/n{number}", json={"order": "#1", "text": f"{number}/{turn}"})
                read = client.get(f"/notes/n{number}").json()["text"]
                if read != f"{number}/{turn}":
                    return f"{number}/{turn}", read
        return "", ""

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(write_and_read, range(24))) == {("", "")}
    assert len(notes.state("notes")) == 24


def test_both_journals_have_the_same_calls(notes: RunningFake, wiremock_url: str) -> None:
    """What WireMock itself recorded is what the fake recorded: method, path and body of every call, no more, no less."""
    httpx2.delete(f"{wiremock_url}/__admin/requests")
    for number in range(5):
        notes.client.put(f"/notes/{number}?x=%20{number}", json={"order": "#1", "text": "ü"})
    notes.client.get("/notes/3")
    theirs = Counter(
        (
            entry["request"]["method"],
            entry["request"]["url"],
            hashlib.sha256(entry["request"]["body"].encode()).hexdigest(),
        )
        for entry in httpx2.get(f"{wiremock_url}/__admin/requests").json()["requests"]
        if {name.lower(): value for name, value in entry["request"]["headers"].items()}["handoff-system"] == "notes"
    )
    ours = Counter((call["method"], call["path"], call["request_sha256"]) for call in notes.journal("exchange"))
    assert theirs == ours
    assert sum(ours.values()) == 6


def test_times_are_those_of_the_shared_clock(notes: RunningFake, play: Play) -> None:
    """A call lies between its two times on the clock that all processes share, an answer's own delay included."""
    import time  # noqa: PLC0415 - the only test that looks at a clock

    slow = play(slow={"name": "slow", "request": {"urlPath": "/slow"}, "response": {"fixedDelayMilliseconds": 150}})
    before = time.monotonic()
    slow.client.get("/slow")
    after = time.monotonic()
    [call] = slow.journal("exchange")
    assert before <= call["received_mono"] <= call["answered_mono"] <= after
    assert call["answered_mono"] - call["received_mono"] >= 0.15


def test_the_journal_is_whole_as_soon_as_an_answer_is(notes: RunningFake) -> None:
    """Whoever reads the journal after an answer finds the call in it: nothing has to catch up."""
    for number in range(20):
        notes.client.put("/notes/a", json={"order": "#1", "text": str(number)})
        assert len(notes.journal("change")) == number + 1
        notes.wait_for(lambda entry: entry["type"] == "exchange", count=number + 1)


@pytest.mark.parametrize("path", ["/faults", "/journal", "/state/notes", "/catalogue"])
def test_the_control_plane_needs_its_token(notes: RunningFake, path: str) -> None:
    """The control plane is that of every fake."""
    url = notes.address["control_url"]
    assert httpx2.get(f"{url}{path}").status_code == 401
    assert httpx2.get(f"{url}{path}", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_restarted_fake_takes_its_stubs_over(wiremock_url: str, tmp_path: Path) -> None:
    """A fake that was started again serves what its folder holds now, not what its forerunner left."""
    from tests.fakes.wiremock.conftest import write_folder  # noqa: PLC0415 - writes twice what others write once

    def mapping(body: str) -> dict[str, Any]:
        return {"name": "it", "request": {"urlPath": "/it"}, "response": {"body": body}}

    with start_mapped("again", write_folder(tmp_path, a=mapping("old"), b=mapping("older")), wiremock_url) as fake:
        assert fake.client.get("/it").text == "older"
    (tmp_path / "b.json").unlink()
    with start_mapped("again", write_folder(tmp_path, a=mapping("new")), wiremock_url) as fake:
        assert fake.client.get("/it").text == "new"


@pytest.mark.parametrize("path", ["/__admin/mappings", "/__admin", "/%5F_admin/mappings", "/x/../__admin/mappings"])
def test_wiremocks_own_api_is_not_for_integrations(play: Play, path: str) -> None:
    """Whatever a mapping matches, a call of an integration never gets to the API that changes mappings."""
    fake = play(rest={"priority": 9, "request": {"urlPattern": "/.*"}, "response": {"status": 410}})
    with socket.create_connection(("127.0.0.1", fake.port)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: carrier\r\nConnection: close\r\n\r\n".encode())
        heard = b"".join(iter(lambda: client.recv(65_536), b""))
    assert heard.split(b" ", 2)[1] in {b"404", b"410"}
    assert b'"mappings"' not in heard
