"""The reader of hand-written histories: each verb, and each mistake at its place."""

import pytest
from traces import CHAIN, TRACE, complain, read, tell

from harness.core.golden import TraceError
from harness.core.history import History


def test_a_call_is_recorded_by_both_witnesses():
    """A call becomes one exchange with what the client and the vendor saw, and a receipt of the fault it met."""
    history = tell("0 arm f1", "0.1 sales_order.upsert 1 429 f1 code=BUSY took=0.2")
    (call,) = history.exchanges
    assert (call.status, call.server_status, call.code, call.order, call.faults) == (429, 429, "BUSY", 1, ("f1",))
    assert (call.started, call.ended) == pytest.approx((0.1, 0.3))
    assert [receipt.order for receipt in history.hits("f1")] == [1]
    assert history.disagreements == ()


@pytest.mark.parametrize(
    ("answer", "status", "server_status", "end", "agree"),
    [
        ("204", 204, 204, "complete", True),
        ("lost", None, 204, "reset", False),
        ("hung", None, 204, "client_closed", True),
        ("reset", None, None, "reset", False),
        ("unreached", None, None, "client_closed", False),
        ("refused", None, None, "refused", False),
        ("cut", None, None, "client_closed", True),
        ("204 seen=500", 500, 204, "complete", False),
        ("204 only=tap", 204, None, "complete", False),
    ],
)
def test_answers(answer, status, server_status, end, agree):
    """Each word for an answer says what the client saw and what the vendor did, and whether that needs explaining."""
    history = tell(f"0.1 sales_order.upsert 1 {answer}")
    (call,) = history.exchanges
    assert (call.status, call.server_status, call.end) == (status, server_status, end)
    assert (not history.disagreements) is agree


def test_a_call_past_the_tap_is_no_exchange():
    """A call that only the vendor saw is a disagreement."""
    history = tell("0.1 sales_order.upsert 1 204 only=fake")
    assert history.exchanges == ()
    assert len(history.disagreements) == 1


def test_a_call_about_nothing_is_shared():
    """A call that names no order serves no single one; with a key of its own it is one that nobody can attribute."""
    shared, stray = tell("0.1 token.create - 200", "0.2 sales_order.upsert - 204 key=9f").exchanges
    assert (shared.shared, shared.order, shared.entity) == (True, None, None)
    assert (stray.shared, stray.order, stray.entity) == (False, None, "9f")


def test_webhooks():
    """A delivery carries its answer and attempt; one that was never sent leaves nothing on the wire."""
    history = tell("0 webhook 1 500", "0.1 webhook 1 200", "0.2 webhook 2 none", "0.3 webhook 2 suppressed")
    told = [(sent.order, sent.attempt, sent.status, sent.outcome) for sent in history.deliveries]
    assert told == [
        (1, 1, 500, "failed"),
        (1, 2, 200, "delivered"),
        (2, 1, None, "failed"),
        (2, 2, None, "suppressed"),
    ]
    assert history.disagreements == ()


def test_letters_change_and_go():
    """A dead letter is shown in its newest state until it is gone, and read once more at the end."""
    history = tell(
        "0 letter 1 attempts=4", "0.1 letter 1 state=replayed", "0.2 letter 2", "0.3 letters gone 'letter 2 x'"
    )
    assert [letter["state"] for letter in history.dead_letters("order-to-erp", 1)] == ["replayed"]
    times = [observation.t for observation in history.observations if observation.what == "dead_letters"]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.3])
    gone = tell("0 letter 1 id=a", "0.1 letters gone a")
    assert gone.waiting("order-to-erp") == ()
    assert tell("0 letters unreadable").observed("dead_letters") is None


