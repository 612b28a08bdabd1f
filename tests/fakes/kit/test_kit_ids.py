"""Ids: the same under one nonce, others under another."""

from __future__ import annotations

from fakes.kit.ids import IdSource


def draw(nonce: str) -> list[object]:
    """Return a few ids of every kind."""
    source = IdSource(nonce)
    return [
        source.number("order"),
        source.number("order"),
        source.number("line"),
        source.text("alert"),
        source.uuid("webhook"),
        source.uuid("webhook"),
    ]


def test_the_same_nonce_gives_the_same_ids() -> None:
    """Ids are a function of nonce, kind and ordinal."""
    assert draw("a") == draw("a")


def test_another_nonce_shares_no_id() -> None:
    """Two runs have no id in common."""
    assert not set(draw("a")) & set(draw("b"))


def test_ids_of_a_kind_are_unique_and_rise() -> None:
    """No id of a kind comes twice, and numbers rise as a vendor's do."""
    source = IdSource("a")
    numbers = [source.number("order", digits=10, room=5) for _ in range(1000)]
    assert numbers == sorted(set(numbers))
    assert {len(str(number)) for number in numbers} == {10}
