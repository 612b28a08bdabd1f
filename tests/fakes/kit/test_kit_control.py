"""The control plane: token, problem documents, journal, seeds, acts, description."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

PROBLEM = {"type", "title", "status", "detail"}


def is_problem(answer: httpx2.Response, status: int) -> bool:
    """Tell whether an answer is a problem document with this status."""
    document = answer.json()
    typed = answer.headers["Content-Type"] == "application/problem+json"
    return typed and answer.status_code == status == document["status"] and document.keys() >= PROBLEM


def test_health_needs_no_token(toy: RunningFake) -> None:
    """Anybody may ask whether the fake is up, and learns its epoch and clock."""
    answer = httpx2.get(f"{toy.address['control_url']}/healthz")
    health = answer.json()
    assert {"status": "ok", "system": "toy", "epoch": toy.address["epoch"], "entries": 0}.items() <= health.items()
    assert isinstance(health["mono"], float)


@pytest.mark.parametrize("token", [None, "Bearer", "Bearer wrong", "Basic abc", "control-token-for-tests", "Bearer ü"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/journal"),
        ("POST", "/reset"),
        ("POST", "/seed"),
        ("GET", "/faults"),
        ("DELETE", "/faults"),
        ("GET", "/state/notes"),
        ("POST", "/act/notify"),
        ("GET", "/catalogue"),
    ],
)
def test_everything_else_does(toy: RunningFake, method: str, path: str, token: str | None) -> None:
    """Without the right token every other call is refused."""
    headers = {} if token is None else {"Authorization": token.encode()}
    answer = httpx2.request(method, f"{toy.address['control_url']}{path}", headers=headers)
    assert is_problem(answer, 401)


def test_the_journal_is_ndjson_with_its_position(toy: RunningFake) -> None:
    """The journal answers one JSON object a line, its newest seq and its epoch."""
    for _ in range(3):
        toy.client.get("/ping")
    answer = toy.control.get("/journal", params={"after": 1})
    assert [json.loads(line)["seq"] for line in answer.text.splitlines()] == [2, 3]
    assert answer.headers["Journal-Last"] == "3"
    assert answer.headers["Journal-Epoch"] == toy.address["epoch"]
    assert answer.headers["Content-Type"] == "application/x-ndjson"


def test_a_long_poll_answers_when_something_happens(toy: RunningFake) -> None:
    """A waiting reader gets the entry as soon as it is written, not when its wait ends."""
    answers: list[httpx2.Response] = []
    reading = threading.Thread(
        target=lambda: answers.append(toy.control.get("/journal", params={"after": 0, "wait": 30}))
    )
    reading.start()
    with httpx2.Client(base_url=toy.url) as client:
        client.get("/ping")
    reading.join(20)
    assert [json.loads(line)["type"] for line in answers[0].text.splitlines()] == ["exchange"]


def test_a_long_poll_that_sees_nothing_is_empty(toy: RunningFake) -> None:
    """When the wait runs out the answer is empty and still tells the position."""
    answer = toy.control.get("/journal", params={"wait": 0.05})
    assert (answer.status_code, answer.content, answer.headers["Journal-Last"]) == (200, b"", "0")


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"after": -1}, {"after": "9" * 40}, {"wait": 31}, {"wait": "nan"}, {"wait": -1}]
)
def test_a_bad_position_is_refused(toy: RunningFake, query: dict[str, Any]) -> None:
    """A position or wait that is none is a located problem."""
    answer = toy.control.get("/journal", params=query)
    assert is_problem(answer, 422)
    assert answer.json()["errors"][0]["at"] == f"query.{next(iter(query))}"


BAD_BODIES = [
    (b"{", 400),
    (b"[]", 400),
    (b'"x"', 400),
    (b"\xff\xfe", 400),
    (b'{"a":NaN}', 400),
    (b'{"a":"\\ud800"}', 400),
    # Under names of their own: a test's name is handed to the processes it starts, in a place that holds no book.
    pytest.param(b"[" * 100_000, 400, id="list-deep"),
    pytest.param(b'{"a":' * 50_000, 400, id="object-deep"),
    pytest.param(b'{"id":1' + b"0" * 5_000 + b"}", 400, id="number-long"),
]


@pytest.mark.parametrize("path", ["/seed", "/faults", "/act/notify", "/reset"])
@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
def test_a_body_that_is_no_object_is_refused(toy: RunningFake, path: str, body: bytes, status: int) -> None:
    """Bodies that cannot be read are problems, never a failure of the fake."""
    assert is_problem(toy.control.post(path, content=body), status)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"entities": [{"aliases": []}]}, "entities.0.name"),
        ({"entities": [{"name": 7}]}, "entities.0.name"),
        ({"entities": {}}, "entities"),
        ({"webhooks": [{"topic": "notes/creatd", "address": "http://127.0.0.1/"}]}, "webhooks"),
        ({"settings": {"adress": "x"}}, "settings.adress"),
        ({"records": {"nots": []}}, "records"),
        ({"enttities": []}, "enttities"),
    ],
)
def test_a_bad_seed_is_refused_at_its_place(toy: RunningFake, body: dict[str, Any], at: str) -> None:
    """What is wrong with a seed is named by its place."""
    answer = toy.control.post("/seed", json=body)
    assert is_problem(answer, 422)
    assert answer.json()["errors"][0]["at"] == at


def test_a_refused_seed_changes_nothing(toy: RunningFake) -> None:
    """A seed is taken in whole or not at all."""
    body = {"entities": [{"name": "#1", "aliases": ["411001"]}], "settings": {"nope": 1}}
    assert toy.control.post("/seed", json=body).status_code == 422
    toy.client.post("/notes", json={"text": "411001"})
    assert toy.journal("exchange")[0]["entity"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("PUT", "/seed"),
        ("GET", "/act/notify"),
        ("GET", "/state/nope"),
        ("POST", "/act/nope"),
        ("DELETE", "/faults/nope"),
        ("GET", "/state/notes/1"),
        ("PATCH", "/journal"),
    ],
)
def test_what_is_not_there_is_a_404(toy: RunningFake, method: str, path: str) -> None:
    """Unknown calls, collections, verbs and faults are problems with status 404."""
    assert is_problem(toy.control.request(method, path), 404)


def test_faults_can_be_listed_and_lifted_together(toy: RunningFake) -> None:
    """The board shows what is armed in order, and lifts it all at once."""
    toy.arm("session_expired", "f1")
    toy.arm("status", "f2/with slash", params={"status": 500}, entity="#1")
    listed = toy.control.get("/faults").json()["faults"]
    assert [(fault["id"], fault["hits"]) for fault in listed] == [("f1", 0), ("f2/with slash", 0)]
    assert toy.lift("f2/with slash")["entities"] == ["#1"]
    assert toy.control.delete("/faults").json() == {"lifted": ["f1"]}
    assert toy.control.get("/faults").json() == {"faults": []}


def test_arming_an_armed_id_is_a_conflict(toy: RunningFake) -> None:
    """An id is armed once."""
    toy.arm("session_expired")
    assert is_problem(toy.control.post("/faults", json={"id": "f1", "kind": "session_expired"}), 409)


def test_state_shows_records_with_id_and_entity(toy: RunningFake) -> None:
    """A collection shows each record with its id and the order it belongs to."""
    toy.seed(entities=[{"name": "#1", "aliases": ["411001"]}])
    note_id = toy.client.post("/notes", json={"text": "411001"}).json()["id"]
    assert toy.state("notes") == [{"id": str(note_id), "text": "411001", "entity": "#1"}]


def test_reset_puts_everything_back_under_the_same_epoch(toy: RunningFake) -> None:
    """After a reset there is no state, no fault, no journal; ids are not used again."""
    first = toy.client.post("/notes", json={"text": "x"}).json()["id"]
    toy.arm("session_expired")
    toy.reset()
    assert (toy.state("notes"), toy.journal(), toy.control.get("/faults").json()) == ([], [], {"faults": []})
    assert toy.control.get("/healthz").json()["epoch"] == toy.address["epoch"]
    assert toy.client.post("/notes", json={"text": "x"}).json()["id"] != first


def test_the_catalogue_tells_all_a_vendor_can_do(toy: RunningFake) -> None:
    """Operations, faults with their parameters, codes, acts and collections are listed."""
    catalogue = toy.control.get("/catalogue").json()
    assert catalogue["system"] == "toy"
    assert {"name": "ping", "method": "GET", "path": "/ping", "shared": True} in catalogue["operations"]
    kinds = {fault["kind"]: fault for fault in catalogue["faults"]}
    assert kinds["status"]["direction"] == "api"
    assert set(kinds["status"]["params"]) == {"status", "retry_after_s"}
    assert kinds["webhook_duplicate"]["direction"] == "webhook"
    assert catalogue["codes"] == [{"code": "BROKEN", "status": 422, "text": "It is broken.", "retriable": False}]
    assert (catalogue["acts"], catalogue["collections"]) == (["notify"], ["notes"])


def test_the_control_plane_describes_itself(toy: RunningFake) -> None:
    """The OpenAPI document names every call."""
    document = toy.control.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/healthz", "/journal", "/seed", "/faults", "/state/{collection}", "/act/{verb}"}
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_an_act_is_journaled(toy: RunningFake) -> None:
    """What the vendor was made to do, and what came of it, is in the journal."""
    toy.client.post("/notes", json={"text": "x"})
    toy.seed(settings={"address": "http://127.0.0.1:1/"})
    result = toy.act("notify")
    [entry] = toy.journal("act")
    assert (entry["verb"], entry["params"], entry["result"]) == ("notify", {}, result)
