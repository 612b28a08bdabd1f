"""From the entries of journals and driver to a history."""

import re
from dataclasses import replace

import pytest

from harness.core.faults import Fault, Layer, Toxic
from harness.core.record import DRIVER, OPS_DESK, TAP, Entry, Growing, Scope, build_history, read_fault_id
from harness.core.verdict import UnknownKind

ORIGIN = 500.0
EXPERIMENT = "order-to-erp/any:retry/once"
CUT = (Toxic("reset_peer", "upstream", {"timeout": 0}),)
SLOW = (Toxic("latency", "upstream", {"latency": 100}),)


def entry(source, kind, t=0.0, /, **data):
    """Make an entry that was written `t` seconds after the experiment began."""
    return Entry(source, {"type": kind, "mono": ORIGIN + t, **data})


def order(ordinal=1):
    """Make the driver's entry of a reserved order."""
    return entry(DRIVER, "order", ordinal=ordinal, name=f"#100{ordinal}", id=f"5100{ordinal}", number=f"100{ordinal}")


def call(t=1.0, *, tap=None, fake=None, path="/salesOrder/eid:SHP-1001"):
    """Make what both witnesses write of one call of the ERP; None leaves one of them out."""
    what = {"method": "PUT", "path": path, "request_sha256": f"body {t}"}
    times = {"started_mono": ORIGIN + t, "request_mono": ORIGIN + t, "ended_mono": ORIGIN + t + 0.5}
    saw = {"id": f"x{t}", "system": "erp", "direction": "outbound", "operation": "sales_order.upsert", "status": 503}
    got = {"entity": "#1001", "key": "SHP-1001", "code": "BUSY", "status": 503, "shared": False, "faults": []}
    at_tap = entry(
        TAP,
        "exchange",
        t + 0.5,
        **{**what, **times, **saw, "end": "complete", "rule": None, "entity": None, **(tap or {})},
    )
    at_fake = entry("erp", "exchange", t + 0.4, received_mono=ORIGIN + t + 0.1, **what, **{**got, **(fake or {})})
    return [at_tap, at_fake]


def delivery(t=1.0, **data):
    """Make what both witnesses write of one webhook delivery."""
    times = {"sent_mono": ORIGIN + t, "ended_mono": ORIGIN + t + 0.5}
    known = {"topic": "orders/create", "webhook_id": "w1", "entity": "#1001", "attempt": 1, "body_sha256": f"hook {t}"}
    sent = {**known, "status": 200, "outcome": "delivered", "faults": [], **data}
    inside = {"started_mono": ORIGIN + t + 0.1, "request_mono": ORIGIN + t + 0.1, "ended_mono": ORIGIN + t + 0.4}
    saw = {"id": f"in{t}", "system": "storefront", "direction": "inbound", "operation": None, "method": "POST"}
    saw |= {"path": "/in", "request_sha256": sent["body_sha256"], "status": sent["status"], "end": "complete"}
    saw |= {"rule": None, "entity": None}
    own = [entry("storefront", "delivery", t + 0.5, **times, **sent)]
    return own if sent["outcome"] == "suppressed" else [*own, entry(TAP, "exchange", t + 0.4, **inside, **saw)]


def fault(layer, **more):
    """Make the experiment's fault."""
    return Fault("f1", more.pop("kind", "status"), layer, more.pop("system", "erp"), **more)


def armed(source="erp", kind="fault", t=0.5, name=f"{EXPERIMENT}#f1~0"):
    """Make the entry of an arming."""
    return entry(source, kind, t, **{kind: name}, event="armed")


def build(*entries, faults=(), now=10.0, **more):
    """Build the history of an experiment that began at the origin."""
    return build_history(entries, Scope(ORIGIN, ORIGIN + now, tuple(faults), **more))


def test_an_empty_record():
    """Nothing recorded is a history of nothing, as long as it stood."""
    history = build(now=3.0)
    assert (history.now, history.exchanges, history.disagreements, history.troubles) == (3.0, (), (), ())


def test_an_exchange_has_both_sides():
    """An exchange has its times from the tap, its meaning from the fake, and the order both are about."""
    history = build(order(), *call(1.0, tap={"status": 503}))
    (made,) = history.exchanges
    assert (made.started, made.ended) == (1.0, 1.5)
    assert (made.status, made.server_status, made.code, made.key, made.entity) == (
        503,
        503,
        "BUSY",
        "SHP-1001",
        "#1001",
    )
    assert (made.order, made.operation, made.method, made.fake, made.body_sha256) == (
        1,
        "sales_order.upsert",
        "PUT",
        True,
        "body 1.0",
    )
    assert history.disagreements == ()


