"""
An integration of a hundred lines for tests: payments taken, orders sent to the warehouse, shipments and stock told to the shop.

It trusts its webhooks, tries everything again until it succeeds and keeps nothing over a restart. Payments above 500.00 wait
for a decision.
"""

import base64
import json
import os
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

SHOP, PAY, DEPOT = (os.environ[f"{name}_URL"] for name in ("STOREFRONT", "GATEWAY", "WMS"))
ADMIN = f"{SHOP}/admin/api/2026-01"
AT_SHOP = {"X-Shopify-Access-Token": os.environ["STOREFRONT_TOKEN"]}
AT_PAY = {"Authorization": f"Basic {base64.b64encode(os.environ['GATEWAY_API_KEY'].encode() + b':').decode()}"}
AT_DEPOT = {"Authorization": f"Bearer {os.environ['WMS_TOKEN']}"}
LIMIT = 500.0
PAUSE_S = 0.05

opener = build_opener(ProxyHandler({}))
cases = {}
cursor = {"since": datetime.now(UTC).isoformat()}
seen = {}
never = threading.Event()


def call(method, url, headers, body=None, form=None):
    """Call a vendor; return its answer as JSON."""
    data = json.dumps(body).encode() if body is not None else urlencode(form).encode() if form is not None else None
    kind = "application/json" if form is None else "application/x-www-form-urlencoded"
    request = Request(url, data, {**headers, "Content-Type": kind}, method=method)  # noqa: S310 - the addresses are the lab's
    with opener.open(request, timeout=2.0) as answer:
        return json.load(answer)


def insist(work, *given):
    """Do something in a thread of its own, again and again until it succeeds."""

    def run():
        while True:
            try:
                return work(*given)
            except (OSError, ValueError):
                never.wait(PAUSE_S)

    threading.Thread(target=run, daemon=True).start()


def take_in(order):
    """Take an order's money, or ask whether to."""
    if float(order["total_price"]) > LIMIT:
        case = {
            "role": "fraud-review",
            "handoff": "payment-capture",
            "entity": order["name"],
            "code": "amount",
            "sla_s": 720,
        }
        cases[str(order["id"])] = {"id": str(order["id"]), "state": "open", **case, "order": order}
    else:
        insist(capture, order)


def capture(order):
    """Take an order's money, then send it to the warehouse."""
    intent = next(note["value"] for note in order["note_attributes"] if note["name"] == "payment_intent")
    key = {"Idempotency-Key": f"capture-{order['id']}"}
    call("POST", f"{PAY}/v1/payment_intents/{intent}/capture", {**AT_PAY, **key}, form={})
    insist(send, order)


def send(order):
    """Send an order to the warehouse; one it has already was sent before."""
    lines = [{"sku": line["sku"], "quantity": line["quantity"]} for line in order["line_items"]]
    try:
        call("POST", f"{DEPOT}/orders", AT_DEPOT, {"reference": f"SO-{order['id']}", "ship_to": {}, "lines": lines})
    except HTTPError as error:
        if json.load(error).get("code") != "duplicate_reference":
            raise


def tell(shipped):
    """Tell the shop of a shipment, unless it shows its tracking number already."""
    order, shipment = shipped["reference"].removeprefix("SO-"), shipped["shipment"]
    told = call("GET", f"{ADMIN}/orders/{order}/fulfillments.json", AT_SHOP)["fulfillments"]
    if any(each["tracking_number"] == shipment["tracking"] for each in told):
        return
    asked = call("GET", f"{ADMIN}/orders/{order}/fulfillment_orders.json", AT_SHOP)["fulfillment_orders"]
    body = {
        "line_items_by_fulfillment_order": [{"fulfillment_order_id": each["id"]} for each in asked],
        "tracking_info": {"number": shipment["tracking"], "company": shipment["carrier"]},
    }
    call("POST", f"{ADMIN}/fulfillments.json", AT_SHOP, {"fulfillment": body})


def level():
    """Carry what changes at the warehouse to the shop, for ever."""
    known = {}
    places = {each["name"]: each["id"] for each in call("GET", f"{ADMIN}/locations.json", AT_SHOP)["locations"]}
    while not never.wait(PAUSE_S):
        query = urlencode({"updated_since": cursor["since"], "limit": 250})
        for item in call("GET", f"{DEPOT}/inventory?{query}", AT_DEPOT)["items"]:
            place, cursor["since"] = (item["sku"], item["location"]), item["updated_at"]
            if seen.get(place) == item["available"]:
                continue
            if item["sku"] not in known:
                products = call("GET", f"{ADMIN}/products.json?limit=250", AT_SHOP)["products"]
                known = {each["sku"]: each["inventory_item_id"] for one in products for each in one["variants"]}
            body = {"inventory_item_id": known[item["sku"]], "location_id": places[item["location"]]}
            call("POST", f"{ADMIN}/inventory_levels/set.json", AT_SHOP, {**body, "available": item["available"]})
            seen[place] = item["available"]


class Handler(BaseHTTPRequestHandler):
    """Receive webhooks, show the open cases, take decisions."""

    def do_GET(self):
        """Answer health, dead letters (there never are any) and cases."""
        shown = [{name: value for name, value in case.items() if name != "order"} for case in cases.values()]
        self.answer(200, shown if self.path == "/ops/queues" else [])

    def do_POST(self):
        """Take what is told or decided, and do it later."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if self.path == "/webhooks/shop" and self.headers["X-Shopify-Topic"] == "orders/create":
            take_in(body)
        elif self.path == "/webhooks/depot":
            insist(tell, body["data"])
        elif self.path.startswith("/ops/queues/"):
            self.answer(self.decide(cases[self.path.split("/")[3]], body["decision"]), {})
            return
        self.answer(200, {})

    def decide(self, case, decision):
        """Go on with a payment, or give it up."""
        if decision not in {"approve", "reject"}:
            return 422
        if case["state"] != "open":
            return 409
        case |= {"state": "decided", "decision": decision}
        insist(capture if decision == "approve" else give_up, case["order"])
        return 202

    def answer(self, status, body):
        """Answer JSON."""
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


def give_up(order):
    """Cancel an order."""
    call("POST", f"{ADMIN}/orders/{order['id']}/cancel.json", AT_SHOP, {"reason": "fraud"})


if __name__ == "__main__":
    insist(level)
    ThreadingHTTPServer((os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"])), Handler).serve_forever()
