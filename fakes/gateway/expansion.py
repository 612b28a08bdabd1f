"""``expand``: objects in the place of their ids, one level deep (Stripe: expanding responses)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.gateway.account import build_object
from fakes.gateway.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fakes.gateway.account import Account
    from fakes.gateway.params import Params

_EXPANDABLE = {
    "payment_intent": ("latest_charge",),
    "charge": ("payment_intent",),
    "refund": ("payment_intent", "charge"),
}


def read_expansions(params: Params, what: str, *, listed: bool = False) -> tuple[str, ...]:
    """Take ``expand``; raises RefusedError for what a ``what`` cannot expand. In lists each begins with ``data.``."""
    fields = []
    for path in params.items("expand") or []:
        field = path.removeprefix("data.") if listed else path
        if field not in _EXPANDABLE.get(what, ()) or (listed and field == path):
            raise invalid(f"This property cannot be expanded ({path[:80]}).", param="expand")
        fields.append(field)
    return tuple(fields)


def expand(account: Account, shown: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return an object with these ids replaced by what they name."""
    return {name: _load(account, value) if name in fields else value for name, value in shown.items()}


def _load(account: Account, object_id: Any) -> Any:
    for collection in (account.intents, account.charges):
        found = collection.get(str(object_id))
        if found is not None:
            return build_object(found)
    return object_id