@pytest.mark.parametrize(
    ("tap", "fake", "path", "found"),
    [
        ({}, {}, "/x", 1),
        ({}, {"entity": None, "key": "SHP-1001"}, "/x", 1),
        ({"entity": "#1001"}, {"entity": None, "key": None}, "/x", 1),
        ({}, {"entity": None, "key": None}, "/x/1001", 1),
        ({}, {"entity": None, "key": None}, "/x/10010", None),
        ({}, {"entity": "9f", "key": "9f"}, "/x", None),
        ({}, {"entity": None, "key": None, "shared": True}, "/x?since_id=51001", None),
        ({}, {"entity": "#1002"}, "/x/1001", 2),
    ],
)
def test_whose_call_it_is(tap, fake, path, found):
    """The fake's word goes before the tap's and the path's, and a shared call is nobody's."""
    history = build(order(1), order(2), *call(tap=tap, fake=fake, path=path))
    assert [made.order for made in history.exchanges] == [found]


def test_the_stack_may_say_how_orders_are_named():
    """A pattern of the stack picks the part of a reference that names the order."""
    fake = {"entity": "ref-7-1001-1002", "key": None}
    pattern = re.compile(r"ref-\d-(?P<first>x)?\d+-(?P<order>\d+)")
    assert [made.order for made in build(order(1), order(2), *call(fake=fake)).exchanges] == [1]
    assert [made.order for made in build(order(1), order(2), *call(fake=fake), entity=pattern).exchanges] == [2]
    assert [made.order for made in build(order(1), *call(), entity=pattern).exchanges] == [1]


def test_a_call_that_was_cut_off_carries_no_payload():
    """What the tap had of a body when its client was reset is not what the client was sending."""
    whole, cut = build(order(1), *call(), *call(t=2.0, tap={"request_mono": None, "end": "reset"})).exchanges
    assert (bool(whole.body_sha256), cut.body_sha256) == (True, "")


def test_a_call_whose_head_was_never_whole():
    """A call of which the tap has no method and path is an exchange with neither."""
    at_tap, _ = call(tap={"method": None, "end": "client_closed", "status": None, "request_mono": None}, path=None)
    history = build(order(), at_tap)
    assert [(made.method, made.path, made.order) for made in history.exchanges] == [("", "", None)]
    assert history.disagreements == ()


def test_exchanges_stand_in_the_order_they_began():
    """Exchanges and deliveries are sorted by when they began, whenever they were written down."""
    history = build(order(), *call(3.0), *call(1.0), *call(2.0), *delivery(2.0), *delivery(1.0))
    assert [made.started for made in history.exchanges] == [1.0, 2.0, 3.0]
    assert [sent.started for sent in history.deliveries] == [1.0, 2.0]


def test_what_came_before_is_left_out():
    """Entries of earlier experiments help to pair and are in no history."""
    before = [
        *call(-2.0),
        *delivery(-2.0),
        entry("erp", "change", -1.0, collection="sales_orders", record_id="7", entity="#1001", action="created"),
        entry(OPS_DESK, "change", -1.0, collection="alerts", record_id="a", entity=None, action="created"),
        entry("erp", "stall", -1.0, seconds=3.0),
    ]
    history = build(order(), *before)
    assert (history.exchanges, history.deliveries, history.changes, history.alerts, history.troubles) == ((),) * 5
    assert history.disagreements == ()


def test_a_call_past_the_tap():
    """A call that only the fake has is no exchange but a disagreement."""
    _, at_fake = call()
    history = build(order(), at_fake)
    assert (history.exchanges, len(history.disagreements)) == ((), 1)


def test_deliveries():
    """A delivery is the sender's word; one that was suppressed never was on the wire, and disagrees with nobody."""
    history = build(
        order(), *delivery(1.0, status=None, outcome="failed"), *delivery(2.0, outcome="suppressed", status=None)
    )
    assert [(sent.status, sent.outcome, sent.order) for sent in history.deliveries] == [
        (None, "failed", 1),
        (None, "suppressed", 1),
    ]
    assert history.disagreements == ()


