"""Builders of runs as the engine writes them: a realistic one, a large one, and odd ones."""

from collections import Counter
from typing import Any

HANDOFFS = (
    ("order-capture", "storefront", "integration", "webhook", "ecommerce-ops", "delayed_shipment"),
    ("order-to-erp", "storefront", "erp", "api", "integration-oncall", "delayed_shipment"),
    ("payment-capture", "integration", "gateway", "api", "payments-oncall", "finance_discrepancy"),
    ("erp-to-wms", "erp", "wms", "api", "integration-oncall", "delayed_shipment"),
    ("inventory-sync", "wms", "storefront", "api", "ecommerce-ops", "inventory_error"),
    ("shipping-advice", "wms", "integration", "edi_batch", "integration-oncall", "delayed_shipment"),
)
CLAUSES = {
    "order-capture": {
        "clean:resolve": ("one", "several"),
        "dropped:reconcile": ("one", "some"),
        "duplicate:deduplicate": ("together", "one-after-another", "new-id"),
        "out_of_order:reorder": ("update-first",),
        "bad_signature:reject": ("forged", "missing", "other-body"),
        "malformed:dead_letter": ("truncated", "wrong-types", "missing-fields", "empty"),
        "receiver_down:recover": ("once", "twice"),
        "crash:recover": ("after-ack", "in-a-burst"),
    },
    "order-to-erp": {
        "clean:resolve": ("one", "several"),
        "lost_answer:exactly_once": ("answer-lost", "answer-hangs"),
        "429:retry": ("once", "last", "exhausted"),
        "session_expired:renew_session": ("once", "concurrent", "exhausted"),
        "USER_ERROR+already-exists:branch": ("taken", "other-text"),
        "malformed:dead_letter": ("first",),
        "any:retry": ("once", "last", "exhausted", "unlisted-code", "connection", "timeout"),
        "dead_letter:escalate": ("below", "at", "beyond", "replay"),
        "breaker": ("below", "reset", "opens", "opens-on-connection", "closes", "reopens", "contained"),
    },
    "payment-capture": {
        "429:retry": ("once", "exhausted"),
        "timeout:retry": ("once", "exhausted"),
        "lost_response:retry": ("once",),
        "card_declined:queue": ("approved", "rejected"),
        "breaker": ("opens",),
    },
    "erp-to-wms": {"connection:retry": ("once", "exhausted"), "partial_allocation:branch": ("once",)},
    "inventory-sync": {"stale:retry": ("once",), "not_persisted:retry": ("once",)},
    "shipping-advice": {"file_truncated:resend": ()},
}
GATES = ("harness healthy", "witnesses agree", "receipts present")


def build_experiment(handoff: str, clause: str, shape: str, **changes: Any) -> dict[str, Any]:
    """Build one held experiment with a timeline of three attempts; `changes` replace whole fields."""
    name = f"{handoff}/{clause}/{shape}"
    base: dict[str, Any] = {
        "id": name,
        "handoff": handoff,
        "clause": clause,
        "shape": shape,
        "faults": [
            {
                "id": "f1",
                "kind": "status",
                "target": handoff,
                "min_receipts": 1,
                "expected_receipts": 2,
                "receipts": build_receipts(2),
            }
        ],
        "verdict": "held",
        "reason": "3 attempts at 0.00 0.21 0.63 s",
        "declared": "3 attempts, then dead letter",
        "observed": "3 attempts at 0.00 0.21 0.63 s",
        "location": "reference/stack.yaml:41:9",
        "gates": [{"name": gate, "passed": True} for gate in GATES],
        "checks": [
            {
                "name": "attempts",
                "verdict": "held",
                "declared": "at most 3 attempts",
                "observed": "3 attempts at 0.00 0.21 0.63 s",
                "evidence": [{"what": f"attempt {n}", "t": t, "exchange": f"t{n}"} for n, t in ((1, 0.2), (2, 0.41))],
            }
        ],
        "duration_s": 1.2,
        "inherent_wait_s": 0.63,
        "integration_s": 0.486,
        "overhead_s": 0.084,
        "reproduce": f"handoff run reference/stack.yaml --seed 11 -k '{name}'",
        "timeline": build_timeline((0.2, 0.41, 0.83), (0.2, 0.4), succeeds=True),
    }
    return base | changes


