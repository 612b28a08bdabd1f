"""Composition: what the service consists of, how its parts know each other, and in which order they start and stop."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from reference import backlog, runs, troubles
from reference.backlog import Wake
from reference.capture import Captured, Delivery, Intake
from reference.catalogue import build_names
from reference.config import Settings
from reference.crew import build_sends, choose_policies
from reference.decisions import Decider
from reference.jobs import JobParts, build_jobs
from reference.lane import Lane, LaneParts
from reference.log import get_log
from reference.observe import Observer
from reference.outbox import Sender as OutboxSender
from reference.parts import Parts, Record
from reference.receiver import Receive, Receiver
from reference.replay import Inbound, Replayer, reread_order, reread_parcel
from reference.senders import GatewaySender, Sender, StorefrontSender
from reference.store import Store
from reference.vendors import Vendors

DATABASE = "integration.sqlite3"
# Shorter than servers keep an idle connection: one they are about to close must not be picked for an order.
KEEPALIVE_EXPIRY_S = 3.0
log = get_log("app")


class Service:
    """The running service: owns every part that has a life of its own."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._policies = choose_policies(settings, parts)
        self._graph = parts.make_graph(self._policies)
        self._orders = Intake(parts.capture, self._graph)
        self._parcels = Intake(parts.wms_shipment, self._graph)
        settings.ensure_roles(self._list_roles())
        self._tasks: list[asyncio.Task[None]] = []
        limits = httpx2.Limits(keepalive_expiry=KEEPALIVE_EXPIRY_S)
        # Proxies of the machine's user are no part of this service's configuration.
        self._http = httpx2.AsyncClient(limits=limits, timeout=None, trust_env=False)
        self._store = Store(settings.data_dir / DATABASE)
        self._outbox = OutboxSender(self._store, self._http, settings)
        timeout_s = settings.scaled(parts.order_to_erp.timeout_s)
        self._session = parts.make_session(self._http, settings, timeout_s=timeout_s)
        self._vendors = Vendors(self._http, settings, self._session)
        self._names = build_names(self._vendors.storefront(parts.inventory_sync.timeout_s), settings.scaled)
        self._lanes = self._build_lanes()
        intakes = {intake.policy.handoff: intake for intake in (self._orders, self._parcels)}
        self._jobs = build_jobs(
            JobParts(self._store, self._vendors, parts, intakes, follow=self._follow, wake=self._wake)
        )

    def routes(self) -> list[Route | Mount]:
        """Return the routes of the service."""
        settings, parts = self._settings, self._parts
        storefront = StorefrontSender(settings.storefront_webhook_secret, parts.verify)
        routes: list[Route | Mount] = [
            Route("/healthz", self._answer_health),
            Mount("/ops", routes=self._build_observer().routes()),
            self._build_receiver(storefront, parts.record, self._orders),
        ]
        if settings.gateway_url:
            gateway = GatewaySender(settings.gateway_webhook_secret)
            routes.append(self._build_receiver(gateway, parts.record_event, self._orders))
        if settings.wms_url:
            wms = parts.make_wms_sender(settings.wms_webhook_secret)
            routes.append(self._build_receiver(wms, parts.record_parcel, self._parcels))
        return routes

    async def start(self) -> None:
        """Open the store, take up what the last process left, begin to work."""
        self._store.open()
        await self._store.write(lambda conn: runs.fail_interrupted(conn, now=time.time()))
        await self._store.write(backlog.doubt_queued)
        changed = await self._store.write(
            lambda conn: troubles.record_changes(conn, self._settings.fingerprints(), now=time.time())
        )
        for lane in self._lanes.values():
            lane.start()
        self._tasks = [
            asyncio.create_task(self._outbox.run()),
            asyncio.create_task(asyncio.to_thread(self._session.prepare)),
            *(asyncio.create_task(job.run_schedule()) for job in self._jobs.values()),
        ]
        log.info("started", time_scale=self._settings.time_scale, handoffs=[*self._lanes], settings_changed=changed)

    async def stop(self) -> None:
        """Let what is being sent end, then stop; what is queued stays queued."""
        log.info("stopping")
        scaled = self._settings.scaled
        await asyncio.gather(*(lane.stop(grace_s=scaled(lane.policy.timeout_s)) for lane in self._lanes.values()))
        for job in self._jobs.values():
            await job.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()
        await self._store.close()
        log.info("stopped")

    def _build_lanes(self) -> dict[str, Lane]:
        sends = build_sends(self._vendors, self._parts, self._names, self._quiet)
        return {
            handoff: self._parts.make_lane(
                self._store,
                LaneParts(
                    policy,
                    self._parts.wrap_send(handoff, sends[handoff]),
                    self._graph,
                    wake=self._wake,
                    announce=self._outbox.wake,
                    scaled=self._settings.scaled,
                    make_breaker=self._parts.make_breaker,
                ),
            )
            for handoff, policy in self._policies.items()
        }

    def _build_receiver(self, sender: Sender, record: Record, intake: Intake) -> Route:
        async def receive(delivery: Delivery) -> Captured:
            captured = await self._store.write(lambda conn: record(conn, delivery, intake, now=time.time()))
            self._follow(captured)
            return captured

        wrapped: Receive = self._parts.wrap_receive(receive)
        return Route(f"/webhooks/{sender.name}", Receiver(sender, wrapped).handle, methods=["POST"])

    def _follow(self, captured: Captured) -> None:
        self._wake(captured.wake)
        if captured.outcome in {"dead_letter", "new"}:  # a new order may be one to ask a person about
            self._outbox.wake()

    def _wake(self, wakes: Iterable[Wake]) -> None:
        for wake in wakes:
            if wake.handoff in self._lanes:
                self._lanes[wake.handoff].wake(wake.ref)

    async def _quiet(self, ref: str) -> None:
        for handoff, lane in self._lanes.items():
            if handoff != self._parts.cancel_and_refund.handoff:
                await lane.quiet(ref)

    def _list_roles(self) -> set[str]:
        inbound = [self._orders, *([self._parcels] if self._settings.wms_url else [])]
        roles = {role for intake in inbound for role in intake.policy.roles()}
        return roles.union(*(policy.roles() for policy in self._policies.values()))

    def _build_observer(self) -> Observer:
        jobs = {job.handoff: job for job in self._jobs.values()}
        inbound = {
            intake.policy.handoff: Inbound(intake, reread, jobs.get(intake.policy.handoff))
            for intake, reread in ((self._orders, reread_order), (self._parcels, reread_parcel))
        }
        replayer = Replayer(self._store, self._policies, inbound, wake=self._wake, requeue=self._parts.requeue)
        return Observer(
            self._store,
            replayer,
            Decider(self._store, self._graph, self._wake),
            jobs=self._jobs,
            breakers=lambda: [lane.breaker.view() for lane in self._lanes.values() if lane.breaker],
            sessions=lambda: [self._session.view(), *self._vendors.views()],
            caches=self._list_caches,
        )

    def _list_caches(self) -> list[dict[str, object]]:
        names = (self._names.items, self._names.locations) if self._settings.wms_url else ()
        return [self._session.view_cache(), *(cache.view() for cache in names)]

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
