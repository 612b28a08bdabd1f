"""What the tap's control plane speaks of, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.wire.matching import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Listener:
        """Read what `as_body` wrote, ignoring fields that are not known."""
        known = {name: body[name] for name in cls.__slots__ if name in body}
        routes = tuple(Route(route["operation"], route["method"], route["path"]) for route in body.get("routes", ()))
        return cls(**{**known, "routes": routes})
