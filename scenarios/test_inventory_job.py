"""The inventory job takes longer than the time until its next run."""

from itertools import pairwise


def test_the_inventory_job_refuses_to_run_twice_at_once(storefront, wms, faults, history, ops):
    """A second run is refused, by hand and by schedule, and what changes meanwhile is not missed."""
    items = wms.take_in(3)

    with faults.arm(wms.answers_late("inventory.list", by="15s")) as slow:
        history.watch("5s")  # whatever ran before the warehouse became slow has ended
        history.wait_until(ops.running("sync-inventory"))
        wms.adjust(items, -3)

        assert not ops.start_job("sync-inventory")
        assert not ops.start_job("sync-inventory")

        history.wait_until(storefront.in_sync(items), within="2m")

    assert slow.receipts
    assert all(levels == {"MAIN": 97, "EAST": 50} for levels in storefront.levels(items).values())
    for earlier, later in pairwise(ops.runs("sync-inventory")):
        assert earlier["finished_at"] <= later["started_at"]
    assert not ops.alerts()