def test_changes():
    """Changes of every fake but the ops desk are in the history, in the order of time, with the order they are about."""
    created = {"collection": "sales_orders", "record_id": 7, "action": "created", "record": {"memo": "a"}}
    history = build(
        order(),
        entry("erp", "change", 2.0, entity="#1001", **created),
        entry("wms", "change", 1.0, entity=None, **{**created, "record": {"external_id": "SHP-1001"}}),
        entry(OPS_DESK, "change", 1.0, entity="#1001", **created),
    )
    assert [(change.t, change.system, change.order, change.record_id) for change in history.changes] == [
        (1.0, "wms", 1, "7"),
        (2.0, "erp", 1, "7"),
    ]
    assert [change.entity for change in history.changes] == [None, "#1001"]


def test_a_journal_whose_clock_goes_back():
    """The changes of one system keep the order they were written in, whatever its clock said; those of others do not wait."""
    changes = [
        entry("erp", "change", t, collection="sales_orders", record_id=f"{t}", entity=None, action="created")
        for t in (1.0, 2.0, 1.5, 2.5)
    ]
    other = entry("wms", "change", 1.75, collection="orders", record_id="w1", entity=None, action="created")
    told = [(change.record_id, change.t) for change in build(*changes, other).changes]
    assert told == [("1.0", 1.0), ("w1", 1.75), ("2.0", 2.0), ("1.5", 2.0), ("2.5", 2.5)]


def test_alerts():
    """What the ops desk creates is an alert; what it updates was one already."""
    record = {"role": "oncall", "handoff": "order-to-erp", "entity": "#1001", "code": "BUSY", "dedup_key": "k"}
    told = {"collection": "alerts", "record_id": "a", "entity": None}
    history = build(
        entry(OPS_DESK, "change", 1.0, action="created", record=record, **told),
        entry(OPS_DESK, "change", 2.0, action="updated", record=record, **told),
        entry(OPS_DESK, "change", 3.0, action="created", **{**told, "collection": "tickets", "entity": "#1002"}),
    )
    first, second = history.alerts
    assert (first.t, first.role, first.handoff, first.entity, first.code, first.key, first.channel) == (
        1.0,
        "oncall",
        "order-to-erp",
        "#1001",
        "BUSY",
        "k",
        "pagerduty",
    )
    assert (second.role, second.entity, second.key, second.channel) == (None, "#1002", "a", "zendesk")


def test_what_the_driver_did_and_saw():
    """Actions, observations, troubles, bystanders and disturbances are the driver's."""
    history = build(
        entry(DRIVER, "action", what="place 1", kind="place", orders=[1], began_mono=ORIGIN + 1, until_mono=ORIGIN + 2),
        entry(DRIVER, "action", what="wait", kind="wait", met=False, began_mono=ORIGIN, until_mono=ORIGIN),
        entry(DRIVER, "observation", 3.0, what="dead_letters", items=[{"id": "a"}]),
        entry(DRIVER, "observation", 4.0, what="queues", error="down"),
        entry(DRIVER, "trouble", 5.0, kind="environment", what="erp died"),
        entry(DRIVER, "bystanders", tokens=["900", "901"]),
        entry(DRIVER, "disturbance", seconds=0.2),
        entry(DRIVER, "disturbance", seconds=0.1),
    )
    assert [(action.t, action.until, action.met, action.orders) for action in history.actions] == [
        (1.0, 2.0, True, (1,)),
        (0.0, 0.0, False, ()),
    ]
    assert [(seen.t, seen.items, seen.error) for seen in history.observations] == [
        (3.0, ({"id": "a"},), None),
        (4.0, (), "down"),
    ]
    assert [(trouble.t, trouble.kind, trouble.what) for trouble in history.troubles] == [
        (5.0, "environment", "erp died")
    ]
    assert (history.bystanders, history.disturbance_s) == (frozenset({"900", "901"}), 0.2)


@pytest.mark.parametrize("source", [TAP, "erp", OPS_DESK])
def test_stalls(source):
    """Whoever was not scheduled, the harness was not in order."""
    (trouble,) = build(entry(source, "stall", 1.0, seconds=0.4)).troubles
    assert (trouble.kind, trouble.what) == (UnknownKind.INTERFERENCE, f"{source} was not scheduled for 0.40 s")


