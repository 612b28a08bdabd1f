"""A day on which the carrier loses answers, breaks connections and cannot find an address, and the CRM is away."""


def test_every_parcel_is_paid_for_once(storefront, wms, carrier, crm, faults, history, ops):
    """No label is bought twice, customer service decides about one address, and customers are written down when the CRM is back."""
    orders = storefront.reserve(5)
    unanswered, cut_off, nowhere = orders[:2], orders[2:4], orders[4:]

    with faults.arm(crm.is_down()):
        storefront.place(orders)
        history.wait_until(orders.resolved("order-to-erp", "payment-writeback", "erp-to-wms"))
        assert storefront.orders(orders).each_exactly_once("paid")
        assert not crm.contacts(orders)

    lost = carrier.loses_answers(orders=unanswered, times=1)
    broken = carrier.breaks_off(orders=cut_off, times=1)
    with faults.arm(lost) as losses, faults.arm(broken) as breaks, faults.arm(carrier.cannot_deliver(nowhere)):
        wms.ship(orders)
        history.wait_until(
            (unanswered + cut_off).resolved("shipment-to-carrier"),
            orders.resolved("shipment-to-erp", "fulfilment-writeback"),
            nowhere.in_queue("shipment-to-carrier"),
        )
    assert len(losses.receipts) == len(unanswered)
    assert len(breaks.receipts) == len(cut_off)
    assert len(history.calls("shipment-to-carrier", nowhere)) == 1

    ops.decide("shipment-to-carrier", nowhere, "pickup")
    ops.replay("order-to-crm")
    history.wait_until(nowhere.resolved("shipment-to-carrier"), orders.resolved("order-to-crm"))

    assert carrier.labels(orders).each_exactly_once("purchased")
    assert {ticket.role for ticket in ops.tickets()} == {"customer-service"}
