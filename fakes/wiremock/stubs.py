"""What WireMock is given: mappings that only meet calls of their system, and a stub for each fault."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fakes.wiremock.kinds import SOCKET_FAULTS

if TYPE_CHECKING:
    from fakes.kit.faults import Fault
    from fakes.wiremock.failures import Failures
    from fakes.wiremock.metadata import Mapped

SYSTEM_HEADER = "Handoff-System"
FAULT_HEADER = "Handoff-Fault"
RECORD_HEADER = "Handoff-Record"
RECORDS_HEADER = "Handoff-Records"
KEY_HEADER = "Handoff-Key"
OURS = "handoff-"

# Whose stub it is, in its metadata.
OWNER = "handoffSystem"
TOKEN = "${TOKEN}"  # noqa: S105 (a placeholder, not a token)
FAULT_PRIORITY = 1


@dataclass(frozen=True, slots=True)
class Account:
    """The system a stub is for, and the token its calls carry."""

    system: str
    token: str

    @property
    def variable(self) -> str:
        """The variable the token comes in."""
        return f"{re.sub(r'[^A-Za-z0-9]', '_', self.system).upper()}_TOKEN"


def name_stub(account: Account, *parts: object) -> str:
    """Return the id of a stub: the same for the same parts, so that what an earlier process left is replaced."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, (account.system, *parts)))))


def build_stub(mapped: Mapped, account: Account) -> dict[str, Any]:
    """Return a mapping for WireMock: of this system, hit by no fault, its scenario and its token this system's own."""
    document = json.loads(json.dumps(mapped.document).replace(TOKEN, account.token))
    matchers = {SYSTEM_HEADER: {"equalTo": account.system}, FAULT_HEADER: {"absent": True}}
    request = {**document["request"], "headers": {**document["request"].get("headers", {}), **matchers}}
    request.setdefault("method", "ANY")
    stub = {
        **{name: value for name, value in document.items() if name not in {"uuid", "persistent"}},
        "id": name_stub(account, mapped.file, mapped.index),
        "request": request,
        "metadata": {**(document.get("metadata") or {}), OWNER: account.system},
    }
    if stub.get("scenarioName"):
        stub["scenarioName"] = name_scenario(account, stub["scenarioName"])
    return stub


def name_scenario(account: Account, scenario: str) -> str:
    """Return a scenario's name at WireMock: systems share one space of names, and its admin API decodes none of them."""
    return quote(f"{account.system}.{scenario}", safe="").replace("%", "_")


def build_fault_stub(mark: str, fault: Fault, failures: Failures, account: Account) -> dict[str, Any]:
    """Return the stub of a fault: it answers the calls that carry its mark, whatever they ask for."""
    connection = SOCKET_FAULTS.get(fault.kind)
    return {
        "id": mark,
        "name": f"fault {fault.id}",
        "priority": FAULT_PRIORITY,
        "request": {
            "method": "ANY",
            "urlPattern": ".*",
            "headers": {SYSTEM_HEADER: {"equalTo": account.system}, FAULT_HEADER: {"equalTo": mark}},
        },
        "response": {"fault": connection} if connection else failures.build_response(fault.kind, fault.params),
        "metadata": {OWNER: account.system},
    }
