"""The JSON Schema: it takes what the loader takes, and refuses the mistakes an editor can see."""

import json
from pathlib import Path

import jsonschema
import pytest

from harness.core.document import read_document
from harness.core.loading import load_stack
from harness.core.problems import StackError
from harness.core.schema import build_schema
from tests.core.stack_texts import SMALL, WHOLE

REFERENCE = (Path(__file__).parents[2] / "reference" / "stack.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def validator():
    """Build a draft-07 validator of the schema."""
    schema = build_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def complaints(validator: jsonschema.Draft7Validator, text: str) -> list[str]:
    """Return what the schema has against a text."""
    root = read_document(text, file="stack.yaml").root
    assert root is not None
    return [error.message for error in validator.iter_errors(root.plain())]


@pytest.mark.parametrize("text", [REFERENCE, WHOLE, SMALL], ids=["reference", "whole", "small"])
def test_valid_stacks(validator, text):
    """Stacks that load are valid."""
    assert complaints(validator, text) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("attempts: 4", "attempt: 4"),
        ("attempts: 4", "attempts: 0"),
        ("attempts: 4", 'attempts: "4"'),
        ("initial: 4s", "initial: 4x"),
        ("initial: 4s", "initial: 4"),
        ("version: 1", "version: 2"),
        ("protocol: api", "protocol: apy"),
        ("fake: netsuite", "fake: netsweet"),
        ("erp: {fake: netsuite}", "erp: {fake: netsuite, wiremock: x}"),
        ("erp: {fake: netsuite}", "a b: {fake: netsuite}"),
        ("on: any", "on: an"),
        ("on: any", "on: {}"),
        ("on: any", "on: {text: x}"),
        ("on: any", "on: {text: x, status: 400}"),
        ("on: any", "on: {status: 400, code: x}"),
        ("on: any", 'on: {"<bare>": any}'),
        ("then: dead_letter", "then: dead"),
        ("then: dead_letter", "then: {}"),
        ("then: dead_letter", "then: {retry: {attempts: 2, initial: 1s}}"),
        ("then: dead_letter", "then: {renew_session: true, retry: {attempts: 2, initial: 1s}}"),
        ("then: dead_letter", "then: {resend: true}"),
        ("then: dead_letter", "reorder: true"),
        ("        retry: {attempts: 4, initial: 4s, max: 9s}\n", ""),
        ("    within: 10m\n", ""),
        ("within: 10m", "within: 10m\n    operation: Create Order"),
        ("within: 10m", "within: 10m\n    operation: [.c]"),
        ("within: 10m", "within: 10m\n    effects:"),
        ("owner: oncall", "owner: [oncall]"),
        ("  webhooks:", "  observe: {jobs: jobs}\n  webhooks:"),
        ("  webhooks:", "  entity: x+\n  webhooks:"),
        ("version: 1", "version: true"),
        ("roles:", "accept: [{clause: order-to-erp/any:dead_letter, reason: x, until: '20270331'}]\nroles:"),
        ("roles:", "accept: [{clause: order-to-erp/any:dead_letter, reason: x, until: 2027-W05-3}]\nroles:"),
        ("within: 10m", "within: 0s"),
        ("within: 10m", "within: 00.0m"),
        ("pause: 40s", "pause: 0ms"),
        ("  command: [python, -m, reference]\n", ""),
        ("  command:", "  url: http://127.0.0.1:1\n  command:"),
        ("  command:", "  url: http://127.0.0.1:1\n  image: x\n  command:"),
        ("on: any", "on: {when: amount above 500}"),
        ("on: any", "on: {when: amount > 500.0000001 EUR}"),
        ("  webhooks:", "  observe: {jobs: /d e}\n  webhooks:"),
        ("  storefront: {fake: shopify}", "  storefront: {fake: shopify}\n  integration: {fake: shopify}"),
    ],
)
def test_mistakes(validator, right, wrong):
    """A mistake in the form of a file is refused by the schema and by the loader."""
    text = SMALL.replace(right, wrong, 1)
    assert text != SMALL
    assert complaints(validator, text)
    with pytest.raises(StackError):
        load_stack(text, file="stack.yaml")


@pytest.mark.parametrize(
    ("right", "as_right"),
    [
        ("  webhooks:", "  entity: 'order-(?P<order>[0-9]+)'\n  webhooks:"),
        ("  command: [python, -m, reference]", "  image: acme"),
        ("  command: [python, -m, reference]", "  url: http://127.0.0.1:1"),
        ("initial: 4s", "initial: 0s"),
        ("within: 10m", "within: 0.5m"),
        ("on: any", "on: {when: amount>=500.00EUR}"),
        ("roles:", "accept: [{clause: order-to-erp/any:dead_letter, reason: x, until: 2027-03-31}]\nroles:"),
        ("    within: 10m", "    resolved_when: {system: erp, record: sales_order, state: Pending Fulfillment}\n    within: 10m"),
    ],
)  # fmt: skip
def test_alike(validator, right, as_right):
    """What the loader takes the schema takes too."""
    text = SMALL.replace(right, as_right, 1)
    assert text != SMALL
    assert complaints(validator, text) == []
    load_stack(text, file="stack.yaml")


def test_patterns_are_for_editors():
    """No pattern of the schema has what only Python knows: editors read them as ECMAScript."""
    text = json.dumps({name: {**shape, "examples": []} for name, shape in build_schema()["definitions"].items()})
    assert '"format": "regex"' not in text


def test_every_field_is_offered():
    """Every field of the reference of stack.yaml stands in the schema, for completion."""
    definitions = build_schema()["definitions"]
    assert set(definitions["HandoffShape"]["properties"]) >= {"id", "from", "to", "protocol", "paths", "breaker"}
    assert set(definitions["RetryShape"]["properties"]) == {
        "attempts",
        "initial",
        "factor",
        "max",
        "jitter",
        "honour_retry_after",
    }
    assert len(definitions["PathShape"]["properties"]["on"]["anyOf"][0]["enum"]) == 23
