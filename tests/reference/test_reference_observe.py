"""What operators see: the shapes others rely on, and that nothing secret is in them."""

import json

import pytest
from reference_service import ECOMMERCE, ONCALL, SECRET, LocalService, make_order
from reference_vendors import UNAVAILABLE

SHAPES = {
    "dead-letters": {
        "id",
        "handoff",
        "entity",
        "code",
        "attempts",
        "first_failed_at",
        "payload_sha256",
        "escalated_at",
        "state",
    },
    "breakers": {"handoff", "state", "consecutive_failures"},
    "jobs": {"id", "name", "state", "started_at", "finished_at", "expected_s", "trigger"},
    "sessions": {"system", "user", "valid", "expires_at"},
    "caches": {"name", "refreshed_at", "refreshing", "ttl_s"},
    "exceptions": {"id", "job_id", "handoff", "entity", "code", "text", "at", "trigger"},
    "changes": {"at", "what", "by"},
}


@pytest.fixture
def busy(environment, vendors):
    """Run an integration, restarted with another setting, that has something to show everywhere."""
    with LocalService(environment) as first:
        first.deliver(b"nonsense")
    LocalService.join_all()
    with LocalService(environment | {"ERP_ACCOUNT": "OTHER"}) as service:
        vendors.plan["SHP-1001"] = [UNAVAILABLE]
        service.deliver(make_order(1001))
        vendors.wait(lambda: vendors.records["SHP-1001"])
        service.http.post("/ops/jobs/reconcile-orders/start")
        service.await_that(lambda: service.ops("jobs"))
        yield service


def test_every_endpoint_answers_in_its_shape(busy):
    """Each list has entries with at least the fields that were agreed."""
    for path, fields in SHAPES.items():
        rows = busy.ops(path)
        assert rows, path
        assert all(fields <= set(row) for row in rows), path
    assert busy.ops("queues") == []


def test_nothing_secret_is_shown(busy):
    """No token, key or signing secret is in anything operators can read."""
    shown = json.dumps([busy.ops(path) for path in SHAPES])
    for secret in (SECRET, ONCALL, ECOMMERCE, "shop-token", "token-1"):
        assert secret not in shown


def test_a_changed_setting_is_a_change(busy):
    """A setting that differs from the last start is named, without its value."""
    (change,) = busy.ops("changes")
    assert (change["what"], change["by"]) == ("setting erp_account", "environment")


def test_the_session_shown_is_the_one_in_use(service, vendors):
    """The ERP session is invalid before the first order and valid, with its end, after it."""
    erp = service.ops("sessions")[0]
    assert (erp["system"], erp["user"], erp["valid"], erp["expires_at"]) == ("erp", "client-1", False, None)
    service.deliver(make_order(1001))
    vendors.wait(lambda: vendors.records["SHP-1001"])

    assert service.ops("sessions")[0]["valid"] is True
    assert service.ops("caches")[0]["ttl_s"] == pytest.approx(3600)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/ops/jobs/nothing/start", 404),
        ("POST", "/ops/queues/nothing/decide", 404),
        ("POST", "/ops/dead-letters/nothing/replay", 404),
        ("GET", "/ops/nothing", 404),
        ("GET", "/webhooks/storefront", 405),
        ("GET", "/healthz", 200),
    ],
)
def test_other_requests_are_answered_properly(service, method, path, status):
    """What is not there is answered as such, never as an error of the service."""
    assert service.http.request(method, path).status_code == status
