"""
Idempotency keys (Stripe: idempotent requests).

An outcome is kept once execution began, whatever its status, and replayed for a day to the same request. What is refused before that is
not kept: bad parameters, 401, 404, 429, and the 409 of a key that is in use.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fakes.gateway.errors import invalid, refuse, request_id_of
from fakes.gateway.params import read_tree
from fakes.kit.answers import Answer, RefusedError
from fakes.kit.bodies import BadBodyError

if TYPE_CHECKING:
    from fakes.gateway.account import Account
    from fakes.kit.exchange import Exchange

MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a key was first used for; ``answer`` is None while that is being executed."""

    path: str
    fingerprint: str
    request: str
    at: float
    answer: Answer | None = None


class IdempotencyKeys:
    """The keys of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.reset()

    def reset(self) -> None:
        """Forget all keys."""
        self._kept: dict[str, _Kept] = {}

    def find(self, exchange: Exchange) -> Answer | None:
        """
        Return the answer to replay, if any.

        Raises RefusedError: 400 when the key was used for something else or is too long, 409 while it is in use.
        """
        key = _key_of(exchange)
        if key is None:
            return None
        if len(key) > MAX_KEY:
            raise invalid(f"Idempotency keys may have {MAX_KEY} characters", param="Idempotency-Key")
        kept = self._get(key)
        if kept is None:
            return None
        if (kept.path, kept.fingerprint) != (exchange.path, _fingerprint(exchange)):
            raise refuse("idempotency_error", _mismatch(kept, exchange, key))
        if kept.answer is None:
            text = f"There is currently another in-progress request using this Idempotency Key: {key}"
            raise refuse("idempotency_key_in_use", text)
        headers = (("Idempotent-Replayed", "true"), ("Original-Request", kept.request))
        return replace(kept.answer, headers=(*kept.answer.headers, *headers))

    def begin(self, exchange: Exchange) -> None:
        """Mark the call's key as in use."""
        self._keep(exchange, None)

    def finish(self, exchange: Exchange, answer: Answer) -> None:
        """Keep what executing came to; a dry run leaves no trace."""
        if exchange.dry_run:
            self.abandon(exchange)
        else:
            self._keep(exchange, answer)

    def abandon(self, exchange: Exchange) -> None:
        """Forget a key whose call was not executed."""
        key = _key_of(exchange)
        if key is not None:
            self._kept.pop(key, None)

    def keep_unless_kept(self, exchange: Exchange, answer: Answer) -> None:
        """Keep an outcome that was not come by in the ordinary way, unless the key was used already."""
        key = _key_of(exchange)
        if key is None or len(key) > MAX_KEY or self._get(key) is not None:
            return
        try:
            self._keep(exchange, answer)
        except (BadBodyError, RefusedError):
            return

    def _keep(self, exchange: Exchange, answer: Answer | None) -> None:
        key = _key_of(exchange)
        if key is not None:
            now = self._account.clock.mono()
            self._kept[key] = _Kept(exchange.path, _fingerprint(exchange), request_id_of(exchange), now, answer)

    def _get(self, key: str) -> _Kept | None:
        kept = self._kept.get(key)
        lifetime = self._account.settings.idempotency_s / self._account.time_scale
        if kept is None or kept.answer is None or self._account.clock.mono() - kept.at < lifetime:
            return kept
        del self._kept[key]
        return None


def _key_of(exchange: Exchange) -> str | None:
    return exchange.headers.get("idempotency-key") or None if exchange.method == "POST" else None


def _fingerprint(exchange: Exchange) -> str:
    return hashlib.sha256(json.dumps(read_tree(exchange), sort_keys=True).encode()).hexdigest()


def _mismatch(kept: _Kept, exchange: Exchange, key: str) -> str:
    same = f"they were first used with. Try using a key other than '{key}' if you meant to execute a different request."
    if kept.path != exchange.path:
        return f"Keys for idempotent requests can only be used for the same endpoint ('{kept.path}') {same}"
    return f"Keys for idempotent requests can only be used with the same parameters {same}"
