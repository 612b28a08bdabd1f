"""The webhook receiver: verify, write down, and only then acknowledge."""

import base64
import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference.capture import Captured, Delivery
from reference.log import get_log

LARGEST_BODY = 8 * 1024 * 1024
Verify = Callable[[str, bytes, str | None], bool]
Receive = Callable[[Delivery], Awaitable[Captured]]
log = get_log("receiver")


def verify_signature(secret: str, body: bytes, signature: str | None) -> bool:
    """
    Tell whether a body was signed with the secret: base64 of the HMAC-SHA256 of the raw bytes.

    Source: Shopify, "Deliver webhooks through HTTPS".
    """
    expected = base64.b64encode(hmac.digest(secret.encode(), body, sha256))
    return signature is not None and hmac.compare_digest(expected, signature.encode("latin-1", "replace"))


class Receiver:
    """
    Answers 401 to what is not signed by the storefront, and 200 to everything that is, once it is committed.

    A body that cannot be used is acknowledged too: the sender could only send the same bytes again. It is kept as a dead letter.
    """

    def __init__(self, secret: str, *, verify: Verify, receive: Receive) -> None:
        self._secret = secret
        self._verify = verify
        self._receive = receive

    async def handle(self, request: Request) -> Response:
        """Handle one delivery."""
        body = await _read_body(request)
        if body is None:
            return JSONResponse({"error": "body too large"}, 413)
        if not self._verify(self._secret, body, request.headers.get("x-shopify-hmac-sha256")):
            log.warning("webhook refused", webhook_id=request.headers.get("x-shopify-webhook-id"))
            return JSONResponse({"error": "signature does not match"}, 401)
        delivery = Delivery.read(request.headers, body)
        captured = await self._receive(delivery)
        event = {"webhook_id": delivery.id, "topic": delivery.topic, "entity": captured.entity}
        log.info("webhook received", outcome=captured.outcome, **event)
        return JSONResponse({"outcome": captured.outcome})


async def _read_body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
