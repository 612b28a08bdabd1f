"""The secrets of one lab: made when it comes up, gone with it."""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.wire.privacy import LAB_MARK

ROLE_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What the integration and the fakes share. `private_key` and `public_key` are PEM (P-256)."""

    control_token: str
    storefront_token: str
    storefront_webhook_secret: str
    erp_client_id: str
    erp_client_secret: str
    erp_certificate_id: str
    erp_token_id: str
    erp_token_secret: str
    gateway_api_key: str
    gateway_webhook_secret: str
    wms_token: str
    wms_webhook_secret: str
    mapped_secret: str
    private_key: bytes
    public_key: bytes


def make_credentials() -> Credentials:
    """
    Make fresh secrets, in the vendors' formats, none of which can be taken for a live one.

    The shop's tokens say nothing about that, so a lab's begin with a mark of ours.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    return Credentials(
        control_token=secrets.token_hex(16),
        storefront_token=f"shpat_{LAB_MARK}{secrets.token_hex(12)}",
        storefront_webhook_secret=secrets.token_hex(32),
        erp_client_id=secrets.token_hex(32),
        erp_client_secret=secrets.token_hex(32),
        erp_certificate_id=secrets.token_urlsafe(16),
        erp_token_id=secrets.token_hex(32),
        erp_token_secret=secrets.token_hex(32),
        gateway_api_key=f"sk_test_{secrets.token_hex(24)}",
        gateway_webhook_secret=f"whsec_{secrets.token_hex(16)}",
        wms_token=f"wms_{secrets.token_hex(16)}",
        mapped_secret=secrets.token_hex(16),
        wms_webhook_secret=f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
        private_key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        public_key=key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


def build_token(credentials: Credentials, prefix: str) -> str:
    """Derive the bearer token of a system that mappings play: its name and 32 hex characters."""
    digest = hashlib.sha256(f"{credentials.mapped_secret}:{prefix}".encode()).hexdigest()
    return f"{prefix.lower()}_{digest[:32]}"


def build_role_key(nonce: str, role: str) -> str:
    """Derive the routing key of a role in one lab: 32 hex characters, as long as PagerDuty's."""
    return hashlib.sha256(f"{nonce}:{role}".encode()).hexdigest()[:ROLE_KEY_LENGTH]


def write_private(path: Path, content: bytes | str) -> Path:
    """Write a file that only its owner may read, in one step; answer its path."""
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)
    return path
