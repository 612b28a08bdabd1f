"""A plugin of the shop was updated, and some orders arrive in a shape nobody agreed on."""


def test_malformed_payloads_after_a_plugin_update(storefront, erp, faults, history, ops):
    """What cannot be read is put aside with its payload, e-commerce is told, the rest goes on, and a replay brings it in."""
    orders = storefront.reserve(6)
    garbled, sound = orders[:2], orders[2:]

    with faults.arm(storefront.mangles_webhooks("orders/create", how="wrong_types", orders=garbled)) as update:
        storefront.place(orders)
        history.wait_until(sound.resolved(), update.bites(2), ops.alerted_about("order-capture"))

    assert len(update.receipts) == len(garbled)
    assert len(ops.dead_letters("order-capture")) == len(garbled)
    assert not erp.sales_orders(garbled)
    assert {alert.role for alert in ops.alerts()} == {"ecommerce-ops"}

    ops.replay("order-capture")
    history.wait_until(garbled.resolved())

    assert erp.sales_orders(orders).each_exactly_once()
    assert not ops.dead_letters("order-capture")
