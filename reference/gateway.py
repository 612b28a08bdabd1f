"""
The gateway client: captures, voids and refunds payments, each under an idempotency key of ours.

Source: Stripe API. Bodies are forms, amounts are in minor units; an error is an object with type, code and message; a call made
again under its key is answered as it was the first time.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2

from reference.calls import Caller, build_failure, read_object
from reference.outcomes import Done, Failure, FailureError, Health, Kind, Outcome

SUCCEEDED, CANCELED = "succeeded", "canceled"
UNEXPECTED_STATE = "payment_intent_unexpected_state"
ALREADY_REFUNDED = "charge_already_refunded"
_FORM = "application/x-www-form-urlencoded"


class Gateway:
    """Payments of one account."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def capture(self, payment: str, body: bytes, *, key: str) -> Outcome:
        """Capture an authorised payment; one that is captured already is done."""
        answer = await self._post(f"/payment_intents/{payment}/capture", body, key=key)
        return await self._conclude(answer, payment, SUCCEEDED)

    async def void(self, payment: str, *, key: str) -> Outcome:
        """Give an authorisation back; one that was given back already is done."""
        answer = await self._post(f"/payment_intents/{payment}/cancel", b"", key=key)
        return await self._conclude(answer, payment, CANCELED)

    async def refund(self, payment: str, *, key: str) -> Outcome:
        """Give all that was captured back; what was given back already is done."""
        body = urlencode({"payment_intent": payment}).encode()
        answer = await self._post("/refunds", body, key=key)
        if answer.status_code == 200:
            return Done("refunded")
        failure = _read_failure(answer)
        return Done("refunded already") if failure.code == ALREADY_REFUNDED else failure

    async def read_status(self, payment: str) -> str:
        """Return a payment's status; raise `FailureError`."""
        answer = await self._caller.call("GET", f"/v1/payment_intents/{payment}")
        status = read_object(answer).get("status")
        if answer.status_code != 200 or not isinstance(status, str):
            raise FailureError(_read_failure(answer))
        return status

    async def _conclude(self, answer: httpx2.Response, payment: str, wanted: str) -> Outcome:
        body = read_object(answer)
        if answer.status_code == 200 and body.get("status") == wanted:
            return Done()
        failure = _read_failure(answer)
        if failure.code != UNEXPECTED_STATE:
            return failure
        # That it is so already is believed only of what the payment itself shows.
        try:
            status = await self.read_status(payment)
        except FailureError:
            return failure
        return Done("existed") if status == wanted else failure

    async def _post(self, path: str, body: bytes, *, key: str) -> httpx2.Response:
        headers = {"Idempotency-Key": key}
        return await self._caller.call("POST", f"/v1{path}", content=body, media_type=_FORM, headers=headers)


def _read_failure(answer: httpx2.Response) -> Failure:
    error = read_object(answer).get("error")
    details: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code = details.get("code") or details.get("type")
    text = str(details.get("message") or answer.text)
    if code == "card_declined":
        return Failure(Kind.DECLINED, "card_declined", text, Health.REFUSED)
    return build_failure(answer, str(code) if code else None, text)
