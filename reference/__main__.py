"""`python -m reference`: the reference integration as a process."""

import sys

from reference.serve import run

if __name__ == "__main__":
    sys.exit(run())
