"""What parts of the zoo do wrong, and what they leave right: each by itself, without a lab."""

import asyncio
import json
import sqlite3
import time
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from reference import backlog, dead_letters
from reference.backlog import Draft, Item
from reference.capture import Delivery, Intake
from reference.graph import Graph
from reference.handoffs import ORDER_TO_ERP
from reference.lane import LaneParts
from reference.outcomes import Done, Failure, FailureError, Health, Kind
from reference.parts import Parts
from reference.policies import ORDER_CAPTURE, PAYMENT_CAPTURE
from reference.policies import ORDER_TO_ERP as POSTING
from reference.policy import QueuePath, Way
from reference.retry import Again, Park, decide
from reference.schema import create_tables
from reference.session import ErpSession, Token
from scenarios.zoo.catalogue import VARIANTS, find_variant

ITEM = Item(ORDER_TO_ERP, "1001", "#1001", b"{}", "d", 0, 0, False, 0.0, None, "webhook")
BROKEN_OFF = Failure(Kind.OTHER, "CONNECTION", "reset", Health.DOWN, unknown=True)
UNHEARD_OF = Failure(Kind.OTHER, "UNEXPECTED_CONDITION", "what?")
DOWN = Failure(Kind.OTHER, "HTTP_503", "down", Health.DOWN)
EXPIRED = Failure(Kind.SESSION_EXPIRED, "INVALID_LOGIN", "expired")
ORDER = {
    "id": 6_001_001, "name": "#1001", "order_number": 1001, "updated_at": "2026-11-20T10:00:00+01:00", "currency": "EUR",
    "total_price": "39.90", "note": None, "line_items": [{"sku": "MUG", "quantity": 2, "price": "19.95"}],
}  # fmt: skip


def compose(name):
    """Compose one of the zoo."""
    return find_variant(name).compose()


def send(parts, *outcomes, item=ITEM):
    """Send an item with these outcomes, the last of them for good; return what came of it and how often it was sent."""
    told = []

    async def answer(_item):
        outcome = outcomes[min(len(told), len(outcomes) - 1)]
        told.append(outcome)
        if outcome is BROKEN_OFF:
            raise FailureError(outcome)
        return outcome

    return asyncio.run(parts.wrap_send(ORDER_TO_ERP, answer)(item)), len(told)


@pytest.fixture
def conn():
    """Make an empty store of the integration's."""
    with sqlite3.connect(":memory:") as made:
        made.row_factory = sqlite3.Row
        create_tables(made)
        yield made
    made.close()


@pytest.mark.parametrize(
    ("name", "failure", "step"),
    [
        ("gives-up-on-broken-connections", BROKEN_OFF, Park),
        ("gives-up-on-broken-connections", UNHEARD_OF, Again),
        ("gives-up-on-unknown-codes", UNHEARD_OF, Park),
        ("gives-up-on-unknown-codes", BROKEN_OFF, Again),
        ("breaker-overlooks-broken-connections", BROKEN_OFF, Again),
    ],
)
def test_who_gives_up_does_so_by_one_failure(name, failure, step):
    """What is misread is parked after one attempt; the others are sent again."""
    outcome, _ = send(compose(name), failure)
    assert isinstance(decide(POSTING, outcome, 1), step)


def test_a_breaker_that_overlooks_connections_counts_answers():
    """A connection that breaks is no failure to it; an answer is."""
    parts = compose("breaker-overlooks-broken-connections")
    assert send(parts, BROKEN_OFF)[0].health is Health.REFUSED
    assert send(parts, DOWN)[0].health is Health.DOWN


def test_any_probe_closes_a_breaker():
    """The fifth failure opens it, the failing probe closes it."""

    async def run():
        policy = replace(POSTING.breaker, pause_s=0.0)
        breaker = compose("breaker-closes-on-any-probe").make_breaker(ORDER_TO_ERP, policy, 0.0, lambda: None)
        openings = [breaker.record(breaker.admit(), Health.DOWN) for _ in range(policy.failures)]
        while (probe := breaker.admit()) is None:  # noqa: ASYNC110 - a pause of nothing ends by the clock alone
            await asyncio.sleep(0.001)
        breaker.record(probe, Health.DOWN)
        return openings, breaker.view()["state"]

    openings, state = asyncio.run(run())
    assert [opening is not None for opening in openings] == [False] * 4 + [True]
    assert state == "closed"


