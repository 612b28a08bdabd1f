"""Composition: what the service consists of, how its parts know each other, and in which order they start and stop."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from reference import runs, troubles
from reference.alerts import AlertSender
from reference.backlog import Item
from reference.capture import Captured, Delivery
from reference.config import Settings
from reference.erp import Erp
from reference.lane import LaneParts
from reference.log import get_log
from reference.observe import Observer
from reference.outcomes import Outcome
from reference.parts import Parts
from reference.receiver import Receiver
from reference.reconcile import Reconciler
from reference.replay import Replayer
from reference.runs import Job
from reference.store import Store
from reference.storefront import Storefront

DATABASE = "integration.sqlite3"
# Shorter than servers keep an idle connection: one they are about to close must not be picked for an order.
KEEPALIVE_EXPIRY_S = 3.0
log = get_log("app")


class Service:
    """The running service: owns every part that has a life of its own."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        settings.ensure_roles(parts.roles())
        self._settings = settings
        self._parts = parts
        self._tasks: list[asyncio.Task[None]] = []
        limits = httpx2.Limits(keepalive_expiry=KEEPALIVE_EXPIRY_S)
        # Proxies of the machine's user are no part of this service's configuration.
        self._http = httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False)
        self._store = Store(settings.data_dir / DATABASE)
        self._alerts = AlertSender(self._store, self._http, settings)
        timeout_s = settings.scaled(parts.order_to_erp.timeout_s)
        self._session = parts.make_session(self._http, settings, timeout_s=timeout_s)
        self._erp = Erp(self._http, settings, self._session, timeout_s=timeout_s, already_exists=parts.already_exists)
        self._lane = parts.make_lane(
            self._store,
            LaneParts(parts.order_to_erp, self._send, self._alerts.wake, settings.scaled, parts.make_breaker),
        )
        self._storefront: Storefront | None = None
        self._job = self._build_job()

    def routes(self) -> list[Route | Mount]:
        """Return the routes of the service."""
        receive = self._parts.wrap_receive(self._receive)
        receiver = Receiver(self._settings.storefront_webhook_secret, verify=self._parts.verify, receive=receive)
        return [
            Route("/healthz", self._answer_health),
            Route("/webhooks/storefront", receiver.handle, methods=["POST"]),
            Mount("/ops", routes=self._build_observer().routes()),
        ]

    async def start(self) -> None:
        """Open the store, take up what the last process left, begin to work."""
        self._store.open()
        await self._store.write(lambda conn: runs.fail_interrupted(conn, now=time.time()))
        changed = await self._store.write(
            lambda conn: troubles.record_changes(conn, self._settings.fingerprints(), now=time.time())
        )
        self._lane.start()
        self._tasks = [
            asyncio.create_task(self._alerts.run()),
            asyncio.create_task(asyncio.to_thread(self._session.prepare)),
        ]
        if self._job:
            self._tasks.append(asyncio.create_task(self._job.run_schedule()))
        log.info("started", time_scale=self._settings.time_scale, settings_changed=changed)

    async def stop(self) -> None:
        """Let what is being sent end, then stop; what is queued stays queued."""
        log.info("stopping")
        await self._lane.stop(grace_s=self._settings.scaled(self._parts.order_to_erp.timeout_s))
        if self._job:
            await self._job.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()
        await self._store.close()
        log.info("stopped")

    async def _receive(self, delivery: Delivery) -> Captured:
        policy, record = self._parts.capture, self._parts.record
        captured = await self._store.write(lambda conn: record(conn, delivery, policy, now=time.time()))
        self._follow(captured)
        return captured

    def _follow(self, captured: Captured) -> None:
        for ref in captured.wake:
            self._lane.wake(ref)
        if captured.outcome == "dead_letter":
            self._alerts.wake()

    async def _send(self, item: Item) -> Outcome:
        return await self._erp.post(self._parts.external_id(item.ref, item.attempts + 1), item.document)

    def _build_job(self) -> Job | None:
        policy = self._parts.reconcile
        if policy is None:
            return None
        scaled = self._settings.scaled
        self._storefront = Storefront(self._http, self._settings, policy)
        reconciler = Reconciler(
            self._store,
            self._storefront,
            policy,
            self._parts.capture,
            wake=self._follow,
            hold_s=scaled(policy.hold_s),
        )
        every_s, expected_s = scaled(policy.every_s), scaled(policy.expected_s)
        handoff = self._parts.capture.handoff
        return Job(self._store, policy.name, handoff, reconciler.run, every_s=every_s, expected_s=expected_s)

    def _build_observer(self) -> Observer:
        sessions = [self._session.view, *([self._storefront.view] if self._storefront else [])]
        replayer = Replayer(
            self._store,
            self._parts.order_to_erp,
            self._parts.capture,
            reconcile=self._job,
            wake=self._lane.wake,
            requeue=self._parts.requeue,
        )
        return Observer(
            self._store,
            replayer,
            jobs={self._job.name: self._job} if self._job else {},
            breakers=lambda: [self._lane.breaker.view()],
            sessions=lambda: [view() for view in sessions],
            caches=lambda: [self._session.view_cache()],
        )

    async def _answer_health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})


def build(settings: Settings, *, parts: Parts | None = None) -> Starlette:
    """Compose the service as an ASGI application; it starts and stops with the application's lifespan."""
    service = Service(settings, parts or Parts())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    return Starlette(routes=service.routes(), lifespan=lifespan)
