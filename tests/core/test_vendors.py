"""What the core says vendors call things is what their fakes serve, and a name they do not have is an error of the file."""

import typing

import pytest

from fakes.erp.model import RECORD_TYPES
from fakes.erp.operations import build_catalogue
from fakes.gateway.build import build_gateway
from fakes.gateway.model import CANCELABLE
from fakes.storefront.build import build_storefront
from fakes.wms.build import build_wms
from fakes.wms.model import Status
from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError
from harness.core.stack import Fake
from harness.core.vendors import VENDORS
from tests.core.sound_stacks import WAREHOUSE

FAKES = {"shopify": build_storefront(nonce="t"), "stripe": build_gateway(nonce="t"), "wms": build_wms(nonce="t")}
CATALOGUES = {"netsuite": build_catalogue(), **{name: fake.catalogue for name, fake in FAKES.items()}}
# What vendors keep about the connection, and not about an order; and stock, which is no record of its own to a handoff.
UNRELATED = {"webhooks", "webhook_endpoints", "events", "stock"}


def problem_of(right: str, wrong: str) -> Problem:
    """Return the one thing that is wrong with a stack once this is written in place of that."""
    assert right in WAREHOUSE
    with pytest.raises(StackError) as caught:
        load_stack(WAREHOUSE.replace(right, wrong, 1), file="stack.yaml")
    (problem,) = caught.value.problems
    return problem


def test_every_fake():
    """Every fake a stack can name has its names listed."""
    assert set(VENDORS) == set(CATALOGUES) == set(typing.get_args(Fake))


@pytest.mark.parametrize("fake", CATALOGUES)
def test_operations(fake):
    """The operations are those of the fake's catalogue."""
    assert sorted(VENDORS[fake].operations) == sorted({each.name for each in CATALOGUES[fake].operations})


@pytest.mark.parametrize("fake", CATALOGUES)
def test_codes(fake):
    """The codes are those of the fake's catalogue."""
    assert VENDORS[fake].codes == {each.code for each in CATALOGUES[fake].codes}


@pytest.mark.parametrize("fake", CATALOGUES)
def test_topics(fake):
    """The topics are those the fake sends, and the usual ones are among them."""
    assert VENDORS[fake].topics == tuple(CATALOGUES[fake].topics)
    assert set(VENDORS[fake].usual) <= set(VENDORS[fake].topics)


@pytest.mark.parametrize("fake", FAKES)
def test_records(fake):
    """The records are what the fake keeps about orders and items, in singular."""
    kept = {collection.name for collection in FAKES[fake].collections} - UNRELATED
    assert {f"{record}s" for record in VENDORS[fake].records} == kept


def test_records_of_the_erp():
    """The records of the ERP are its record types, each with the states it can be in."""
    assert VENDORS["netsuite"].records == {
        each.operations: frozenset(each.statuses.names.values() if each.statuses else ())
        for each in RECORD_TYPES.values()
    }


def test_states():
    """The states of orders and payments are those the fakes bring them into."""
    assert VENDORS["wms"].records["order"] == set(typing.get_args(Status))
    assert VENDORS["stripe"].records["payment_intent"] == CANCELABLE | {"canceled", "succeeded"}


@pytest.mark.parametrize(
    ("right", "wrong", "code", "found", "suggestion"),
    [
        ("[sales_order.upsert]", "[sales_order.upsrt]", "unknown-operation", "sales_order.upsrt", "sales_order.upsert"),
        ("[sales_order.upsert]", "[payment_intent.capture]", "unknown-operation", "payment_intent.capture", ""),
        ("[sales_order.upsert]", "[order.create]", "unknown-operation", "order.create", "sales_order.create"),
        ("[wms_order.create]", "wms_order.crate", "unknown-operation", "wms_order.crate", "wms_order.create"),
        ("protocol: webhook", "protocol: webhook\n    operation: [order.shiped]", "unknown-topic", "order.shiped", "order.shipped"),
        ("protocol: webhook", "protocol: webhook\n    operation: [orders/create]", "unknown-topic", "orders/create", "order.allocated"),
        ("record: sales_order", "record: sales_ordr", "unknown-record", "sales_ordr", "sales_order"),
        ("record: payment_intent", "record: PaymentIntent", "unknown-record", "PaymentIntent", "payment_intent"),
        ("system: erp, record: sales_order", "system: gateway, record: sales_order", "unknown-record", "sales_order", ""),
        ("record: sales_order, state: exists_once", "record: sales_order, state: exists_onc", "unknown-state", "exists_onc", "exists_once"),
        ("record: sales_order, state: exists_once", "record: sales_order, state: in_sync", "unknown-state", "in_sync", ""),
        ("record: sales_order, state: exists_once", "record: sales_order, state: pending_fulfillment", "unknown-state", "pending_fulfillment", "Pending Fulfillment"),
        ("state: succeeded", "state: Succeeded", "unknown-state", "Succeeded", "succeeded"),
        ("state: allocated", "state: alocated", "unknown-state", "alocated", "allocated"),
    ],
)  # fmt: skip
def test_no_such_name(right, wrong, code, found, suggestion):
    """A name the vendor does not have is an error where it stands, with the nearest one the vendor does have."""
    problem = problem_of(right, wrong)
    assert (problem.code, problem.found, problem.suggestion) == (code, found, suggestion)
    assert problem.source_line[problem.column - 1 :].startswith(found)
    assert problem.severity == "error"
    assert problem.command == "next: handoff lint stack.yaml"
    assert problem.expected


def test_name_of_another():
    """A call that another system of the stack takes is said to be that one's."""
    assert problem_of("[sales_order.upsert]", "[payment_intent.capture]").message.endswith(": it is gateway's")


@pytest.mark.parametrize(
    ("right", "free"),
    [
        ("[label.create]", "[parcel.announce]"),
        ("system: carrier, record: label, state: exists_once", "system: carrier, record: parcel, state: on its way"),
        ("[inventory_adjustment.create]", "[stock.anything]"),
        ("record: inventory_adjustment", "record: csv_line"),
        ("record: sales_order, state: exists_once", "record: sales_order, state: Pending Fulfillment"),
        ("record: sales_order, state: exists_once", "record: sales_order, state: Pending Billing/Partially Fulfilled"),
        ("record: sales_order, state: exists_once", "record: sales_order, state: exists"),
        ("system: gateway, record: payment_intent, state: succeeded", "system: integration, record: whatever, state: done"),
    ],
)  # fmt: skip
def test_free(right, free):
    """Behind mappings, over files and in the integration every name is the stack's own, and a vendor's states are all good."""
    assert right in WAREHOUSE
    load_stack(WAREHOUSE.replace(right, free, 1), file="stack.yaml")


def test_a_vendor_without_webhooks():
    """Where a vendor has no webhooks of its own, a script of the account sends them, and calls them what it likes."""
    scripted = WAREHOUSE.replace("from: wms\n    to: integration", "from: erp\n    to: integration", 1)
    scripted = scripted.replace("protocol: webhook", "protocol: webhook\n    operation: [salesorder.aftersubmit]", 1)
    scripted = scripted.replace("wms: /in/wms", "erp: /in/erp", 1)
    assert load_stack(scripted, file="stack.yaml").handoff("wms-shipment").operations == ("salesorder.aftersubmit",)
