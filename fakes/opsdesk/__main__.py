"""Serve the ops desk fake: ``python -m fakes.opsdesk --port P --control-port C``."""

from __future__ import annotations

from fakes.kit.options import build_parser, read_options
from fakes.kit.serve import build_service, run
from fakes.opsdesk.build import build_opsdesk


def main() -> None:
    """Read the command line and serve."""
    options = read_options(build_parser("opsdesk").parse_args())
    run(lambda: build_service(build_opsdesk(nonce=options.nonce, time_scale=options.time_scale), options), options)


if __name__ == "__main__":
    main()
