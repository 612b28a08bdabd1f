"""How sending at a handoff can end: done, or a failure with the kind that picks its resolution path."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a failure is, as far as the policies tell failures apart."""

    RATE_LIMITED = "rate_limited"
    SESSION_EXPIRED = "session_expired"
    PERMISSION_DENIED = "permission_denied"
    MALFORMED = "malformed"
    NOT_PERSISTED = "not_persisted"
    RESTRICTED = "restricted"
    DECLINED = "declined"
    UNDELIVERABLE = "undeliverable"
    NOT_CARRIED = "not_carried"
    OTHER = "other"


class Health(Enum):
    """What an outcome says about the system on the other side; only `DOWN` counts towards the breaker."""

    UP = "up"
    REFUSED = "refused"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Done:
    """The other side has the record. `how` tells posted from found there already."""

    how: str = "posted"

    @property
    def health(self) -> Health:
        """A success shows the system is up."""
        return Health.UP


@dataclass(frozen=True, slots=True)
class Failure:
    """
    The other side does not have the record, as far as is known.

    `code` is the vendor's own error code where it gave one. A refusal (`Health.REFUSED`) is an answer that was not a success,
    yet no sign of trouble on the wire either. `unknown` says that the call may have been carried out all the same. `retry_after_s` is
    the wait the vendor asked for, in production seconds; `payload` are the bytes that were sent, where they are not the item's own.
    """

    kind: Kind
    code: str
    text: str
    health: Health = Health.REFUSED
    unknown: bool = False
    retry_after_s: float = 0.0
    payload: bytes | None = None


Outcome = Done | Failure


class FailureError(Exception):
    """A call that a sender needed has failed; `failure` is what that means for the item being sent."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure
