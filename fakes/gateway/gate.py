"""What every call passes first: key and limits; the headers every answer carries; and which order a call is about."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from fakes.gateway.errors import build_error, build_rate_limited, request_id_of
from fakes.gateway.params import read_tree
from fakes.gateway.settings import API_VERSION
from fakes.kit.answers import RefusedError
from fakes.kit.entities import Subject
from fakes.kit.limits import LeakyBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.gateway.account import Account
    from fakes.gateway.forms import Tree
    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange
    from fakes.kit.records import Collection


class Gate:
    """Authentication and limits of an account; the limiter stands in front of everything else."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.reset()

    def reset(self) -> None:
        """Begin with empty buckets, as large as the settings say."""
        self._buckets: dict[str | None, LeakyBucket] = {}

    def check(self, exchange: Exchange) -> None:
        """Refuse calls without the key, or past a limit."""
        given = _read_key(exchange.headers.get("authorization", ""))
        if given != self._account.settings.api_key:
            raise RefusedError(_build_unauthorized(given))
        operation = exchange.operation.name if exchange.operation else None
        if not self._find_bucket(None).take():
            raise RefusedError(build_rate_limited("global-rate"))
        if operation is not None and not self._find_bucket(operation).take():
            raise RefusedError(build_rate_limited("endpoint-rate"))

    def dress(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        """Give the request's id, the version served, and the idempotency key that was sent."""
        yield "Request-Id", request_id_of(exchange)
        yield "Stripe-Version", exchange.headers.get("stripe-version") or API_VERSION
        if "idempotency-key" in exchange.headers:
            yield "Idempotency-Key", exchange.headers["idempotency-key"]

    def _find_bucket(self, operation: str | None) -> LeakyBucket:
        if operation not in self._buckets:
            account, settings = self._account, self._account.settings
            rate = settings.rate_per_s
            if operation is not None:
                searches = operation.endswith(".search")
                rate = settings.search_rate_per_s if searches else settings.endpoint_rate_per_s
            self._buckets[operation] = LeakyBucket(account.clock, size=rate, leak_per_s=rate * account.time_scale)
        return self._buckets[operation]


def build_subject(account: Account, exchange: Exchange) -> Subject:
    """Say which order a call is about: by the objects it names, and by its metadata and description."""
    key = exchange.headers.get("idempotency-key")
    if exchange.shared or exchange.operation is None:
        return Subject(key=key)
    records = []
    if "id" in exchange.params:
        records.append(_collection_of(account, exchange.operation.name).link_key(exchange.params["id"]))
    if exchange.method != "POST":
        return Subject(records=tuple(records), key=key)
    try:
        tree = read_tree(exchange)
    except RefusedError:
        tree = {}
    for name, collection in (("payment_intent", account.intents), ("charge", account.charges)):
        if isinstance(tree.get(name), str):
            records.append(collection.link_key(tree[name]))
    references = _read_references(tree)
    own = None if records else next(iter(references), None)
    return Subject(references=references, records=tuple(records), external_id=own, key=key)


def _collection_of(account: Account, operation: str) -> Collection[Any]:
    collections: dict[str, Collection[Any]] = {
        "payment_intent": account.intents,
        "refund": account.refunds,
        "charge": account.charges,
        "event": account.events,
    }
    return collections[operation.partition(".")[0]]


def _read_references(tree: Tree) -> tuple[str, ...]:
    metadata = tree.get("metadata")
    values = list(metadata.values()) if isinstance(metadata, dict) else []
    return tuple(text for text in (*values, tree.get("description")) if isinstance(text, str) and text)


def _read_key(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _build_unauthorized(given: str) -> Answer:
    if not given:
        return build_error("invalid_api_key", "You did not provide an API key.")
    shown = given if len(given) < 12 else f"{given[:8]}{'*' * 8}{given[-4:]}"
    return build_error("invalid_api_key", f"Invalid API Key provided: {shown[:40]}")
