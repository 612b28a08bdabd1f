"""Serve the gateway fake: ``python -m fakes.gateway --port P --control-port C``."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from fakes.gateway.build import build_gateway
from fakes.gateway.settings import Settings
from fakes.kit.options import build_parser, read_options
from fakes.kit.serve import build_service, run


def main() -> None:
    """Read the command line and serve."""
    parser = build_parser("gateway")
    parser.add_argument("--api-key", help="secret API key (default: GATEWAY_API_KEY)")
    parser.add_argument("--webhook-secret", help="webhook signing secret (default: GATEWAY_WEBHOOK_SECRET)")
    arguments = parser.parse_args()
    options = read_options(arguments)
    given: dict[str, Any] = {
        "api_key": arguments.api_key or os.environ.get("GATEWAY_API_KEY"),
        "webhook_secret": arguments.webhook_secret or os.environ.get("GATEWAY_WEBHOOK_SECRET"),
    }
    settings = replace(Settings(), **{name: value for name, value in given.items() if value})
    run(
        lambda: build_service(
            build_gateway(nonce=options.nonce, settings=settings, time_scale=options.time_scale), options
        ),
        options,
    )


if __name__ == "__main__":
    main()
