"""The inhabitants that only the whole chain shows, the broken ones by the handoff they break."""

from collections.abc import Callable
from functools import partial

from reference import handoffs
from reference.parts import Parts
from scenarios.zoo import calling, carrying, cascading, numbers, posting, rules, unloading
from scenarios.zoo.variant import Variant


def _break(
    handoff: str,
    name: str,
    about: str,
    compose: Callable[[], Parts],
    *clauses: str,
    also: tuple[str, ...] = (),
    mapped: bool = False,
) -> Variant:
    """Make a broken one: the clauses are those of its handoff, `also` are whole ids or their beginnings."""
    needed = mapped or handoff in {handoffs.SHIPMENT_TO_CARRIER, handoffs.ORDER_TO_CRM}
    broken = tuple(f"{handoff}/{clause}" for clause in clauses)
    return Variant(name, "broken", about, compose, broken, also, "chain", mapped=needed)


def _keep(name: str, about: str, compose: Callable[[], Parts]) -> Variant:
    return Variant(name, "correct", about, compose, stack="chain", mapped=True)


_capture_orders = partial(_break, handoffs.ORDER_CAPTURE)
_order = partial(_break, handoffs.ORDER_TO_ERP)
_capture = partial(_break, handoffs.PAYMENT_CAPTURE)
_write_back = partial(_break, handoffs.PAYMENT_WRITEBACK)
_place = partial(_break, handoffs.ERP_TO_WMS)
_unload = partial(_break, handoffs.WMS_SHIPMENT)
_fulfil = partial(_break, handoffs.SHIPMENT_TO_ERP)
_track = partial(_break, handoffs.FULFILMENT_WRITEBACK)
_post = partial(_break, handoffs.SHIPMENT_TO_CARRIER)
_stock = partial(_break, handoffs.INVENTORY_SYNC)
_introduce = partial(_break, handoffs.ORDER_TO_CRM)
_credit = partial(_break, handoffs.REFUND_TO_ERP)

