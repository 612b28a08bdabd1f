"""One call to a vendor: its timeout, the trouble on the wire as a failure, and what all vendors' answers have in common."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from reference.outcomes import Failure, FailureError, Health, Kind
from reference.policies import MALFORMED_RESPONSE

LONGEST_TEXT = 2000
LONGEST_WAIT_S = 3_600.0


class Access:
    """The standing credentials of this service at one system: they do not expire, they are accepted or not."""

    def __init__(self, system: str, user: str) -> None:
        self._system = system
        self._user = user
        self._refused = False

    def note(self, status: int) -> None:
        """Take note of an answer's status."""
        self._refused = status == 401

    def view(self) -> dict[str, object]:
        """Return them as the session they stand for."""
        return {"system": self._system, "user": self._user, "valid": not self._refused, "expires_at": None}


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Makes calls at one vendor. `timeout_s` is in this process's time, that is, already scaled.

    `headers` go with every call; `access` hears whether they were accepted.
    """

    http: httpx2.AsyncClient
    base: str
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    access: Access | None = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """Make one call, whatever its answer; raise `FailureError` when there is none."""
        sent = {"Accept": "application/json", **self.headers, **(headers or {})}
        if request.get("content") is not None:
            sent["Content-Type"] = media_type
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await self.http.request(method, self.base + path, headers=sent, **request)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise FailureError(read_trouble(error)) from error
        if self.access:
            self.access.note(answer.status_code)
        return answer


def read_trouble(error: Exception) -> Failure:
    """Tell what it means that no answer came; only a connection that was never made certainly carried nothing out."""
    if isinstance(error, (TimeoutError, httpx2.TimeoutException)):
        return Failure(Kind.OTHER, "TIMEOUT", "no answer in time", Health.DOWN, unknown=True)
    text = f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
    return Failure(Kind.OTHER, "CONNECTION", text, Health.DOWN, unknown=not isinstance(error, httpx2.ConnectError))


def build_failure(answer: httpx2.Response, code: str | None, text: str) -> Failure:
    """Tell what a vendor's error means by its status, where its code says nothing more."""
    status = answer.status_code
    text = text[:LONGEST_TEXT]
    if 200 <= status < 300:
        # A success that cannot be understood: whether it was carried out cannot be known.
        return Failure(Kind.MALFORMED, MALFORMED_RESPONSE, f"answered {status}: {text}", unknown=True)
    if status == 429:
        wait_s = read_retry_after(answer)
        return Failure(Kind.RATE_LIMITED, code or "HTTP_429", text, Health.DOWN, retry_after_s=wait_s)
    down = status >= 500
    return Failure(Kind.OTHER, code or f"HTTP_{status}", text, Health.DOWN if down else Health.REFUSED, unknown=down)


def read_retry_after(answer: httpx2.Response) -> float:
    """Return the wait a vendor asks for, in production seconds; 0 when it asks for none, at most an hour."""
    try:
        seconds = float(answer.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(seconds, LONGEST_WAIT_S) if seconds > 0 else 0.0


def read_object(answer: httpx2.Response) -> Mapping[str, Any]:
    """Return the JSON object of an answer, an empty one when it holds none."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}
