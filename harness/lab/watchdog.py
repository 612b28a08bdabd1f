"""
Stand beside a lab and sweep the moment its owner is gone.

`python -m harness.lab.watchdog --lifeline-fd N` reads a pipe whose other end only the owner holds. Programs of ours read
the same pipe themselves; this is for those that do not: the integration and whatever it starts. A parent-death signal
would not do: Linux sends it when the *thread* that forked ends, and it does not reach grandchildren.
"""

import os
import sys


def main(arguments: list[str]) -> None:
    """Wait for the end of the lifeline, then sweep. Imports nothing heavy before that."""
    lifeline = int(arguments[arguments.index("--lifeline-fd") + 1])
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    while os.read(lifeline, 1):
        pass
    from harness.lab.registry import sweep  # noqa: PLC0415 (a watchdog costs next to nothing until it is needed)

    sweep(then=lambda: os._exit(0))


if __name__ == "__main__":
    main(sys.argv[1:])
