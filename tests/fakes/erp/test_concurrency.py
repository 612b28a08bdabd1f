"""Many calls at once: nothing lost, nothing doubled, and never more in flight than the account may have."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest

from tests.fakes.erp.conftest import CREDITS, CUSTOMERS, FULFILMENTS, ORDERS, Erp, error_of

Call = tuple[str, str, dict[str, Any]]


async def send_all(erp: Erp, calls: list[Call], *, sockets: int) -> list[httpx2.Response]:
    """Send all calls at once, over at most so many sockets."""
    limits = httpx2.Limits(max_connections=sockets)
    async with httpx2.AsyncClient(base_url=erp.fake.url, headers=erp.headers, limits=limits, timeout=60) as client:
        return await asyncio.gather(*(client.request(method, path, json=body) for method, path, body in calls))


def test_simultaneous_writes_leave_one_record_per_external_id(erp: Erp) -> None:
    """Of 500 mixed creates and upserts on ten external ids exactly one creates each; every other updates or is refused."""
    erp.fake.seed(settings={"concurrency": 1000})
    erp.login()
    calls: list[Call] = []
    for n in range(500):
        external_id = f"SO-{n % 10}"
        if n % 3:
            calls.append(("PUT", f"{ORDERS}/eid:{external_id}", {"memo": str(n)}))
        else:
            calls.append(("POST", ORDERS, {"externalId": external_id, "memo": str(n)}))
    answers = asyncio.run(send_all(erp, calls, sockets=100))

    statuses = Counter(each.status_code for each in answers)
    refused = [error_of(each) for each in answers if each.status_code != 204]
    assert {(status, code) for status, code, _ in refused} <= {(400, "USER_ERROR")}
    assert all("already exists" in detail for _, _, detail in refused)
    rows = erp.fake.state("sales_orders")
    assert sorted(row["external_id"] for row in rows) == [f"SO-{n}" for n in range(10)]
    assert sum(row["revision"] for row in rows) == statuses[204]
    changes = Counter(entry["action"] for entry in erp.fake.journal("change") if entry["collection"] == "sales_orders")
    assert changes == {"created": 10, "updated": statuses[204] - 10}
    exchanges = [entry for entry in erp.fake.journal("exchange") if not entry["shared"]]
    assert len(exchanges) == len({entry["id"] for entry in exchanges}) == 500
    assert len({row["id"] for row in rows}) == 10


def seed_order(erp: Erp, name: str, *, quantity: int) -> str:
    """Bring in an order of one line and return the address of its transform."""
    line = {"item": {"externalId": "TEE"}, "quantity": quantity, "rate": 5}
    erp.fake.seed(records={"sales_orders": [{"externalId": name, "item": {"items": [line]}}]})
    return f"{ORDERS}/eid:{name}/!transform/itemFulfillment"


def build_part(quantity: int, **fields: str) -> dict[str, Any]:
    """Build the body of a transform that takes so many units."""
    return {**fields, "item": {"items": [{"orderLine": 1, "quantity": quantity}]}}


def test_simultaneous_transforms_under_one_external_id_make_one_fulfilment(erp: Erp) -> None:
    """Of thirty transforms at once with one external id one is carried out, though enough is open for all."""
    path = seed_order(erp, "SO-1", quantity=100)
    erp.fake.seed(settings={"concurrency": 30})
    erp.login()
    calls: list[Call] = [("POST", path, build_part(1, externalId="IF-1"))] * 30
    answers = asyncio.run(send_all(erp, calls, sockets=30))
    refused = [error_of(each) for each in answers if each.status_code != 204]
    assert len(refused) == 29
    assert {(status, code) for status, code, _ in refused} == {(400, "USER_ERROR")}
    assert all(text.endswith("This record already exists.") for _, _, text in refused)
    assert [row["lines"] for row in erp.fake.state("item_fulfillments")] == [[{"sku": "TEE", "quantity": 1}]]
    assert erp.fake.state("sales_orders")[0]["lines"][0]["fulfilled"] == 1


def test_simultaneous_partial_transforms_never_exceed_the_order(erp: Erp) -> None:
    """Thirty transforms of two units each at once take eleven units five times and leave one, whatever their order."""
    path = seed_order(erp, "SO-1", quantity=11)
    erp.fake.seed(settings={"concurrency": 30})
    erp.login()
    calls: list[Call] = [("POST", path, build_part(2, externalId=f"IF-{n}")) for n in range(30)]
    answers = asyncio.run(send_all(erp, calls, sockets=30))
    assert Counter(each.status_code for each in answers) == {204: 5, 400: 25}
    (order,) = erp.fake.state("sales_orders")
    assert (order["lines"][0]["fulfilled"], order["status"]) == (10, "Partially Fulfilled")
    taken = [row["lines"][0]["quantity"] for row in erp.fake.state("item_fulfillments")]
    assert taken == [2] * 5


def build_mixed_calls(orders: int, count: int) -> list[Call]:
    """Build a mixture of every kind of write over some orders, reads and lists between."""
    calls: list[Call] = []
    for n in range(count):
        name = f"SO-{n % orders}"
        calls.append(
            [
                ("POST", f"{ORDERS}/eid:{name}/!transform/itemFulfillment", build_part(1)),
                ("POST", f"{ORDERS}/eid:{name}/!transform/itemFulfillment", build_part(1, externalId=f"IF-{name}")),
                ("PUT", f"{CREDITS}/eid:CM-{name}", {"memo": str(n)}),
                ("POST", CREDITS, {"externalId": f"CM-{name}"}),
                ("PATCH", f"{FULFILMENTS}/eid:IF-{name}", build_part(2)),
                ("DELETE", f"{FULFILMENTS}/eid:IF-{name}", {}),
                ("PUT", f"{ORDERS}/eid:{name}", {"memo": str(n)}),
                ("GET", f"{ORDERS}/eid:{name}", {}),
                ("GET", FULFILMENTS, {}),
                ("PUT", f"{CUSTOMERS}/eid:C-{name}", {"email": "a@b.c"}),
            ][n // orders % 10]
        )
    return calls


@pytest.mark.parametrize("pool", [15, 1000])
def test_mixed_calls_at_once_lose_and_double_nothing(erp: Erp, pool: int) -> None:
    """Five hundred mixed calls at once: no 5xx, each change journaled once, and every order's lines add up with its fulfilments."""
    for n in range(5):
        seed_order(erp, f"SO-{n}", quantity=6)
    erp.fake.seed(settings={"concurrency": pool})
    erp.login()
    mark = erp.fake.journal()[-1]["seq"]
    answers = asyncio.run(send_all(erp, build_mixed_calls(5, 500), sockets=100))

    statuses = Counter(each.status_code for each in answers)
    assert set(statuses) <= {200, 204, 400, 404, 429}
    assert all(error_of(each)[1] == "CONCURRENCY_LIMIT_EXCEEDED" for each in answers if each.status_code == 429)
    entries = [entry for entry in erp.fake.journal(after=mark) if entry["type"] == "exchange"]
    assert Counter(entry["status"] for entry in entries) == statuses
    changes = [entry for entry in erp.fake.journal(after=mark) if entry["type"] == "change"]
    written = {entry["id"] for entry in entries if entry["status"] == 204}
    assert {change["exchange"] for change in changes} == written

    fulfilments = erp.fake.state("item_fulfillments")
    standing = Counter(change["action"] for change in changes if change["collection"] == "item_fulfillments")
    assert len(fulfilments) == standing["created"] - standing["deleted"]
    for order in erp.fake.state("sales_orders"):
        taken = [row["lines"][0]["quantity"] for row in fulfilments if row["sales_order"] == order["external_id"]]
        assert order["lines"][0]["fulfilled"] == sum(taken) <= 6
    for collection in ("credit_memos", "customers"):
        names = [row["external_id"] for row in erp.fake.state(collection)]
        assert len(names) == len(set(names)) <= 5
        revisions = Counter(change["record_id"] for change in changes if change["collection"] == collection)
        assert {row["id"]: row["revision"] for row in erp.fake.state(collection)} == revisions


