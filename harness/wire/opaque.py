"""Relay a connection whose bytes mean nothing to the tap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.wire.exchange import End
    from harness.wire.upstream import Upstream


class Peer(Protocol):
    """The client as the relay uses it."""

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes."""

    def write_eof(self) -> None:
        """Say that nothing more is sent."""


class OpaqueRelay:
    """Pass bytes both ways and count them; each side may end its direction while the other goes on.

    `ended` is called once with how it ended: `complete`, `reset` by the upstream, `refused` by it, or `client_closed` where the
    client reset it or left while the upstream still had the word.
    """

    def __init__(self, client: Peer, upstream: Upstream, ended: Callable[[End], None]) -> None:
        self.bytes_up = 0
        self.bytes_down = 0
        self._client = client
        self._upstream = upstream
        self._ended = ended
        self._client_done = False
        self._upstream_done = False
        self._over = False

    def from_client(self, data: bytes) -> None:
        """Pass bytes up."""
        self.bytes_up += len(data)
        self._upstream.write(data)

    def from_upstream(self, data: bytes | memoryview) -> None:
        """Pass bytes down."""
        self.bytes_down += len(data)
        self._client.write(data)

    def client_ended(self, error: Exception | None) -> None:
        """Pass the client's end up."""
        if error is not None:
            self.finish("client_closed")
            return
        self._client_done = True
        if self._upstream_done:
            self.finish("complete")
        else:
            self._upstream.write_eof()

    def upstream_ended(self, error: Exception | None) -> None:
        """Pass the upstream's end down."""
        if error is not None:
            self.finish("reset")
            return
        self._upstream_done = True
        if self._client_done:
            self.finish("complete")
        else:
            self._client.write_eof()

    def finish(self, end: End) -> None:
        """End the relay; only the first call counts."""
        if not self._over:
            self._over = True
            self._ended(end)
