"""Alerts: taken by the on-call tool sooner or later, however often that takes."""

from reference_service import ECOMMERCE


def test_an_alert_is_tried_until_it_is_taken(service, vendors):
    """Throttling and errors of the on-call tool delay an alert; it arrives once, under one key, with all that attributes it."""
    vendors.event_replies = [429, 500, 503]
    service.deliver(b"nonsense", webhook_id="w1")
    vendors.wait(lambda: vendors.events)

    (event,) = vendors.events
    assert event["routing_key"] == ECOMMERCE
    assert event["event_action"] == "trigger"
    assert event["dedup_key"].startswith("order-capture:malformed:")
    assert event["payload"]["custom_details"] == {
        "handoff": "order-capture",
        "entity": "w1",
        "code": "MALFORMED_PAYLOAD",
        "role": "ecommerce-ops",
    }


def test_a_refused_alert_makes_way_for_the_next(service, vendors):
    """An alert the on-call tool calls invalid is not sent for ever; the dead letter does not count as escalated."""
    vendors.event_replies = [400]
    service.deliver(b"nonsense", webhook_id="w1")
    vendors.wait(lambda: not vendors.event_replies)
    service.deliver(b"nonsense", webhook_id="w2")
    vendors.wait(lambda: vendors.events)
    assert vendors.events[0]["payload"]["custom_details"]["entity"] == "w2"


def test_an_alert_waits_while_the_on_call_tool_cannot_be_reached(start):
    """With nobody there to take it, the alert stays in the outbox and everything else goes on."""
    lonely = start(OPS_PAGERDUTY_URL="http://127.0.0.1:1")
    lonely.deliver(b"nonsense", webhook_id="w1")
    assert [row["escalated_at"] for row in lonely.letters()] == [None]
    assert lonely.http.get("/healthz").status_code == 200
