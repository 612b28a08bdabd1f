"""
The carrier client: buys labels, each under an idempotency key of ours.

Source: the carrier's own API. An error is an object with code and message; a purchase made again under its key is answered with the
label that was bought first, and under another key it is another label, which is paid for.
"""

from collections.abc import Mapping
from typing import Any

import httpx2

from reference.calls import Caller, build_failure, read_object
from reference.outcomes import Done, Failure, Kind, Outcome
from reference.policies import SERVICE_UNAVAILABLE

ADDRESS_UNDELIVERABLE = "address_undeliverable"
_KINDS = {ADDRESS_UNDELIVERABLE: Kind.UNDELIVERABLE, SERVICE_UNAVAILABLE: Kind.NOT_CARRIED}


class Carrier:
    """One account at a carrier."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def buy(self, body: bytes, *, key: str) -> Outcome:
        """Buy a label; one that was bought under this key before is that label. Raises `FailureError` without an answer."""
        answer = await self._caller.call("POST", "/v1/labels", content=body, headers={"Idempotency-Key": key})
        bought = isinstance(read_object(answer).get("id"), str) and 200 <= answer.status_code < 300
        return Done() if bought else _read_failure(answer)


def _read_failure(answer: httpx2.Response) -> Failure:
    error = read_object(answer).get("error")
    details: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code = str(details.get("code") or "")
    text = str(details.get("message") or answer.text)
    if code in _KINDS:
        return Failure(_KINDS[code], code, text)
    return build_failure(answer, code or None, text)
