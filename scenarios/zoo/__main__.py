"""`python -m scenarios.zoo NAME` runs one of the zoo; `--list` prints all of them as JSON."""

import json
import sys
from difflib import get_close_matches

from reference.serve import USAGE_ERROR, run
from scenarios.zoo.catalogue import VARIANTS, find_variant


def main(arguments: list[str]) -> int:
    """Run or list; return the exit code."""
    if arguments == ["--list"]:
        sys.stdout.write(json.dumps([variant.show() for variant in VARIANTS], indent=2) + "\n")
        return 0
    variant = find_variant(arguments[0]) if len(arguments) == 1 else None
    if variant is None:
        sys.stderr.write(_explain(arguments))
        return USAGE_ERROR
    return run(variant.compose())


def _explain(arguments: list[str]) -> str:
    near = get_close_matches(arguments[0], [variant.name for variant in VARIANTS], n=1) if arguments else []
    hint = f"did you mean `{near[0]}`? " if near else ""
    return f"usage: python -m scenarios.zoo NAME | --list\n{hint}`--list` prints all names\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
