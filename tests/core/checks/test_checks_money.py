"""Money: what was captured, written back, refunded and credited for an order adds up."""

from decimal import Decimal

import pytest
from histories import told

from harness.core.checks.money import (
    captured,
    describe_missing_money,
    describe_short_money,
    describe_surplus_money,
    list_causes,
    refunded,
)
from harness.core.history import Change


def made(system, collection, record_id="1", *, order=1, **shown):
    """Make a record of a system."""
    return Change(1.0, system, collection, record_id, order, "created", shown)


def order(total="37.50", **more):
    """Make the storefront's record of an order."""
    return made("storefront", "orders", total_price=total, **more)


def payment(received=3750, back=0, record_id="pi_1", **more):
    """Make a payment at the gateway, in minor units."""
    return made("gateway", "payment_intents", record_id, amount_received=received, amount_refunded=back, **more)


def transaction(amount="37.50", record_id="t1", kind="capture", status="success", **more):
    """Make a transaction at the storefront."""
    return made("storefront", "transactions", record_id, amount=amount, kind=kind, status=status, **more)


def refund(amount="10.00", record_id="r1", **more):
    """Make a refund of an order at the storefront."""
    return made("storefront", "refunds", record_id, amount=amount, order_id="1", **more)


def memo(total="10.00", record_id="c1", **more):
    """Make a credit memo in the ERP."""
    return made("erp", "credit_memos", record_id, total=total, **more)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([order(), payment()], ""),
        ([order(), payment(), transaction()], ""),
        ([order(), payment(2000), transaction("20.00")], ""),
        ([order(), payment(back=3750)], ""),
        ([order(), payment(), refund(), memo()], ""),
        ([order(), payment(), refund(), memo("4.00"), memo("6.00", "c2")], ""),
        ([order(), payment(4000)], "captured 40.00 of 37.50"),
        ([order(), payment(), payment(record_id="pi_2")], "captured 75.00 of 37.50"),
        ([order(), payment(1000, back=1001)], "refunded 10.01 of 10.00"),
        ([order(), payment(), transaction(), transaction(record_id="t2")], "written back as captured 75.00 of 37.50"),
        ([order(), payment(0), transaction()], "written back as captured 37.50 of 0.00"),
        ([order(), payment(2000), transaction()], "written back as captured 37.50 of 20.00"),
        ([order(), transaction()], ""),
        ([order(), transaction("37.51")], "written back as captured 37.51 of 37.50"),
        ([order(), payment(), refund(), memo("10.01")], "credited 10.01 of 10.00"),
        ([order(), payment(), memo()], "credited 10.00 of 0.00"),
        ([order(), payment(), refund(), memo(), memo(record_id="c2")], "credited 20.00 of 10.00"),
        ([order(), payment(4000), memo()], "captured 40.00 of 37.50; credited 10.00 of 0.00"),
    ],
)
def test_surplus(records, said):
    """More captured than the order is worth, refunded than captured, written back than captured, credited than refunded."""
    assert describe_surplus_money(told(*records), 1) == said


@pytest.mark.parametrize(
    "records",
    [
        [payment(9900)],
        [order(), payment(), transaction(record_id="t2", kind="authorization"), transaction()],
        [order(), payment(), transaction(record_id="t2", status="failure"), transaction()],
        [order(), payment(), payment(9900, order=2, record_id="pi_2")],
        [order(), payment(), made("gateway", "refunds", amount=3750)],
        [order(), payment("much")],
        [order(), payment(None)],
    ],
    ids=["no total", "authorised", "failed", "another's", "the gateway's refund", "no number", "nothing"],
)
def test_no_surplus(records):
    """Without a total nothing is too much; what is no capture, failed or another order's does not count."""
    assert describe_surplus_money(told(*records), 1) == ""


def test_missing():
    """Of a cancelled order nothing may be kept."""
    assert describe_missing_money(told(order(), payment(0)), 1) == ""
    assert describe_missing_money(told(order(), payment(back=3750)), 1) == ""
    assert describe_missing_money(told(order(), payment(back=3749)), 1) == "captured 37.50, only 37.49 refunded"


def test_sums():
    """Money at the gateway is summed over the payments of an order, in major units."""
    history = told(payment(1000, 100), payment(250, 50, "pi_2"), payment(9, 9, "pi_3", order=2))
    assert (captured(history, 1), refunded(history, 1)) == (Decimal("12.5"), Decimal("1.5"))


def test_causes():
    """A shipment or refund is what names an order; the gateway's refunds of payments do not."""
    history = told(refund(), refund(record_id="r2", order=2), made("gateway", "refunds", "re_1", payment_intent="pi_1"))
    assert [each.record_id for each in list_causes(history, 1, "refunds")] == ["r1"]


def lines(quantity):
    """Make the lines of a record."""
    return [{"sku": "A", "quantity": quantity}]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([order(), payment()], ""),
        ([order(), payment(0)], ""),
        ([order(), payment(1000)], "captured 10.00 of 37.50"),
        ([order(), payment(), transaction("10.00")], "written back as captured 10.00 of 37.50"),
        ([order(), payment(), transaction()], ""),
        (
            [order(lines=lines(3)), payment(1000), made("wms", "shipments", "s", order_id="1", lines=lines(3))],
            "captured 10.00 of 37.50",
        ),
        ([order(lines=lines(3)), payment(1000), made("wms", "shipments", "s", order_id="1", lines=lines(1))], ""),
        ([order(), payment(1000, amount=1000)], ""),
        ([order(), payment(1000, amount=1000), payment(0, record_id="pi_2", amount=2750)], ""),
        ([order(), payment(1000, amount=1000), transaction("5.00")], "written back as captured 5.00 of 10.00"),
        ([order(), payment(1000, amount=3750)], "captured 10.00 of 37.50"),
        (
            [order(), payment(1000, amount=1000), payment(0, record_id="pi_2", amount=2750, amount_capturable=2750)],
            "captured 10.00 of 37.50",
        ),
        (
            [
                order(lines=lines(3)),
                payment(1000, amount=1000),
                made("wms", "shipments", "s", order_id="1", lines=lines(3)),
            ],
            "captured 10.00 of 37.50",
        ),
    ],
)
def test_short(records, said):
    """What was taken or told of is less than the order is worth; a short shipment may be paid short, and a deposit be taken first."""
    assert describe_short_money(told(*records), 1) == said
