"""
The ERP client: calls on records by external id, and what its answers mean in the terms the policies use.

Source: NetSuite SuiteTalk REST. An upsert is `PUT …/eid:<external id>` and answers 204 whether it created or updated; errors are an
envelope with `o:errorDetails`; a record that exists already has no code of its own, only its text.
"""

from typing import Any

import httpx2

from reference.calls import Caller, build_failure, read_object
from reference.outcomes import Done, Failure, FailureError, Kind, Outcome
from reference.policies import INSUFFICIENT_PERMISSION
from reference.session import TokenSource

RECORDS = "/services/rest/record/v1"
SALES_ORDER, ITEM_FULFILMENT, CREDIT_MEMO = "salesOrder", "itemFulfillment", "creditMemo"
RESTRICTED_PRODUCT = "RESTRICTED_PRODUCT"
# Lines without a key are added to those a record has, unless the sublist is named as to be replaced.
REPLACE_LINES = {"replace": "item"}


class Erp:
    """Records of one account. Each call is one request, plus a token request when there is no session."""

    def __init__(self, caller: Caller, session: TokenSource) -> None:
        self._caller = caller
        self._session = session

    async def upsert(self, record_type: str, external_id: str, document: bytes) -> Outcome:
        """Create or replace a record."""
        return read_answer(await self._send("PUT", f"{record_type}/eid:{external_id}", document, REPLACE_LINES))

    async def transform(self, record_type: str, external_id: str, into: str, document: bytes) -> Outcome:
        """Make another record of a record; only the lines that are named go into it."""
        path = f"{record_type}/eid:{external_id}/!transform/{into}"
        return read_answer(await self._send("POST", path, document, REPLACE_LINES))

    async def update(self, record_type: str, external_id: str, document: bytes) -> Outcome:
        """Change fields of a record."""
        return read_answer(await self._send("PATCH", f"{record_type}/eid:{external_id}", document))

    async def exists(self, record_type: str, external_id: str) -> bool:
        """Tell whether there is a record; raise `FailureError` when that cannot be had."""
        answer = await self._send("GET", f"{record_type}/eid:{external_id}", params={"fields": "externalId"})
        if answer.status_code == 200:
            return True
        outcome = read_answer(answer)
        failure = outcome if isinstance(outcome, Failure) else build_failure(answer, None, "no record")
        if answer.status_code in {400, 404} and failure.kind is Kind.OTHER:
            return False
        raise FailureError(failure)

    async def _send(
        self, method: str, path: str, document: bytes | None = None, params: dict[str, str] | None = None
    ) -> httpx2.Response:
        token = await self._session.token()
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self._caller.call(method, f"{RECORDS}/{path}", params=params, content=document, headers=headers)
        if answer.status_code == 401:
            self._session.reject(token)
        return answer


def read_answer(answer: httpx2.Response) -> Outcome:
    """
    Tell what an answer to a write means.

    The vendor answers a write with 204 and nothing else. Whether one that is answered otherwise was carried out cannot be known.
    """
    status = answer.status_code
    if status == 204:
        return Done()
    code, text = read_error(answer)
    if code == RESTRICTED_PRODUCT:
        return Failure(Kind.RESTRICTED, code, text)
    if status == 401:
        return Failure(Kind.SESSION_EXPIRED, code or "INVALID_LOGIN", text)
    if status == 403:
        return Failure(Kind.PERMISSION_DENIED, code or INSUFFICIENT_PERMISSION, text)
    return build_failure(answer, code, text)


def says_already_exists(failure: Failure) -> bool:
    """Tell whether the vendor refused a record because it is there: the code is a general one, so its text decides."""
    return failure.code == "USER_ERROR" and "already exists" in failure.text.lower()


def read_error(answer: httpx2.Response) -> tuple[str | None, str]:
    """Read the vendor's code and text from an error answer; no code when it is not the vendor's envelope."""
    try:
        detail: Any = read_object(answer)["o:errorDetails"][0]
        return str(detail["o:errorCode"]), str(detail["detail"])
    except (TypeError, KeyError, IndexError):
        return None, answer.text
