"""The ERP of a story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.system import System

if TYPE_CHECKING:
    from harness.core.faults import Fault
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.records import Records
    from harness.pytest_plugin.story import Story


class Erp(System):
    """The books."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, "netsuite")

    def session_expires(self, *, after: int = 0, at: str | None = None) -> Fault:
        """Build the end of a session: the call after so many of its kind is refused, and the token it used is worth nothing."""
        return self._build("session_expired", self._aim(at), times=1, after=after)

    def denies_permission(self, *, at: str | None = None, orders: Orders | None = None) -> Fault:
        """Build refusals for a missing permission."""
        return self._build("permission_denied", self._aim(at), orders=orders)

    def forgets_writes(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build writes that are answered with success and written nowhere."""
        return self._build("not_persisted", self._aim(at), orders=orders, times=times)

    def sales_orders(self, orders: Orders) -> Records:
        """Return the sales orders."""
        return self.records("sales_order", orders)

    def item_fulfillments(self, orders: Orders) -> Records:
        """Return what is booked as shipped."""
        return self.records("item_fulfillment", orders)

    def credit_memos(self, orders: Orders) -> Records:
        """Return what is booked as paid back."""
        return self.records("credit_memo", orders)
