"""
The CRM client: writes contacts, each under an external id of ours.

Source: the CRM's own API. An upsert made again changes nothing more; an error has a category and a message.
"""

import httpx2

from reference.calls import Caller, build_failure, read_object
from reference.outcomes import Done, Failure, Outcome


class Crm:
    """One account at a CRM."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def upsert(self, external_id: str, body: bytes) -> Outcome:
        """Write a contact, new or known. Raises `FailureError` without an answer."""
        answer = await self._caller.call("PUT", f"/v1/contacts/{external_id}", content=body)
        written = isinstance(read_object(answer).get("id"), str) and 200 <= answer.status_code < 300
        return Done() if written else _read_failure(answer)


def _read_failure(answer: httpx2.Response) -> Failure:
    error = read_object(answer)
    category = error.get("category")
    return build_failure(answer, str(category) if category else None, str(error.get("message") or answer.text))
