"""Serve the storefront fake: ``python -m fakes.storefront --port P --control-port C``."""

from __future__ import annotations

import os
from dataclasses import replace

from fakes.kit.options import build_parser, read_options
from fakes.kit.serve import build_service, run
from fakes.storefront.build import build_storefront
from fakes.storefront.settings import Settings


def main() -> None:
    """Read the command line and serve."""
    parser = build_parser("storefront")
    parser.add_argument("--access-token", help="Admin API token (default: STOREFRONT_TOKEN)")
    parser.add_argument("--webhook-secret", help="webhook signing secret (default: STOREFRONT_WEBHOOK_SECRET)")
    parser.add_argument("--shop-domain", help="the shop's domain in webhook headers")
    arguments = parser.parse_args()
    options = read_options(arguments)
    given = {
        "access_token": arguments.access_token or os.environ.get("STOREFRONT_TOKEN"),
        "webhook_secret": arguments.webhook_secret or os.environ.get("STOREFRONT_WEBHOOK_SECRET"),
        "shop_domain": arguments.shop_domain,
    }
    settings = replace(Settings(), **{name: value for name, value in given.items() if value})
    run(
        lambda: build_service(
            build_storefront(nonce=options.nonce, settings=settings, time_scale=options.time_scale), options
        ),
        options,
    )


if __name__ == "__main__":
    main()