def test_alerts():
    """An alert with the key of one that stands is the same alert; one without a handoff names none."""
    first, nameless = tell(
        "0 alert a key=k", "0.1 alert a key=k", "0.2 alert - handoff=none in=messages order=2"
    ).alerts
    assert (first.role, first.handoff, first.key) == ("a", "order-to-erp", "k")
    assert (nameless.role, nameless.handoff, nameless.entity, nameless.channel) == (None, None, "#411002", "slack")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("0.00 arm f1", "0.00 arm f2", "4:5 the experiment has no fault `f2`"),
        ("0.00 arm f1", "0.00 armed f1", "4:5 there is no verb `armed`"),
        ("0.00 arm f1", "now arm f1", "4:5 the time is a number of seconds from 0 on, not `now`"),
        ("0.00 arm f1", "arm", "4:5 a line is `<seconds> <verb> …`"),
        ("0.01 webhook", "0.04 webhook", "7:5 0.03 s comes after a line at 0.04 s: lines stand in the order of time"),
        ("place 1", "place 9", "5:5 order 9 is not in the plan, which has 2 with the spare one"),
        ("place 1", "place one", "5:5 an order is a whole number, not `one`"),
        ("place 1", "place", "5:5 `place` takes 1 to 99 words, not 0"),
        ("1 429", "1 loost", "7:5 `loost` is no answer"),
        ("code=BUSY", "cod=BUSY", "7:5 `sales_order.upsert` has no option `cod`"),
        ("code=BUSY", "took=long", "7:5 `took` is a number of seconds from 0 on, not `long`"),
        ("until: 1.2", "until: 0.1", "9:8 `until` is a number of seconds, not before the last line at 0.19"),
        ("until: 1.2", "til: 1.2", "9:1 `til` is no field of a trace"),
        ("verdict: held", "verdict: hold", "10:10 `hold` is no verdict"),
        ("verdict: held", "verdict: held\nby: backoff", "11:5 a held verdict is decided by every check: drop `by`"),
        ("verdict: held", "verdict: violated", "10:10 say what decides it: `by`"),
        ("verdict: held", "verdict: violated\nby: backof", "11:5 the experiment has no check or gate `backof`"),
        ("429:retry/once", "429:retry/twice", "2:13 the stack has no experiment `order-to-erp/429:retry/twice`"),
        ("verdict: held\n", "", "1:1 a trace needs `verdict`"),
    ],
)
def test_located_errors(old, new, problem):
    """What is wrong with a trace is told with its line and column."""
    assert complain(TRACE.replace(old, new, 1)) == [problem]


def test_the_nearest_word_is_suggested():
    """An error names what would be valid, and the nearest of it."""
    with pytest.raises(TraceError) as caught:
        read(TRACE.replace("verdict: held", "verdict: violatd\nby: backoff"))
    (problem,) = caught.value.problems
    assert problem.suggestion == "violated"
    assert "did you mean `violated`?" in str(caught.value)


def test_every_wrong_line_is_told():
    """All wrong lines are told at once, in the order of the file."""
    text = TRACE.replace("place 1", "place 9").replace("webhook 1 200", "webhook 1 'x")
    assert [line.partition(":")[0] for line in complain(text)] == ["5", "6"]


@pytest.mark.parametrize("text", ["", "- a list", "story: [", "story: x\nstory: y\n", "just words"])
def test_no_trace_at_all(text):
    """A text that is no mapping of fields is told to be none."""
    assert complain(text)


def test_a_stack_of_its_own():
    """A trace may bring its stack along; what is wrong with that is told as for any stack."""
    broken = TRACE.replace("history:", "stack: |\n  version: 2\nhistory:")
    assert any("version" in message for message in complain(broken))


def test_a_stack_beside_it():
    """A trace may name the file of its stack; one that is not there is told at its place."""
    named = TRACE.replace("history:", f"stack: {CHAIN}\nhistory:")
    assert read(named).experiment.ledger != read(TRACE).experiment.ledger
    assert complain(named.replace(CHAIN, "reference/stock.yaml")) == ["3:8 there is no stack `reference/stock.yaml`"]


def on_chain(experiment: str, *lines: str) -> History:
    """Return the history that lines tell in an experiment of the whole chain."""
    history = "".join(f"  - {line}\n" for line in lines)
    head = f"story: some\nstack: {CHAIN}\nexperiment: {experiment}\n"
    return read(f"{head}history:\n{history}verdict: held\n").history


def test_records_of_any_system():
    """A record is of the end state unless its place says otherwise, and then in that state; numbers and lists are read."""
    first, second, third = on_chain(
        "payment-capture/clean:resolve/one",
        "0 record 1 pi_1",
        '0.1 record 1 wms/orders/w1 updated status=allocated lines=[{"quantity":2}]'.replace('"', '\\"'),
        "0.2 record 1 pi_1 updated status=canceled amount=3750",
    ).changes
    assert (first.system, first.collection, first.record["state"]) == ("gateway", "payment_intents", "succeeded")
    assert (second.system, second.collection, second.record_id, second.order) == ("wms", "orders", "w1", 1)
    assert (second.record["status"], second.record["lines"]) == ("allocated", [{"quantity": 2}])
    assert third.record == {"id": "pi_1", "status": "canceled", "amount": 3750}


