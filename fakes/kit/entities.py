"""Which order a call is about: reference texts, known aliases, and links from record to order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Subject:
    """
    What a call says about whom it concerns.

    ``references`` are texts that may name an order (external id, memo, metadata); ``records`` are keys of vendor records
    it touches, as linked with EntityIndex.link; ``external_id`` stands for itself when nothing else fits; ``key`` is the
    idempotency key or external id the call carried.
    """

    references: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    external_id: str | None = None
    key: str | None = None


class EntityIndex:
    """Know the orders by name, by alias and by the vendor records linked to them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget every order and every link."""
        self._aliases: dict[tuple[str, ...], str] = {}
        self._longest = 1
        self._links: dict[str, str] = {}

    def register(self, name: str, aliases: Iterable[str] = ()) -> None:
        """Make the order known under its name and these aliases."""
        for alias in (name, *aliases):
            tokens = tuple(_TOKEN.findall(alias))
            if tokens:
                self._aliases[tokens] = name
                self._longest = max(self._longest, len(tokens))

    def link(self, record: str, entity: str | None) -> None:
        """Remember that a vendor record, by a key of the vendor's choice, belongs to an order."""
        if entity is not None:
            self._links[record] = entity

    def entity_of(self, record: str) -> str | None:
        """Return the order a record is linked to."""
        return self._links.get(record)

    def find(self, text: str) -> str | None:
        """Return the order one of whose aliases stands in the text as whole tokens; the leftmost wins."""
        if not self._aliases:
            return None
        tokens = _TOKEN.findall(text)
        for start in range(len(tokens)):
            for size in range(min(self._longest, len(tokens) - start), 0, -1):
                name = self._aliases.get(tuple(tokens[start : start + size]))
                if name is not None:
                    return name
        return None

    def resolve(self, subject: Subject) -> str | None:
        """Return the order of a call: by reference, else by linked record, else its external id as its own entity."""
        for text in subject.references:
            name = self.find(text)
            if name is not None:
                return name
        for record in subject.records:
            name = self._links.get(record)
            if name is not None:
                return name
        return subject.external_id
