"""The scheduled work there is with the systems that are configured."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from reference.backlog import Wake
from reference.capture import Captured, Intake
from reference.parts import Parts
from reference.policy import ReconcilePolicy
from reference.reconcile import Listing, Reconciler, Record, record_listed_order, record_listed_parcels
from reference.runs import Job
from reference.stock import StockSync
from reference.store import Store
from reference.vendors import Vendors


@dataclass(frozen=True, slots=True)
class JobParts:
    """What jobs are made of. `intakes` are those of the inbound handoffs; `follow` and `wake` are told what was found."""

    store: Store
    vendors: Vendors
    parts: Parts
    intakes: Mapping[str, Intake]
    follow: Callable[[Captured], None]
    wake: Callable[[Iterable[Wake]], None]


def build_jobs(made_of: JobParts) -> dict[str, Job]:
    """Build every job that has a policy and a system to ask, by name."""
    parts, vendors = made_of.parts, made_of.vendors
    jobs = []
    if parts.reconcile:
        listing = vendors.storefront(parts.reconcile.timeout_s).list_orders
        jobs.append(_build_reconciliation(made_of, parts.reconcile, listing, record_listed_order))
    if parts.reconcile_shipments and vendors.settings.wms_url:
        listing = vendors.wms(parts.reconcile_shipments.timeout_s).list_orders
        jobs.append(_build_reconciliation(made_of, parts.reconcile_shipments, listing, record_listed_parcels))
    if parts.sync_inventory and vendors.settings.wms_url:
        wms = vendors.wms(parts.sync_inventory.timeout_s)
        sync = StockSync(made_of.store, wms, parts.sync_inventory, made_of.wake)
        jobs.append(_build_job(made_of, parts.sync_inventory, sync.run))
    return {job.name: job for job in jobs}


def _build_reconciliation(made_of: JobParts, policy: ReconcilePolicy, listing: Listing, record: Record) -> Job:
    reconciler = Reconciler(
        made_of.store,
        made_of.parts.wrap_listing(policy.handoff, listing),
        record,
        policy,
        made_of.intakes[policy.handoff],
        wake=made_of.follow,
        hold_s=made_of.vendors.settings.scaled(policy.hold_s),
    )
    return _build_job(made_of, policy, reconciler.run)


def _build_job(made_of: JobParts, policy: ReconcilePolicy, work: Callable[[str], Awaitable[int]]) -> Job:
    scaled = made_of.vendors.settings.scaled
    return Job(
        made_of.store,
        policy.name,
        policy.handoff,
        work,
        every_s=scaled(policy.every_s),
        expected_s=scaled(policy.expected_s),
    )
