"""The fault board: which call a fault hits, and what the journal says about it."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.kit.board import FaultBoard
from fakes.kit.catalogue import Catalogue, ErrorCode, Operation
from fakes.kit.faults import Fault, build_fault
from fakes.kit.journal import Journal
from fakes.kit.kinds import API_KINDS, WEBHOOK_KINDS
from fakes.kit.problems import ProblemError

CATALOGUE = Catalogue(
    "toy",
    (Operation("note.create", "POST", "/notes"), Operation("note.read", "GET", "/notes/1")),
    codes=(ErrorCode("BROKEN", 422, "It is broken."),),
    kinds=API_KINDS + WEBHOOK_KINDS,
    topics=("notes/created",),
)


class HandClock:
    """A clock set by hand."""

    now = 100.0

    def wall(self) -> float:
        """Return the epoch seconds."""
        return self.now

    def mono(self) -> float:
        """Return the monotonic seconds."""
        return self.now


class Bench:
    """A board with its journal and its clock."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.journal = Journal(self.clock)
        self.board = FaultBoard(self.journal)

    def arm(self, **body: Any) -> None:
        """Arm a fault."""
        self.board.arm(build_fault({"id": "f1", "kind": "session_expired", **body}, CATALOGUE))

    def call(self, operation: str = "note.create", entity: str | None = None) -> str | None:
        """Return the id of the fault that acts on a call."""
        hit = self.board.hit("api", operation, entity, exchange="x")
        return hit.fault.id if hit else None

    def events(self) -> list[tuple[str, str]]:
        """Return what the journal says of faults."""
        return [(entry["fault"], entry["event"]) for entry in self.journal.entries()]


def test_a_fault_meets_its_operation_only() -> None:
    """A fault with an operation leaves other calls alone; one without meets every call."""
    bench = Bench()
    bench.arm(operation="note.read")
    assert bench.call("note.create") is None
    assert bench.call("note.read") == "f1"
    bench.arm(id="f2")
    assert bench.call("note.create") == "f2"


def test_attempts_count_for_each_entity_apart() -> None:
    """With entities, ordinals count per order since arming; other orders and anonymous calls are left alone."""
    bench = Bench()
    bench.arm(entities=["#1", "#2"], attempts=[1, 3])
    hits = [(entity, bench.call(entity=entity)) for entity in ("#1", "#1", "#2", "#1", "#1", "#2", "#3", None)]
    assert [entity for entity, hit in hits if hit] == ["#1", "#2", "#1"]
    assert [(e["entity"], e["ordinal"]) for e in bench.journal.entries() if e["event"] == "hit"] == [
        ("#1", 1),
        ("#2", 1),
        ("#1", 3),
    ]


def test_attempts_count_over_all_without_entities() -> None:
    """Without entities, ordinals count all matching calls together."""
    bench = Bench()
    bench.arm(attempts=[2])
    assert [bench.call(entity=entity) for entity in ("#1", "#2", "#1")] == [None, "f1", None]


def test_the_one_armed_first_acts() -> None:
    """Of several matching faults the one armed first acts; the others still count the call."""
    bench = Bench()
    bench.arm(id="first", attempts=[1])
    bench.arm(id="second", attempts=[1, 2])
    assert [bench.call(), bench.call(), bench.call()] == ["first", "second", None]


def test_a_count_lifts_the_fault() -> None:
    """After ``count`` hits a fault is lifted by itself."""
    bench = Bench()
    bench.arm(count=2)
    assert [bench.call() for _ in range(3)] == ["f1", "f1", None]
    assert bench.events() == [("f1", "armed"), ("f1", "hit"), ("f1", "hit"), ("f1", "lifted")]


@pytest.mark.parametrize("bounds", [{"ttl_s": 5}, {"until": 105.0}, {"until": 105.0, "ttl_s": 50}])
def test_time_expires_the_fault(bounds: dict[str, float]) -> None:
    """A fault ends at ``until`` or after ``ttl_s``, whichever comes first."""
    bench = Bench()
    bench.arm(**bounds)
    bench.clock.now += 4.9
    assert bench.call() == "f1"
    bench.clock.now += 0.1
    assert bench.call() is None
    assert bench.events()[-1] == ("f1", "expired")


def test_a_fault_lives_sixty_seconds_unless_told() -> None:
    """The time to live is 60 s by default."""
    bench = Bench()
    bench.arm()
    bench.clock.now += 59
    assert bench.call() == "f1"
    bench.clock.now += 1
    assert bench.call() is None