def test_calls_beyond_the_pool_are_refused(erp: Erp) -> None:
    """While the pool is full every further call gets the vendor's 429 at once; a place given back lets one in."""
    erp.login()
    erp.fake.seed(settings={"concurrency": 2}, records={"sales_orders": [{"externalId": "HELD"}]})
    erp.fake.arm("delay", operation="sales_order.read", entities=["HELD"], params={"seconds": 60}, ttl_s=60)
    statuses = asyncio.run(fill_pool_and_call(erp, holders=2, calls=5))
    assert statuses == [429] * 5 + [200]


async def fill_pool_and_call(erp: Erp, *, holders: int, calls: int) -> list[int]:
    """Hold places with delayed reads, call meanwhile, hang up, and call once more when the journal says they are gone."""
    async with httpx2.AsyncClient(base_url=erp.fake.url, headers=erp.headers, timeout=60) as client:
        held = [asyncio.create_task(client.get(f"{ORDERS}/eid:HELD")) for _ in range(holders)]
        await asyncio.to_thread(erp.fake.wait_for, is_hit, count=holders)
        statuses = [(await client.get(ORDERS)).status_code for _ in range(calls)]
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        await asyncio.to_thread(erp.fake.wait_for, is_abandoned_read, count=holders)
        return [*statuses, (await client.get(ORDERS)).status_code]


