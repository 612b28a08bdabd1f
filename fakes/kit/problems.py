"""Errors of the control plane as RFC 9457 problem documents."""

from __future__ import annotations

import difflib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from starlette.responses import Response


class ProblemError(Exception):
    """A call the control plane refuses; ``errors`` are located, as ``{"at": "params.status", "detail": …}``."""

    def __init__(self, status: int, detail: str, *, errors: Iterable[dict[str, Any]] = (), **extra: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.extra = extra

    def build_response(self) -> Response:
        """Return the problem document as an answer."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        if self.errors:
            document["errors"] = self.errors
        return JSONResponse(document, status_code=self.status, media_type="application/problem+json")


def invalid(at: str, detail: str) -> ProblemError:
    """Build a 422 about one value; ``at`` is its dotted place in the body."""
    return ProblemError(422, f"{at}: {detail}", errors=[{"at": at, "detail": detail}])


def unknown(at: str, value: str, known: Iterable[str]) -> ProblemError:
    """Build a 422 about a name that is none of ``known``, with the nearest one."""
    names = sorted(known)
    near = difflib.get_close_matches(value, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}"
    return invalid(at, f"unknown name {value!r}{hint}")


def build_validation_problem(error: ValidationError, *, prefix: str = "") -> ProblemError:
    """Turn pydantic's findings into one located 422; ``prefix`` is the dotted place of the validated part."""
    errors = [
        {"at": ".".join([*filter(None, [prefix]), *map(str, finding["loc"])]) or "body", "detail": finding["msg"]}
        for finding in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return ProblemError(422, "; ".join(f"{e['at']}: {e['detail']}" for e in errors), errors=errors)