@pytest.mark.parametrize("end", ["expired", "lifted"])
def test_faults_may_end_together_while_somebody_who_is_told_looks_at_the_board(end: str) -> None:
    """Each ends once, and what whoever is told of an end asks of the board is answered."""
    bench = Bench()
    told: list[list[str]] = []
    bench.board.watch(
        "session_expired",
        armed=lambda _: None,
        ended=lambda _: told.append([each.fault.id for each in bench.board.armed()]),
    )
    for number in range(3):
        bench.arm(id=f"f{number}", ttl_s=5)
    if end == "expired":
        bench.clock.now += 5
        assert bench.board.armed() == []
    else:
        assert bench.board.lift_all() == ["f0", "f1", "f2"]

    assert sorted(bench.events()[3:]) == [("f0", end), ("f1", end), ("f2", end)]
    assert len(told) == 3


def test_lifting_tells_the_hits_even_of_an_ended_fault() -> None:
    """Lifting answers what the fault did, also when it ended by itself; an unknown id is a 404."""
    bench = Bench()
    bench.arm(count=1)
    bench.call()
    assert bench.board.lift("f1").describe()["hits"] == 1
    with pytest.raises(ProblemError) as refused:
        bench.board.lift("nope")
    assert refused.value.status == 404


def test_an_armed_id_is_taken_an_ended_one_is_free() -> None:
    """Arming an id twice is a conflict until the first has ended."""
    bench = Bench()
    bench.arm()
    with pytest.raises(ProblemError) as refused:
        bench.arm()
    assert refused.value.status == 409
    bench.board.lift_all()
    bench.arm()
    assert bench.call() == "f1"


def test_webhook_faults_leave_calls_alone() -> None:
    """A fault of one direction never meets the other."""
    bench = Bench()
    bench.arm(kind="webhook_dropped", operation="notes/created")
    assert bench.call() is None
    assert bench.board.hit("webhook", "notes/created", None, webhook_id="w") is not None


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"kind": "staus"}, "kind"),
        ({"kind": "status"}, "params.status"),
        ({"kind": "status", "params": {"status": 200}}, "params.status"),
        ({"kind": "status", "params": {"status": "503"}}, "params.status"),
        ({"kind": "status", "params": {"status": 503, "sttus": 1}}, "params.sttus"),
        ({"kind": "malformed", "params": {"mutation": "x"}}, "params.mutation"),
        ({"kind": "error", "params": {"code": "BRKEN"}}, "params.code"),
        ({"operation": "note.raed"}, "operation"),
        ({"kind": "webhook_dropped", "operation": "note.create"}, "operation"),
        ({"kind": "webhook_out_of_order", "params": {"after_topic": "notes/nope"}}, "params.after_topic"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"attempts": [0]}, "attempts.0"),
        ({"attempts": []}, "attempts"),
        ({"count": 0}, "count"),
        ({"ttl_s": 3601}, "ttl_s"),
        ({"ttl_s": 0}, "ttl_s"),
        ({"entity": "#1", "entities": ["#2"]}, "entities"),
        ({"entities": []}, "entities"),
        ({"params": []}, "params"),
    ],
)
def test_a_bad_fault_is_refused_at_its_place(body: dict[str, Any], at: str) -> None:
    """What is wrong with a fault is named by its place in the body."""
    with pytest.raises(ProblemError) as refused:
        build_fault({"id": "f1", "kind": "session_expired", **body}, CATALOGUE)
    assert refused.value.status == 422
    assert at in [error["at"] for error in refused.value.errors]


def test_a_past_until_is_refused() -> None:
    """A fault that would never live is refused."""
    with pytest.raises(ProblemError) as refused:
        Bench().arm(until=99.0)
    assert refused.value.errors[0]["at"] == "until"


def test_a_misspelt_name_comes_with_the_nearest_one() -> None:
    """An unknown operation is answered with the one that was probably meant."""
    with pytest.raises(ProblemError, match=r"did you mean 'note\.create'"):
        build_fault({"id": "f1", "kind": "session_expired", "operation": "note.creat"}, CATALOGUE)


def test_a_fault_is_a_value() -> None:
    """Two faults from the same body are equal."""
    body = {"id": "f1", "kind": "status", "params": {"status": 503}, "entity": "#1"}
    assert build_fault(body, CATALOGUE) == build_fault(body, CATALOGUE)
    assert isinstance(build_fault(body, CATALOGUE), Fault)