def test_calls_and_webhooks_of_the_chain():
    """A call goes to the system of the handoff that makes it and brings the order to its end; a topic has its sender."""
    history = on_chain(
        "wms-shipment/clean:resolve/one",
        "0 payment_intent.capture 1 200 record=pi_1",
        "0.1 transaction.list 1 200 system=storefront",
        "0.2 webhook 1 200",
        "0.3 webhook 1 200 topic=orders/create",
        "0.4 webhook 1 200 topic=charge.captured system=gateway",
        "0.5 act ship 1",
    )
    assert [(call.system, call.operation) for call in history.exchanges] == [
        ("gateway", "payment_intent.capture"),
        ("storefront", "transaction.list"),
    ]
    assert [(change.collection, change.record["state"]) for change in history.changes] == [
        ("payment_intents", "succeeded")
    ]
    assert [sent.topic for sent in history.deliveries] == ["order.shipped", "orders/create", "charge.captured"]
    assert [(action.kind, action.orders) for action in history.actions] == [("act", (1,))]
    assert history.disagreements == ()


def test_cases_and_breakers():
    """A case is shown in its newest state until it is gone; breakers are told by their handoff; both may be unreadable."""
    declined = "payment-capture/card_declined:queue/decided-retry"
    history = on_chain(
        declined,
        "0 case 1 role=fraud-review sla=3600",
        "0.1 decide 1 retry",
        "0.2 case 1 state=decided decision=retry",
        "0.3 breaker open handoff=order-to-erp",
        "0.4 breaker closed handoff=order-to-erp",
    )
    (case,) = history.cases("payment-capture", 1)
    assert (case["role"], case["sla_s"], case["state"], case["decision"]) == ("fraud-review", 3600, "decided", "retry")
    assert history.open_cases("payment-capture", 1) == ()
    assert [item["state"] for item in history.observed("breakers").items] == ["closed"]
    assert [action.kind for action in history.actions] == ["decide"]
    gone = on_chain(declined, "0 case 1 id=a", "0.1 cases gone a", "0.2 breakers unreadable")
    assert gone.open_cases("payment-capture", 1) == ()
    assert gone.observed("breakers") is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("record 1 wms/orders", "a record is `<id>` or `<system>/<collection>/<id>`, not `wms/orders`"),
        ("record 1 wms//w1", "a record is `<id>` or `<system>/<collection>/<id>`, not `wms//w1`"),
        ("act shop 1", "`shop` is nothing a vendor does"),
        ("case 1 roll=a", "`case` has no option `roll`"),
        ("cases many", "`cases` cannot be `many`"),
    ],
)
def test_wrong_lines_of_the_chain(line, problem):
    """What is wrong with a line about records, acts and cases is told with its place."""
    assert complain(TRACE.replace("0.00 place 1", f"0.00 {line}")) == [f"5:5 {problem}"]


SCHEDULE = """\
story: Two things go wrong.
regression: |
  schedule: 1
  stack: acme-slice
  seed: 1
  slots: 1
  strikes: [{fault: order-to-erp/lost_response, begins: 1}]
experiment: order-to-erp/combined:conserved/none
history:
  - 0.00 place 1
verdict: held
"""


def test_a_schedule_is_told_its_name():
    """A trace of a stored schedule knows its experiment; a wrong hash is answered with the right one."""
    (told,) = complain(SCHEDULE)
    assert told.startswith("8:13 the stack has no experiment `order-to-erp/combined:conserved/none`")
    name = read_problem(SCHEDULE).suggestion
    assert read(SCHEDULE.replace("order-to-erp/combined:conserved/none", name)).experiment.id == name


def test_a_schedule_that_cannot_be():
    """What is wrong with the schedule of a trace is told as it is of a stored one."""
    assert read_problem(SCHEDULE.replace("lost_response", "lost_respons")).suggestion == "order-to-erp/lost_response"


def read_problem(text):
    """Return the first thing wrong with a trace."""
    with pytest.raises(TraceError) as caught:
        read(text)
    return caught.value.problems[0]
