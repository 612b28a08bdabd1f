"""Where the harness itself connects to: it keeps to what the processes of its labs keep to."""

from __future__ import annotations

from fakes.kit.reach import ALLOWED_VARIABLE, NETWORK_VARIABLE, NotAllowedError, own_reach

__all__ = ["ALLOWED_VARIABLE", "NETWORK_VARIABLE", "NotAllowedError", "own_reach"]