CHAIN: tuple[Variant, ...] = (
    _capture_orders(
        "no-order-reconcile",
        "never looks for orders whose webhook was lost or not subscribed any more",
        numbers.no_schedule,
        "dropped:reconcile",
        "subscription_removed:reconcile",
    ),
    _order(
        "believes-204", "believes that what the ERP accepts is kept", carrying.write_believed, "not_persisted:retry"
    ),
    _order(
        "retries-on-400",
        "sends again what was refused with 400 by a rule, instead of asking",
        rules.restricted_retried,
        "RESTRICTED_PRODUCT:queue",
    ),
    _order(
        "asks-wrong-role",
        "asks another role about a restricted product",
        rules.restricted_asked_of_others,
        "RESTRICTED_PRODUCT:queue",
    ),
    _order(
        "resumes-twice", "makes two records of an approved order", carrying.resumed_twice, "RESTRICTED_PRODUCT:queue"
    ),
    _order(
        "retries-without-permission",
        "sends again what it may not write",
        rules.permission_retried,
        "permission_denied:dead_letter",
    ),
    _capture("captures-once-too-often", "sends rate limited captures five times", rules.fifth_capture, "429:retry"),
    _capture("retries-declined", "sends a declined capture again", rules.declined_retried, "card_declined:queue"),
    _capture("ignores-threshold", "captures any amount unasked", rules.no_threshold, "amount>500.00EUR:queue"),
    _capture(
        "charges-anew-when-unsure",
        "makes another payment when it does not know what came of the first",
        calling.charged_anew,
        "lost_answer:exactly_once",
        "lost_response:retry",
        "any:retry",
        also=("payment-capture/breaker",),
    ),
    _capture(
        "doubles-partial-captures",
        "takes half of the amount once more, by a payment of its own, before each further attempt",
        calling.part_captured_again,
        "429:retry",
        "lost_response:retry",
        "any:retry",
        also=("payment-capture/",),
    ),
    _capture(
        "new-key-per-attempt",
        "captures under another idempotency key with every attempt",
        carrying.new_key_per_attempt,
        "429:retry",
        "any:retry",
        also=tuple(
            f"payment-capture/{clause}"
            for clause in (
                "payment_intent_unexpected_state+already-been-captured:branch",
                "card_declined:queue",
                "breaker",
            )
        ),
    ),
    _capture(
        "believes-unexpected-state",
        "takes any payment in an unexpected state for captured",
        carrying.state_believed,
        "payment_intent_unexpected_state+already-been-captured:branch",
    ),
    _write_back(
        "writes-back-blindly",
        "never looks before it writes a capture back again",
        carrying.write_back_blind,
        "lost_answer:exactly_once",
    ),
    _write_back(
        "write-back-ignores-retry-after",
        "does not wait as long as the storefront asks for",
        rules.write_back_impatient,
        "rate_limited:retry",
    ),
    _write_back(
        "drops-failed-write-back",
        "forgets a capture that could not be written back",
        carrying.write_back_dropped,
        "rate_limited:retry",
        "any:retry",
        "dead_letter:escalate",
        "outage:contain",
    ),
    # What the warehouse should have waited for is what tells.
    _capture(
        "ships-unpaid",
        "hands orders to the warehouse without waiting for the payment",
        cascading.shipped_unpaid,
        "outage:contain",
    ),
    _place(
        "leaves-orders-short",
        "does not turn to the second location",
        rules.left_short,
        "partial_allocation:branch",
    ),
    _place(
        "retries-duplicate-reference",
        "retries an order the warehouse has already",
        calling.duplicate_retried,
        "duplicate_reference:branch",
        "lost_answer:exactly_once",
        "crash:recover",
        also=("erp-to-wms/breaker",),
    ),
    _place(
        "warehouse-breaker-never-opens",
        "goes on sending whatever happens",
        rules.warehouse_breaker_shut,
        "breaker",
    ),
    _place(
        "places-anew-per-attempt",
        "places an order under another reference with every attempt",
        carrying.placed_anew,
        "lost_answer:exactly_once",
        "any:retry",
        also=("erp-to-wms/breaker",),
    ),
    _unload(
        "believes-any-parcel",
        "believes whoever posts a shipment",
        unloading.any_parcel_believed,
        "bad_signature:reject",
        "stale:reject",
    ),
    _unload(
        "every-parcel-anew",
        "takes each further delivery of a shipment for another shipment",
        unloading.every_parcel_anew,
        "duplicate:deduplicate",
        # What comes again may be known already, of an acknowledgement that was lost or of a reconciliation.
        also=("wms-shipment/crash:recover", "wms-shipment/receiver_down:recover"),
    ),
    _unload(
        "forgets-malformed-parcels",
        "acknowledges what it cannot read and forgets it",
        unloading.malformed_parcel_ignored,
        "malformed:dead_letter",
    ),
    _unload(
        "no-shipment-reconcile",
        "never looks for shipments whose webhook was lost",
        unloading.no_shipment_schedule,
        "dropped:reconcile",
    ),
    _fulfil(
        "fulfils-anew-per-attempt",
        "gives a shipment another external id with every attempt",
        carrying.fulfilled_anew,
        "lost_answer:exactly_once",
        "any:retry",
        also=("shipment-to-erp/USER_ERROR+already-exists:branch",),
    ),
    _fulfil("fulfils-once-too-often", "sends a failing fulfilment four times", rules.fourth_fulfilment, "any:retry"),
    _fulfil(
        "drops-failed-fulfilment",
        "forgets an item fulfilment the ERP did not take",
        carrying.fulfilment_dropped,
        "any:retry",
        "dead_letter:escalate",
        "outage:contain",
        also=("shipment-to-erp/USER_ERROR+already-exists:branch",),
    ),
    _track(
        "tracking-ignores-retry-after",
        "does not wait as long as the storefront asks for",
        rules.fulfilment_impatient,
        "rate_limited:retry",
    ),
    _track(
        "one-breaker-for-all",
        "pauses every handoff when one of them fails, and counts the successes of all",
        cascading.one_breaker,
        "outage:contain",
        also=tuple(
            f"{handoff}/{clause}"
            for handoff in (
                handoffs.ORDER_TO_ERP,
                handoffs.PAYMENT_CAPTURE,
                handoffs.ERP_TO_WMS,
                handoffs.FULFILMENT_WRITEBACK,
                handoffs.SHIPMENT_TO_CARRIER,
            )
            for clause in ("breaker", "outage:contain")
        ),
    ),
    _track(
        "tracking-told-to-wrong-role",
        "tells another role of what the storefront does not take",
        rules.shipments_told_to_others,
        "dead_letter:escalate",
    ),
    # Each telling of a parcel that is shipped shows it, so everything that ships may.
    _track(
        "tells-of-one-of-each",
        "tells the shop of one piece of each thing in a parcel",
        posting.told_in_part,
        "clean:resolve",
        also=tuple(
            f"{handoff}/"
            for handoff in (
                handoffs.ERP_TO_WMS,
                handoffs.WMS_SHIPMENT,
                handoffs.SHIPMENT_TO_ERP,
                handoffs.FULFILMENT_WRITEBACK,
                handoffs.SHIPMENT_TO_CARRIER,
            )
        ),
    ),
    _post(
        "buys-labels-anew-per-attempt",
        "buys a label under another idempotency key with every attempt",
        posting.bought_anew,
        "lost_answer:exactly_once",
        "lost_response:retry",
        "rate_limited:retry",
        "any:retry",
        also=("shipment-to-carrier/breaker", "shipment-to-carrier/address_undeliverable:queue"),
    ),
    _unload(
        "buys-labels-by-the-webhook",
        "buys another label whenever the warehouse tells of a parcel again",
        posting.bought_by_the_webhook,
        "duplicate:deduplicate",
        also=("wms-shipment/crash:recover", "wms-shipment/receiver_down:recover"),
        mapped=True,
    ),
    _post(
        "retries-undeliverable",
        "sends a parcel again to where nobody can deliver",
        rules.undeliverable_retried,
        "address_undeliverable:queue",
    ),
    _post(
        "retries-unfit-parcels",
        "sends a parcel again that no service takes",
        rules.unfit_retried,
        "service_unavailable_for_parcel:dead_letter",
    ),
    _post(
        "carrier-ignores-retry-after",
        "does not wait as long as the carrier asks for",
        rules.carrier_impatient,
        "rate_limited:retry",
    ),
    _post(
        "drops-failed-labels",
        "forgets a label the carrier did not sell",
        carrying.label_dropped,
        "rate_limited:retry",
        "any:retry",
        "address_undeliverable:queue",
        "service_unavailable_for_parcel:dead_letter",
        "dead_letter:escalate",
        "outage:contain",
        also=("shipment-to-carrier/lost_response:retry", "shipment-to-carrier/breaker"),
    ),
    _introduce(
        "waits-for-the-crm",
        "posts and captures nothing before the customer is a contact",
        posting.contact_first,
        "outage:contain",
        # Whose contact is put aside is neither posted nor, as declared, waiting.
        also=("order-to-crm/",),
    ),
    _introduce(
        "drops-failed-contacts",
        "forgets a contact the CRM did not take",
        carrying.contact_dropped,
        "rate_limited:retry",
        "any:retry",
        "dead_letter:escalate",
        "outage:contain",
    ),
    _stock(
        "stock-ignores-retry-after",
        "does not wait as long as the storefront asks for",
        rules.stock_impatient,
        "rate_limited:retry",
    ),
    _stock(
        "stock-at-wrong-location",
        "sets the level of one location at the other",
        carrying.stock_elsewhere,
        "clean:resolve",
        also=("inventory-sync/",),
    ),
    _stock(
        "stock-told-to-nobody", "collects dead letters and tells nobody", rules.stock_untold, "dead_letter:escalate"
    ),
    _credit(
        "credits-anew-per-attempt",
        "writes another credit memo with every attempt",
        carrying.credited_anew,
        "lost_answer:exactly_once",
        "any:retry",
        also=("refund-to-erp/USER_ERROR+already-exists:branch",),
    ),
    _credit(
        "drops-failed-credit",
        "forgets a credit memo the ERP did not take",
        carrying.credit_dropped,
        "any:retry",
        "dead_letter:escalate",
        "outage:contain",
        also=("refund-to-erp/USER_ERROR+already-exists:branch",),
    ),
    _credit(
        "tells-late-of-refunds",
        "tells of four dead letters, not of three",
        rules.refunds_told_late,
        "dead_letter:escalate",
    ),
    _keep("one-worker-everywhere", "sends one item at a time at every handoff", carrying.one_worker_everywhere),
    _keep(
        "deaf-to-gateway",
        "does without the gateway's events: a capture is sent again under its key until its outcome is known",
        unloading.events_ignored,
    ),
    _keep("always-looking", "looks before every write-back whether it was made", carrying.always_looking),
)