@pytest.mark.parametrize(
    ("name", "fault_id"),
    [(f"{EXPERIMENT}#f1~0", "f1"), ("f1", "f1"), ("a#b#f2~11", "f2"), ("f1~3", "f1")],
)
def test_names_of_faults(name, fault_id):
    """The plan's id of a fault is read from the name it was armed under."""
    assert read_fault_id(name) == fault_id


NAME = f"{EXPERIMENT}#f1~0"


@pytest.mark.parametrize(
    ("faults", "entries", "receipts"),
    [
        (fault(Layer.VENDOR), call(fake={"faults": [NAME]}), 1),
        (fault(Layer.VENDOR), call(fake={"faults": [f"{EXPERIMENT}#f2~0"]}), 0),
        (fault(Layer.VENDOR), call(), 0),
        (fault(Layer.WIRE, toxics=CUT), call(tap={"rule": NAME, "end": "reset", "status": None}), 1),
        (fault(Layer.WIRE, toxics=CUT), call(tap={"rule": NAME}), 0),
        (fault(Layer.WIRE, toxics=SLOW), call(tap={"rule": NAME}), 1),
        (fault(Layer.WIRE, toxics=CUT), call(tap={"end": "reset", "status": None}), 0),
        (fault(Layer.WEBHOOK, system="storefront"), delivery(faults=[NAME]), 1),
        (fault(Layer.WEBHOOK, system="storefront"), delivery(faults=[NAME], outcome="suppressed", status=None), 1),
        (fault(Layer.WEBHOOK, system="storefront"), delivery(), 0),
        (fault(Layer.ACT, kind="forge", system="storefront", orders=(1,)), delivery(), 1),
        (fault(Layer.ACT, kind="forge", system="storefront", orders=(2,)), delivery(), 0),
        (fault(Layer.ACT, kind="expire-sessions"), call(tap={"status": 401}, fake={"status": 401}), 1),
        (fault(Layer.ACT, kind="expire-sessions"), call(tap={"status": 403}, fake={"status": 403}), 0),
        (fault(Layer.ACT, kind="expire-sessions", system="wms"), call(tap={"status": 401}, fake={"status": 401}), 0),
        (fault(Layer.PROCESS), [entry(TAP, "signal", 1.0, id=NAME, signal="KILL", exchange="x")], 1),
        (fault(Layer.PROCESS), [entry(TAP, "signal", 1.0, id=NAME, signal="KILL", exchange="x", error="no such")], 0),
        (fault(Layer.PROCESS), [entry(TAP, "signal", -1.0, id=NAME, signal="KILL", exchange="x")], 0),
        (fault(Layer.PROCESS), [entry(TAP, "signal", 1.0, id="e#f2~0", signal="KILL", exchange="x")], 0),
    ],
)
def test_receipts(faults, entries, receipts):
    """A fault has a receipt for each call or delivery it met, and none where it did nothing."""
    history = build(order(1), order(2), armed(), *entries, faults=[faults])
    assert len(history.hits("f1")) == receipts


@pytest.mark.parametrize(("rule", "receipts"), [(NAME, 1), (f"{EXPERIMENT}#f2~0", 0), (None, 0)])
def test_receipts_of_refusals(rule, receipts):
    """A refused delivery leaves a receipt at the tap, whatever its sender says of it."""
    refusing = fault(Layer.WIRE, kind="receiver_down", system="storefront", params={"refuse": True})
    own, at_tap = delivery(status=None, outcome="failed")
    met = Entry(TAP, {**at_tap.data, "rule": rule, "end": "reset", "entity": "#1001"})
    history = build(order(), armed(TAP, "rule"), own, met, faults=[refusing])
    assert [receipt.order for receipt in history.hits("f1")] == [1] * receipts


def test_what_a_receipt_says():
    """A receipt says what the client saw and what the vendor did, each in its own words."""
    cutting, entries = fault(Layer.WIRE, toxics=CUT), call(tap={"rule": NAME, "end": "reset", "status": None})
    (receipt,) = build(order(), armed(TAP, "rule"), *entries, faults=[cutting]).receipts
    assert (receipt.client_saw, receipt.server_saw, receipt.where, receipt.t) == ("reset", "503", "x1.0", 1.0)
    (unreached,) = build(order(), armed(TAP, "rule"), entries[0], faults=[cutting]).receipts
    assert unreached.server_saw == "nothing"


