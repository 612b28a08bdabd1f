"""Hold a lab that is up, so that no two runs drive orders and faults through it at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from harness.lab.errors import EnvironmentNotReady
from harness.lab.registry import LabRecord

FILE = "held"


@contextmanager
def hold_lab(record: LabRecord) -> Iterator[None]:
    """
    Hold a lab until the end of the block; the kernel lets go of it when this process dies.

    The lock lies in the lab's folder, which the register names and which goes with the lab. Raises EnvironmentNotReady
    naming the process that holds it.
    """
    with _open(record) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = file.read().strip() or "another process"
            raise EnvironmentNotReady(
                f"the lab {record.id}",
                f"process {holder} runs experiments in it; one run has a lab to itself",
                "wait for it to end, or bring up a lab of your own: handoff lab up",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _open(record: LabRecord) -> TextIO:
    try:
        path = Path(record.folders[0]) / FILE
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    except (IndexError, OSError) as error:
        raise EnvironmentNotReady(
            f"the lab {record.id}", "it has no folder: it is coming up, or going down", "handoff lab env"
        ) from error
