"""Variants that take a failure, a probe or a webhook for something else than it is."""

from collections.abc import Callable
from dataclasses import replace
from sqlite3 import Connection

from reference.backlog import Item
from reference.breaker import Breaker, Opening, Permit
from reference.capture import Captured, Delivery, Intake, record_delivery
from reference.fields import UnusableError
from reference.handoffs import ORDER_CAPTURE, ORDER_TO_ERP, SHIPMENT_TO_CARRIER
from reference.lane import Send
from reference.orders import parse_order
from reference.outcomes import Failure, FailureError, Health, Kind, Outcome
from reference.parts import Parts
from reference.policies import ORDER_TO_ERP as POSTING
from reference.policy import BreakerPolicy
from reference.senders import verify_signature
from scenarios.zoo.variant import Variant

A_DAY_S = 86_400.0
# What the integration itself calls a connection that broke, and one over which nothing came.
CONNECTION, TIMEOUT = "CONNECTION", "TIMEOUT"
# What its client calls bytes that are no answer, and an end before any.
GARBLED = "RemoteProtocolError"
UNLISTED = frozenset({"UNEXPECTED_CONDITION"})
# Twice as long as a webhook ever takes that is delivered at the first try.
LATE_S = 0.3
Reading = Callable[[Failure], Failure]


def broken_connections_given_up() -> Parts:
    """Put an order aside as soon as the connection breaks."""
    return _reading(lambda failure: replace(failure, kind=Kind.MALFORMED) if failure.code == CONNECTION else failure)


def unknown_codes_given_up() -> Parts:
    """Put an order aside that is refused with a code nobody thought of."""
    return _reading(lambda failure: replace(failure, kind=Kind.MALFORMED) if failure.code in UNLISTED else failure)


def garbled_answers_given_up() -> Parts:
    """Put a parcel aside as soon as the carrier answers with what is no answer."""
    return _reading(
        lambda failure: replace(failure, kind=Kind.NOT_CARRIED) if failure.text.startswith(GARBLED) else failure,
        at=SHIPMENT_TO_CARRIER,
    )


def broken_connections_overlooked() -> Parts:
    """Count no connection that breaks towards the breaker."""
    wire = {CONNECTION, TIMEOUT}
    return _reading(lambda failure: replace(failure, health=Health.REFUSED) if failure.code in wire else failure)


def no_timeout() -> Parts:
    """Wait for an answer for as long as it takes."""
    return Parts(order_to_erp=replace(POSTING, timeout_s=A_DAY_S))


def any_probe_closes() -> Parts:
    """Close the breaker once a probe was sent, however it ended."""
    return Parts(make_breaker=_make_trusting)


def duplicates_fail() -> Parts:
    """Answer a webhook that is known already with an error."""
    return Parts(record=_record_or_fail)


def unsigned_believed() -> Parts:
    """Check the signature of a webhook where it has one."""
    return Parts(verify=lambda secret, body, signature: signature is None or verify_signature(secret, body, signature))


def late_ones_taken_as_done() -> Parts:
    """Take a webhook that comes late for the repetition of one that was worked on."""
    return Parts(record=_record_unless_late)


class TrustingBreaker(Breaker):
    """A breaker that any probe closes."""

    def record(self, permit: Permit, health: Health) -> Opening | None:
        """Take a probe that failed for one that passed."""
        probing = self.view()["state"] == "half_open"
        return super().record(permit, Health.UP if probing and health is Health.DOWN else health)


def _make_trusting(handoff: str, policy: BreakerPolicy, pause_s: float, on_change: Callable[[], None]) -> Breaker:
    kind = TrustingBreaker if handoff == ORDER_TO_ERP else Breaker
    return kind(handoff, policy, pause_s=pause_s, on_change=on_change)


def _reading(read: Reading, *, at: str = ORDER_TO_ERP) -> Parts:
    def wrap(handoff: str, send: Send) -> Send:
        return _read_otherwise(send, read) if handoff == at else send

    return Parts(wrap_send=wrap)