@pytest.mark.parametrize(("kind", "garbled"), [("malformed", True), ("status", False)])
def test_garbled_answers(kind, garbled):
    """A 2xx that a fault made impossible to understand is no success."""
    entries = call(tap={"status": 200}, fake={"status": 200, "faults": [NAME]})
    (made,) = build(order(), armed(), *entries, faults=[fault(Layer.VENDOR, kind=kind)]).exchanges
    assert (made.garbled, made.succeeded) == (garbled, not garbled)


@pytest.mark.parametrize(
    "entries",
    [
        call(fake={"faults": ["other/experiment#f1~0"]}),
        call(tap={"rule": "other/experiment#f1~0", "entity": "#1001"}),
        delivery(faults=["other/experiment#f1~0"]),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_faults_left_over(entries, own):
    """A fault that met this experiment's orders must have been armed in it."""
    name = "other/experiment#f1~0"
    arming = [armed(t=1 if own else -1, name=name), armed(TAP, "rule", t=1 if own else -1, name=name)]
    troubles = build(order(), *arming, *entries).troubles
    assert [trouble.kind for trouble in troubles] == ([] if own else [UnknownKind.ENVIRONMENT])


def test_what_others_met_does_not_matter():
    """What an earlier experiment's faults do to its own orders is no trouble of this one."""
    assert build(order(), *delivery(entity="#900", faults=["other/experiment#f1~0"])).troubles == ()


def test_a_history_that_grows_is_the_one_that_is_built_at_once():
    """Whatever was asked for in between, and however late the orders became known, nothing of the history differs."""
    vendor, hook, wire = fault(Layer.VENDOR), Fault("f2", "delay", Layer.WEBHOOK, "storefront"), SLOW
    faults = (vendor, hook, Fault("f3", "slow", Layer.WIRE, "erp", toxics=wire))
    change = {"collection": "sales_orders", "record_id": 7, "entity": "#1001", "action": "created"}
    record = [
        *call(0.2, fake={"faults": [f"{EXPERIMENT}#f1~0"]}),
        entry(OPS_DESK, "change", 0.3, **{**change, "collection": "alerts"}, record={"role": "ops"}),
        armed(),
        order(1),
        *call(1.0, tap={"rule": f"{EXPERIMENT}#f3~0"}),
        entry("erp", "change", 1.5, **change),
        *delivery(1.6, faults=[f"{EXPERIMENT}#f2~0"]),
        *delivery(1.7, outcome="suppressed", status=None),
        order(2),
        entry("wms", "change", 1.4, **{**change, "entity": "#1002"}),
        *call(2.0, path="/x/1002", fake={"entity": None, "key": None}),
        entry(TAP, "stall", 2.5, seconds=0.4),
        entry(DRIVER, "bystanders", tokens=["1", "2"]),
        entry(DRIVER, "observation", 3.0, what="queues", items=[{"id": "q"}]),
    ]
    scope = Scope(ORIGIN, ORIGIN + 10.0, faults)
    growing = Growing(scope)
    for count, each in enumerate(record, start=1):
        growing.take([each])
        assert growing.history(scope.now) == build_history(record[:count], scope)
    assert {receipt.fault for receipt in growing.history(scope.now).receipts} == {"f1", "f2", "f3"}


def test_a_call_that_never_ends():
    """A fault of the wire holds a call from its beginning on, until the tap writes its end; no other fault, and none of before."""
    begun = {"listener": "erp", "operation": "sales_order.upsert", "entity": "#1001", "ordinal": 1}
    opened = entry(TAP, "exchange_open", 1.0, **begun, id="x1.0", rule=f"{EXPERIMENT}#f1~0", started_mono=ORIGIN + 1.0)
    before = entry(TAP, "exchange_open", -2.0, **begun, id="x0", rule=f"{EXPERIMENT}#f1~0", started_mono=ORIGIN - 2.0)
    wire = fault(Layer.WIRE, kind="timeout", toxics=CUT)

    assert build(order(), opened, faults=[wire]).holding == {"f1"}
    assert build(order(), opened, faults=[replace(wire, id="f2")]).holding == set()
    assert build(order(), opened, faults=[fault(Layer.VENDOR)]).holding == set()
    assert build(order(), before, faults=[wire]).holding == set()
    ended = call(1.0, tap={"rule": f"{EXPERIMENT}#f1~0", "end": "client_closed", "status": None})[0]
    history = build(order(), opened, ended, faults=[wire])
    assert (history.holding, [receipt.fault for receipt in history.receipts]) == (set(), ["f1"])
