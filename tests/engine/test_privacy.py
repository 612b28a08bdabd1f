"""Customers, cards and secrets that pass through a whole lab stand in nothing that is kept of it."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from faker import Faker

from harness.cli.selection import select
from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.engine.orders import draw_basket
from harness.engine.reservations import reserve_orders, set_in_motion
from harness.engine.run import Options, open_bench
from harness.wire.privacy import OURS

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
STACK_PATH = ROOT / "scenarios" / "slice.yaml"
WITHIN_S = 60.0
SEED = 20_261_122


def make_customer(seed):
    """Make a customer as somebody's real one might look, and what of it nobody may read."""
    faker = Faker("en_US")
    faker.seed_instance(seed)
    first, last = f"{faker.first_name()}ine", f"{faker.last_name()}sson"
    customer = {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}@example.test".lower(),
        "phone": f"+1415555{seed % 10_000:04d}",
        "address": {
            "street": f"{faker.building_number()} {last} Alley",
            "city": "Turin",
            "zip": "10121",
            "country": "IT",
        },
    }
    secrets = {"card": faker.credit_card_number("visa16"), "iban": faker.iban(), "token": "sk_test_" + faker.sha1()}
    told = [first, last, customer["email"], customer["phone"], customer["address"]["street"], *secrets.values()]
    return customer, secrets, told


async def _leak(client, lab, orders, customer, secrets):
    """Do what a careless integration does: write to people about people, and put them into addresses."""
    said = f"{customer['first_name']} {customer['last_name']}, {customer['address']['street']}, {customer['email']}, {customer['phone']}"
    paid = f"paid {secrets['card']} cvc 123, refund to {secrets['iban']} with Bearer {secrets['token']}"
    desk, shop = lab.tap_addresses["opsdesk"], lab.tap_addresses["storefront"]
    key = next(value for name, value in lab.environment.items() if name.startswith("OPS_ROLE_"))
    payload = {
        "summary": f"{orders[0].name}: {said}",
        "source": "x",
        "severity": "error",
        "custom_details": {"customer": customer, "entity": orders[0].name},
    }
    event = {"routing_key": key, "event_action": "trigger", "dedup_key": f"k:{customer['email']}", "payload": payload}
    assert (await client.post(f"{desk}/v2/enqueue", json=event)).status_code == 202
    ticket = {
        "ticket": {"subject": f"Mrs {customer['last_name']}", "comment": {"body": paid}, "tags": [secrets["token"]]}
    }
    assert (await client.post(f"{desk}/api/v2/tickets.json", json=ticket)).status_code == 201
    assert (await client.post(lab.environment["OPS_SLACK_URL"], json={"text": f"{said} {paid}"})).status_code == 200
    query = {
        "email": customer["email"],
        "q": f"{customer['first_name']} {customer['last_name']}",
        "token": secrets["token"],
    }
    await client.get(f"{shop}/admin/api/2026-10/orders.json", params=query)
    await client.get(f"{shop}/people/{customer['email']}/{customer['last_name']}")


async def test_nothing_kept_of_a_lab_shows_a_customer(monkeypatch, tmp_path, anyio_backend):
    """Journals, the record, and what the processes printed: what was leaked into all of them is in none."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path))
    stack = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
    people = [make_customer(seed) for seed in range(3)]
    async with (
        asyncio.timeout(WITHIN_S),
        open_bench(stack, Options("privacy", stack_path=STACK_PATH), index=0, stop=asyncio.Event()) as bench,
        httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client,
    ):
        for customer, secrets, _ in people:
            orders = await reserve_orders(bench, 1, {"customer": customer}, {})
            await set_in_motion(bench, "order", orders)
            await _leak(client, bench.lab, orders, customer, secrets)
            bench.recorder.note_trouble(
                "environment", f"it failed for {customer['first_name']} {customer['last_name']}"
            )
            wanted = orders[0].number
            while not any(  # noqa: ASYNC110 - nobody tells
                wanted in str(row["external_id"]) for row in await bench.lab.controls["erp"].state("sales_orders")
            ):
                await asyncio.sleep(0.05)
        sources = {"tap": bench.lab.tap, **bench.lab.controls}
        kept = {name: str((await source.journal()).entries) for name, source in sources.items()}
        kept["record"] = str([entry.data for entry in bench.recorder.entries])
        kept |= {path.name: path.read_text() for path in (bench.lab.folder / "logs").iterdir()}
        kept["printed"] = OURS.redact_line(f"ValueError: no address for {people[0][0]['first_name']}")

    for _, _, told in people:
        for value in told:
            assert [name for name, text in kept.items() if value in text] == []
    assert all(marker in kept["opsdesk"] for marker in ("\u2039card:", "\u2039iban:", "\u2039person:", "\u2039email:"))


def test_no_file_of_a_run_shows_a_customer(tmp_path):
    """Whoever gets the folder of a run, or the terminal's output, learns of no customer of its orders."""
    stack = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
    chosen = select(compile_stack(stack).experiments, "order-to-erp")[:4]
    expression = " or ".join(each.id for each in chosen)
    cli = "from harness.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", cli, "run", str(STACK_PATH), "-n", "1", "--seed", str(SEED)]
    done = subprocess.run(
        [*command, "-k", expression, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {"run.json", "history.ndjson", "decisions.ndjson", "index.html"} <= {path.name for path in files}, (
        done.stderr
    )
    texts = {path.name: path.read_text(encoding="utf-8") for path in files} | {"terminal": done.stdout + done.stderr}
    for experiment in chosen:
        customer = draw_basket(SEED, experiment.id)["customer"]
        whole = f"{customer['first_name']} {customer['last_name']}"
        for value in (whole, customer["email"], customer["address"]["address1"]):
            assert [name for name, text in texts.items() if re.search(re.escape(value), text)] == []
    assert "\u2039person:" in texts["history.ndjson"]
