"""Everyone in the zoo, by name."""

from reference.parts import Parts
from scenarios.zoo import numbers, receiving, sending
from scenarios.zoo.chain import CHAIN
from scenarios.zoo.combined import COMBINED
from scenarios.zoo.deciding import DECIDING
from scenarios.zoo.escalating import ESCALATING
from scenarios.zoo.meeting import MEETING
from scenarios.zoo.misreading import MISREADING
from scenarios.zoo.remembering import REMEMBERING
from scenarios.zoo.repeating import REPEATING
from scenarios.zoo.unasked import UNASKED
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
        "no-jitter",
        "broken",
        "waits the full backoff each time, although the waits are to be jittered",
        numbers.no_jitter,
        (f"{ERP}/429:retry",),
    ),
    Variant(
        "explodes-kits-twice",
        "broken",
        "explodes sets into their parts with every attempt, also where that was done before",
        sending.kits_exploded_again,
        (f"{ERP}/429:retry", f"{ERP}/any:retry", f"{ERP}/session_expired:renew_session"),
        (f"{ERP}/",),
    ),
    Variant(
        "acknowledges-dead-letters-before-writing",
        "broken",
        "takes an item off the queue as dead before its dead letter is written",
        sending.letters_unwritten,
        (f"{ERP}/dead_letter:escalate", f"{ERP}/429:retry", f"{ERP}/any:retry", f"{ERP}/malformed:dead_letter"),
        (f"{ERP}/",),
    ),
    Variant(
        "escalates-every-time",
        "broken",
        "raises an alert of its own for every further dead letter",
        numbers.every_letter_escalated,
        (f"{ERP}/dead_letter:escalate",),
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
        "breaker-counts-failures-in-all",
        "broken",
        "counts failures that are not in a row",
        sending.failures_in_all,
        (f"{ERP}/breaker",),
        # It pauses whatever comes up after five failures, however much went well in between.
        (f"{ERP}/",),
    ),
    # Whatever fails often enough opens it, such as the orders of a herd.
    Variant(
        "breaker-never-half-opens",
        "broken",
        "stays open once opened",
        sending.never_half_open,
        (f"{ERP}/breaker",),
        (f"{ERP}/429:retry", f"{ERP}/outage:contain"),
    ),
    Variant(
        "drops-backlog-when-open",
        "broken",
        "throws away what comes up while open",
        sending.backlog_dropped,
        (f"{ERP}/breaker",),
        (f"{ERP}/429:retry", f"{ERP}/outage:contain"),
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
        "deduplicates-by-body",
        "broken",
        "tells deliveries apart by their bodies, so that an update is another order",
        receiving.known_by_body,
        (f"{CAPTURE}/out_of_order:reorder",),
        (f"{CAPTURE}/crash:recover", f"{CAPTURE}/receiver_down:recover", f"{CAPTURE}/duplicate:deduplicate"),
    ),
    Variant(
        "reconciliation-skips-a-page",
        "broken",
        "begins with the second page of what the storefront lists",
        receiving.first_page_skipped,
        (f"{CAPTURE}/dropped:reconcile",),
        (f"{CAPTURE}/receiver_down:recover", f"{CAPTURE}/malformed:dead_letter"),
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
    Variant("many-workers", "correct", "sends up to twelve orders at once", numbers.many_workers),
    Variant("other-jitter", "correct", "draws its waits from a triangle instead of evenly", numbers.other_jitter),
    Variant("batching", "correct", "sends at the stroke of every tenth of a second", sending.batching),
    Variant("slower", "correct", "takes 50 ms longer to send", sending.slow_sender),
    Variant("slow-receiver", "correct", "takes 50 ms longer to acknowledge", receiving.slow_receiver),
)
VARIANTS = (
    *SLICE,
    *CHAIN,
    *MEETING,
    *REPEATING,
    *ESCALATING,
    *MISREADING,
    *REMEMBERING,
    *DECIDING,
    *UNASKED,
)


def find_variant(name: str) -> Variant | None:
    """Return the variant of this name, also one that only several faults together show; or None."""
    return next((variant for variant in (*VARIANTS, *COMBINED) if variant.name == name), None)
