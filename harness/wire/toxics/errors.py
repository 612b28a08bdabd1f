"""What the toxic engine refuses, in the words and with the status of Toxiproxy's admin API."""

from __future__ import annotations


class EngineError(Exception):
    """A call the engine refuses; `status` is the HTTP status, the message what goes into `error`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def bad_body(reason: str) -> EngineError:
    """Build the refusal of a body that cannot be read."""
    return EngineError(400, f"bad request body: {reason}")


def missing_field(name: str) -> EngineError:
    """Build the refusal of a body without a field it needs."""
    return EngineError(400, f"missing required field: {name}")


def proxy_not_found() -> EngineError:
    """Build the answer about a proxy that is not there."""
    return EngineError(404, "proxy not found")


def proxy_exists() -> EngineError:
    """Build the refusal of a second proxy of one name."""
    return EngineError(409, "proxy already exists")


def toxic_not_found() -> EngineError:
    """Build the answer about a toxic that is not there."""
    return EngineError(404, "toxic not found")


def toxic_exists() -> EngineError:
    """Build the refusal of a second toxic of one name."""
    return EngineError(409, "toxic already exists")


def invalid_stream() -> EngineError:
    """Build the refusal of a stream that is neither of the two."""
    return EngineError(400, "stream was invalid, can be either upstream or downstream")


def invalid_type() -> EngineError:
    """Build the refusal of an unknown toxic."""
    return EngineError(400, "invalid toxic type")
