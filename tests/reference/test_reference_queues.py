"""Role queues: what a person is asked, what each decision leads to, and that it is carried out once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from reference_chain import await_that

RESTRICTED = {"params": {"code": "RESTRICTED_PRODUCT", "text": "Item X may not be sold to this customer."}}
DECLINED = {"params": {"code": "card_declined"}}


def decide(carrier, case, decision):
    """Decide a case and return the answer's status."""
    return carrier.http.post(f"/ops/queues/{case['id']}/decide", json={"decision": decision}).status_code


def find_case(carrier, **wanted):
    """Wait for a case with these fields."""
    found = await_that(
        lambda: [row for row in carrier.ops("queues") if all(row[name] == value for name, value in wanted.items())]
    )
    return found[-1]


@pytest.fixture
def dear(chain):
    """Place an order above the value that has to be looked at."""
    order = chain.reserve(price="250.01")
    chain.place(order)
    return order


def is_undone(chain, order):
    """Tell whether an order is cancelled at the storefront and nothing of its payment is kept."""
    (shown,) = chain.storefront.state("orders", id=order.id)
    (payment,) = chain.gateway.state("payment_intents", id=order.payment)
    kept = payment["amount_received"] - payment["amount_refunded"]
    return shown["cancelled_at"] and (payment["status"] == "canceled" or kept == 0)


def test_a_dear_order_is_asked_about_before_anything_is_captured(chain, carrier):
    """Above 500.00 EUR nothing is sent to the gateway; the role gets one ticket, while the ERP goes on."""
    order = chain.reserve(price="250.01")
    chain.place(order)
    case = find_case(carrier, state="open")
    (ticket,) = await_that(lambda: chain.opsdesk.state("tickets"))
    await_that(lambda: chain.erp.state("sales_orders", entity=order.name))

    assert (case["role"], case["handoff"], case["entity"]) == ("fraud-review", "payment-capture", order.name)
    assert case["sla_s"] == 3600
    assert (ticket["role"], ticket["external_id"]) == ("fraud-review", f"payment-capture:{order.name}")
    assert (ticket["handoff"], ticket["code"]) == ("payment-capture", case["code"])
    assert chain.gateway.calls("payment_intent.capture") == []
    assert chain.wms.state("orders") == []
    assert carrier.ops("exceptions") == []


def test_an_order_at_the_threshold_is_not_asked_about(chain, carrier):
    """Exactly 500.00 EUR is not above it."""
    order = chain.reserve(price="250.00")
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))

    assert carrier.ops("queues") == []


def test_an_approved_order_goes_on(chain, carrier, dear):
    """Approved, the payment is captured once and the order goes all the way; the case is done."""
    case = find_case(carrier, state="open")
    assert decide(carrier, case, "approve") == 202
    await_that(lambda: chain.is_at_the_warehouse(dear))
    await_that(lambda: chain.storefront.state("transactions", order_id=dear.id, kind="capture"))

    chain.ensure_whole(dear)
    assert find_case(carrier, state="done")["decision"] == "approve"


def test_a_rejected_order_is_undone_everywhere(chain, carrier, dear):
    """Rejected, the order is cancelled, its authorisation given back and its sales order cancelled; nothing is sent out."""
    await_that(lambda: chain.erp.state("sales_orders", entity=dear.name))
    case = find_case(carrier, state="open")
    assert decide(carrier, case, "reject") == 202
    find_case(carrier, state="done")

    assert is_undone(chain, dear)
    assert chain.erp.state("sales_orders", entity=dear.name)[0]["status"] == "Cancelled"
    assert chain.wms.state("orders") == []
    assert chain.gateway.calls("payment_intent.capture") == []
    assert carrier.letters() == []


def test_a_case_is_decided_once(chain, carrier, dear):
    """Of many decisions at the same time one is taken; the same again is 200, another one 409, a strange one 422."""
    case = find_case(carrier, state="open")
    assert decide(carrier, case, "maybe") == 422
    assert carrier.http.post(f"/ops/queues/{case['id']}/decide", content=b"{").status_code == 422
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(lambda _: decide(carrier, case, "approve"), range(4)))
    await_that(lambda: chain.is_at_the_warehouse(dear))

    assert statuses == [200, 200, 200, 202]
    assert decide(carrier, case, "approve") == 200
    assert decide(carrier, case, "reject") == 409
    assert len(chain.gateway.calls("payment_intent.capture")) == 1


def test_a_restricted_product_is_never_retried(chain, carrier):
    """A rule of the business is asked about at once; rejected, the payment that was captured meanwhile is refunded."""
    order = chain.reserve()
    with chain.erp.fault("error", "sales_order.upsert", **RESTRICTED, entities=[order.name]):
        chain.place(order)
        case = find_case(carrier, state="open", handoff="order-to-erp")
        await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    assert (case["role"], case["code"]) == ("compliance", "RESTRICTED_PRODUCT")
    assert decide(carrier, case, "reject") == 202
    find_case(carrier, state="done")

    assert is_undone(chain, order)
    assert len(chain.erp.calls("sales_order.upsert")) == 1
    assert chain.erp.state("sales_orders") == []
    assert len(chain.gateway.state("refunds")) == 1
    assert chain.erp.state("credit_memos") == []


