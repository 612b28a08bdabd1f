"""Shoppers who pay and order, as the control planes of a lab let them: each order's payment is held before it is placed."""

import os

import requests
from locust import HttpUser, between, task

GATEWAY = os.environ["GATEWAY_CONTROL_URL"]
TOKEN = {"Authorization": f"Bearer {os.environ['CONTROL_TOKEN']}"}
WITHIN_S = 10


class Shopper(HttpUser):
    """Somebody who orders every few seconds; Locust counts the placing of an order, and what it takes before."""

    host = os.environ["STOREFRONT_CONTROL_URL"]
    wait_time = between(1, 3)

    @task
    def order(self) -> None:
        """Set an order aside, hold its payment, place it."""
        (order,) = self._act("reserve-orders", {"count": 1})["orders"]
        held = {
            "name": order["name"],
            "order_id": order["id"],
            "amount": order["total_price"],
            "currency": order["currency"],
        }
        answer = requests.post(f"{GATEWAY}/act/authorise", json={"orders": [held]}, headers=TOKEN, timeout=WITHIN_S)
        answer.raise_for_status()
        (payment,) = answer.json()["payments"]
        self._act("attach-payments", {"payments": [{"order_id": order["id"], "authorization": payment["id"]}]})
        self._act("place-order", {"reserved": [order["id"]]})

    def _act(self, verb: str, body: dict) -> dict:
        answer = self.client.post(f"/act/{verb}", json=body, headers=TOKEN, name=verb, timeout=WITHIN_S)
        answer.raise_for_status()
        return answer.json()
