"""The real fakes of all systems around one integration: five processes a test run, reset for each test."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
from reference_service import SECRET
from reference_vendors import PATIENCE_S

SYSTEMS = ("storefront", "erp", "gateway", "wms", "opsdesk")
CHAIN_SCALE = 50.0
ROLES = {
    "integration-oncall": "pagerduty",
    "ecommerce-ops": "pagerduty",
    "payments-ops": "pagerduty",
    "warehouse-ops": "pagerduty",
    "finance-ops": "pagerduty",
    "fraud-review": "zendesk",
    "compliance": "zendesk",
}
TOPICS = {
    "storefront": ["orders/create", "orders/updated", "orders/cancelled", "refunds/create"],
    "gateway": ["payment_intent.succeeded"],
    "wms": ["order.shipped"],
}
ACCOUNT = {
    "STOREFRONT_TOKEN": "shop-token",
    "STOREFRONT_WEBHOOK_SECRET": SECRET,
    "GATEWAY_API_KEY": "sk_test_chain",
    "GATEWAY_WEBHOOK_SECRET": "whsec_chain",
    "WMS_TOKEN": "wms-token",
    "WMS_WEBHOOK_SECRET": "whsec_Y2hhaW4tc2VjcmV0LWNoYWluLXNlY3JldA==",
    "ERP_ACCOUNT": "ACME",
    "ERP_CLIENT_ID": "client-1",
    "ERP_CERTIFICATE_ID": "certificate-1",
}
STOCK = 1_000_000


class Control:
    """One fake as a process, and its control plane."""

    def __init__(self, system: str, environment: Mapping[str, str]) -> None:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.system = system
        self.url, control = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets)
        vendor_fd, control_fd = (one.fileno() for one in sockets)
        command = [sys.executable, "-m", f"fakes.{system}", "--fd", str(vendor_fd), "--control-fd", str(control_fd)]
        self.process = subprocess.Popen(
            [*command, "--token", "control", "--time-scale", f"{CHAIN_SCALE:g}"],
            env={**os.environ, **environment},
            pass_fds=(vendor_fd, control_fd),
            stdout=subprocess.DEVNULL,
        )
        for one in sockets:
            one.close()
        headers = {"Authorization": "Bearer control"}
        self.http = httpx2.Client(base_url=control, headers=headers, trust_env=False, timeout=PATIENCE_S)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call of the control plane that succeeds."""
        answer = self.http.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def act(self, verb: str, **body: Any) -> Any:
        """Have the vendor do something."""
        return self.ask("POST", f"/act/{verb}", body)

    def seed(self, **body: Any) -> None:
        """Seed the fake."""
        self.ask("POST", "/seed", body)

    def state(self, collection: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the records of a collection with these fields."""
        rows = self.ask("GET", f"/state/{collection}")["records"]
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]

    def calls(self, operation: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the journal's exchanges of an operation, in order of arrival."""
        answer = self.http.get("/journal", params={"after": 0})
        entries = [json.loads(line) for line in answer.text.splitlines()]
        found = [one for one in entries if one["type"] == "exchange" and one["operation"] == operation]
        matching = [one for one in found if all(one[name] == value for name, value in wanted.items())]
        return sorted(matching, key=lambda one: one["received_mono"])

    @contextmanager
    def fault(self, kind: str, operation: str, **more: Any) -> Iterator[None]:
        """Have the vendor fail while in the block; `entities`, `attempts`, `count` and `params` as its control plane takes them."""
        fault_id = f"f-{kind}-{operation}"
        self.ask("POST", "/faults", {"id": fault_id, "kind": kind, "operation": operation, **more})
        try:
            yield
        finally:
            self.ask("DELETE", f"/faults/{fault_id}")

    def stop(self) -> None:
        """End the process."""
        self.http.close()
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@dataclass(frozen=True)
class Placed:
    """An order as all systems know it."""

    id: str
    name: str
    number: str
    payment: str | None


class Chain:
    """The systems of one test run."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def __enter__(self) -> Self:
        environment = {**ACCOUNT, "ERP_PRIVATE_KEY_FILE": str(self._key_file)}
        controls = {system: Control(system, environment) for system in SYSTEMS}
        self.storefront, self.erp, self.gateway, self.wms, self.opsdesk = controls.values()
        self.controls = controls
        for control in controls.values():
            await_that(lambda control=control: is_healthy(control), f"{control.system} to be healthy")
        return self

    def __exit__(self, *_: object) -> None:
        for control in self.controls.values():
            control.stop()

    def reset(self) -> None:
        """Put every system back to its start and stock the shelves."""
        for control in self.controls.values():
            control.ask("POST", "/reset", {})
        roles = [{"role": role, "key": f"key-{role}", "channel": channel} for role, channel in ROLES.items()]
        self.opsdesk.seed(settings={"roles": roles})
        self.storefront.seed(records={"items": [{"sku": "MUG-WHITE", "levels": {"MAIN": STOCK, "EAST": STOCK}}]})
        rows = [{"sku": "MUG-WHITE", "location": location, "on_hand": STOCK} for location in ("MAIN", "EAST")]
        self.wms.seed(records={"stock": rows})
        self.storefront.seed(settings={"bucket": 10_000, "leak_per_s": 10_000.0})

    def subscribe(self, port: int, *systems: str) -> None:
        """Have the vendors send their webhooks to an integration."""
        for system in systems or TOPICS:
            address = f"http://127.0.0.1:{port}/webhooks/{system}"
            webhooks = [{"topic": topic, "address": address} for topic in TOPICS[system]]
            self.controls[system].seed(webhooks=webhooks)

    def environment(self, folder: Path, **changes: str) -> dict[str, str]:
        """Build the variables of an integration at these systems."""
        urls = {f"{system.upper()}_URL": self.controls[system].url for system in SYSTEMS if system != "opsdesk"}
        keys = {f"OPS_ROLE_{role.upper().replace('-', '_')}_KEY": f"key-{role}" for role in ROLES}
        variables = {
            **ACCOUNT,
            **urls,
            **keys,
            "ERP_PRIVATE_KEY_FILE": str(self._key_file),
            "OPS_PAGERDUTY_URL": self.opsdesk.url,
            "OPS_ZENDESK_URL": self.opsdesk.url,
            "INTEGRATION_DATA_DIR": str(folder),
            "HANDOFF_TIME_SCALE": f"{CHAIN_SCALE:g}",
        }
        return {name: value for name, value in {**variables, **changes}.items() if value}

    def reserve(self, *, price: str = "12.50", quantity: int = 2, paid_here: bool = True) -> Placed:
        """Set one order aside, authorise its payment, and make it known everywhere."""
        lines = [{"sku": "MUG-WHITE", "quantity": quantity, "price": price}]
        (order,) = self.storefront.act("reserve-orders", count=1, lines=lines)["orders"]
        aliases = [str(order["id"]), str(order["number"]), *order.get("aliases", [])]
        payment = None
        if paid_here:
            given = {
                "name": order["name"],
                "order_id": str(order["id"]),
                "amount": order["total_price"],
                "currency": "EUR",
            }
            (made,) = self.gateway.act("authorise", orders=[given])["payments"]
            payment = made["id"]
            aliases += made["aliases"]
            attached = {"order_id": str(order["id"]), "authorization": payment}
            self.storefront.act("attach-payments", payments=[attached])
        for system in ("erp", "gateway", "wms", "opsdesk"):
            self.controls[system].seed(entities=[{"name": order["name"], "aliases": aliases}])
        return Placed(str(order["id"]), order["name"], str(order["number"]), payment)

    def place(self, *orders: Placed) -> None:
        """Place reserved orders."""
        self.storefront.act("place-order", reserved=[order.id for order in orders])

    def is_at_the_warehouse(self, order: Placed) -> bool:
        """Tell whether an order has come all the way to the WMS."""
        return bool(self.wms.state("orders", reference=order.number))

    def is_shipped_everywhere(self, order: Placed) -> bool:
        """Tell whether a parcel of an order is known to the ERP and the storefront."""
        known = self.erp.state("item_fulfillments", entity=order.name)
        return bool(known) and bool(self.storefront.state("fulfillments", entity=order.name))

    def ensure_whole(self, order: Placed, *, shipments: int = 0) -> None:
        """Hold an order against every system: each record of it there once, its money and goods in full."""
        assert len(self.erp.state("sales_orders", entity=order.name)) == 1
        assert len(self.wms.state("orders", reference=order.number)) == 1
        if order.payment:
            (payment,) = self.gateway.state("payment_intents", id=order.payment)
            assert payment["status"] == "succeeded"
            assert payment["captures"] == [payment["amount"]]
            captures = self.storefront.state("transactions", order_id=order.id, kind="capture")
            assert len(captures) == 1
        assert len(self.erp.state("item_fulfillments", entity=order.name)) == shipments
        assert len(self.storefront.state("fulfillments", order_id=order.id)) == shipments


def is_healthy(control: Control) -> bool:
    """Tell whether a fake answers."""
    assert control.process.poll() is None, f"{control.system} ended"
    try:
        return control.http.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def await_that(predicate: Callable[[], Any], what: str = "it") -> Any:
    """Ask until the predicate is true and return what it gave."""
    deadline = time.monotonic() + 2 * PATIENCE_S
    while not (found := predicate()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        threading.Event().wait(0.02)
    return found


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process as hard as can be."""
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_S)
