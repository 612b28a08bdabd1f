"""A record twice as long takes twice the work to read and to judge: operations are counted, not time."""

import json
import sys
from functools import partial
from types import FrameType

import pytest

from harness.core.archive import DRIVEN, HEAD, JUDGED, RESTED, read_stored
from harness.core.checks.breaker import check_one_alert, check_opens, check_probes
from harness.core.checks.containment import Neighbour, check_contained, check_drained
from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.checks.excess import list_excess
from harness.core.checks.resolution import check_resolved_once, check_untouched
from harness.core.ends import EndState
from harness.core.experiments import Check, Experiment, LedgerRule, Station
from harness.core.history import Change, History
from harness.core.judging import judge_whole
from harness.core.record import DRIVER, Growing, Scope
from harness.core.stack import Breaker
from harness.core.starts import Start
from harness.core.timing import Waited, build_timing

POST, SHIP = "order-to-erp", "shipment-to-erp"
OPERATIONS = ("sales_order.upsert",)
SALES_ORDER, FULFILMENT = EndState("erp", "sales_order"), EndState("erp", "item_fulfillment")
RULE = LedgerRule((Station(POST, end=SALES_ORDER, queues=True), Station(SHIP, Start.SHIPPED, (POST,), FULFILMENT)))
BREAKER = Breaker(failures=2, pause_s=0.5, probes=1, alert="oncall")
# So much more than twice may come of tables that grow in steps.
SLACK = 0.05


def list_lines(count):
    """Write down orders that pass, of which every tenth is put aside, every fifth fails twice first, and stock that moves."""
    yield {"type": HEAD, "experiment": "x", "lab": 0, "origin_mono": 0.0, "observable": ["dead_letters", "queues"]}
    letters = []
    for order in range(1, count + 1):
        for source, data in list_entries(order, letters):
            yield {"experiment": "x", "lab": 0, "source": source, "mono": float(order), **data}
    shown = [
        {"type": "observation", "what": "dead_letters", "items": letters},
        {"type": "observation", "what": "queues"},
    ]
    marks = [{"type": JUDGED, "moment": moment, "now": count + 2.0, "journals": 10**9} for moment in (DRIVEN, RESTED)]
    for data in (*shown, *marks):
        yield {"experiment": "x", "lab": 0, "source": DRIVER, "mono": count + 1.0, **data}


def list_entries(order, letters):
    """List what is written of one order, a poll that is equal to all others among it."""
    name, t = f"#{1000 + order}", float(order)
    yield DRIVER, {"type": "order", "ordinal": order, "name": name, "id": f"id{order}", "number": str(1000 + order)}
    yield DRIVER, {"type": "action", "kind": "place", "what": "", "orders": [order], "began_mono": t, "until_mono": t}
    yield DRIVER, {"type": "action", "kind": "lift", "what": "", "orders": [], "began_mono": t, "until_mono": t}
    yield from call(t, name, 200, path="/poll", operation="poll", shared=True)
    sent = {"status": 200, "faults": [], "entity": name, "body_sha256": "all alike"}
    hook = {"topic": "orders/create", "webhook_id": f"w{order}", "attempt": 1, "outcome": "delivered", **sent}
    yield "storefront", {"type": "delivery", "sent_mono": t, "ended_mono": t + 0.2, **hook}
    yield "tap", crossing(t, "storefront", "inbound", request_sha256="all alike")
    failing = 2 if order % 5 == 0 else 0
    for number in range(failing):
        yield from call(t + 0.01 * number, name, 503, path=f"/orders/{order}")
    if order % 10 == 0:
        letters.append({"id": f"l{order}", "handoff": POST, "entity": name, "payload_sha256": "b", "state": "waiting"})
        return
    yield from call(t + 0.6, name, 200, path=f"/orders/{order}")
    lines = [{"sku": "CAP", "quantity": 1}]
    for system, collection in (
        ("erp", "sales_orders"),
        ("wms", "orders"),
        ("wms", "shipments"),
        ("erp", "item_fulfillments"),
    ):
        yield system, changed(collection, f"{collection}{order}", name, order_id="w", lines=lines)
    units = {"opening": 0, "received": 0, "adjusted": order, "shipped": 0, "on_hand": order + 1}
    yield "wms", changed("stock", "CAP@MAIN", "CAP", sku="CAP", location="MAIN", **units)


def crossing(t, system, direction, *, path="/webhooks", **more):
    """Write what the tap does of a call."""
    times = {"started_mono": t, "request_mono": t, "ended_mono": t + 0.1}
    known = {"type": "exchange", "id": f"{system}{t}{path}", "system": system, "direction": direction, "method": "POST"}
    return known | {
        "path": path,
        "status": 200,
        "end": "complete",
        "rule": None,
        "request_sha256": "b",
        **times,
        **more,
    }


