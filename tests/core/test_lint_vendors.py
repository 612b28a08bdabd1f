"""What the linter knows of vendors is what their fakes do."""

from dataclasses import replace

import pytest

from fakes.erp.errors import CODES as ERP_CODES
from fakes.erp.settings import Settings as Erp
from fakes.gateway.catalogue import CODES as GATEWAY_CODES
from fakes.gateway.settings import Settings as Gateway
from fakes.storefront.catalogue import OPERATIONS
from fakes.storefront.settings import Settings as Storefront
from fakes.wms.catalogue import CODES as WMS_CODES
from fakes.wms.settings import Settings as Wms
from harness.core.lint import lint_stack
from harness.core.lint_vendors import find_facts
from harness.core.loading import load_stack
from harness.core.outcomes import Branch, Retry
from harness.core.stack import Path
from harness.core.triggers import Trigger
from tests.core.sound_stacks import WAREHOUSE
from tests.core.stack_texts import WHOLE

STACK = load_stack(WHOLE, file="stack.yaml")


@pytest.mark.parametrize(("system", "settings"), [("storefront", Storefront), ("gateway", Gateway), ("wms", Wms)])
def test_ladders(system, settings):
    """A webhook is given up when the fake's ladder is at its end, or a little after where the vendor rounds."""
    ladder_s = sum(settings().ladder_s)
    gives_up_s = find_facts(STACK, system).gives_up_s
    assert gives_up_s is not None
    assert ladder_s <= gives_up_s < 1.05 * ladder_s


def test_sessions():
    """A session lives as long as the fake's tokens."""
    assert find_facts(STACK, "erp").session_s == Erp().token_lifetime_s


@pytest.mark.parametrize(("system", "codes"), [("erp", ERP_CODES), ("gateway", GATEWAY_CODES), ("wms", WMS_CODES)])
def test_final_codes(system, codes):
    """What is said to be refused for good is a code of the vendor's that it does not call worth another try."""
    retriable = {code.code: code.retriable for code in codes}
    final = find_facts(STACK, system).final_codes
    assert final
    assert {retriable[code] for code in final} == {False}


@pytest.mark.parametrize(
    ("handoff", "code", "told"),
    [
        ("order-to-erp", "INVALID_KEY_OR_REF", False),
        ("order-to-erp", "NONEXISTENT_ID", False),
        ("order-to-erp", "INVALID_CONTENT", True),
        ("order-to-erp", "RESTRICTED_PRODUCT", True),
        ("payment-capture", "resource_missing", False),
        ("payment-capture", "parameter_missing", True),
        ("shipment-to-carrier", "resource_missing", True),
    ],
)
def test_codes_a_vendor_lists(handoff, code, told):
    """What a listed code means the facts say alone; the words of one that is not listed, and of any behind mappings, count."""
    sound = load_stack(WAREHOUSE, file="stack.yaml")
    again = Path(Trigger(code=code), Retry(3, 4.0), Branch("later"))
    changed = [replace(each, paths=(again, *each.paths)) if each.id == handoff else each for each in sound.handoffs]
    found = {each.code for each in lint_stack(replace(sound, handoffs=tuple(changed)))}
    assert ("retry-on-refusal" in found) is told


def test_unrepeatable_calls():
    """What cannot be repeated is a writing call the vendor offers."""
    methods = {operation.name: operation.method for operation in OPERATIONS}
    assert {methods[name] for name in find_facts(STACK, "storefront").unrepeatable} == {"POST"}


def test_nothing_known():
    """Nothing is claimed of a system behind mappings, of the integration, or of one that is not there."""
    facts = [find_facts(STACK, system) for system in ("carrier", "integration", "nowhere")]
    assert {(each.session_s, each.gives_up_s, each.final_codes, each.unrepeatable) for each in facts} == {
        (None, None, frozenset(), frozenset())
    }
