"""What the linter knows of vendors is what their fakes do."""

import pytest

from fakes.erp.errors import CODES as ERP_CODES
from fakes.erp.settings import Settings as Erp
from fakes.gateway.catalogue import CODES as GATEWAY_CODES
from fakes.gateway.settings import Settings as Gateway
from fakes.storefront.catalogue import OPERATIONS
from fakes.storefront.settings import Settings as Storefront
from fakes.wms.catalogue import CODES as WMS_CODES
from fakes.wms.settings import Settings as Wms
from harness.core.lint_vendors import find_facts
from harness.core.loading import load_stack
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