def call(t, name, status, *, path, operation=OPERATIONS[0], shared=False):
    """Write what tap and fake do of a call of the integration."""
    yield "tap", crossing(t, "erp", "outbound", path=path, status=status, operation=operation)
    seen = {"method": "POST", "path": path, "request_sha256": "b", "status": status, "operation": operation}
    named = {"entity": None if shared else name, "shared": shared, "faults": []}
    yield "erp", {"type": "exchange", "received_mono": t + 0.05, **seen, **named}


def changed(collection, record_id, name, **record):
    """Write what a fake does of a change."""
    return {
        "type": "change",
        "collection": collection,
        "record_id": record_id,
        "entity": name,
        "action": "created",
        "record": record,
    }


def build_experiment(count):
    """Build an experiment whose checks ask about every order."""
    orders = tuple(range(1, count + 1))
    asked = {
        "once": partial(check_resolved_once, end=SALES_ORDER, orders=orders, within_s=3.0),
        "untouched": partial(check_untouched, orders=orders, horizon_s=1.0),
        "none": partial(check_no_dead_letter, handoff=POST, orders=orders),
        "drained": partial(check_drained, handoff=POST, end=SALES_ORDER, orders=orders, breaks=False, within_s=1e9),
        "contained": partial(check_contained, neighbours=(Neighbour(SHIP, ("poll",), starves=True),), orders=orders),
        "opens": partial(check_opens, operations=OPERATIONS, breaker=BREAKER, scale=1.0),
        "probes": partial(check_probes, operations=OPERATIONS, breaker=BREAKER, scale=1.0, latest_s=1.0),
        "one": partial(check_one_alert, operations=OPERATIONS, breaker=BREAKER, handoff=POST, scale=1.0),
    }
    checks = tuple(Check(name, judge) for name, judge in asked.items())
    return Experiment("x", POST, "", "", "", "", count, (), checks, RULE, operations=OPERATIONS)


def count_operations(work):
    """Count the operations the interpreter carries out of our code."""
    counted = 0

    def trace(frame: FrameType, event: str, _):
        nonlocal counted
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        found = work()
    finally:
        sys.settrace(before)
    return counted, found


def read(lines):
    """Read the one experiment that is stored."""
    (stored,) = read_stored(lines)
    return stored.entries


def build(entries, count):
    """Build the history of a record."""
    growing = Growing(Scope(0.0, 0.0))
    growing.take(entries)
    return growing.history(count + 2.0)


def measure(count):
    """Count what reading, building, judging and timing take for so many orders."""
    lines = [json.dumps(line) for line in list_lines(count)]
    reading, entries = count_operations(partial(read, lines))
    building, history = count_operations(partial(build, entries, count))
    judging, judged = count_operations(partial(judge_whole, build_experiment(count), history, history))
    waits = [Waited(order, order + 1.0, 1.0) for order in range(count)]
    timing, _ = count_operations(partial(build_timing, history, waits, duration_s=count))
    rows = {str(entry.row) for entry in judged.ledger}
    return {"reading": reading, "building": building, "judging": judging, "timing": timing}, rows


def tell_long_story(count):
    """Tell of one order that is posted, and credited, again and again, each time deleted before the next."""
    yield Change(0.0, "storefront", "orders", "o", 1, "created", {"total_price": "10.00"})
    for n in range(count):
        for t, action in ((n + 0.1, "created"), (n + 0.2, "deleted")):
            yield Change(t, "erp", "sales_orders", f"{n}", 1, action)
            yield Change(t, "erp", "credit_memos", f"{n}", 1, action, {"total": "1.00"})
        yield Change(n + 0.3, "storefront", "refunds", f"{n}", 1, "created", {"order_id": "o", "amount": "1.00"})


def test_a_story_twice_as_long_takes_twice_the_work():
    """What one order ever had too much of is found in one look at its changes, however many there are."""
    worked = []
    for count in (30, 60, 120):
        history = History(now=count, changes=tuple(tell_long_story(count)))
        ends = ((SALES_ORDER, ""), (EndState("erp", "credit_memo"), "refunds"))
        counted, found = count_operations(partial(list_excess, history, 1, ends))
        assert [each.what for each in found] == ["credited 1.00 of 0.00"]
        worked.append(counted)
    assert (worked[2] - worked[1]) / (worked[1] - worked[0]) == pytest.approx(2.0, abs=SLACK)


@pytest.fixture(scope="module")
def measured():
    """Measure three sizes, each twice the one before."""
    return [measure(count) for count in (30, 60, 120)]


@pytest.mark.parametrize("what", ["reading", "building", "judging", "timing"])
def test_twice_as_much_takes_twice_the_work(measured, what):
    """What the second half adds is twice what the first half added."""
    small, middle, large = (found[what] for found, _ in measured)
    assert (large - middle) / (middle - small) == pytest.approx(2.0, abs=SLACK)


def test_it_is_a_history_with_something_in_it(measured):
    """Orders were fulfilled, and orders were put aside."""
    assert measured[-1][1] == {"fulfilled", "parked"}