def build_receipts(n: int) -> list[dict[str, Any]]:
    """Build what n exchanges that met a fault left behind."""
    return [
        {"t": 0.2 * (k + 1), "where": f"t{k}", "client_saw": "429", "server_saw": "429", "entity": "#411001"}
        for k in range(n)
    ]


def build_timeline(sends: tuple[float, ...], waits: tuple[float, ...], *, succeeds: bool) -> dict[str, Any]:
    """Build a timeline of sends of one order under one fault, with the declared waits between them."""
    lane, entity = "integration → erp", "#411001"
    events: list[dict[str, Any]] = [
        {"t": 0.02, "lane": "storefront → integration", "kind": "webhook", "label": "orders/create", "entity": entity},
        {"t": 0.05, "lane": "storefront → integration", "kind": "ack", "label": "200", "entity": entity},
        {"t": 0.01, "lane": lane, "kind": "fault", "label": "429 for #411001", "fault": "f1", "until_t": sends[-1]},
    ]
    for index, t in enumerate(sends):
        good = succeeds and index == len(sends) - 1
        send = {"t": t, "lane": lane, "kind": "attempt", "label": "PUT salesOrder eid:SHP-411001", "entity": entity}
        answer = {"t": t + 0.01, "lane": lane, "kind": "answer_ok" if good else "answer_error", "entity": entity}
        events += [send, answer | {"label": "204" if good else "429", **({} if good else {"fault": "f1"})}]
    gaps = [
        {
            "from_t": a + 0.01,
            "to_t": b,
            "declared_min_s": wait * 0.95,
            "declared_max_s": wait * 1.2,
            "observed_s": b - a,
        }
        for a, b, wait in zip(sends, sends[1:], (*waits, *waits), strict=False)
    ]
    return {"duration_s": sends[-1] + 0.2, "events": events, "gaps": gaps}


def build_violated() -> dict[str, Any]:
    """Build the experiment of the running example: a fifth attempt and no dead letter."""
    timeline = build_timeline((0.21, 0.42, 0.84, 1.65, 3.26), (0.2, 0.4, 0.8), succeeds=False)
    timeline["duration_s"] = 8.4
    ops = "integration → ops desk"
    timeline["events"] += [
        {"t": 3.3, "lane": "dead letters", "kind": "horizon", "label": "none within 5.0 s", "until_t": 8.3},
        {"t": 3.4, "lane": ops, "kind": "alert", "label": "alert to integration-oncall", "entity": "#411001"},
    ]
    observed = "5 attempts at 0.00 0.21 0.63 1.44 3.05 s, no dead letter within 5.0 s"
    return build_experiment(
        "order-to-erp",
        "429:retry",
        "exhausted",
        verdict="violated",
        declared="4 attempts, then dead letter",
        observed=observed,
        reason=observed,
        faults=[
            {
                "id": "f1",
                "kind": "status",
                "target": "erp",
                "min_receipts": 1,
                "expected_receipts": 4,
                "receipts": build_receipts(5),
            }
        ],
        checks=[
            {
                "name": "attempts",
                "verdict": "violated",
                "declared": "4 attempts",
                "observed": "5 attempts at 0.00 0.21 0.63 1.44 3.05 s",
                "evidence": [
                    {"what": f"PUT salesOrder eid:SHP-411001 → 429, attempt {n}", "t": t, "exchange": f"t{n + 11}"}
                    for n, t in enumerate((0.21, 0.42, 0.84, 1.65, 3.26), 1)
                ],
            },
            {
                "name": "dead_letter",
                "verdict": "violated",
                "declared": "one dead letter for #411001",
                "observed": "no dead letter within 5.0 s",
                "evidence": [{"what": "none within 5.0 s", "t": 8.3}],
            },
            {"name": "ledger", "verdict": "held", "declared": "no order lost", "observed": "none", "evidence": []},
        ],
        timeline=timeline,
        duration_s=8.4,
        inherent_wait_s=7.9,
        integration_s=0.4,
        overhead_s=0.1,
    )


