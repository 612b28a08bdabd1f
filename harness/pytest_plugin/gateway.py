"""The payment gateway of a story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.system import System

if TYPE_CHECKING:
    from harness.core.faults import Fault
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.records import Records
    from harness.pytest_plugin.story import Story


class Gateway(System):
    """Where the money is."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, "stripe")

    def declines(self, orders: Orders | None = None, *, times: int | None = 1) -> Fault:
        """Build cards that are declined when money is to be captured: the first so many times."""
        return self.refuses("card_declined", at="payment_intent.capture", orders=orders, times=times)

    def payments(self, orders: Orders) -> Records:
        """Return the payments; `succeeded` is the state of a captured one, `requires_capture` of an authorised one."""
        return self.records("payment_intent", orders)

    def refund(self, orders: Orders, amount: str | None = None) -> None:
        """Give money back in the gateway's dashboard: all of it, or an amount in major units."""
        given = {} if amount is None else {"amount": amount}
        for order in orders:
            self.act("refund", entity=order.name, **given)
