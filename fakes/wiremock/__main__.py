"""Serve a vendor that WireMock plays: ``python -m fakes.wiremock --system tax --mappings ./tax --wiremock http://…``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from fakes.kit.options import build_parser, read_options
from fakes.kit.serve import Service, build_service, run
from fakes.wiremock.build import build_play
from fakes.wiremock.errors import MappingError
from fakes.wiremock.folder import read_folder
from fakes.wiremock.stubs import Account


def main() -> None:
    """Read the command line and serve; exits with the place of what is wrong with the mappings."""
    parser = build_parser("wiremock")
    parser.add_argument("--system", required=True, help="name of the system that is played")
    parser.add_argument("--mappings", required=True, type=Path, help="folder of WireMock mappings")
    parser.add_argument("--wiremock", required=True, help="base address of the WireMock that serves them")
    arguments = parser.parse_args()
    options = read_options(arguments)
    account = Account(arguments.system, "")
    token = os.environ.get(account.variable) or f"{arguments.system}_handoff"

    def build() -> Service:
        play = build_play(
            folder, replace(account, token=token), url=arguments.wiremock.rstrip("/"), nonce=options.nonce
        )
        return replace(build_service(play.fake, options), running=play.running)

    try:
        folder = read_folder(arguments.mappings)
        run(build, options)
    except MappingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
