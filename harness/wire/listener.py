"""A listener of the tap: a port, the upstream behind it, and the rules and signals armed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.wire.connection import ClientConnection
from harness.wire.exchange import Exchange
from harness.wire.matching import Route, RouteTable
from harness.wire.rules import ArmedRule, Call, Choice, choose
from harness.wire.values import Listener as Settings