def is_hit(entry: dict[str, object]) -> bool:
    """Tell whether a fault met a call."""
    return entry["type"] == "fault" and entry["event"] == "hit"


def is_abandoned_read(entry: dict[str, object]) -> bool:
    """Tell whether a client hung up on a read."""
    return entry["type"] == "exchange" and entry["operation"] == "sales_order.read" and entry["status"] is None


def test_token_endpoint_and_strangers_take_no_place(erp: Erp) -> None:
    """With the pool full a token is still granted and a bad login still refused as such."""
    erp.login()
    erp.fake.seed(settings={"concurrency": 1}, records={"sales_orders": [{"externalId": "HELD"}]})
    erp.fake.arm("delay", operation="sales_order.read", entities=["HELD"], params={"seconds": 60}, ttl_s=60)

    async def story() -> list[int]:
        async with httpx2.AsyncClient(base_url=erp.fake.url, timeout=60) as client:
            held = asyncio.create_task(client.get(f"{ORDERS}/eid:HELD", headers=erp.headers))
            await asyncio.to_thread(erp.fake.wait_for, is_hit)
            seen = [(await client.get(ORDERS)).status_code, (await asyncio.to_thread(erp.request_token)).status_code]
            held.cancel()
            await asyncio.gather(held, return_exceptions=True)
            return seen

    assert asyncio.run(story()) == [401, 200]


def test_work_keeps_its_place(erp: Erp) -> None:
    """With a working time, calls overlap: of many at once some find the pool full, and each is answered once."""
    erp.login()
    erp.fake.seed(settings={"concurrency": 1, "work_s": 0.5})
    calls: list[Call] = [("PUT", f"{ORDERS}/eid:SO-{n}", {"memo": str(n)}) for n in range(20)]
    statuses = Counter(each.status_code for each in asyncio.run(send_all(erp, calls, sockets=20)))
    assert set(statuses) == {204, 429}
    assert len(erp.fake.state("sales_orders")) == statuses[204]


@pytest.mark.parametrize("size", [1, 15])
def test_pool_is_empty_again_after_refusals(erp: Erp, size: int) -> None:
    """Refused, failed and faulted calls give their places back: the pool never leaks."""
    erp.fake.seed(settings={"concurrency": size})
    erp.fake.arm("malformed", operation="sales_order.list", params={"mutation": "html"}, count=size)
    for _ in range(size + 1):
        assert erp.call("POST", ORDERS, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
        assert erp.call("GET", f"{ORDERS}/1").status_code == 404
        assert erp.call("GET", ORDERS).status_code == 200
