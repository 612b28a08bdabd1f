"""The menu: what of a stack can go wrong, by name, and what is worth drawing together."""

import dataclasses
from pathlib import Path

from harness.core.compile.menu import build_menu, list_pools
from harness.core.loading import load_stack

ROOT = Path(__file__).parents[2]


def load(name):
    """Load a stack of the repository."""
    return load_stack((ROOT / name).read_text(), file=name)


CHAIN = load("reference/stack.yaml")
MENU = build_menu(CHAIN)


def change(handoff_id, **changes):
    """Build the menu of the chain with one handoff declared otherwise."""
    handoffs = tuple(dataclasses.replace(each, **changes) if each.id == handoff_id else each for each in CHAIN.handoffs)
    return build_menu(dataclasses.replace(CHAIN, handoffs=handoffs))


def name(menu, handoff):
    """Name what can go wrong at a handoff."""
    return {offer.partition("/")[2] for offer in menu if offer.startswith(f"{handoff}/")}


def test_names_tell_handoff_and_fault():
    """Every offer is found under its own name, which begins with the handoff it strikes."""
    for key, offer in MENU.items():
        assert key == offer.name
        assert key.startswith(f"{offer.handoff.id}/")


def test_declared_or_not():
    """What a call can meet is on the menu whether a path names it or only `any` takes it."""
    found = name(MENU, "payment-writeback")
    assert {"rate_limited", "outage", "connection", "timeout", "lost_response", "session_expired", "malformed"} <= found


def test_no_fault_twice():
    """A fault that is declared is not there under its other name as well."""
    assert "rate_limited" not in name(MENU, "order-to-erp")
    for handoff in CHAIN.handoffs:
        faults = [offer.fault for offer in MENU.values() if offer.handoff is handoff]
        assert all(fault not in faults[:place] for place, fault in enumerate(faults))


def test_nothing_unpromised():
    """That a success was none, or that a webhook never came, is on the menu only where somebody promises to notice."""
    assert "not_persisted" in name(MENU, "order-to-erp")
    assert "not_persisted" not in name(MENU, "erp-to-wms")
    assert name(change("order-capture", paths=()), "order-capture") == {"delayed"}


def test_no_doubling_where_it_is_allowed():
    """A call whose answer is lost may be made again and count twice where nobody promised exactly once."""
    lost = {"lost_response", "answer_hangs", "malformed_after"}
    assert lost <= name(MENU, "refund-to-erp")
    assert not lost & name(change("refund-to-erp", effects="at_least_once"), "refund-to-erp")
    assert not lost & name(MENU, "order-to-crm")


def test_no_items():
    """What moves items is not there: the ledger counts orders."""
    assert not name(MENU, "inventory-sync")


def test_pools_begin_alike():
    """One pool a handoff, and one for two that the same thing sets in motion; every fault is in some pool."""
    pools = list_pools(MENU)
    handoffs = [{fault.partition("/")[0] for fault in pool} for pool in pools]
    assert {"order-capture", "order-to-erp"} in handoffs
    assert {"shipment-to-erp", "shipment-to-carrier"} in handoffs
    assert {"order-to-erp", "shipment-to-erp"} not in handoffs
    assert max(map(len, handoffs)) == 2
    assert {fault for pool in pools for fault in pool} == set(MENU)


def test_aimed():
    """A fault hits the orders and calls it is aimed at."""
    fault = MENU["order-to-erp/lost_response"].build("f3", orders=(1, 2), attempts=(2,), minimum=0)
    assert (fault.id, fault.orders, fault.attempts, fault.minimum) == ("f3", (1, 2), (2,), 0)
