"""How the fake is started: its account, its key, and what it says about bad ones."""

from __future__ import annotations

import datetime as dt
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, RSAKey

from fakes.erp.__main__ import build_erp_parser, read_account, read_key
from fakes.erp.keys import build_private_key, read_public_key, write_private_key
from fakes.erp.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_account_comes_from_flags_then_variables_then_defaults() -> None:
    """A flag beats its variable, a variable the default; an empty variable counts as unset."""
    arguments = build_erp_parser().parse_args(["--account", "FLAG", "--concurrency", "3", "--work", "0.5"])
    environ = {"ERP_ACCOUNT": "VARIABLE", "ERP_CLIENT_ID": "client", "ERP_TOKEN_SECRET": ""}
    assert read_account(arguments, environ) == Settings(account="FLAG", client_id="client", concurrency=3, work_s=0.5)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_key_pair_is_made_and_its_private_half_written(tmp_path: Path, kind: str) -> None:
    """The private half is readable by its owner only, and belongs to the public one."""
    path = tmp_path / "client.pem"
    path.write_text("older")
    arguments = build_erp_parser().parse_args(["--private-key-out", str(path), "--key-type", kind])
    key = read_key(arguments, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [path]
    private = (ECKey if kind == "ec" else RSAKey).import_key(path.read_bytes())
    assert private.thumbprint() == key.thumbprint()


def test_key_is_read_from_what_the_lab_gives(tmp_path: Path) -> None:
    """A private key file named by the variable is enough; a flag comes first."""
    mine, other = build_private_key(), build_private_key()
    write_private_key(tmp_path / "mine.pem", mine)
    write_private_key(tmp_path / "other.pem", other)
    environ = {"ERP_PRIVATE_KEY_FILE": str(tmp_path / "other.pem")}
    given = build_erp_parser().parse_args(["--public-key", str(tmp_path / "mine.pem")])
    assert read_key(given, environ).thumbprint() == read_public_key(mine).thumbprint()
    assert read_key(build_erp_parser().parse_args([]), environ).thumbprint() == read_public_key(other).thumbprint()


def test_certificate_is_read() -> None:
    """A certificate stands for the key it holds."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    read = read_public_key(certificate.public_bytes(serialization.Encoding.PEM))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert read.thumbprint() == ECKey.import_key(public).thumbprint()


def encode(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, password: bytes | None = None) -> bytes:
    """Encode a private key in PEM."""
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        encode(ed25519.Ed25519PrivateKey.generate()),
        encode(rsa.generate_private_key(public_exponent=65537, key_size=2048), b"secret"),
    ],
    ids=["empty", "text", "broken certificate", "ed25519", "encrypted"],
)
def test_unusable_keys_are_refused(pem: bytes) -> None:
    """What is no key, or one no assertion may be signed with, is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        read_public_key(pem)


def test_start_without_a_usable_key_says_so(tmp_path: Path) -> None:
    """A key file that cannot be used ends the start with a plain sentence."""
    command = [sys.executable, "-m", "fakes.erp", "--public-key", str(tmp_path / "missing.pem")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "the client's key cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
