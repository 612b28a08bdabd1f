"""Everyone in the zoo, by name."""

from reference.parts import Parts
from scenarios.zoo import numbers, receiving, sending
from scenarios.zoo.chain import CHAIN
from scenarios.zoo.combined import COMBINED
from scenarios.zoo.variant import Variant

CAPTURE, ERP = "order-capture", "order-to-erp"

SLICE: tuple[Variant, ...] = (
    Variant(
        "one-attempt-too-many",
        "broken",
        "sends rate limited orders five times",
        numbers.five_attempts,
        (f"{ERP}/429:retry",),
    ),
    Variant(
        "gives-up-too-early",
        "broken",
        "sends rate limited orders three times",
        numbers.three_attempts,
        (f"{ERP}/429:retry",),
    ),
    Variant(
        "retries-immediately",
        "broken",
        "does not wait after an expired session",
        numbers.no_wait_after_renewal,
        (f"{ERP}/session_expired:renew_session",),
    ),
    Variant(
        "new-external-id-per-attempt",
        "broken",
        "makes an order another record with every attempt",
        sending.new_id_per_attempt,
        (
            f"{ERP}/429:retry",
            f"{ERP}/any:retry",
            f"{ERP}/session_expired:renew_session",
            f"{ERP}/lost_answer:exactly_once",
        ),
        (f"{ERP}/USER_ERROR+already-exists:branch", f"{ERP}/breaker"),
    ),
    Variant(
        "never-escalates",
        "broken",
        "collects dead letters and tells nobody",
        numbers.no_escalation,
        (f"{ERP}/dead_letter:escalate",),
    ),
    Variant(
        "escalates-to-wrong-role",
        "broken",
        "tells another role than the one declared",
        numbers.wrong_role,
        (f"{ERP}/dead_letter:escalate",),
    ),
    Variant(
        "replay-posts-twice",
        "broken",
        "makes two records of a replayed order",
        sending.replayed_twice,
        (f"{ERP}/dead_letter:escalate",),
        # Every experiment that ends in a dead letter replays it to leave a clean lab, and its ledger then shows the copy.
        tuple(
            f"{ERP}/{path}"
            for path in ("429:retry", "any:retry", "session_expired:renew_session", "malformed:dead_letter")
        ),
    ),
    Variant(
        "ignores-exists",
        "broken",
        "retries an order the ERP has already",
        sending.branch_ignored,
        (f"{ERP}/USER_ERROR+already-exists:branch",),
    ),
    Variant(
        "renews-per-worker",
        "broken",
        "renews an expired session once a worker",
        sending.session_per_worker,
        (f"{ERP}/session_expired:renew_session",),
    ),
    Variant("breaker-at-n-plus-1", "broken", "opens one failure late", numbers.sixth_failure, (f"{ERP}/breaker",)),
    Variant("breaker-at-n-minus-1", "broken", "opens one failure early", numbers.fourth_failure, (f"{ERP}/breaker",)),
    Variant("breaker-pauses-half", "broken", "probes after half of the pause", numbers.half_pause, (f"{ERP}/breaker",)),
    Variant("breaker-probes-in-bulk", "broken", "sends four probes at once", numbers.many_probes, (f"{ERP}/breaker",)),
    Variant(
        "breaker-never-half-opens", "broken", "stays open once opened", sending.never_half_open, (f"{ERP}/breaker",)
    ),
    Variant(
        "drops-backlog-when-open",
        "broken",
        "throws away what comes up while open",
        sending.backlog_dropped,
        (f"{ERP}/breaker",),
    ),
    Variant(
        "acknowledges-before-persisting",
        "broken",
        "writes webhooks down after acknowledging them",
        receiving.write_behind,
        (f"{CAPTURE}/crash:recover",),
    ),
    Variant(
        "no-signature-check",
        "broken",
        "believes whoever posts a webhook",
        receiving.no_signature,
        (f"{CAPTURE}/bad_signature:reject",),
    ),
    Variant(
        "ignores-dedupe",
        "broken",
        "posts an order anew for each redelivery",
        receiving.every_delivery_anew,
        (f"{CAPTURE}/duplicate:deduplicate",),
        (f"{CAPTURE}/crash:recover",),
    ),
    Variant(
        "last-one-wins",
        "broken",
        "takes what arrives last for the newest",
        receiving.last_one_wins,
        (f"{CAPTURE}/out_of_order:reorder",),
    ),
    Variant(
        "forgets-malformed",
        "broken",
        "acknowledges what it cannot read and forgets it",
        receiving.malformed_ignored,
        (f"{CAPTURE}/malformed:dead_letter",),
    ),
    Variant(
        "no-reconcile",
        "broken",
        "never looks for orders whose webhook was lost",
        numbers.no_schedule,
        (f"{CAPTURE}/dropped:reconcile",),
    ),
    Variant("reference", "correct", "the reference as it is", Parts),
    Variant("lazy-breaker", "correct", "probes only with what comes up by itself", sending.lazy_breaker),
    Variant("alert-per-reopening", "correct", "raises an alert each time a probe fails", sending.alert_per_reopening),
    Variant("other-worker-count", "correct", "sends one order at a time", numbers.one_worker),
    Variant("slower", "correct", "takes 50 ms longer to send", sending.slow_sender),
    Variant("slow-receiver", "correct", "takes 50 ms longer to acknowledge", receiving.slow_receiver),
)
VARIANTS = (*SLICE, *CHAIN)


def find_variant(name: str) -> Variant | None:
    """Return the variant of this name, also one that only several faults together show; or None."""
    return next((variant for variant in (*VARIANTS, *COMBINED) if variant.name == name), None)
