"""
The webhook outbox: every webhook is tried on the vendor's ladder until it is taken or given up.

Each webhook is its own task and each attempt its own connection, so nothing is ordered and no pooled socket escapes a fault.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from fakes.kit.clock import sleep
from fakes.kit.post import NOT_ALLOWED, Target, post
from fakes.kit.webhook_faults import PLANS, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fakes.kit.board import FaultBoard
    from fakes.kit.journal import Journal

HISTORY = 20_000
PARALLEL = 64

Signing = Literal["genuine", "forged", "missing"]


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    One delivery to be made: an event as one subscription gets it.

    ``triggered_at`` is wall time. ``aged_s`` is by how much a fault makes it look older, for vendors that date each attempt.
    ``removed``: a fault had removed its subscription when it was triggered.
    """

    webhook_id: str
    event_id: str
    topic: str
    address: str
    body: bytes
    triggered_at: float
    entity: str | None = None
    subscription: str | None = None
    aged_s: float = 0.0
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended: ``status`` or ``error`` (connect, timeout, reset, not_allowed)."""

    webhook: Webhook
    number: int
    status: int | None
    error: str | None
    last: bool

    @property
    def taken(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Dress(Protocol):
    """Build the vendor's headers, signature included, in the vendor's case."""

    def __call__(self, webhook: Webhook, signed_body: bytes, signing: Signing) -> Iterable[tuple[str, str]]:
        """Return the headers; ``signed_body`` is what the signature is over."""


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """
    How a vendor delivers.

    ``ladder_s`` are the waits before each retry, divided by ``time_scale``; timeouts are real seconds. ``observe`` hears of
    every attempt and says whether the webhook may be tried again. ``rename`` makes of a webhook the one under another id, for vendors
    that write the id into the body.
    """

    dress: Dress
    ladder_s: tuple[float, ...]
    new_webhook_id: Callable[[], str]
    connect_timeout_s: float = 1.0
    total_timeout_s: float = 5.0
    time_scale: float = 1.0
    observe: Callable[[Attempt], bool] = lambda _: True
    rename: Callable[[Webhook, str], Webhook] = lambda webhook, webhook_id: replace(webhook, webhook_id=webhook_id)


@dataclass(slots=True)
class _Delivered:
    """Which topics were delivered about which order, and who waits for one."""

    seen: set[tuple[str, str | None]] = field(default_factory=set)
    waiting: dict[tuple[str, str | None], asyncio.Event] = field(default_factory=dict)

    def note(self, topic: str, entity: str | None) -> None:
        self.seen.add((topic, entity))
        event = self.waiting.pop((topic, entity), None)
        if event is not None:
            event.set()

    def event(self, topic: str, entity: str | None) -> asyncio.Event:
        event = asyncio.Event()
        if (topic, entity) in self.seen:
            event.set()
            return event
        return self.waiting.setdefault((topic, entity), event)


class Outbox:
    """Send webhooks and journal every attempt."""

    def __init__(self, journal: Journal, board: FaultBoard, settings: OutboxSettings) -> None:
        self.settings = settings
        self._journal = journal
        self._board = board
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(PARALLEL)
        self.reset()

    def reset(self) -> None:
        """Forget what was sent and stop what is being sent."""
        for task in self._tasks:
            task.cancel()
        self._sent: deque[Webhook] = deque(maxlen=HISTORY)
        self._delivered = _Delivered()

    def find(self, webhook_id: str) -> Webhook | None:
        """Return a webhook sent before."""
        return next((webhook for webhook in reversed(self._sent) if webhook.webhook_id == webhook_id), None)

    def send(self, webhook: Webhook) -> None:
        """Start delivering; must be called inside the loop. A fault on this topic and order acts here."""
        self._sent.append(webhook)
        hit = self._board.hit(
            "webhook", webhook.topic, webhook.entity, removed=webhook.removed, webhook_id=webhook.webhook_id
        )
        plan = Plan() if hit is None else PLANS[hit.fault.kind](hit)
        for group in self._copy(webhook, plan):
            self._spawn(group, plan)

    async def send_once(self, webhook: Webhook, headers: Iterable[tuple[str, str]]) -> Attempt:
        """Make one attempt with headers of the caller's making, past all faults, and return how it ended."""
        return await self._attempt(webhook, webhook.body, list(headers), Plan(retries=False), number=1)

    def _copy(self, webhook: Webhook, plan: Plan) -> list[list[Webhook]]:
        settings = self.settings
        more = range(plan.copies - 1)
        again = [webhook if plan.same_id else settings.rename(webhook, settings.new_webhook_id()) for _ in more]
        copies = [webhook, *again]
        return [[copy] for copy in copies] if plan.together else [copies]

    def _spawn(self, webhooks: list[Webhook], plan: Plan) -> None:
        async def work() -> None:
            await self._hold(webhooks[0], plan)
            for webhook in webhooks:
                await self._deliver(webhook, plan)

        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hold(self, webhook: Webhook, plan: Plan) -> None:
        if plan.delay_s:
            await sleep(self._journal.clock, plan.delay_s)
        if plan.after_topic is None or plan.ended is None:
            return
        delivered = self._delivered.event(plan.after_topic, webhook.entity)
        waits = [asyncio.ensure_future(event.wait()) for event in (delivered, plan.ended)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _deliver(self, webhook: Webhook, plan: Plan) -> None:
        if plan.dropped:
            self._note_suppressed(webhook, plan)
            return
        body = plan.mutate(webhook.body)
        aged_s = 0.0 if plan.signed_now else plan.age_s
        triggered = replace(webhook, triggered_at=webhook.triggered_at - plan.age_s, aged_s=aged_s)
        ladder = self.settings.ladder_s if plan.retries else ()
        for number in range(1, len(ladder) + 2):
            signed = webhook.body if plan.signs_original else body
            headers = list(self.settings.dress(triggered, signed, plan.signing))
            attempt = await self._attempt(triggered, body, headers, plan, number=number)
            if attempt.taken or attempt.last:
                return
            await sleep(self._journal.clock, ladder[number - 1] / self.settings.time_scale)

    async def _attempt(
        self, webhook: Webhook, body: bytes, headers: list[tuple[str, str]], plan: Plan, *, number: int
    ) -> Attempt:
        async with self._slots:
            sent = self._journal.clock.mono()
            target = Target(webhook.address, self.settings.connect_timeout_s, self.settings.total_timeout_s)
            status, error = await post(target, headers, body)
            ended = self._journal.clock.mono()
        rungs = len(self.settings.ladder_s) if plan.retries else 0
        attempt = Attempt(webhook, number, status, error, last=number > rungs or error == NOT_ALLOWED)
        if plan.retries and not self.settings.observe(attempt):
            attempt = replace(attempt, last=True)
        outcome = "delivered" if attempt.taken else "gave_up" if attempt.last else "failed"
        self._note(webhook, body, plan, attempt=number, status=status, error=error, outcome=outcome, span=(sent, ended))
        if attempt.taken:
            self._delivered.note(webhook.topic, webhook.entity)
        return attempt

    def _note_suppressed(self, webhook: Webhook, plan: Plan) -> None:
        now = self._journal.clock.mono()
        self._note(
            webhook, webhook.body, plan, attempt=1, status=None, error=None, outcome="suppressed", span=(now, now)
        )

    def _note(self, webhook: Webhook, body: bytes, plan: Plan, *, span: tuple[float, float], **ending: Any) -> None:
        self._journal.append(
            "delivery",
            topic=webhook.topic,
            webhook_id=webhook.webhook_id,
            event_id=webhook.event_id,
            entity=webhook.entity,
            address=webhook.address,
            body_sha256=hashlib.sha256(body).hexdigest(),
            **ending,
            sent_mono=span[0],
            ended_mono=span[1],
            faults=[plan.fault_id] if plan.fault_id else [],
        )
