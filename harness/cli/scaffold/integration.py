"""
The integration of this folder: small, real, and here to be replaced by yours.

It takes orders from the storefront's webhooks, writes them down, and hands each on twice: to the ERP as a sales order, to the
gateway as a capture. What it does about trouble stands in the numbers below; `stack.yaml` says the same in words the harness can
check. It never reads stack.yaml, and everything it knows of its surroundings comes from environment variables.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ENV = os.environ
TIMEOUT_S, PAUSE_S, RECONCILE_EVERY_S, OVERLAP_S = 20.0, 40.0, 60.0, 60.0
FAILURES_THAT_OPEN, LETTERS_THAT_ESCALATE = 5, 3
SCHEMA = """
CREATE TABLE IF NOT EXISTS work (handoff, ref, entity, target, body, state, attempts, due, PRIMARY KEY (handoff, ref));
CREATE TABLE IF NOT EXISTS letters (id PRIMARY KEY, handoff, ref, entity, code, attempts, payload_sha256, state);
CREATE TABLE IF NOT EXISTS alerts (id INTEGER PRIMARY KEY, role, event);
CREATE TABLE IF NOT EXISTS notes (name PRIMARY KEY, value);
"""
log = logging.getLogger("integration")


@dataclass(frozen=True)
class Handoff:
    """What is done about trouble at one handoff: attempts and first wait (seconds of production) by kind of failure, and who is told."""

    id: str
    role: str
    retries: Mapping[str, tuple[int, float]]


ORDER_TO_ERP = Handoff(
    "order-to-erp", "integration-oncall", {"rate_limited": (4, 4.0), "session_expired": (2, 2.0), "any": (3, 4.0)}
)
PAYMENT_CAPTURE = Handoff("payment-capture", "payments-ops", {"rate_limited": (4, 4.0), "any": (3, 4.0)})


@dataclass(frozen=True)
class Failure:
    """Why a call failed: the kind that chooses the retry, a code for people, and whether the vendor seems to be down."""

    kind: str
    code: str
    down: bool


Send = Callable[[sqlite3.Row], Awaitable[Failure | None]]


def scaled(seconds: float) -> float:
    """Turn seconds of production into seconds of this process: the lab divides every wait."""
    return seconds / float(ENV.get("HANDOFF_TIME_SCALE", "1"))


def open_store() -> sqlite3.Connection:
    """Open what survives a crash. Each `with store:` is one transaction; only a crash of the machine could lose one."""
    store = sqlite3.connect(Path(ENV["INTEGRATION_DATA_DIR"]) / "integration.db")
    store.row_factory = sqlite3.Row
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = NORMAL")
    store.executescript(SCHEMA)
    return store


def record_order(store: sqlite3.Connection, order: Mapping[str, Any]) -> None:
    """Write down what is to be done about an order; one that is known already changes nothing, however often it comes."""
    lines = [
        {"item": {"externalId": line["sku"]}, "quantity": line["quantity"], "rate": float(line["price"])}
        for line in order["line_items"]
    ]
    document = {
        "entity": {"externalId": "WEB-STORE"},
        "otherRefNum": order["name"],
        "currency": {"refName": order["currency"]},
        "item": {"items": lines},
    }
    minor_units = round(float(order["total_price"]) * 100)
    work = [(ORDER_TO_ERP.id, f"WEB-{order['order_number']}", json.dumps(document))]
    payments = [note["value"] for note in order.get("note_attributes") or () if note["name"] == "payment_intent"]
    work += [(PAYMENT_CAPTURE.id, payment, urlencode({"amount_to_capture": minor_units})) for payment in payments]
    insert = "INSERT OR IGNORE INTO work VALUES (?, ?, ?, ?, ?, 'queued', 0, ?)"
    with store:
        for handoff, target, body in work:
            store.execute(insert, (handoff, str(order["id"]), order["name"], target, body, time.time()))


class Lane:
    """One handoff at work: takes what is due, sends it, and commits what came of it. One call at a time, so one probe at a time."""

    def __init__(self, store: sqlite3.Connection, handoff: Handoff, send: Send) -> None:
        self.handoff, self._store, self._send = handoff, store, send
        self.news = asyncio.Event()
        self._failures, self._incident, self._paused_until = 0, "", 0.0

    @property
    def state(self) -> str:
        """The breaker's state."""
        return "closed" if not self._incident else "open" if time.time() < self._paused_until else "half_open"

    async def work(self) -> None:
        """Send what is due, for ever."""
        while True:
            self.news.clear()
            row = self._next()
            begin = max(row["due"], self._paused_until) if row else time.time() + 60
            if row and begin <= time.time():
                await self._attempt(row)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), begin - time.time())

    def _next(self) -> sqlite3.Row | None:
        query = "SELECT * FROM work WHERE handoff = ? AND state = 'queued' ORDER BY due LIMIT 1"
        row: sqlite3.Row | None = self._store.execute(query, (self.handoff.id,)).fetchone()
        return row

    async def _attempt(self, row: sqlite3.Row) -> None:
        failure = await self._send(row)
        with self._store:
            self._note_health(row, failure)
            if failure is None:
                self._update(row, "done", row["attempts"] + 1, 0.0)
            else:
                self._put_off(row, failure, row["attempts"] + 1)

    def _put_off(self, row: sqlite3.Row, failure: Failure, attempts: int) -> None:
        most, first_wait = self.handoff.retries.get(failure.kind, self.handoff.retries["any"])
        log.warning("%s: %s failed with %s", self.handoff.id, row["entity"], failure.code)
        if attempts < most:
            self._update(row, "queued", attempts, time.time() + scaled(first_wait * 2 ** (attempts - 1)))
            return
        self._update(row, "dead", attempts, 0.0)
        digest = hashlib.sha256(row["body"].encode()).hexdigest()
        letter = (str(uuid.uuid4()), self.handoff.id, row["ref"], row["entity"], failure.code, attempts, digest)
        self._store.execute("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting')", letter)
        self._escalate(row, failure)

    def _update(self, row: sqlite3.Row, state: str, attempts: int, due: float) -> None:
        change = "UPDATE work SET state = ?, attempts = ?, due = ? WHERE handoff = ? AND ref = ?"
        self._store.execute(change, (state, attempts, due, row["handoff"], row["ref"]))

    def _escalate(self, row: sqlite3.Row, failure: Failure) -> None:
        """Tell the role once when so many wait; it is told anew only after all of them were taken care of."""
        episode = f"episode {self.handoff.id}"
        waiting = count_waiting(self._store, self.handoff.id)
        told = self._store.execute("SELECT 1 FROM notes WHERE name = ?", (episode,)).fetchone()
        if waiting < LETTERS_THAT_ESCALATE or told:
            return
        self._store.execute("INSERT INTO notes VALUES (?, '')", (episode,))
        self._alert(row, failure.code, f"{waiting} dead letters wait", str(uuid.uuid4()))

    def _note_health(self, row: sqlite3.Row, failure: Failure | None) -> None:
        """Count failures in a row; so many of them, or one probe that fails, and nothing is sent for a while."""
        if failure is None or (self._incident and not failure.down):
            self._failures, self._incident = 0, ""
        elif failure.down:
            self._failures += 1
            if self._failures >= FAILURES_THAT_OPEN or self._incident:
                self._paused_until = time.time() + scaled(PAUSE_S)
                self._incident = self._incident or str(uuid.uuid4())
                self._alert(row, failure.code, f"paused after {self._failures} failures in a row", self._incident)

    def _alert(self, row: sqlite3.Row, code: str, summary: str, key: str) -> None:
        details = {"handoff": self.handoff.id, "entity": row["entity"], "code": code}
        payload = {"summary": f"{self.handoff.id}: {summary}", "source": "integration", "severity": "error"}
        event = {"event_action": "trigger", "dedup_key": key, "payload": payload | {"custom_details": details}}
        self._store.execute("INSERT INTO alerts (role, event) VALUES (?, ?)", (self.handoff.role, json.dumps(event)))


