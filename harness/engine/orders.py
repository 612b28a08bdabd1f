"""Orders made with Faker: people and lines that depend on the seed and the experiment alone."""

from __future__ import annotations

from functools import cache
from typing import Any

from faker import Faker

from harness.core.faults import draw
from harness.lab.goods import SKUS

SEED_RANGE = 1 << 32


@cache
def _make_faker() -> Faker:
    """Make the one there is: making it takes longer than all it is asked for, and its seed is set for each basket."""
    return Faker("en_US")


def draw_basket(seed: int, experiment: str) -> dict[str, Any]:
    """Draw the customer and the lines of an experiment's orders, as the storefront's `reserve-orders` takes them."""
    faker = _make_faker()
    faker.seed_instance(int(draw(seed, experiment, "basket") * SEED_RANGE))
    first, last = faker.first_name(), faker.last_name()
    count = faker.random_int(1, 3)
    skus = faker.random_elements(SKUS, length=count, unique=True)
    return {
        "customer": {
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}@example.test".lower(),
            "address": {
                "address1": faker.street_address(),
                "city": faker.city(),
                "zip": faker.postcode(),
                "country": "United States",
                "country_code": "US",
            },
        },
        "lines": [{"sku": sku, "quantity": faker.random_int(1, 4)} for sku in skus],
    }
