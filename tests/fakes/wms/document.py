"""Holds what the warehouse answers and tells to the document it serves of itself."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    import httpx2

BASE = "urn:wms"
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    """Tell whether a text is a date with a time and an offset."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Document:
    """An OpenAPI document to check against."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        resource = Resource.from_contents(content, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(BASE, resource)
        self._paths = {
            path: re.compile(re.sub(r"{\w+}", "[^/]+", path).replace(".", r"\.")) for path in content["paths"]
        }

    def resolve(self, reference: str) -> Any:
        """Return what a reference inside the document points to."""
        return self._registry.resolver(BASE).lookup(reference).contents

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Fail when a value does not fit a schema of the document."""
        anchored = json.loads(json.dumps(schema).replace('"#/', f'"{BASE}#/'))
        Draft202012Validator(anchored, registry=self._registry, format_checker=FORMATS).validate(value)

    def find(self, method: str, path: str) -> dict[str, Any] | None:
        """Return what the document says of a call."""
        for template, pattern in self._paths.items():
            if pattern.fullmatch(path):
                return self.content["paths"][template].get(method.lower())
        return None

    def check_answer(self, answer: httpx2.Response) -> None:
        """Fail when an answer is not as the document says, or a call went well that it forbids."""
        answer.read()
        request = answer.request
        call = self.find(request.method, request.url.path)
        if call is None:
            assert answer.status_code in {400, 401, 404, 405}, (request.method, request.url.path, answer.status_code)
            if request.method != "HEAD":
                self.validate({"$ref": "#/components/schemas/Problem"}, answer.json())
            return
        described = call["responses"].get(str(answer.status_code))
        assert described is not None, f"{call['operationId']} is not said to answer {answer.status_code}"
        described = self.resolve(described["$ref"]) if "$ref" in described else described
        self._check_body(described, answer)
        for name in described.get("headers", {}):
            assert name in answer.headers, (name, answer.status_code)
        if answer.is_success and "requestBody" in call and request.content:
            schema = call["requestBody"]["content"]["application/json"]["schema"]
            self.validate(schema, json.loads(request.content))

    def check_event(self, body: bytes) -> dict[str, Any]:
        """Fail when a webhook's body is not as the document says; return it decoded."""
        event = json.loads(body)
        described = self.content["webhooks"][event["type"]]["post"]
        self.validate(described["requestBody"]["content"]["application/json"]["schema"], event)
        return event

    def _check_body(self, described: dict[str, Any], answer: httpx2.Response) -> None:
        if "content" not in described:
            assert answer.content == b""
            return
        [(media_type, content)] = described["content"].items()
        assert answer.headers["Content-Type"].partition(";")[0] == media_type
        self.validate(content["schema"], answer.json())
        if media_type == "application/problem+json":
            assert answer.json()["status"] == answer.status_code
