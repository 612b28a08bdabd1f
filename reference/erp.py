"""
The ERP client: writes a sales order by its external id, and says how that ended in the terms the policies use.

Source: NetSuite SuiteTalk REST. An upsert is `PUT …/eid:<external id>` and answers 204 whether it created or updated; errors are an
envelope with `o:errorDetails`; a record that exists already has no code of its own, only its text.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2

from reference.config import Settings
from reference.outcomes import Done, Failure, Health, Kind, Outcome
from reference.policies import MALFORMED_RESPONSE
from reference.session import SessionError, TokenSource

RECORDS = "/services/rest/record/v1/salesOrder"
LONGEST_TEXT = 2000


class Erp:
    """Sales orders of one account. Each call is one request, plus a token request when there is no session."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        settings: Settings,
        session: TokenSource,
        *,
        timeout_s: float,
        already_exists: Callable[[Failure], bool],
    ) -> None:
        self._http = http
        self._already_exists = already_exists
        self._base = settings.erp_url + RECORDS
        self._session = session
        self._timeout_s = timeout_s

    async def post(self, external_id: str, document: bytes) -> Outcome:
        """
        Bring a sales order to the ERP: upsert it, and treat one that the ERP says exists already as done.

        That is believed only once reading it back by its external id has found it.
        """
        try:
            answer = await self._send("PUT", external_id, document)
        except SessionError as error:
            return error.failure
        except (httpx2.HTTPError, TimeoutError) as error:
            return _read_trouble(error)
        outcome = read_answer(answer)
        if isinstance(outcome, Failure) and self._already_exists(outcome):
            return await self._confirm(external_id, outcome)
        return outcome

    async def _confirm(self, external_id: str, claim: Failure) -> Outcome:
        try:
            answer = await self._send("GET", external_id)
        except (SessionError, httpx2.HTTPError, TimeoutError):
            return claim
        return Done("existed") if answer.status_code == 200 else claim

    async def _send(self, method: str, external_id: str, document: bytes | None = None) -> httpx2.Response:
        token = await self._session.token()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if document is not None:
            headers["Content-Type"] = "application/json"
        # Lines without a key are added to those a record has, unless the sublist is named as to be replaced.
        params = {"replace": "item"} if document is not None else None
        async with asyncio.timeout(self._timeout_s):
            answer = await self._http.request(
                method, f"{self._base}/eid:{external_id}", params=params, content=document, headers=headers
            )
        if answer.status_code == 401:
            self._session.reject(token)
        return answer


def read_answer(answer: httpx2.Response) -> Outcome:
    """Tell what an answer to an upsert means."""
    status = answer.status_code
    if status == 204:
        return Done()
    code, text = read_error(answer)
    if 200 <= status < 300:
        # The vendor answers an upsert with 204 and nothing else. Whether this one was carried out cannot be known.
        return Failure(Kind.MALFORMED, MALFORMED_RESPONSE, f"answered {status}: {text}")
    if status == 401:
        return Failure(Kind.SESSION_EXPIRED, code or "INVALID_LOGIN", text)
    if status == 429:
        return Failure(Kind.RATE_LIMITED, code or "HTTP_429", text, Health.DOWN)
    return Failure(Kind.OTHER, code or f"HTTP_{status}", text, Health.DOWN if status >= 500 else Health.REFUSED)


def says_already_exists(failure: Failure) -> bool:
    """Tell whether the vendor refused a record because it is there: the code is a general one, so its text decides."""
    return failure.code == "USER_ERROR" and "already exists" in failure.text.lower()


def read_error(answer: httpx2.Response) -> tuple[str | None, str]:
    """Read the vendor's code and text from an error answer; no code when it is not the vendor's envelope."""
    try:
        detail: Any = answer.json()["o:errorDetails"][0]
        return str(detail["o:errorCode"]), str(detail["detail"])[:LONGEST_TEXT]
    except (ValueError, TypeError, KeyError, IndexError):
        return None, answer.text[:LONGEST_TEXT]


def _read_trouble(error: Exception) -> Failure:
    if isinstance(error, (TimeoutError, httpx2.TimeoutException)):
        return Failure(Kind.OTHER, "TIMEOUT", "no answer in time", Health.DOWN)
    return Failure(Kind.OTHER, "CONNECTION", f"{type(error).__name__}: {error}"[:LONGEST_TEXT], Health.DOWN)
