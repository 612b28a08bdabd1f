"""Many calls at once: nothing lost, nothing doubled, and never more in flight than the account may have."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx2
import pytest

from tests.fakes.erp.conftest import ORDERS, Erp, error_of


async def send_all(erp: Erp, calls: list[tuple[str, str, dict[str, str]]], *, sockets: int) -> list[httpx2.Response]:
    """Send all calls at once, over at most so many sockets."""
    limits = httpx2.Limits(max_connections=sockets)
    async with httpx2.AsyncClient(base_url=erp.fake.url, headers=erp.headers, limits=limits, timeout=60) as client:
        return await asyncio.gather(*(client.request(method, path, json=body) for method, path, body in calls))


def test_simultaneous_writes_leave_one_record_per_external_id(erp: Erp) -> None:
    """Of 500 mixed creates and upserts on ten external ids exactly one creates each; every other updates or is refused."""
    erp.fake.seed(settings={"concurrency": 1000})
    erp.login()
    calls: list[tuple[str, str, dict[str, str]]] = []
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
    calls = [("PUT", f"{ORDERS}/eid:SO-{n}", {"memo": str(n)}) for n in range(20)]
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
