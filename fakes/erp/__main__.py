"""Serve the ERP fake: `python -m fakes.erp --port P --control-port C`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.erp.app import build_erp_service
from fakes.erp.keys import build_private_key, read_public_key, write_private_key
from fakes.erp.settings import Settings, read_settings
from fakes.kit.options import build_parser, read_options
from fakes.kit.serve import run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from fakes.erp.keys import PublicKey

_ACCOUNT_FLAGS = ("account", "client_id", "client_secret", "certificate_id", "token_id", "token_secret")


def build_erp_parser() -> argparse.ArgumentParser:
    """Return the command line: the kit's, and the account's."""
    parser = build_parser("erp")
    for name in _ACCOUNT_FLAGS:
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"default: ERP_{name.upper()}, else a fixed value")
    parser.add_argument("--token-lifetime", type=int, help="life of an access token in seconds (default: 3600)")
    parser.add_argument("--concurrency", type=int, help="calls the account may have in flight (default: 15)")
    parser.add_argument("--work", type=float, help="seconds every record or query call takes at least (default: 0)")
    parser.add_argument(
        "--public-key",
        type=Path,
        help="PEM of the client's certificate, public or private key (default: ERP_PRIVATE_KEY_FILE)",
    )
    parser.add_argument("--private-key-out", type=Path, help="make a key pair and write its private half here")
    parser.add_argument(
        "--key-type", choices=("ec", "rsa"), default="ec", help="kind of key pair to make (default: ec, P-256)"
    )
    return parser


def read_account(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the account: flags before `ERP_*` variables before the fixed defaults."""
    settings = read_settings(environ)
    given = {name: getattr(arguments, name) for name in _ACCOUNT_FLAGS}
    given |= {
        "token_lifetime_s": arguments.token_lifetime,
        "concurrency": arguments.concurrency,
        "work_s": arguments.work,
    }
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


def read_key(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> PublicKey:
    """
    Read the client's public key, or make a pair.

    A pair is made when nothing names a key; without `--private-key-out` its private half is lost, and only signed calls can log in.
    Raises ValueError or OSError when the file cannot be used.
    """
    if arguments.private_key_out is not None:
        private_key = build_private_key(arguments.key_type)
        write_private_key(arguments.private_key_out, private_key)
        return read_public_key(private_key)
    path = arguments.public_key or environ.get("ERP_PRIVATE_KEY_FILE")
    pem = Path(path).read_bytes() if path else build_private_key(arguments.key_type)
    return read_public_key(pem)


def main() -> None:
    """Serve until told to stop."""
    parser = build_erp_parser()
    arguments = parser.parse_args()
    try:
        key = read_key(arguments)
    except (ValueError, OSError) as error:
        parser.error(f"the client's key cannot be used: {error}")
    settings, options = read_account(arguments), read_options(arguments)
    run(lambda: build_erp_service(settings, key, options), options)


if __name__ == "__main__":
    main()
