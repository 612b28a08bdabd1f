"""The toxics, one a module, by the type names of Toxiproxy's admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.wire.toxics.bandwidth import Bandwidth
from harness.wire.toxics.latency import Latency
from harness.wire.toxics.limit_data import LimitData
from harness.wire.toxics.noop import Noop
from harness.wire.toxics.reset_peer import ResetPeer
from harness.wire.toxics.slicer import Slicer
from harness.wire.toxics.slow_close import SlowClose
from harness.wire.toxics.timeout import Timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

AnyToxic = Bandwidth | Latency | LimitData | Noop | ResetPeer | Slicer | SlowClose | Timeout

TOXICS: Final[Mapping[str, type[AnyToxic]]] = {
    "bandwidth": Bandwidth,
    "latency": Latency,
    "limit_data": LimitData,
    "noop": Noop,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "slow_close": SlowClose,
    "timeout": Timeout,
}