def _read_otherwise(send: Send, read: Reading) -> Send:
    async def carry(item: Item) -> Outcome:
        try:
            outcome = await send(item)
        except FailureError as error:
            outcome = error.failure
        return read(outcome) if isinstance(outcome, Failure) else outcome

    return carry


def _record_or_fail(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    captured = record_delivery(conn, delivery, intake, now=now)
    if captured.outcome == "duplicate":
        raise LookupError(f"{delivery.id} is there already")
    return captured


def _record_unless_late(conn: Connection, delivery: Delivery, intake: Intake, *, now: float) -> Captured:
    captured = record_delivery(conn, delivery, intake, now=now)
    if delivery.triggered_at is None or now - delivery.triggered_at < LATE_S or captured.outcome != "new":
        return captured
    try:
        ref = parse_order(delivery.body).number
    except UnusableError:
        return captured
    conn.execute("UPDATE backlog SET state = 'done' WHERE handoff = ? AND ref = ?", (ORDER_TO_ERP, ref))
    return replace(captured, wake=())


MISREADING: tuple[Variant, ...] = (
    Variant(
        "gives-up-on-broken-connections",
        "broken",
        "puts an order aside as soon as the connection breaks",
        broken_connections_given_up,
        (f"{ORDER_TO_ERP}/any:retry", f"{ORDER_TO_ERP}/lost_answer:exactly_once"),
        (f"{ORDER_TO_ERP}/breaker",),
    ),
    Variant(
        "gives-up-on-unknown-codes",
        "broken",
        "puts an order aside that is refused with a code nobody thought of",
        unknown_codes_given_up,
        (f"{ORDER_TO_ERP}/any:retry",),
    ),
    Variant(
        "gives-up-on-garbled-answers",
        "broken",
        "puts a parcel aside as soon as the carrier answers with what is no answer",
        garbled_answers_given_up,
        tuple(
            f"{SHIPMENT_TO_CARRIER}/{path}" for path in ("any:retry", "lost_response:retry", "lost_answer:exactly_once")
        ),
        (f"{SHIPMENT_TO_CARRIER}/breaker",),
        stack="chain",
        mapped=True,
    ),
    Variant(
        "never-times-out",
        "broken",
        "waits for an answer for as long as it takes",
        no_timeout,
        (f"{ORDER_TO_ERP}/any:retry",),
        (f"{ORDER_TO_ERP}/lost_answer:exactly_once",),
    ),
    Variant(
        "breaker-overlooks-broken-connections",
        "broken",
        "counts only answers as failures, and no connection that breaks",
        broken_connections_overlooked,
        (f"{ORDER_TO_ERP}/breaker",),
    ),
    Variant(
        "breaker-closes-on-any-probe",
        "broken",
        "closes once a probe was sent, however that ended",
        any_probe_closes,
        (f"{ORDER_TO_ERP}/breaker",),
        (f"{ORDER_TO_ERP}/outage:contain",),
    ),
    Variant(
        "fails-on-duplicates",
        "broken",
        "answers a webhook that is known already with an error",
        duplicates_fail,
        (f"{ORDER_CAPTURE}/duplicate:deduplicate",),
    ),
    Variant(
        "believes-unsigned-webhooks",
        "broken",
        "checks the signature of a webhook only where it has one",
        unsigned_believed,
        (f"{ORDER_CAPTURE}/bad_signature:reject",),
    ),
    # On a machine that is busy, any webhook may come late.
    Variant(
        "takes-late-webhooks-for-repeats",
        "broken",
        "takes a webhook that comes late for the repetition of one that was worked on",
        late_ones_taken_as_done,
        (f"{ORDER_CAPTURE}/receiver_down:recover",),
        (f"{ORDER_CAPTURE}/", f"{ORDER_TO_ERP}/"),
    ),
)
