"""The kinds of fault a mapped vendor has: those of every vendor, and what WireMock does to a connection."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import Field

from fakes.kit.kinds import API_KINDS, FaultKind, Params

if TYPE_CHECKING:
    from collections.abc import Mapping

# Our kinds that are an answer of the vendor's, made by a stub.
ANSWERS = ("status", "error", "rate_limited", "session_expired", "permission_denied")
# Our names for WireMock's own faults, see https://wiremock.org/docs/simulating-faults/.
SOCKET_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "empty_response": "EMPTY_RESPONSE",
        "malformed_chunk": "MALFORMED_RESPONSE_CHUNK",
        "random_then_close": "RANDOM_DATA_THEN_CLOSE",
        "connection_reset": "CONNECTION_RESET_BY_PEER",
    }
)


class SocketParams(Params):
    """Parameters of the faults of a connection."""

    commit: bool = Field(default=False, description="carry the call out first")


KINDS = (*API_KINDS, *(FaultKind(kind, "api", SocketParams) for kind in SOCKET_FAULTS))
