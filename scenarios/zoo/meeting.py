"""Variants that keep their promises while trouble comes alone: at two handoffs, beside a decision, a restart, or in another's guise."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from sqlite3 import Connection

from reference import handoffs
from reference.backlog import Item
from reference.fields import UnusableError, read_stamp
from reference.lane import Lane, LaneParts, Send
from reference.outcomes import Done, Failure, Kind, Outcome
from reference.parts import Parts
from reference.senders import TOLERANCE_S, WmsSender
from reference.store import Store
from scenarios.zoo.variant import Variant

EXPIRED_CARD = "expired_card"


def patience_shared() -> Parts:
    """Count an order's failures at all handoffs together."""
    spent: Counter[str] = Counter()
    return Parts(make_lane=lambda store, parts: ImpatientLane(store, parts, spent))


def decision_forgotten() -> Parts:
    """Forget an order that fails once more after a decision about it."""
    return Parts(wrap_send=_wrap(handoffs.ORDER_TO_ERP, _forget_decided))


def placed_anew_after_restart() -> Parts:
    """Place what may have been placed before a restart under another reference."""
    return Parts(wrap_send=_wrap(handoffs.ERP_TO_WMS, _renumber_unknown))


def any_card_asked_about() -> Parts:
    """Ask about an expired card as about a declined one."""
    return Parts(wrap_send=_wrap(handoffs.PAYMENT_CAPTURE, _take_for_declined))


def any_age_believed() -> Parts:
    """Believe a webhook of the warehouse however long ago it was signed."""
    return Parts(make_wms_sender=AgelessSender)


def old_news_refused() -> Parts:
    """Refuse a webhook of the warehouse that tells of something old, however fresh its signature is."""
    return Parts(make_wms_sender=NewsSender)


def age_halved() -> Parts:
    """Refuse a webhook of the warehouse at half the age at which its signature is too old."""
    return Parts(make_wms_sender=HastySender)


class ImpatientLane(Lane):
    """A lane that takes an order's failures at any handoff for its own."""

    def __init__(self, store: Store, parts: LaneParts, spent: Counter[str]) -> None:
        super().__init__(store, parts)
        self._spent = spent

    def _commit_failure(self, conn: Connection, item: Item, failure: Failure, now: float) -> float | None:
        self._spent[item.entity] += 1
        known = max(item.attempts, self._spent[item.entity] - 1)
        return super()._commit_failure(conn, replace(item, attempts=known), failure, now)


class AgelessSender(WmsSender):
    """A sender whose signatures never grow old."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Ask at the time the signature says it is."""
        stamp = headers.get("webhook-timestamp", "")
        return stamp.isdecimal() and WmsSender(self.secret, lambda: float(stamp)).verify(headers, body)


class NewsSender(WmsSender):
    """A sender whose signatures are as old as what they sign."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Ask how long ago it happened as well."""
        return super().verify(headers, body) and self.clock() - _read_moment(body) <= TOLERANCE_S


class HastySender(WmsSender):
    """A sender whose signatures grow old twice as fast."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Ask whether it is fresh by half the age."""
        stamp = headers.get("webhook-timestamp", "")
        return super().verify(headers, body) and self.clock() - float(stamp) <= TOLERANCE_S / 2


def _read_moment(body: bytes) -> float:
    """Read when it happened of which a webhook tells; now or later where it does not say."""
    try:
        return read_stamp(json.loads(body)["timestamp"])
    except (ValueError, KeyError, TypeError, UnusableError):
        return inf


def _wrap(chosen: str, build: Callable[[Send], Send]) -> Callable[[str, Send], Send]:
    def wrap(handoff: str, send: Send) -> Send:
        return build(send) if handoff == chosen else send

    return wrap


def _forget_decided(send: Send) -> Send:
    async def carry(item: Item) -> Outcome:
        outcome = await send(item)
        decided = item.trigger.startswith("decision:")
        return Done("forgotten") if decided and isinstance(outcome, Failure) else outcome

    return carry


def _renumber_unknown(send: Send) -> Send:
    known: set[str] = set()

    async def carry(item: Item) -> Outcome:
        # What this process has not sent itself it takes for something else.
        strange = item.doubtful and item.ref not in known
        known.add(item.ref)
        if not strange:
            return await send(item)
        order = json.loads(item.document)
        order["number"] = f"{order['number']}-2"
        return await send(replace(item, document=json.dumps(order).encode()))

    return carry


def _take_for_declined(send: Send) -> Send:
    async def carry(item: Item) -> Outcome:
        outcome = await send(item)
        if isinstance(outcome, Failure) and outcome.code == EXPIRED_CARD:
            return replace(outcome, kind=Kind.DECLINED)
        return outcome

    return carry


MEETING: tuple[Variant, ...] = (
    Variant(
        "one-patience-for-all",
        "broken",
        "counts an order's failures at all handoffs together, and gives up where the third one happens",
        patience_shared,
        (f"{handoffs.ORDER_CAPTURE}/pairs:resolve",),
        stack="chain",
    ),
    Variant(
        "forgets-what-was-decided",
        "broken",
        "forgets an approved order whose next call fails",
        decision_forgotten,
        (f"{handoffs.ORDER_TO_ERP}/RESTRICTED_PRODUCT:queue",),
        stack="chain",
    ),
    Variant(
        "places-anew-after-restart",
        "broken",
        "places what it may have placed before it died under another reference",
        placed_anew_after_restart,
        (f"{handoffs.ERP_TO_WMS}/crash:recover",),
        stack="chain",
    ),
    Variant(
        "asks-about-any-card",
        "broken",
        "asks about an expired card as about a declined one",
        any_card_asked_about,
        (f"{handoffs.PAYMENT_CAPTURE}/card_declined:queue",),
        stack="chain",
    ),
    Variant(
        "believes-old-webhooks",
        "broken",
        "believes a webhook of the warehouse that was signed a day ago",
        any_age_believed,
        (f"{handoffs.WMS_SHIPMENT}/stale:reject",),
        stack="chain",
    ),
    Variant(
        "refuses-old-news",
        "broken",
        "refuses a webhook of the warehouse that comes on a late rung, signed afresh",
        old_news_refused,
        (f"{handoffs.WMS_SHIPMENT}/stale:reject",),
        stack="chain",
    ),
    Variant(
        "signatures-age-too-soon",
        "broken",
        "refuses a webhook of the warehouse at half the age of which it says it is too old",
        age_halved,
        (f"{handoffs.WMS_SHIPMENT}/stale:reject",),
        stack="chain",
    ),
)