def build_breaker_timeline() -> dict[str, Any]:
    """Build a timeline in which a breaker opens, keeps silent, probes and closes."""
    lane = "integration → erp"
    events: list[dict[str, Any]] = [
        {"t": 0.05, "lane": lane, "kind": "fault", "label": "503 for the handoff", "fault": "f1", "until_t": 2.1}
    ]
    for n in range(5):
        t = 0.2 + n * 0.12
        events += [
            {"t": t, "lane": lane, "kind": "attempt", "label": "PUT salesOrder", "entity": f"#41100{n}", "fault": "f1"},
            {"t": t + 0.01, "lane": lane, "kind": "answer_error", "label": "503", "entity": f"#41100{n}"},
        ]
    events += [
        {"t": 0.7, "lane": "breaker", "kind": "breaker_open", "label": "open after 5 failures"},
        {"t": 0.72, "lane": "integration → ops desk", "kind": "alert", "label": "alert to integration-oncall"},
        {"t": 0.71, "lane": lane, "kind": "horizon", "label": "silent for 2.0 s", "until_t": 2.7},
        {"t": 2.75, "lane": lane, "kind": "probe", "label": "probe", "entity": "#411004"},
        {"t": 2.76, "lane": lane, "kind": "answer_ok", "label": "204", "entity": "#411004"},
        {"t": 2.78, "lane": "breaker", "kind": "breaker_close", "label": "closed"},
        {"t": 0.9, "lane": "integration", "kind": "kill", "label": "killed"},
        {"t": 1.4, "lane": "integration", "kind": "restart", "label": "restarted"},
        {"t": 2.9, "lane": "erp", "kind": "record", "label": "sales order created", "entity": "#411004"},
        {"t": 2.95, "lane": "dead letters", "kind": "dead_letter", "label": "#411001 waits"},
        {"t": 3.1, "lane": "dead letters", "kind": "replay", "label": "#411001 replayed"},
        {"t": 0.4, "lane": lane, "kind": "session", "label": "session renewed"},
    ]
    return {"duration_s": 3.3, "events": events}


def build_run(**changes: Any) -> dict[str, Any]:
    """Build the run of the example: many held, one violated, one vacuous, one accepted, one rerun, one skipped."""
    experiments = [
        build_experiment(handoff, clause, shape)
        for handoff, clauses in CLAUSES.items()
        for clause, shapes in clauses.items()
        for shape in shapes
    ]
    by_id = {item["id"]: item for item in experiments}
    by_id["order-to-erp/429:retry/exhausted"].update(build_violated())
    by_id["payment-capture/lost_response:retry/once"].update(
        verdict="unknown",
        unknown_kind="vacuous",
        reason="the fault never touched traffic: 0 receipts (no capture was sent while it was armed)",
        observed="",
        checks=[],
        faults=[{"id": "f1", "kind": "lost_response", "target": "gateway", "min_receipts": 1, "receipts": 0}],
    )
    by_id["payment-capture/lost_response:retry/once"]["gates"][2]["passed"] = False
    by_id["inventory-sync/stale:retry/once"].update(
        verdict="violated",
        observed="2 attempts at 0.00 0.33 s",
        checks=[],
        accepted={"reason": "vendor beta", "until": "2027-03-31"},
    )
    by_id["order-to-erp/breaker/opens"]["timeline"] = build_breaker_timeline()
    stalled = by_id["erp-to-wms/connection:retry/once"]
    stalled.update(verdict="unknown", unknown_kind="interference", reason="the tap stalled for 0.41 s")
    experiments.append(
        build_experiment(
            "erp-to-wms", "connection:retry", "once", id="erp-to-wms/connection:retry/once@2", rerun_of=stalled["id"]
        )
    )
    skipped = [{"id": "shipment-to-carrier", "reason": "Java 11 is missing"}]
    return wrap_run(experiments, skipped=skipped) | build_beside() | changes


