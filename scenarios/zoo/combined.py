"""Variants that keep every promise under any single fault, and break one where two of them meet."""

from dataclasses import replace

from reference import handoffs
from reference.backlog import Item
from reference.lane import Send
from reference.outcomes import Failure, FailureError, Kind, Outcome
from reference.parts import Parts
from scenarios.zoo.variant import Variant


def id_lost_on_renewal() -> Parts:
    """Forget under which id an order was sent when its session was renewed and the call after that got no clear answer."""
    return Parts(wrap_send=_wrap)


def _wrap(handoff: str, send: Send) -> Send:
    return _forget_on_renewal(send) if handoff == handoffs.ORDER_TO_ERP else send


def _forget_on_renewal(send: Send) -> Send:
    renewed: set[str] = set()
    doubtful: set[str] = set()

    async def carry(item: Item) -> Outcome:
        # A new session comes with a new memory: what was sent in doubt since then is not recognised as sent.
        forgotten = item.ref in renewed & doubtful
        try:
            outcome = await send(replace(item, ref=f"{item.ref}-2") if forgotten else item)
        except FailureError as error:
            outcome = error.failure
        if isinstance(outcome, Failure) and outcome.kind is Kind.SESSION_EXPIRED:
            renewed.add(item.ref)
        elif isinstance(outcome, Failure) and outcome.unknown:
            doubtful.add(item.ref)
        return outcome

    return carry


_CONSERVED = f"{handoffs.ORDER_TO_ERP}/combined:conserved"

COMBINED: tuple[Variant, ...] = (
    Variant(
        "forgets-its-id-on-renewal",
        "broken",
        "posts an order anew whose session was renewed and whose answer was then lost",
        id_lost_on_renewal,
        (_CONSERVED,),
    ),
)