def test_a_client_repeats_what_got_no_good_answer():
    """Four calls at most, of which the policy hears once; a refusal is not repeated."""
    parts = compose("repeats-more-than-declared")
    assert send(parts, DOWN) == (DOWN, 4)
    assert send(parts, BROKEN_OFF, Done()) == (Done(), 2)
    assert send(parts, UNHEARD_OF) == (UNHEARD_OF, 1)


def test_one_expired_order_waits_and_the_next_one_storms():
    """Who meets it first leaves it to the policy; who meets it beside sends on until it is over."""
    parts = compose("storms-on-expiry")
    outcomes = {"1001": [EXPIRED, Done()], "1002": [EXPIRED, EXPIRED, EXPIRED, Done()]}

    async def answer(item):
        return outcomes[item.ref].pop(0)

    async def run():
        carry = parts.wrap_send(ORDER_TO_ERP, answer)
        return [await carry(replace(ITEM, ref=ref)) for ref in ("1001", "1002", "1001")]

    assert asyncio.run(run()) == [EXPIRED, Done(), Done()]
    assert outcomes == {"1001": [], "1002": []}


def test_orders_are_sent_for_others_when_they_meet():
    """One after another each is sent once, at once one of them is by both."""
    sent = []

    async def answer(item):
        sent.append(item.ref)
        return Done()

    async def run():
        carry = compose("sends-for-others").wrap_send(ORDER_TO_ERP, answer)
        one, two = (replace(ITEM, ref=ref) for ref in ("1001", "1002"))
        await carry(one)
        await carry(two)
        await asyncio.gather(carry(one), carry(two))

    asyncio.run(run())
    assert sent[:2] == ["1001", "1002"]
    assert sorted(sent[2:]) == ["1001", "1002", "1002"]


def test_a_decision_is_asked_for_again_or_not_heeded():
    """A failure after a decision is one to ask about; a rejection leads on; the limit itself is asked about."""
    decided = replace(ITEM, trigger="decision:case-1")
    assert send(compose("asks-again-after-a-decision"), DOWN, item=decided)[0].kind is Kind.RESTRICTED
    assert send(compose("asks-again-after-a-decision"), DOWN)[0] is DOWN
    path = compose("goes-on-when-rejected").order_to_erp.path(Kind.RESTRICTED)
    assert isinstance(path, QueuePath)
    assert path.decisions == {"approve": Way.CONTINUE, "reject": Way.CONTINUE}
    limit = PAYMENT_CAPTURE.threshold.above
    asked = compose("asks-at-the-limit").payment_capture.threshold
    assert asked.is_exceeded(limit, "EUR") > PAYMENT_CAPTURE.threshold.is_exceeded(limit, "EUR")
    assert not asked.is_exceeded(limit - Decimal("0.01"), "EUR")


@pytest.mark.parametrize(("late_s", "state"), [(0.0, "queued"), (60.0, "done")])
def test_only_a_late_webhook_is_taken_for_a_repeat(late_s, state, conn):
    """Delivered at once an order is queued; delivered late it is taken for posted, and nobody hears of it again."""
    now = time.time()
    delivery = Delivery("w1", "orders/create", json.dumps(ORDER).encode(), now - late_s)
    intake = Intake(ORDER_CAPTURE, Graph({ORDER_TO_ERP: POSTING}))
    captured = compose("takes-late-webhooks-for-repeats").record(conn, delivery, intake, now=now)

    assert backlog.read_states(conn, "1001") == {ORDER_TO_ERP: state}
    assert bool(captured.wake) == (state == "queued")


def test_a_webhook_that_is_known_fails(conn):
    """The first delivery is recorded, the same once more is an error."""
    intake, record = Intake(ORDER_CAPTURE, Graph({ORDER_TO_ERP: POSTING})), compose("fails-on-duplicates").record
    delivery = Delivery("w1", "orders/create", json.dumps(ORDER).encode(), None)

    assert record(conn, delivery, intake, now=1.0).outcome == "new"
    with pytest.raises(LookupError):
        record(conn, delivery, intake, now=2.0)


