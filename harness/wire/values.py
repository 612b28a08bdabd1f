"""What the tap's control plane speaks of, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from harness.wire.matching import Route

Direction = Literal["outbound", "inbound"]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of the tap: exchanges that come in at `address` go to `upstream`, both `host:port`.

    `address` is empty until the tap has opened it. `relay` is `opaque` for what is not HTTP and where the upstream speaks first.
    """

    name: str
    system: str
    direction: Direction
    upstream: str
    routes: tuple[Route, ...] = ()
    relay: Literal["http", "opaque"] = "http"
    address: str = ""
    accepting: bool = True

    def as_body(self) -> dict[str, Any]:
        """Return the listener as JSON values."""
        return asdict(self)
