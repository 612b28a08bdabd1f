"""The CRM of a story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.mapped import MappedSystem

if TYPE_CHECKING:
    from harness.pytest_plugin.orders import Orders
    from harness.pytest_plugin.records import Records
    from harness.pytest_plugin.story import Story


class Crm(MappedSystem):
    """Where customers are known."""

    def __init__(self, story: Story) -> None:
        super().__init__(story, "crm")

    def contacts(self, orders: Orders) -> Records:
        """Return the contacts."""
        return self.records("contact", orders)
