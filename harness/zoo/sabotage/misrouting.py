"""Faults that do not bite: nothing was tested, whatever the integration did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.zoo.sabotage.forging import swap
from harness.zoo.sabotage.ground import Unsuitable, aim, spoil, until

if TYPE_CHECKING:
    from harness.core.result import Result
    from harness.engine.bench import Bench
    from harness.lab.control import Json
    from harness.zoo.sabotage.ground import Ground

NEVER_MADE = 7
NO_SUCH_KIND = "no-such-fault"


async def at_another_operation(ground: Ground) -> Result:
    """Arm a fault at an operation of the same vendor that nobody calls."""
    bench, experiment = await ground.bench(), ground.retried
    called = {operation for handoff in ground.stack.handoffs for operation in handoff.operations}
    offered = (await bench.lab.controls[experiment.faults[0].system].catalogue())["operations"]
    # What is read may well be called: a careful integration looks at what it wrote.
    writes = [each["name"] for each in offered if each["method"] != "GET" and not each["shared"]]
    uncalled = [name for name in writes if name not in called]
    if not uncalled:
        raise Unsuitable("the vendor takes no writes but those that are made")
    return await spoil(bench, aim(experiment, operations=(uncalled[-1],)))


async def at_another_order(ground: Ground) -> Result:
    """Arm a fault for the order that only brings the lab to rest afterwards."""
    experiment = ground.retried
    return await spoil(await ground.bench(), aim(experiment, orders=(experiment.orders + 1,)))


async def at_a_later_attempt(ground: Ground) -> Result:
    """Arm a fault for an attempt that is never made."""
    return await spoil(await ground.bench(), aim(ground.retried, attempts=(NEVER_MADE,)))


async def without_a_chance(ground: Ground) -> Result:
    """Plan a fault whose dice always say no."""
    return await spoil(await ground.bench(), aim(ground.retried, probability=0.0))


async def at_another_system(ground: Ground) -> Result:
    """Arm a fault of the wire in front of another system."""
    bench, experiment = await ground.bench(), ground.cut
    others = [name for name in bench.lab.vendor_addresses if name != experiment.faults[0].system]
    return await spoil(bench, aim(experiment, system=others[-1]))


async def toxic_never_applied(ground: Ground) -> Result:
    """Have the toxic engine say yes to every toxic, and apply none."""

    async def nod(_proxy: str, toxic: Any) -> Any:
        return toxic

    bench = await ground.bench()
    with swap(bench.lab.toxics.server, "add_toxic", nod):
        return await spoil(bench, ground.cut)


async def refused(ground: Ground) -> Result:
    """Ask a vendor for a fault that it does not know."""
    return await spoil(await ground.bench(), aim(ground.retried, kind=NO_SUCH_KIND))


async def lifted_early(ground: Ground) -> Result:
    """Lift a fault behind the harness's back once it has bitten."""
    experiment = ground.exhausted

    async def lift(bench: Bench) -> None:
        await until(bench, "fault", event="hit")
        await bench.lab.controls[experiment.faults[0].system].lift_all()

    return await spoil(await ground.bench(), experiment, lift)


async def never_armed(ground: Ground) -> Result:
    """Have a vendor's control plane say yes to a fault, and arm nothing."""
    experiment = ground.retried

    async def nod(fault: Json | str) -> Json:
        return {"id": fault, "armed_seq": 0} if isinstance(fault, str) else {**fault, "armed_seq": 0}

    bench = await ground.bench()
    control = bench.lab.controls[experiment.faults[0].system]
    with swap(control, "arm", nod), swap(control, "lift", nod):
        return await spoil(bench, experiment)
