"""The integration under test: in a thread of this process, or as a process of its own that can be killed."""

import base64
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx2
import uvicorn
from reference_vendors import PATIENCE_S, Vendors

from reference.app import build
from reference.config import read_settings
from reference.parts import Parts
from reference.policies import ORDER_TO_ERP, RECONCILE_ORDERS
from reference.policy import HandoffPolicy, ReconcilePolicy

SECRET = "hush"
ONCALL, ECOMMERCE = "key-oncall", "key-ecommerce"
SCALE = 50.0
# A busy machine must not turn a slow answer into a failure, where the test is not about timeouts.
CALM = replace(ORDER_TO_ERP, timeout_s=30 * SCALE)
PARTS = Parts(order_to_erp=CALM, reconcile=replace(RECONCILE_ORDERS, timeout_s=30 * SCALE))
# The same for all handoffs.
CALM_CHAIN = replace(
    PARTS,
    **{
        field.name: replace(field.default, timeout_s=30 * SCALE)
        for field in fields(Parts)
        if isinstance(field.default, (HandoffPolicy, ReconcilePolicy))
    },
)


def build_environment(
    vendors: Vendors, folder: Path, key_file: Path, *, scale: float = SCALE, port: int = 0
) -> dict[str, str]:
    """Build the variables that point the integration at the vendors."""
    return {
        "STOREFRONT_URL": f"{vendors.url}/shop",
        "STOREFRONT_TOKEN": "shop-token",
        "STOREFRONT_WEBHOOK_SECRET": SECRET,
        "ERP_URL": f"{vendors.url}/erp",
        "ERP_ACCOUNT": "ACME",
        "ERP_CLIENT_ID": "client-1",
        "ERP_CERTIFICATE_ID": "certificate-1",
        "ERP_PRIVATE_KEY_FILE": str(key_file),
        "OPS_PAGERDUTY_URL": f"{vendors.url}/ops",
        "OPS_ROLE_INTEGRATION_ONCALL_KEY": ONCALL,
        "OPS_ROLE_ECOMMERCE_OPS_KEY": ECOMMERCE,
        "INTEGRATION_DATA_DIR": str(folder),
        "INTEGRATION_PORT": str(port),
        "HANDOFF_TIME_SCALE": f"{scale:g}",
    }


def make_order(number: int, **changes: Any) -> dict[str, Any]:
    """Make a storefront order with the fields the integration reads, and one it does not."""
    order = {
        "id": 6_000_000 + number,
        "name": f"#{number}",
        "order_number": number,
        "updated_at": "2026-11-20T10:00:00+01:00",
        "currency": "EUR",
        "total_price": "39.90",
        "note": None,
        "line_items": [{"sku": "MUG", "quantity": 2, "price": "19.95", "title": "Mug"}],
        "financial_status": "paid",
    }
    return order | changes


class Client:
    """What tests do to a running integration."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S)

    def deliver(
        self,
        order: Mapping[str, Any] | bytes,
        *,
        topic: str = "orders/create",
        webhook_id: str | None = None,
        secret: str = SECRET,
        triggered_at: str | None = None,
        drop: str | None = None,
    ) -> httpx2.Response:
        """Post a webhook as the storefront would; `drop` leaves out a header."""
        body = order if isinstance(order, bytes) else json.dumps(order).encode()
        headers = {
            "X-Shopify-Topic": topic,
            "X-Shopify-Webhook-Id": webhook_id or str(uuid.uuid4()),
            "X-Shopify-Hmac-Sha256": base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode(),
        }
        if triggered_at:
            headers["X-Shopify-Triggered-At"] = triggered_at
        headers.pop(drop or "", None)
        return self.http.post("/webhooks/storefront", content=body, headers=headers)

    def ops(self, path: str) -> list[dict[str, Any]]:
        """Read one of the observe endpoints."""
        answer = self.http.get(f"/ops/{path}")
        assert answer.status_code == 200
        return answer.json()

    def letters(self, **wanted: str) -> list[dict[str, Any]]:
        """Return the dead letters with these fields."""
        return [row for row in self.ops("dead-letters") if all(row[name] == value for name, value in wanted.items())]

    def breaker(self) -> dict[str, Any]:
        """Return the one breaker."""
        return self.ops("breakers")[0]

    def await_that(self, predicate: Callable[[], Any], what: str = "it") -> Any:
        """Ask until the predicate is true and return what it gave."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := predicate()):
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            threading.Event().wait(0.005)
        return found


class LocalService(Client):
    """
    The integration in a thread, composed of any parts; use as a context manager.

    Leaving it only begins its shutdown, since that takes a while; `join_all` at the end of the run awaits them.
    """

    leaving: ClassVar[list[threading.Thread]] = []

    def __init__(self, environment: Mapping[str, str], parts: Parts = PARTS) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        super().__init__(self._listener.getsockname()[1])
        app = build(read_settings(environment), parts=parts)
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.await_that(lambda: self._server.started, "the service to start")
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._server.should_exit = True
        self.leaving.append(self._thread)

    @classmethod
    def join_all(cls) -> None:
        """Wait until every service that was left has stopped."""
        for thread in cls.leaving:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


class ProcessService(Client):
    """The integration as `python -m reference` or a variant of the zoo."""

    def __init__(self, environment: Mapping[str, str], *, module: tuple[str, ...] = ("reference",)) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        super().__init__(port)
        self._environment = {**os.environ, **environment, "INTEGRATION_PORT": str(port)}
        self._command = [sys.executable, "-m", *module]
        self.errors = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.http.close()

    def start(self) -> None:
        """Start the process and wait until it is healthy."""
        self.spawn()
        self.await_that(self._is_healthy, "the process to be healthy")

    def spawn(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(self._command, env=self._environment, stderr=subprocess.PIPE)
        self._drain = threading.Thread(target=self._read_errors, args=(self.process,), daemon=True)
        self._drain.start()

    def kill(self) -> None:
        """Kill the process as hard as can be; it may be dead already."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        # Whoever waits for the end may start the next process before this is through.
        process, drain = self.process, self._drain
        process.send_signal(number)
        code = process.wait(PATIENCE_S)
        drain.join()
        return code

    def _read_errors(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as pipe:
            for line in pipe:
                self.errors += line

    def _is_healthy(self) -> bool:
        assert self.process.poll() is None, self.errors.decode()
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx2.TransportError:
            return False