def build_beside() -> dict[str, Any]:
    """Build what a run shows beside its verdicts."""
    retried = "order-to-erp/429:retry"
    return {
        "undeclared": [
            {
                "kind": "answer",
                "where": "payment-capture",
                "what": "409 lock_timeout to payment_intent.capture, which no path takes",
                "count": 3,
                "experiments": [f"{retried}/once", "payment-capture/429:retry/once"],
                "exchange": "t7",
                "t": 0.41,
            }
        ],
        "backoff": [
            {
                "clause": retried,
                "declared": "full jitter, base 4 s, factor 2, at most 100 s",
                "observed": "no jitter, base ≈ 4.00 (3.70 to 4.10) s, factor ≈ 2.00 (1.90 to 2.10), from 12 waits",
                "waits": 12,
                "jitter": ["none"],
                "base_s": {"likeliest": 4.0, "lowest": 3.7, "highest": 4.1},
                "factor": {"likeliest": 2.0, "lowest": 1.9, "highest": 2.1},
                "cap_s": None,
            }
        ],
    }


def wrap_run(experiments: list[dict[str, Any]], *, skipped: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Wrap experiments into a run whose summary, coverage and matrix add up."""
    reran = [item["rerun_of"] for item in experiments if "rerun_of" in item]
    counted = [item for item in experiments if item["id"] not in reran or "rerun_of" in item]
    standings = Counter(_stand(item) for item in counted)
    matrix = [
        _build_matrix_row(handoff, clause, [e for e in counted if (e["handoff"], e["clause"]) == (handoff, clause)])
        for handoff, clauses in CLAUSES.items()
        for clause in clauses
    ]
    return {
        "schema": "handoff-run/1",
        "run_id": "20261121-211408",
        "stack": "acme",
        "seed": 11,
        "engine": "embedded",
        "lab": "embedded",
        "labs": 4,
        "started_at": "2026-11-21T21:14:08+00:00",
        "finished_at": "2026-11-21T21:15:22+00:00",
        "versions": {"handoff": "0.1.0", "python": "3.11.9"},
        "interrupted": False,
        "handoffs": [
            dict(zip(("id", "from", "to", "protocol", "owner", "impact"), handoff, strict=True)) for handoff in HANDOFFS
        ],
        "experiments": experiments,
        "coverage": {
            "clauses": len(matrix),
            "exercised": sum("not_exercised" not in row for row in matrix),
            "matrix": matrix,
        },
        "ledger": {
            "orders": 412,
            "captured": 409,
            "posted": 405,
            "parked": 7,
            "lost": 0,
            "duplicated": 0,
            "violations": [],
        },
        "summary": {name: standings[name] for name in ("held", "violated", "unknown", "accepted")}
        | {"skipped": len(skipped or [])},
        "skipped": skipped or [],
    }


def _stand(item: dict[str, Any]) -> str:
    return "accepted" if item.get("accepted") and item["verdict"] != "held" else str(item["verdict"])


def _build_matrix_row(handoff: str, clause: str, experiments: list[dict[str, Any]]) -> dict[str, Any]:
    verdicts = {item["verdict"] for item in experiments}
    row: dict[str, Any] = {
        "handoff": handoff,
        "clause": f"{handoff}/{clause}",
        "location": "reference/stack.yaml:41:9",
        "declared": "3 attempts, then dead letter",
        "experiments": [{key: item[key] for key in ("id", "shape", "verdict")} for item in experiments],
        "verdict": next((worst for worst in ("violated", "unknown", "held") if worst in verdicts), "unknown"),
    }
    return row if experiments else row | {"not_exercised": "the reference has no EDI receiver yet"}


def build_large(n: int) -> dict[str, Any]:
    """Build a run of n experiments with long timelines."""
    sends = tuple(0.1 * (index + 1) for index in range(30))
    timeline = build_timeline(sends, (0.1,) * 29, succeeds=True)
    experiments = [
        build_experiment("order-to-erp", "any:retry", f"shape{index}", timeline=timeline) for index in range(n)
    ]
    return wrap_run(experiments)


def poison(value: Any, payload: str, *, keep: tuple[str, ...] = ("verdict", "kind")) -> Any:
    """Replace every text in a run by the payload, except in the fields to keep."""
    if isinstance(value, dict):
        return {key: item if key in keep else poison(item, payload, keep=keep) for key, item in value.items()}
    if isinstance(value, list):
        return [poison(item, payload, keep=keep) for item in value]
    return payload if isinstance(value, str) else value
