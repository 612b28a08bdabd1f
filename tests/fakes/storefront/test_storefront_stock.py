"""What the storefront sells and how much of it is where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.storefront.calls import API, HEADERS, available, get, locations, place, post, stock

if TYPE_CHECKING:
    from tests.fakes.conftest import Receiver, RunningFake


def set_level(fake: RunningFake, item: str, location: int, units: Any) -> Any:
    """Set a level."""
    body = {"inventory_item_id": int(item), "location_id": location, "available": units}
    return post(fake, "/inventory_levels/set.json", body)


def test_there_are_two_locations(storefront: RunningFake) -> None:
    """The shop has a main location and one in the east, each to be read by id."""
    found = locations(storefront)
    assert list(found) == ["MAIN", "EAST"]
    assert get(storefront, f"/locations/{found['EAST']}.json").json()["location"]["name"] == "EAST"
    assert get(storefront, "/locations/1.json").status_code == 404


def test_stocked_items_are_products(storefront: RunningFake, receiver: Receiver) -> None:
    """What is stocked is a product with a variant and an inventory item, and comes in without a webhook."""
    storefront.seed(webhooks=[{"topic": "inventory_levels/update", "address": receiver.url}])
    item = stock(storefront, "SKU1")
    [product] = get(storefront, "/products.json").json()["products"]
    [variant] = product["variants"]
    assert (variant["sku"], variant["inventory_item_id"], variant["inventory_quantity"]) == ("SKU1", int(item), 150)
    assert get(storefront, f"/products/{product['id']}.json").json()["product"] == product
    assert get(storefront, f"/products/{product['id']}/variants.json").json()["variants"] == [variant]
    assert get(storefront, f"/variants/{variant['id']}.json").json()["variant"] == variant
    shown = get(storefront, f"/inventory_items/{item}.json").json()["inventory_item"]
    assert (shown["sku"], shown["tracked"]) == ("SKU1", True)
    assert get(storefront, "/inventory_items.json", ids=f"{item},1").json()["inventory_items"] == [shown]
    assert get(storefront, "/inventory_items/1.json").status_code == 404
    assert storefront.journal("delivery") == []


def test_an_item_is_registered_by_its_sku(storefront: RunningFake) -> None:
    """The act answers the ids an item goes by, and stocking it again keeps them."""
    given = {"sku": "SKU1", "levels": {"MAIN": 100, "EAST": 50}}
    [made] = storefront.act("stock-items", items=[given])["items"]
    assert made == {"sku": "SKU1", "inventory_item_id": made["inventory_item_id"], "aliases": [made["aliases"][0]]}
    assert made["aliases"] == [made["inventory_item_id"]]
    assert storefront.act("stock-items", items=[{"sku": "SKU1", "levels": {"MAIN": 7}}])["items"] == [made]
    assert available(storefront) == {"MAIN": 7, "EAST": 50}
    assert [one["id"] for one in storefront.state("inventory_levels")] == [
        f"{made['inventory_item_id']}@MAIN",
        f"{made['inventory_item_id']}@EAST",
    ]


def test_items_can_be_seeded(storefront: RunningFake) -> None:
    """Seeded items are for sale, and lines of orders name their variants."""
    rows = [{"sku": sku, "levels": {"MAIN": 9, "EAST": 9}} for sku in ("TEE", "MUG")]
    assert storefront.seed(records={"items": rows})["records"] == 2
    order = place(storefront, ("MUG", 2, "5.00"), ("GIFT", 1, "1.00"))
    lines = get(storefront, f"/orders/{order['id']}.json").json()["order"]["line_items"]
    variants = {one["variants"][0]["sku"]: one["variants"][0]["id"] for one in get_products(storefront)}
    assert [line["variant_id"] for line in lines] == [variants["MUG"], None]
    assert available(storefront, "MUG") == {"MAIN": 7, "EAST": 9}


def get_products(fake: RunningFake) -> list[dict[str, Any]]:
    """Return all products, page by page."""
    answer = get(fake, "/products.json", limit=2)
    products = list(answer.json()["products"])
    while "next" in answer.links:
        answer = fake.client.get(answer.links["next"]["url"], headers=HEADERS)
        products += answer.json()["products"]
    return products


def test_products_come_in_pages(storefront: RunningFake) -> None:
    """Following the pages shows every product once, and filters narrow them."""
    for number in range(5):
        stock(storefront, f"SKU{number}")
    products = get_products(storefront)
    assert [one["title"] for one in products] == [f"SKU{number}" for number in range(5)]
    ids = [one["id"] for one in products]
    assert [one["id"] for one in get(storefront, "/products.json", since_id=ids[3]).json()["products"]] == [ids[4]]
    wanted = get(storefront, "/products.json", ids=f"{ids[0]},{ids[2]}", fields="id").json()["products"]
    assert wanted == [{"id": ids[0]}, {"id": ids[2]}]
    last = get(storefront, "/products.json", limit=3, page_info=next_cursor(storefront))
    assert len(last.json()["products"]) == 2


def next_cursor(fake: RunningFake) -> str:
    """Return the cursor behind the first three products."""
    url = get(fake, "/products.json", limit=3).links["next"]["url"]
    return url.partition("page_info=")[2]


def test_a_level_can_be_set(storefront: RunningFake, receiver: Receiver) -> None:
    """Setting a level is seen in the list and announced as about the SKU."""
    item, found = stock(storefront), locations(storefront)
    storefront.seed(webhooks=[{"topic": "inventory_levels/update", "address": receiver.url}])
    answer = set_level(storefront, item, found["EAST"], 7)
    assert (answer.status_code, answer.json()["inventory_level"]["available"]) == (200, 7)
    levels = get(storefront, "/inventory_levels.json", inventory_item_ids=item).json()["inventory_levels"]
    assert {one["location_id"]: one["available"] for one in levels} == {found["MAIN"]: 100, found["EAST"]: 7}
    [entry] = storefront.wait_for(lambda one: one["type"] == "delivery")
    assert (entry["topic"], entry["entity"]) == ("inventory_levels/update", "SKU1")
    assert json.loads(receiver.wait(1)[0].body) == levels[1]


def test_a_level_can_be_adjusted(storefront: RunningFake) -> None:
    """Adjusting adds to what is there, also below zero, but not where the item is not stocked."""
    item, found = stock(storefront, "SKU1", MAIN=5), locations(storefront)
    body = {"inventory_item_id": item, "location_id": str(found["MAIN"]), "available_adjustment": -7}
    answer = post(storefront, "/inventory_levels/adjust.json", body)
    assert (answer.status_code, answer.json()["inventory_level"]["available"]) == (200, -2)
    elsewhere = post(storefront, "/inventory_levels/adjust.json", {**body, "location_id": found["EAST"]})
    assert elsewhere.status_code == 422
    assert available(storefront) == {"MAIN": -2}


def test_an_item_can_be_stocked_elsewhere_and_not_any_more(storefront: RunningFake) -> None:
    """Connecting begins at nothing and is once; an item is always stocked somewhere."""
    item, found = stock(storefront, "SKU1", MAIN=5), locations(storefront)
    body = {"inventory_item_id": int(item), "location_id": found["EAST"]}
    assert post(storefront, "/inventory_levels/connect.json", body).status_code == 201
    set_level(storefront, item, found["EAST"], 3)
    assert post(storefront, "/inventory_levels/connect.json", body).json()["inventory_level"]["available"] == 3
    url = f"{API}/inventory_levels.json"
    for name, status in (("EAST", 204), ("EAST", 404), ("MAIN", 422)):
        query = {"inventory_item_id": item, "location_id": found[name]}
        assert storefront.client.delete(url, params=query, headers=HEADERS).status_code == status
    assert available(storefront) == {"MAIN": 5}


def test_levels_are_listed_by_item_or_location(storefront: RunningFake) -> None:
    """Levels are asked for by items, by locations or both, and by neither not at all."""
    first, second, found = stock(storefront, "A"), stock(storefront, "B", EAST=1), locations(storefront)

    def listed(path: str = "/inventory_levels.json", **query: Any) -> list[tuple[int, int]]:
        levels = get(storefront, path, **query).json()["inventory_levels"]
        return [(one["inventory_item_id"], one["available"]) for one in levels]

    everything = [(int(first), 100), (int(first), 50), (int(second), 1)]
    assert listed(inventory_item_ids=f"{first},{second}") == everything
    assert listed(location_ids=found["EAST"]) == everything[1:]
    assert listed(f"/locations/{found['EAST']}/inventory_levels.json") == everything[1:]
    assert listed(location_ids=found["EAST"], inventory_item_ids=second) == everything[2:]
    assert get(storefront, "/inventory_levels.json").status_code == 422


def test_inventory_calls_name_the_sku(storefront: RunningFake) -> None:
    """Calls about one item are about its SKU, lists of several are about none."""
    first, second, found = stock(storefront, "A"), stock(storefront, "B"), locations(storefront)
    set_level(storefront, first, found["MAIN"], 1)
    get(storefront, "/inventory_levels.json", inventory_item_ids=second)
    get(storefront, "/inventory_levels.json", inventory_item_ids=f"{first},{second}")
    get(storefront, f"/inventory_items/{second}.json")
    set_level(storefront, "1", found["MAIN"], 1)
    entries = storefront.journal("exchange")[-5:]
    assert [entry["entity"] for entry in entries] == ["A", "B", None, "B", None]
    assert {entry["entity"] for entry in storefront.journal("change")} == {"A", "B"}


def test_a_level_that_was_not_written_is_not_there(storefront: RunningFake) -> None:
    """A level that was only pretended to be set stays as it was."""
    item, found = stock(storefront), locations(storefront)
    storefront.arm("not_persisted", operation="inventory_level.set", entity="SKU1", attempts=[1])
    assert set_level(storefront, item, found["MAIN"], 1).json()["inventory_level"]["available"] == 1
    assert available(storefront)["MAIN"] == 100
    set_level(storefront, item, found["MAIN"], 1)
    assert available(storefront)["MAIN"] == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"available": "many"}, 422),
        ({"available": None}, 422),
        ({"available": 1.5}, 422),
        ({"available": True}, 422),
        ({"available": 10**10}, 422),
        ({"inventory_item_id": 1}, 404),
        ({"inventory_item_id": {}}, 400),
        ({"location_id": 1}, 404),
        ({"location_id": None}, 400),
    ],
)
def test_a_bad_level_is_refused(storefront: RunningFake, changes: dict[str, Any], status: int) -> None:
    """Levels of nothing, nowhere or of no number are refused, and nothing changes."""
    item, found = stock(storefront), locations(storefront)
    body = {"inventory_item_id": int(item), "location_id": found["MAIN"], "available": 1, **changes}
    assert post(storefront, "/inventory_levels/set.json", body).status_code == status
    assert available(storefront) == {"MAIN": 100, "EAST": 50}


@pytest.mark.parametrize(
    "query", [{"page_info": "x"}, {"page": 1}, {"ids": "x"}, {"limit": "x"}, {"page_info": "e30", "ids": "1"}]
)
def test_a_bad_query_is_refused(storefront: RunningFake, query: dict[str, Any]) -> None:
    """What cannot be understood in a query of products is a 400."""
    assert get(storefront, "/products.json", **query).status_code == 400


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"sku": "", "levels": {"MAIN": 1}}],
        [{"sku": "A", "levels": {}}],
        [{"sku": "A", "levels": {"WEST": 1}}],
        [{"sku": "A", "levels": {"MAIN": "1"}}],
        [{"sku": "A", "levels": {"MAIN": 10**10}}],
    ],
)
def test_bad_items_are_a_problem(storefront: RunningFake, items: list[Any]) -> None:
    """Items without a SKU, or lying where there is no location, are refused by the act and the seed."""
    assert storefront.control.post("/act/stock-items", json={"items": items}).status_code == 422
    if items:
        assert storefront.control.post("/seed", json={"records": {"items": items}}).status_code == 422
    assert storefront.state("items") == []


def test_levels_can_be_told_again(storefront: RunningFake, receiver: Receiver) -> None:
    """``deliver`` tells each of an item's levels, by its SKU."""
    stock(storefront)
    storefront.seed(webhooks=[{"topic": "inventory_levels/update", "address": receiver.url}])
    assert len(storefront.act("deliver", id="SKU1", topic="inventory_levels/update")["webhook_ids"]) == 2
    assert {json.loads(one.body)["available"] for one in receiver.wait(2)} == {100, 50}
    assert (
        storefront.control.post("/act/deliver", json={"id": "X", "topic": "inventory_levels/update"}).status_code == 404
    )


