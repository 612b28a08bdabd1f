"""The document the warehouse serves of itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from fakes.wms.catalogue import CODES, OPERATIONS, TOPICS
from tests.fakes.wms.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.wms.conftest import Wms


def find_schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of the document."""
    if isinstance(value, dict):
        if isinstance(value.get("schema"), dict):
            yield value["schema"]
        for inner in value.values():
            yield from find_schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_schemas(inner)


def test_it_says_every_route_and_no_other(wms: Wms) -> None:
    """Every operation of the catalogue is a path and method of the document, one for one, under the same name."""
    content = wms.document.content
    said = {
        (call["operationId"], method.upper(), path)
        for path, calls in content["paths"].items()
        for method, call in calls.items()
    }
    assert len(said) == len(OPERATIONS)
    for name, method, path in said:
        [operation] = [one for one in OPERATIONS if one.name == name]
        assert operation.method == method
        assert re.fullmatch(operation.path, path.replace("{id}", "ord_1"))
        parameters = {one["name"] for one in content["paths"][path][method.lower()].get("parameters", [])}
        assert set(re.findall(r"{(\w+)}", path)) <= parameters
    assert set(content["webhooks"]) == set(TOPICS)


def test_it_is_sound(wms: Wms) -> None:
    """Its schemas are schemas, and every reference in it leads somewhere."""
    content = wms.document.content
    schemas = [*content["components"]["schemas"].values(), *find_schemas(content)]
    assert len(schemas) > 30
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"\$ref": "(#/[^"]+)"', json.dumps(content)))
    assert len(references) > 15
    for reference in references:
        assert wms.document.resolve(reference)


def test_it_names_every_code(wms: Wms) -> None:
    """Every error code stands in the description of its status."""
    responses = wms.document.content["components"]["responses"]
    for code in CODES:
        assert f"{code.code}: " in responses[f"Problem{code.status}"]["description"]


def test_it_takes_what_the_warehouse_takes(wms: Wms) -> None:
    """The smallest order that fits the schema is taken in, and what the document calls a default is one."""
    schema = wms.document.resolve("#/components/schemas/NewOrder")
    assert schema["required"] == ["reference", "lines"]
    assert wms.create()["location"] == schema["properties"]["location"]["default"]
    [limit] = [
        one["schema"] for one in wms.document.content["paths"]["/orders"]["get"]["parameters"] if one["name"] == "limit"
    ]
    for i in range(limit["default"] + 1):
        wms.create(f"more-{i}")
    assert len(wms.client.get("/orders").json()["orders"]) == limit["default"]
    assert wms.client.get("/orders", params={"limit": limit["maximum"]}).status_code == 200
    assert wms.client.get("/orders", params={"limit": limit["maximum"] + 1}).status_code == 422


def test_the_check_can_fail(wms: Wms) -> None:
    """An answer with one field more, or under a status the document does not know, would not pass."""
    order = wms.create()
    strict = Document(wms.document.content)
    for wrong in ({**order, "more": 1}, {**order, "status": "lost"}, {**order, "created_at": "2026-01-01"}):
        with pytest.raises(ValidationError):
            strict.validate({"$ref": "#/components/schemas/Order"}, wrong)
