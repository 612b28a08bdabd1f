"""The money is captured, and the shop does not know."""


def test_captured_but_the_write_back_timed_out(storefront, gateway, faults, history, ops):
    """Nobody pays twice: what the shop never heard is written again, what it only did not answer is looked up first."""
    orders = storefront.reserve(4)
    unheard, unanswered = orders[:2], orders[2:]
    silence = storefront.times_out(at="payment-writeback", orders=unheard, times=2)
    lost = storefront.loses_answers(at="payment-writeback", orders=unanswered, times=1)

    with faults.arm(silence) as silent, faults.arm(lost) as answers:
        storefront.place(orders)
        history.wait_until(orders.resolved("payment-capture"))
        assert gateway.payments(orders).each_exactly_once("succeeded")
        assert storefront.orders(unheard).each_exactly_once("authorized"), "the mismatch that finance would find"

        history.wait_until(orders.resolved("payment-writeback"))

    assert storefront.orders(orders).each_exactly_once("paid")
    assert storefront.transactions(orders).each_exactly_once("capture")
    assert gateway.payments(orders).each_exactly_once("succeeded")
    assert len(silent.receipts) == 2 * len(unheard)
    assert len(answers.receipts) == len(unanswered)
    assert len(history.calls("payment-writeback", unheard)) == 3 * len(unheard)
    assert len(history.calls("payment-writeback", unanswered)) == len(unanswered)
    assert not ops.alerts()
