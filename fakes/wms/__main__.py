"""Serve the warehouse fake: ``python -m fakes.wms --port P --control-port C``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Any

from fakes.kit.options import build_parser, read_options
from fakes.kit.serve import build_service, run
from fakes.wms.build import build_wms
from fakes.wms.settings import Settings, check_secret


def main() -> None:
    """Read the command line and serve."""
    parser = build_parser("wms")
    parser.add_argument("--access-token", help="API token (default: WMS_TOKEN)")
    parser.add_argument("--webhook-secret", help="webhook signing secret, whsec_… (default: WMS_WEBHOOK_SECRET)")
    arguments = parser.parse_args()
    options = read_options(arguments)
    given: dict[str, Any] = {
        "token": arguments.access_token or os.environ.get("WMS_TOKEN"),
        "webhook_secret": arguments.webhook_secret or os.environ.get("WMS_WEBHOOK_SECRET"),
    }
    settings = replace(Settings(), **{name: value for name, value in given.items() if value})
    try:
        check_secret(settings.webhook_secret)
    except ValueError as error:
        sys.exit(f"WMS_WEBHOOK_SECRET: {error}")
    run(
        lambda: build_service(
            build_wms(nonce=options.nonce, settings=settings, time_scale=options.time_scale), options
        ),
        options,
    )


if __name__ == "__main__":
    main()