def test_a_replayed_letter_waits_on(conn):
    """It is queued as by a replay, and waits all the same."""
    backlog.enqueue(conn, Draft(ORDER_TO_ERP, "1001", "#1001", b"{}", "webhook"), now=1.0)
    item = backlog.load(conn, ORDER_TO_ERP, "1001")
    backlog.mark_stopped(conn, item, "dead", attempts=3)
    letter = dead_letters.Letter(ORDER_TO_ERP, "#1001", "C", "t", b"{}", 3, 1.0, ref="1001")
    letter_id = dead_letters.park(conn, letter, (), now=2.0)
    dead_letters.resolve(conn, letter_id, "replayed", (), now=3.0)

    assert compose("keeps-replayed-letters").requeue(conn, dead_letters.find(conn, letter_id), 3.0)
    assert dead_letters.find(conn, letter_id)["state"] == "waiting"


def test_what_is_told_and_when(conn):
    """How many messages each sends, under how many keys: the reference tells of the third, and of no further one."""
    told = {}
    for name in ("escalates-too-early", "escalates-each-malformed-answer", "retriggers-its-alert", "reference"):
        rules = compose(name).order_to_erp.escalations
        codes = ["C", "C", "C", "C"] if "malformed" not in name else ["MALFORMED_RESPONSE"] * 2
        for number, code in enumerate(codes):
            letter = dead_letters.Letter(ORDER_TO_ERP, f"#{number}", code, "t", b"{}", 1, 1.0, ref=str(number))
            dead_letters.park(conn, letter, rules, now=float(number))
        keys = [row["dedup_key"] for row in conn.execute("SELECT dedup_key FROM outbox ORDER BY id")]
        told[name] = (len(keys), len(set(keys)))
        for table in ("outbox", "episodes", "dead_letters"):
            conn.execute(f"DELETE FROM {table}")  # noqa: S608 - names from this line

    assert told == {
        "escalates-too-early": (1, 1),
        "escalates-each-malformed-answer": (3, 2),
        "retriggers-its-alert": (2, 1),
        "reference": (1, 1),
    }


@pytest.mark.parametrize(("name", "tickets"), [("tells-of-the-first-of-a-burst", 1), ("reference", 3)])
def test_of_a_burst_one_case_is_told(name, tickets, conn):
    """Three orders need a person for the same cause: there are three cases, and tickets of all or of the first."""
    parts = LaneParts(POSTING, None, None, wake=list, announce=list, scaled=float)
    lane = compose(name).make_lane(None, parts)
    for number in range(3):
        ref = str(number)
        backlog.enqueue(conn, Draft(ORDER_TO_ERP, ref, f"#{ref}", b"{}", "webhook"), now=1.0)
        refused = Failure(Kind.RESTRICTED, "RESTRICTED_PRODUCT", "no")
        lane._commit_failure(conn, backlog.load(conn, ORDER_TO_ERP, ref), refused, 2.0 + number)

    assert conn.execute("SELECT count(*) FROM cases WHERE state = 'open'").fetchone()[0] == 3
    told = [row["dedup_key"] for row in conn.execute("SELECT dedup_key FROM outbox")]
    first = conn.execute("SELECT id FROM cases ORDER BY opened_at").fetchone()["id"]
    assert (len(told), first in told) == (tickets, True)


@pytest.mark.parametrize(("age_s", "asked"), [(0.1, 1), (60.0, 2)])
def test_a_session_is_renewed_ahead(age_s, asked, monkeypatch):
    """A token is used again while it is young, and replaced when it is older than five minutes of production."""
    made = []

    async def renew(session):
        made.append(f"token-{len(made)}")
        session._token = Token(made[-1], time.time(), time.time() + 3600.0)
        return session._token

    monkeypatch.setattr(ErpSession, "_renew", renew)

    async def run():
        settings = SimpleNamespace(scaled=lambda seconds: seconds / 20)
        session = compose("renews-ahead").make_session(None, settings, timeout_s=1.0)
        await session.token()
        session._token = replace(session._token, issued_at=time.time() - age_s)
        return await session.token()

    assert asyncio.run(run()) == made[-1]
    assert len(made) == asked


def test_nobody_is_the_reference_in_disguise():
    """Whoever is broken, or differs, has another part than the reference; stacks of their own leave the reference as it is."""
    same = {variant.name for variant in VARIANTS if variant.compose() == Parts()}
    assert same == {"reference", "reference-under-a-ban"}
