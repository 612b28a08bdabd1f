"""The certificate behind the client's assertions: read from a PEM file, or made here with the private half written out."""

import os
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import load_pem_x509_certificate
from joserfc.jwk import ECKey, RSAKey

PublicKey = RSAKey | ECKey
KeyKind = Literal["ec", "rsa"]


def read_public_key(pem: bytes) -> PublicKey:
    """
    Read the public key from a certificate, a public key or a private key in PEM.

    Raises ValueError when `pem` holds none of them, or a key that is neither RSA nor on one of NIST's curves.
    """
    try:
        key = _load(pem)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"not a PEM key the fake can use: {error}") from error
    if isinstance(key, rsa.RSAPublicKey):
        return RSAKey.import_key(_encode_public(key))
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ECKey.import_key(_encode_public(key))
    raise ValueError("the certificate must hold an RSA or an elliptic curve key")


def _load(pem: bytes) -> object:
    if b"BEGIN CERTIFICATE" in pem:
        return load_pem_x509_certificate(pem).public_key()
    if b"PRIVATE KEY" in pem:
        return serialization.load_pem_private_key(pem, password=None).public_key()
    return serialization.load_pem_public_key(pem)


def _encode_public(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def build_private_key(kind: KeyKind = "ec") -> bytes:
    """Make a private key in PEM (PKCS 8): a P-256 key signs ES256, a 3072-bit RSA key signs PS256 to PS512."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private_key(path: Path, pem: bytes) -> None:
    """Write `pem` to `path`, readable by its owner only; an existing file is replaced in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    draft.replace(path)