def test_a_restricted_product_that_is_approved_goes_on(chain, carrier):
    """Approved, the order is posted again; refused again, it is asked about again, with a ticket of its own."""
    order = chain.reserve()
    with chain.erp.fault("error", "sales_order.upsert", **RESTRICTED, entities=[order.name], attempts=[1, 2]):
        chain.place(order)
        first = find_case(carrier, state="open")
        assert decide(carrier, first, "approve") == 202
        second = await_that(lambda: [row for row in carrier.ops("queues") if row["id"] != first["id"]])[0]
        assert decide(carrier, second, "approve") == 202
        await_that(lambda: chain.is_at_the_warehouse(order))
    await_that(lambda: len(chain.opsdesk.state("tickets")) == 2)

    assert {row["state"] for row in carrier.ops("queues")} == {"done"}
    assert len(chain.erp.state("sales_orders")) == 1


def test_a_declined_payment_is_tried_anew_under_another_key(chain, carrier):
    """A decline is asked about; tried again, the gateway must not answer what it kept from the first time."""
    order = chain.reserve()
    with chain.gateway.fault("error", "payment_intent.capture", **DECLINED, entities=[order.name]):
        chain.place(order)
        case = find_case(carrier, state="open", handoff="payment-capture")
    assert (case["role"], case["code"]) == ("fraud-review", "card_declined")
    assert case["decisions"] == ["cancel", "retry"]
    assert decide(carrier, case, "retry") == 202
    await_that(lambda: chain.is_at_the_warehouse(order))
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))

    chain.ensure_whole(order)
    keys = [call["key"] for call in chain.gateway.calls("payment_intent.capture")]
    assert len(keys) == len(set(keys)) == 2


def test_a_declined_payment_can_be_given_up(chain, carrier):
    """Cancelled, the order is undone everywhere, with what was waiting of it."""
    order = chain.reserve()
    with chain.gateway.fault("error", "payment_intent.capture", **DECLINED, entities=[order.name]):
        chain.place(order)
        case = find_case(carrier, state="open", handoff="payment-capture")
    await_that(lambda: chain.erp.state("sales_orders", entity=order.name))
    assert decide(carrier, case, "cancel") == 202
    find_case(carrier, state="done")

    assert is_undone(chain, order)
    assert chain.erp.state("sales_orders")[0]["status"] == "Cancelled"
    assert carrier.letters() == []


def test_an_order_cancelled_by_its_customer_is_undone(chain, carrier):
    """A cancellation at the storefront stops the parcel, gives the payment back and cancels the sales order."""
    order = chain.reserve()
    chain.place(order)
    await_that(lambda: chain.is_at_the_warehouse(order))
    await_that(lambda: chain.storefront.state("transactions", order_id=order.id, kind="capture"))
    chain.storefront.act("cancel-order", id=order.id)
    await_that(lambda: chain.erp.state("sales_orders", entity=order.name)[0]["status"] == "Cancelled")

    assert is_undone(chain, order)
    assert chain.wms.state("orders", reference=order.number)[0]["status"] == "cancelled"


def test_undoing_an_order_withdraws_what_waited_of_it(chain, carrier, dear):
    """A dead letter of an order that is cancelled is discarded, and what it held is not sent any more."""
    with chain.erp.fault("status", "sales_order.upsert", params={"status": 400}):
        other = chain.reserve(price="250.01")
        chain.place(other)
        await_that(lambda: carrier.letters(entity=other.name))
    case = find_case(carrier, entity=other.name)
    assert decide(carrier, case, "reject") == 202
    find_case(carrier, entity=other.name, state="done")

    assert [row["state"] for row in carrier.letters(entity=other.name)] == ["discarded"]
    assert chain.erp.state("sales_orders", entity=other.name) == []
    assert is_undone(chain, other)


def test_undoing_survives_errors_at_every_system(chain, carrier, dear):
    """Each step of undoing is made again after an error, and has been made once in the end."""
    await_that(lambda: chain.erp.state("sales_orders", entity=dear.name))
    case = find_case(carrier, state="open")
    fault = {"params": {"status": 503}, "attempts": [1]}
    with (
        chain.gateway.fault("lost_response", "payment_intent.cancel", params={"how": "reset"}, attempts=[1]),
        chain.storefront.fault("status", "order.cancel", **fault),
    ):
        assert decide(carrier, case, "reject") == 202
        find_case(carrier, state="done")

    assert is_undone(chain, dear)
    assert chain.erp.state("sales_orders")[0]["status"] == "Cancelled"
