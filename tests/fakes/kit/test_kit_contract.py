"""The contract document and the kit name the same things."""

from __future__ import annotations

import re

from fakes.kit.kinds import API_KINDS, REMOVAL_KINDS, WEBHOOK_KINDS
from fakes.opsdesk.build import build_opsdesk
from fakes.storefront.build import build_storefront
from fakes.wms.catalogue import PARTIAL_ALLOCATION
from tests.fakes.conftest import ROOT

CONTRACT = (ROOT / "docs" / "contract.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (api|webhook) \| (.*?) \| ", re.MULTILINE)


def test_the_kinds_of_fault_are_the_documented_ones() -> None:
    """Every documented kind of fault exists with its direction and parameters, and no other."""
    documented = {
        kind: (direction, set(re.findall(r"`(\w+)`", params))) for kind, direction, params in ROW.findall(CONTRACT)
    }
    kinds = (*API_KINDS, *WEBHOOK_KINDS, *REMOVAL_KINDS, PARTIAL_ALLOCATION)
    built = {kind.kind: (kind.direction, set(kind.params.model_fields)) for kind in kinds}
    assert documented.keys() == built.keys()
    for kind, (direction, params) in built.items():
        assert documented[kind][0] == direction
        assert params <= documented[kind][1], kind


def test_the_storefronts_verbs_are_the_documented_ones() -> None:
    """The storefront has every verb the contract gives it."""
    said = re.search(r"^Verbs — storefront: (.*?)ERP:", CONTRACT, re.MULTILINE | re.DOTALL)
    assert said is not None
    without_remarks = re.sub(r"\([^)]*\)", "", said.group(1))
    verbs = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", without_remarks))
    assert set(build_storefront(nonce="n").acts) == verbs


def test_the_ops_desks_collections_are_the_documented_ones() -> None:
    """Alerts, messages and tickets show at least what the contract lists."""
    fake = build_opsdesk(nonce="n")
    assert [collection.name for collection in fake.collections] == ["alerts", "messages", "tickets"]
    assert set(fake.acts) == {"resolve"}
