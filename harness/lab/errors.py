"""
What can go wrong with an environment, as opposed to with the integration under test.

    LabError
    ├── EnvironmentNotReady     something is missing; says the command that gets it (exit 12)
    ├── ProcessFailed           a child ended or never became ready; carries its last lines
    ├── Unsupported             asked of a lab part what it cannot do (kill an attached integration)
    └── ControlError            a control plane said no
        ├── ControlUnreachable  … or said nothing
        └── JournalEvicted      … or no longer holds the entries asked for
"""

from collections.abc import Sequence
from typing import ClassVar


class LabError(Exception):
    """Any trouble of the environment."""

    exit_code: ClassVar[int] = 12


class EnvironmentNotReady(LabError):  # noqa: N818 (named for what happened)
    """Say what is missing, why, and the command that gets it."""

    def __init__(self, what: str, why: str, next_command: str) -> None:
        super().__init__(f"{what}: {why}\n  next: {next_command}")
        self.what = what
        self.why = why
        self.next_command = next_command


class ProcessFailed(LabError):  # noqa: N818 (named for what happened)
    """
    A child process that ended (`returncode` set) or did not become ready (`None`), with its last lines.

    `told` is the whole story without the role: why, and the lines.
    """

    def __init__(self, role: str, why: str, *, returncode: int | None, tail: Sequence[str]) -> None:
        self.told = why + ("".join(f"\n  | {line}" for line in tail) or "\n  | (no output)")
        super().__init__(f"{role} {self.told}")
        self.role = role
        self.why = why
        self.returncode = returncode
        self.tail = tuple(tail)


class Unsupported(LabError):  # noqa: N818 (named for what happened)
    """An operation that this part of the lab cannot do."""

    def __init__(self, operation: str, why: str) -> None:
        super().__init__(f"cannot {operation}: {why}")
        self.operation = operation
        self.why = why


class ControlError(LabError):
    """A control plane refused a call: `status` is its HTTP status, `detail` its problem document's words."""

    def __init__(self, system: str, call: str, status: int | None, detail: str) -> None:
        said = "no answer" if status is None else str(status)
        super().__init__(f"{system}: {call} → {said}: {detail}")
        self.system = system
        self.call = call
        self.status = status
        self.detail = detail


class ControlUnreachable(ControlError):  # noqa: N818 (named for what happened)
    """A control plane that did not answer: its process is gone, frozen or not yet there."""

    def __init__(self, system: str, call: str, detail: str) -> None:
        super().__init__(system, call, None, detail)


class JournalEvicted(ControlError):  # noqa: N818 (named for what happened)
    """The entries asked for were evicted: this history has a gap."""
