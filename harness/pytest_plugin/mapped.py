"""What systems played by mappings have in common in a story: what a server of mappings can do to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.system import System

if TYPE_CHECKING:
    from harness.core.faults import Fault
    from harness.pytest_plugin.orders import Orders


class MappedSystem(System):
    """One vendor that mappings play; `at`, `orders` and `times` aim as for every vendor. It gets the calls and does nothing about them."""

    def says_nothing(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build calls after which the connection ends without a byte of an answer."""
        return self._build("empty_response", self._aim(at), orders=orders, times=times)

    def resets(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build calls after which the connection is reset."""
        return self._build("connection_reset", self._aim(at), orders=orders, times=times)

    def breaks_off(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build answers that begin with a 200 and go on in bytes that mean nothing."""
        return self._build("malformed_chunk", self._aim(at), orders=orders, times=times)

    def babbles(self, *, at: str | None = None, orders: Orders | None = None, times: int | None = None) -> Fault:
        """Build answers that are no HTTP at all."""
        return self._build("random_then_close", self._aim(at), orders=orders, times=times)
