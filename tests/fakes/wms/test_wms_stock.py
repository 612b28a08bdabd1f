"""Stock adds up, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.wms.conftest import HEADERS

if TYPE_CHECKING:
    from tests.fakes.wms.conftest import Wms

ITEMS = ("TEE", "MUG")
skus = st.sampled_from(ITEMS)
places = st.sampled_from(["MAIN", "EAST"])
units = st.integers(1, 6)
which = st.integers(0, 3)
lines = st.lists(st.fixed_dictionaries({"sku": skus, "quantity": units}), min_size=1, max_size=3)

steps = st.one_of(
    st.tuples(st.just("create"), which, st.fixed_dictionaries({"lines": lines, "location": places})),
    st.tuples(st.just("allocations"), which, st.fixed_dictionaries({"location": places})),
    st.tuples(st.just("cancel"), which, st.just({})),
    st.tuples(st.sampled_from(["act:allocate", "act:pick", "act:pack", "act:ship", "act:cancel"]), which, st.just({})),
    st.tuples(st.sampled_from(["act:hold", "act:release"]), which, st.just({})),
    st.tuples(st.just("act:ship"), which, st.fixed_dictionaries({"lines": lines})),
    st.tuples(st.just("act:short-pick"), which, st.fixed_dictionaries({}, optional={"sku": skus, "quantity": units})),
    st.tuples(
        st.just("act:adjust-stock"),
        which,
        st.fixed_dictionaries({"sku": skus, "location": places, "delta": st.integers(-12, 6)}),
    ),
    st.tuples(
        st.just("act:receive-stock"),
        which,
        st.fixed_dictionaries({"sku": skus, "location": places, "quantity": units}),
    ),
    st.tuples(
        st.just("fault"), which, st.sampled_from(["partial_allocation", "not_persisted"]).map(lambda k: {"kind": k})
    ),
)


def take(wms: Wms, orders: dict[int, str], step: tuple[str, int, dict[str, Any]]) -> int:
    """Make one step happen and return the status of the answer; orders not made yet are named in vain."""
    verb, order, given = step
    if verb == "fault":
        body = {"id": "f1", "count": 1, **given}
        wms.fake.control.delete("/faults")
        return wms.fake.control.post("/faults", json=body).status_code
    if verb == "create":
        answer = wms.fake.client.post("/orders", json={"reference": f"r{order}", **given}, headers=HEADERS)
        orders.setdefault(order, answer.json().get("id", "ord_nope"))
        return answer.status_code
    order_id = orders.get(order, "ord_nope")
    if verb.startswith("act:"):
        return wms.fake.control.post(f"/act/{verb[4:]}", json={"order_id": order_id, **given}).status_code
    return wms.fake.client.post(f"/orders/{order_id}/{verb}", json=given, headers=HEADERS).status_code


@given(st.lists(steps, min_size=4, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stock_adds_up_whatever_happens(wms: Wms, course: list[tuple[str, int, dict[str, Any]]]) -> None:
    """After any course of events nothing is negative, the sums hold, and what is set aside and shipped is the orders'."""
    wms.fake.reset()
    for sku in ITEMS:
        wms.fill(8, 4, sku=sku)
    orders: dict[int, str] = {}
    for step in course:
        assert take(wms, orders, step) < 500, step
        wms.check_sums()