def test_a_price_can_be_changed(storefront: RunningFake, receiver: Receiver) -> None:
    """A variant's new price is announced as about its SKU and is for orders to come; another product has no such variant."""
    stock(storefront)
    [variant] = get(storefront, "/products.json").json()["products"][0]["variants"]
    storefront.seed(webhooks=[{"topic": "products/update", "address": receiver.url}])
    for path, price, status in (
        (f"/variants/{variant['id']}.json", "7.50", 200),
        (f"/products/{variant['product_id']}/variants/{variant['id']}.json", "8.50", 200),
        (f"/products/1/variants/{variant['id']}.json", "9.50", 404),
        (f"/variants/{variant['id']}.json", "dear", 422),
    ):
        body = {"variant": {"id": variant["id"], "price": price}}
        assert storefront.client.put(f"{API}{path}", json=body, headers=HEADERS).status_code == status
    assert [one["price"] for one in storefront.state("items")] == ["8.50"]
    prices = {json.loads(one.body)["variants"][0]["price"] for one in receiver.wait(2)}
    assert prices == {"7.50", "8.50"}
    assert {entry["entity"] for entry in storefront.journal("delivery")} == {"SKU1"}
    assert storefront.act("deliver", id="SKU1", topic="products/update")["webhook_ids"]
