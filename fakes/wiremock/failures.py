r"""
How a mapped vendor words its errors: ``faults.json`` beside the mappings, or something plain where there is none.

    {"code": "$.error.code",
     "codes": {"rate_limited": {"status": 429, "text": "Too many requests.", "retriable": true}},
     "kinds": {"rate_limited": "rate_limited", "session_expired": "unauthorized", "permission_denied": "permission_denied"},
     "answers": {"error": {"headers": {…}, "body": "{\"error\":{\"code\":{{{toJson parameters.code}}} }}"}}}

``code`` is where an answer says its code. ``answers`` are responses as WireMock has them, by code, else by kind, else
``error``; their templates get ``parameters.code``, ``.text``, ``.status`` and ``.retry_after_s``.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fakes.kit.catalogue import ErrorCode
from fakes.wiremock.errors import MappingError
from fakes.wiremock.places import Place, parse_place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FAILURES_FILE = "faults.json"
JSON_TYPE = {"Content-Type": "application/json"}
PLAIN_BODY = '{"error":{"code":{{{toJson parameters.code}}},"message":{{{toJson parameters.text}}} }}'
PLAIN_KINDS = {"rate_limited": 429, "session_expired": 401, "permission_denied": 403}
# What an error is answered with where nobody says: the call was understood and cannot be carried out.
USUAL_STATUS = 422
RETRY_AFTER_S = 1.0


class Code(BaseModel):
    """An error of the vendor's."""

    model_config = ConfigDict(extra="forbid")

    status: int = Field(ge=400, le=599)
    text: str = ""
    retriable: bool = False


class Failures(BaseModel):
    """The whole of ``faults.json``."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    code: Annotated[Place, BeforeValidator(lambda text: parse_place(str(text)))] = Place("body", ("error", "code"))
    codes: dict[str, Code] = Field(default_factory=dict)
    kinds: dict[str, str] = Field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def list_codes(self) -> tuple[ErrorCode, ...]:
        """List the codes as a catalogue shows them."""
        return tuple(ErrorCode(name, code.status, code.text, code.retriable) for name, code in self.codes.items())

    def build_response(self, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response, as WireMock has it, of a fault of one of the kinds that are an answer."""
        code, status = self._choose(kind, params)
        known = self.codes.get(code)
        text = params.get("text") or (known.text if known else "") or _phrase(status)
        retry_after_s = params.get("retry_after_s")
        if kind == "rate_limited" and retry_after_s is None:
            retry_after_s = RETRY_AFTER_S
        stub = self.answers.get(code) or self.answers.get(kind) or self.answers.get("error") or {}
        headers = dict(stub.get("headers", JSON_TYPE))
        if retry_after_s is not None:
            headers["Retry-After"] = str(math.ceil(retry_after_s))
        return {
            "body": PLAIN_BODY,
            "transformers": ["response-template"],
            **stub,
            "status": status,
            "headers": headers,
            "transformerParameters": {
                **stub.get("transformerParameters", {}),
                "code": code,
                "text": text,
                "status": status,
                "retry_after_s": retry_after_s,
            },
        }

    def _choose(self, kind: str, params: Mapping[str, Any]) -> tuple[str, int]:
        if kind == "status":
            status = int(params["status"])
            fitting = (name for name, code in self.codes.items() if code.status == status)
            return next(fitting, f"http_{status}"), status
        code = str(params["code"]) if kind == "error" else self.kinds.get(kind, kind)
        known = self.codes.get(code)
        return code, known.status if known else PLAIN_KINDS.get(kind, USUAL_STATUS)


def read_failures(path: Path, load: Callable[[Path], tuple[str, Any]]) -> Failures:
    """Read ``faults.json``, or return what holds where there is none; raises MappingError."""
    if not path.is_file():
        return Failures()
    _, document = load(path)
    try:
        failures = Failures.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        raise MappingError(f"{path}:1:1", f"{at}: {first['msg'].removeprefix('Value error, ')}") from error
    lost = next(((kind, code) for kind, code in failures.kinds.items() if code not in failures.codes), None)
    if lost is not None:
        raise MappingError(f"{path}:1:1", f"kinds.{lost[0]} names {lost[1]!r}, which is not among codes")
    return failures


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
