"""The carrier of a story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.mapped import MappedSystem

if TYPE_CHECKING:
    from harness.core.faults import Fault
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.records import Records
    from harness.pytest_plugin.story import Story

PURCHASE = "label.create"


class Carrier(MappedSystem):
    """Whoever takes the parcels."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, "carrier")

    def cannot_deliver(self, orders: Orders | None = None, *, times: int | None = None) -> Fault:
        """Build addresses nobody can deliver to: no label is sold to them."""
        return self.refuses("address_undeliverable", at=PURCHASE, orders=orders, times=times)

    def labels(self, orders: Orders) -> Records:
        """Return the labels that were sold; `purchased` is the state of one, `voided` of one that was given back."""
        return self.records("label", orders)
