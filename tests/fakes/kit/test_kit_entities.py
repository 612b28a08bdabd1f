"""Which order a text or a record is about."""

from __future__ import annotations

import pytest

from fakes.kit.entities import EntityIndex, Subject


def build() -> EntityIndex:
    """Return an index of two orders."""
    index = EntityIndex()
    index.register("#411001", ["6411001", "411001", "#411001"])
    index.register("#411002", ["6411002", "411002", "gid://shopify/Order/77"])
    return index


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("411001", "#411001"),
        ("#411001", "#411001"),
        ("SHP-411001", "#411001"),
        ("order_6411001_retry", "#411001"),
        ("for 411002 and 411001", "#411002"),
        ("see gid://shopify/Order/77!", "#411002"),
        ("4110011", None),
        ("x411001", None),
        ("shopify Order 78", None),
        ("", None),
    ],
)
def test_aliases_stand_as_whole_tokens(text: str, name: str | None) -> None:
    """An alias counts only where it stands as a whole token; of several orders the leftmost wins."""
    assert build().find(text) == name


def test_a_reference_outweighs_a_linked_record() -> None:
    """A call that names an order is about it, even when its record belongs to another one."""
    index = build()
    index.link("sales_orders/1", "#411002")
    assert index.resolve(Subject(references=("411001",), records=("sales_orders/1",))) == "#411001"
    assert index.resolve(Subject(references=("none",), records=("sales_orders/1",))) == "#411002"


def test_a_foreign_external_id_is_its_own_entity() -> None:
    """An external id that fits no registered order stands for itself; without one a call is about none."""
    assert build().resolve(Subject(references=("B2B-7",), external_id="B2B-7")) == "B2B-7"
    assert build().resolve(Subject(references=("B2B-7",))) is None


def test_reset_forgets_orders_and_links() -> None:
    """After a reset nothing is known."""
    index = build()
    index.link("sales_orders/1", "#411002")
    index.reset()
    assert index.find("411001") is None
    assert index.entity_of("sales_orders/1") is None
