"""The JSON Schema of stack.yaml (draft-07, which editors understand)."""

from __future__ import annotations

from typing import Any

from harness.core.fields import PATH_PATTERN
from harness.core.shape import ATTEMPTS, BARE, OUTCOMES, StackShape
from harness.core.stack import INTEGRATION
from harness.core.triggers import CONDITIONS

_EXACTLY_ONE: dict[str, tuple[str, ...]] = {
    "SystemShape": ("fake", "wiremock"),
    "SourceShape": ("path", "command", "python"),
    "TriggerShape": ("status", "code", "when"),
}

# It is started, or it runs already.
_STARTED: dict[str, Any] = {
    "anyOf": [{"required": [field]} for field in ("command", "image", "url")],
    "not": {"required": ["url"], "anyOf": [{"required": ["command"]}, {"required": ["image"]}]},
}


def build_schema() -> dict[str, Any]:
    """Return the JSON Schema of stack.yaml version 1."""
    schema = StackShape.model_json_schema(ref_template="#/definitions/{model}")
    definitions: dict[str, Any] = schema.pop("$defs")
    for definition in definitions.values():
        _without_nulls(definition)
        definition.pop("title", None)
    for name, fields in _EXACTLY_ONE.items():
        definitions[name]["oneOf"] = [{"required": [field]} for field in fields]
    _allow_short_forms(definitions)
    definitions["IntegrationShape"].update(_STARTED)
    schema["properties"]["systems"]["propertyNames"] = {"not": {"const": INTEGRATION}}
    for name in ("PathShape", "OutcomesShape"):
        definitions[name]["oneOf"] = [_leading(outcome) for outcome in OUTCOMES]
    for mapping in (schema, definitions["QueueShape"]):
        _close_names(mapping)
    for settings in ("time", "matrix"):
        del schema["properties"][settings]["default"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **schema,
        "title": "stack.yaml",
        "definitions": {name: definitions[name] for name in sorted(definitions)},
    }


def _close_names(mapping: dict[str, Any]) -> None:
    """Refuse names that the pattern of a mapping's keys does not take."""
    for field in mapping["properties"].values():
        if "patternProperties" in field:
            field["additionalProperties"] = False


def _leading(outcome: str) -> dict[str, Any]:
    """Return what holds when this is the leading outcome; a retry beside a renewed session is not one."""
    if outcome == "retry":
        return {"required": ["retry"], "not": {"required": ["renew_session"]}}
    return {"required": [outcome]}


def _allow_short_forms(definitions: dict[str, Any]) -> None:
    """Let the schema take what the file may say in one word."""
    trigger = definitions["TriggerShape"]
    del trigger["properties"][BARE]
    trigger["dependencies"] = {"text": ["code"]}
    path = definitions["PathShape"]["properties"]
    path["on"] = {
        "description": "The failures this path resolves.",
        "anyOf": [{"enum": list(CONDITIONS)}, {"$ref": "#/definitions/TriggerShape"}],
    }
    path["then"] = {
        "description": "What follows once the outcome is used up.",
        "anyOf": [
            {"const": "dead_letter"},
            {
                "allOf": [{"$ref": "#/definitions/OutcomesShape"}],
                "not": {"anyOf": [{"required": [name]} for name in ATTEMPTS]},
            },
        ],
    }
    for shape, field in (
        ("PathShape", "dead_letter"),
        ("OutcomesShape", "dead_letter"),
        ("HandoffShape", "dead_letter"),
        ("PathShape", "resend"),
        ("OutcomesShape", "resend"),
    ):
        properties = definitions[shape]["properties"]
        properties[field] = {"anyOf": [{"const": True}, properties[field]]}
    observe = definitions["ObserveShape"]["properties"]
    for field, mapping in observe.items():
        observe[field] = {"anyOf": [{"type": "string", "pattern": PATH_PATTERN}, mapping]}
    after = definitions["HandoffShape"]["properties"]["after"]
    definitions["HandoffShape"]["properties"]["after"] = {"anyOf": [{"type": "string", "minLength": 1}, after]}


def _without_nulls(definition: dict[str, Any]) -> None:
    """Take the null out of optional fields: a field is left out, not empty."""
    for name, field in definition.get("properties", {}).items():
        options = [option for option in field.get("anyOf", ()) if option != {"type": "null"}]
        rest = {key: value for key, value in field.items() if key not in {"anyOf", "title"}}
        if rest.get("default", "") is None:
            del rest["default"]
        if len(options) == 1:
            definition["properties"][name] = {**options[0], **rest}
        elif options:
            definition["properties"][name] = {"anyOf": options, **rest}
        else:
            definition["properties"][name] = rest