def count_waiting(store: sqlite3.Connection, handoff: str) -> int:
    """Count the dead letters of a handoff that nobody has taken care of."""
    query = "SELECT count(*) FROM letters WHERE handoff = ? AND state = 'waiting'"
    return int(store.execute(query, (handoff,)).fetchone()[0])


class Vendors:
    """The calls to the other systems, each made once: whether it is made again is for a lane to say."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self._key = ECKey.import_key(Path(ENV["ERP_PRIVATE_KEY_FILE"]).read_bytes())
        self._token, self._token_until = "", 0.0

    async def post_order(self, row: sqlite3.Row) -> Failure | None:
        """Create or replace a sales order: the external id makes sending it again harmless, `replace` its lines too."""
        try:
            headers = {"Authorization": f"Bearer {await self._renew()}", "Content-Type": "application/json"}
            url = f"{ENV['ERP_URL']}/services/rest/record/v1/salesOrder/eid:{row['target']}?replace=item"
            answer = await self._call("PUT", url, content=row["body"], headers=headers)
        except (httpx2.HTTPError, TimeoutError, ValueError, KeyError) as error:
            return Failure("any", type(error).__name__, down=True)
        if answer.status_code == 401:
            self._token = ""
            return Failure("session_expired", "SESSION", down=False)
        return None if answer.status_code == 204 else read_failure(answer)

    async def capture(self, row: sqlite3.Row) -> Failure | None:
        """Capture a payment: the gateway knows a call that is made again by its key."""
        form = "application/x-www-form-urlencoded"
        headers = {"Authorization": f"Bearer {ENV['GATEWAY_API_KEY']}", "Content-Type": form}
        headers["Idempotency-Key"] = f"{row['handoff']}:{row['ref']}"
        url = f"{ENV['GATEWAY_URL']}/v1/payment_intents/{row['target']}/capture"
        try:
            answer = await self._call("POST", url, content=row["body"], headers=headers)
        except (httpx2.HTTPError, TimeoutError) as error:
            return Failure("any", type(error).__name__, down=True)
        return None if answer.status_code == 200 else read_failure(answer)

    async def alert(self, role: str, event: str) -> bool:
        """Tell the role that is on call; answer whether it was taken."""
        key = ENV[f"OPS_ROLE_{role.upper().replace('-', '_')}_KEY"]
        body = json.loads(event) | {"routing_key": key}
        try:
            answer = await self._call("POST", f"{ENV['OPS_PAGERDUTY_URL']}/v2/enqueue", json=body)
        except (httpx2.HTTPError, TimeoutError):
            return False
        return answer.status_code == 202

    async def list_orders(self, since: float) -> list[dict[str, Any]]:
        """List the orders that changed since an epoch second, page after page; raises httpx2.HTTPError and TimeoutError."""
        base = f"{ENV['STOREFRONT_URL']}/admin/api/2026-10/orders.json?limit=250"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
        url, orders = f"{base}&status=any&updated_at_min={stamp}", []
        while url:
            answer = await self._call("GET", url, headers={"X-Shopify-Access-Token": ENV["STOREFRONT_TOKEN"]})
            orders += answer.raise_for_status().json()["orders"]
            following = re.search(r"page_info=([^&>]+)[^>]*>; rel=\"next\"", answer.headers.get("link", ""))
            url = f"{base}&page_info={following[1]}" if following else ""
        return orders

    async def _renew(self) -> str:
        if self._token and time.time() < self._token_until:
            return self._token
        url = f"{ENV['ERP_URL']}/services/rest/auth/oauth2/v1/token"
        now = int(time.time())
        claims = {"iss": ENV["ERP_CLIENT_ID"], "scope": ["rest_webservices"], "iat": now, "exp": now + 300, "aud": url}
        assertion = jwt.encode({"alg": "ES256", "kid": ENV["ERP_CERTIFICATE_ID"]}, claims, self._key)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        granted = (await self._call("POST", url, data=form)).raise_for_status().json()
        self._token, self._token_until = granted["access_token"], now + int(granted["expires_in"]) - 60
        return self._token

    async def _call(self, method: str, url: str, **request: Any) -> httpx2.Response:
        async with asyncio.timeout(scaled(TIMEOUT_S)):
            return await self._http.request(method, url, **request)


def read_failure(answer: httpx2.Response) -> Failure:
    """Tell what an answer that is no success means."""
    status = answer.status_code
    kind = "rate_limited" if status == 429 else "any"
    return Failure(kind, f"HTTP_{status}", down=status == 429 or status >= 500)


class Service:
    """Everything together: the receiver of webhooks, what runs in the background, and what operators may see and do."""

    def __init__(self) -> None:
        self._store = open_store()
        self._vendors = Vendors(httpx2.AsyncClient(timeout=None, trust_env=False))
        self._lanes = [
            Lane(self._store, ORDER_TO_ERP, self._vendors.post_order),
            Lane(self._store, PAYMENT_CAPTURE, self._vendors.capture),
        ]

    @contextlib.asynccontextmanager
    async def run(self, _: Starlette) -> AsyncIterator[None]:
        """Work for as long as the web server serves."""
        loops = [*(lane.work() for lane in self._lanes), self._tell(), self._reconcile()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def receive(self, request: Request) -> Response:
        """Take a webhook: check who signed it, write it down, and only then acknowledge it."""
        body = await request.body()
        digest = hmac.digest(ENV["STOREFRONT_WEBHOOK_SECRET"].encode(), body, "sha256")
        given = request.headers.get("x-shopify-hmac-sha256", "").encode("latin-1")
        if not hmac.compare_digest(base64.b64encode(digest), given):
            return JSONResponse({"error": "signature does not match"}, 401)
        try:
            record_order(self._store, json.loads(body))
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "not an order"}, 400)
        self._wake()
        return JSONResponse({"taken": True})

    async def list_letters(self, _: Request) -> Response:
        """Show the dead letters."""
        return JSONResponse([dict(row) for row in self._store.execute("SELECT * FROM letters")])

    async def replay(self, request: Request) -> Response:
        """Send what a dead letter holds once more."""
        take = "UPDATE letters SET state = 'replayed' WHERE id = ? AND state = 'waiting' RETURNING handoff, ref"
        with self._store:
            row = self._store.execute(take, (request.path_params["id"],)).fetchone()
            if row is None:
                return JSONResponse({"error": "no such dead letter waits"}, 404)
            again = "UPDATE work SET state = 'queued', attempts = 0, due = 0 WHERE handoff = ? AND ref = ?"
            self._store.execute(again, tuple(row))
            if not count_waiting(self._store, row["handoff"]):
                self._store.execute("DELETE FROM notes WHERE name = ?", (f"episode {row['handoff']}",))
        self._wake()
        return JSONResponse({"state": "replayed"}, 202)

    async def list_breakers(self, _: Request) -> Response:
        """Show the breakers."""
        return JSONResponse([{"handoff": lane.handoff.id, "state": lane.state} for lane in self._lanes])

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.news.set()

    async def _tell(self) -> None:
        """Send alerts from the store, so that none is lost in a crash; the key makes telling twice harmless."""
        while True:
            for row in self._store.execute("SELECT * FROM alerts ORDER BY id").fetchall():
                if not await self._vendors.alert(row["role"], row["event"]):
                    break
                with self._store:
                    self._store.execute("DELETE FROM alerts WHERE id = ?", (row["id"],))
            await asyncio.sleep(scaled(1.0))  # an alert may be this late; the rows wait for the next look

    async def _reconcile(self) -> None:
        """Ask the storefront at intervals which orders there are: webhooks may be late, lost or unreadable."""
        while True:
            await asyncio.sleep(scaled(RECONCILE_EVERY_S))
            began = time.time()
            known = self._store.execute("SELECT value FROM notes WHERE name = 'reconciled'").fetchone()
            try:
                for order in await self._vendors.list_orders(known["value"] if known else began - 3_600):
                    if not order["cancelled_at"]:
                        record_order(self._store, order)
            except (httpx2.HTTPError, TimeoutError, ValueError, KeyError) as error:
                log.warning("not reconciled: %s", error)
                continue
            self._wake()
            with self._store:
                self._store.execute("INSERT OR REPLACE INTO notes VALUES ('reconciled', ?)", (began - OVERLAP_S,))


def build_app() -> Starlette:
    """Build the application from the environment."""
    service = Service()
    routes = [
        Route("/healthz", lambda _: Response("ok")),
        Route("/webhooks/storefront", service.receive, methods=["POST"]),
        Route("/ops/dead-letters", service.list_letters),
        Route("/ops/dead-letters/{id}/replay", service.replay, methods=["POST"]),
        Route("/ops/breakers", service.list_breakers),
    ]
    return Starlette(routes=routes, lifespan=service.run)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvicorn.run(build_app(), host=ENV["INTEGRATION_HOST"], port=int(ENV["INTEGRATION_PORT"]), log_level="warning")
