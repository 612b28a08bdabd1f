"""The webhook receivers: verify, write down, and only then acknowledge."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference.capture import Captured, Delivery
from reference.log import get_log
from reference.senders import Sender

LARGEST_BODY = 8 * 1024 * 1024
Receive = Callable[[Delivery], Awaitable[Captured]]
log = get_log("receiver")


class Receiver:
    """
    Answers 401 to what is not signed by its sender, and 200 to everything that is, once it is committed.

    A body that cannot be used is acknowledged too: the sender could only send the same bytes again. It is kept as a dead letter.
    """

    def __init__(self, sender: Sender, receive: Receive) -> None:
        self._sender = sender
        self._receive = receive

    async def handle(self, request: Request) -> Response:
        """Handle one delivery."""
        body = await _read_body(request)
        if body is None:
            return JSONResponse({"error": "body too large"}, 413)
        if not self._sender.verify(request.headers, body):
            log.warning("webhook refused", source=self._sender.name)
            return JSONResponse({"error": "signature does not match"}, 401)
        delivery = self._sender.read(request.headers, body)
        captured = await self._receive(delivery)
        event = {"webhook_id": delivery.id, "topic": delivery.topic, "entity": captured.entity}
        log.info("webhook received", source=delivery.source, outcome=captured.outcome, **event)
        return JSONResponse({"outcome": captured.outcome})


async def _read_body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
