"""A receiver of the warehouse's webhooks, with the library receivers use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import standardwebhooks

if TYPE_CHECKING:
    from tests.fakes.conftest import Received, Receiver
    from tests.fakes.wms.conftest import Wms

SECRET = "whsec_aGFuZG9mZiB3YXJlaG91c2Ugc2lnbmluZyBzZWNyZXQ="
KEY = standardwebhooks.Webhook(SECRET)


def subscribe(wms: Wms, receiver: Receiver, *topics: str) -> dict[str, Any]:
    """Subscribe through the API, to all topics unless some are named."""
    body = {"url": receiver.url, **({"topics": list(topics)} if topics else {})}
    answer = wms.client.post("/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def read(wms: Wms, got: Received) -> dict[str, Any]:
    """Verify a webhook, hold it to the document and return it."""
    KEY.verify(got.body, got.headers)
    return wms.document.check_event(got.body)


def verifies(got: Received) -> bool:
    """Tell whether a receiver would take it."""
    try:
        KEY.verify(got.body, got.headers, json_parse=False)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def deliveries(wms: Wms, count: int) -> list[dict[str, Any]]:
    """Return so many delivery entries, waiting for them."""
    return wms.fake.wait_for(lambda entry: entry["type"] == "delivery", count=count)
