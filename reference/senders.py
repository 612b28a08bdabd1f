"""The systems that send webhooks: how each signs, and how a delivery of each is read."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from reference.capture import Delivery
from reference.events import read_event
from reference.fields import UnusableError, read_stamp

TOLERANCE_S = 300.0
Verify = Callable[[str, bytes, str | None], bool]


class Sender(Protocol):
    """A system that sends webhooks. `name` is that of the system."""

    @property
    def name(self) -> str:
        """Return the system's name."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the system signed this body."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Read a delivery that is signed; without the vendor's id, the body's hash stands for it."""


def verify_signature(secret: str, body: bytes, signature: str | None) -> bool:
    """
    Tell whether a body was signed with the secret: base64 of the HMAC-SHA256 of the raw bytes.

    Source: Shopify, "Deliver webhooks through HTTPS".
    """
    expected = base64.b64encode(hmac.digest(secret.encode(), body, sha256))
    return _is_same(expected, signature)


@dataclass(frozen=True, slots=True)
class StorefrontSender:
    """The storefront, whose signature knows no time. `check` verifies it."""

    secret: str
    check: Verify = verify_signature
    name: str = "storefront"

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the body's HMAC is right."""
        return self.check(self.secret, body, headers.get("x-shopify-hmac-sha256"))

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Read id, topic and trigger time from the headers."""
        webhook_id = headers.get("x-shopify-webhook-id") or _hash(body)
        return Delivery(
            webhook_id, headers.get("x-shopify-topic", ""), body, _read_trigger(headers.get("x-shopify-triggered-at"))
        )


@dataclass(frozen=True, slots=True)
class GatewaySender:
    """
    The gateway: hex HMAC-SHA256 of time and body, by the secret as it is written; old signatures are refused.

    Source: Stripe, "Resolve webhook signature verification errors".
    """

    secret: str
    clock: Callable[[], float] = time.time
    name: str = "gateway"

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether one of the signatures is right and at most five minutes old."""
        parts = [part.partition("=") for part in headers.get("stripe-signature", "").split(",")]
        stamp = next((value for name, _, value in parts if name.strip() == "t"), "")
        if not stamp.isdecimal() or len(stamp) > 12 or self.clock() - int(stamp) > TOLERANCE_S:
            return False
        expected = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest().encode()
        return any(_is_same(expected, value) for name, _, value in parts if name.strip() == "v1")

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:  # noqa: ARG002 -- all is in the body
        """Read the type from the body; events that tell of the same change of the same object are one."""
        try:
            kind, about = read_event(body)
        except UnusableError:
            return Delivery(_hash(body), "", body, None, self.name)
        return Delivery(f"{kind}:{about.get('id')}:{about.get('status')}", kind, body, None, self.name)


@dataclass(frozen=True, slots=True)
class WmsSender:
    """
    The WMS: base64 HMAC-SHA256 of id, time and body, by the decoded secret; signatures are good for five minutes either way.

    Source: Standard Webhooks.
    """

    secret: str
    clock: Callable[[], float] = time.time
    name: str = "wms"

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether one of the signatures is right and fresh."""
        webhook_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not stamp.isdecimal() or len(stamp) > 12 or abs(self.clock() - int(stamp)) > TOLERANCE_S:
            return False
        signed = f"{webhook_id}.{stamp}.".encode() + body
        expected = b"v1," + base64.b64encode(hmac.digest(_decode(self.secret), signed, sha256))
        return any(_is_same(expected, one) for one in headers.get("webhook-signature", "").split(" "))

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Read the id from the headers."""
        return Delivery(headers.get("webhook-id") or _hash(body), "", body, None, self.name)


def _decode(secret: str) -> bytes:
    kept = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(kept + "=" * (-len(kept) % 4), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _is_same(expected: bytes, given: str | None) -> bool:
    return given is not None and hmac.compare_digest(expected, given.encode("latin-1", "replace"))


def _read_trigger(text: str | None) -> float | None:
    try:
        return read_stamp(text or "")
    except UnusableError:
        return None


def _hash(body: bytes) -> str:
    return f"sha256:{sha256(body).hexdigest()}"
