"""What every lab is to whoever runs experiments in it, wherever its parts live and whoever started them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.lab.control import ControlClient
from harness.lab.deaths import Deaths
from harness.lab.integration import Integration
from harness.lab.tap import TapClient
from harness.lab.toxics import ToxicEngine


class Running(Protocol):
    """A process of a lab: one of ours, or the mark of somebody else's."""

    @property
    def pid(self) -> int | None:
        """Its process id; None where it never ran."""
        ...


@dataclass(frozen=True, slots=True)
class Lab:
    """
    A lab that is up.

    `environment`: the integration's variables; `published`: those and the control planes (what `handoff lab env` prints).
    `controls`: control plane by system name, the ops desk's as `opsdesk`. `processes`: what runs on this machine, by role.
    `absent`: why a system of the stack is not in this lab. `toxics` is the toxic engine; `vendor_addresses` are where it reaches
    the vendors themselves (`host:port` by system); `tap_addresses` the URLs in front of them.
    `journal_ends`: the `seq` each journal stood at when the lab was opened, by system and `tap`; where none is given, 0.
    `deaths`: ends of its parts that nobody asked for, in order; set `deaths.on_death` to hear of each. Of an attached lab none is heard.
    """

    id: str
    scale: float
    environment: Mapping[str, str]
    published: Mapping[str, str]
    controls: Mapping[str, ControlClient]
    tap: TapClient
    integration: Integration
    processes: Mapping[str, Running]
    absent: Mapping[str, str]
    toxics: ToxicEngine
    vendor_addresses: Mapping[str, str]
    tap_addresses: Mapping[str, str]
    journal_ends: Mapping[str, int]
    deaths: Deaths
