"""What the control plane can set: records and settings brought in, sessions ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from fakes.erp.content import Validation, read_content
from fakes.erp.fulfilments import Fulfilments
from fakes.erp.model import ITEM_FULFILLMENT, RECORD_TYPES, SALES_ORDER
from fakes.kit.answers import RefusedError
from fakes.kit.bodies import dig, texts
from fakes.kit.fake import Act, Seeds
from fakes.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.erp.model import RecordType
    from fakes.erp.record import Record
    from fakes.erp.records import RecordStore
    from fakes.erp.sessions import Sessions


class SettingsSeed(BaseModel):
    """Settings that may change while the fake runs; what is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    token_lifetime_s: int | None = Field(None, ge=1, le=1_000_000)
    concurrency: int | None = Field(None, ge=1, le=1_000_000)
    work_s: float | None = Field(None, ge=0, le=60)


class RecordSeed(BaseModel):
    """A record, as the body of its create call would give it: any of its fields. A fulfilment names its order by `createdFrom.externalId`."""

    model_config = ConfigDict(extra="allow")


def build_seeds(store: RecordStore, apply_settings: Callable[[SettingsSeed], None]) -> Seeds:
    """Build what `POST /seed` can do with this vendor."""
    return Seeds(
        records={each.collection: (RecordSeed, partial(_take_in, store, each)) for each in RECORD_TYPES.values()},
        settings=(SettingsSeed, apply_settings),
    )


def build_acts(sessions: Sessions) -> dict[str, Act]:
    """Build the verbs of this vendor."""
    return {
        "expire-sessions": Act(
            "Revoke every access token that is valid now", lambda _: {"expired": sessions.revoke_all()}
        )
    }


def _take_in(store: RecordStore, record_type: RecordType, seed: RecordSeed) -> None:
    given = seed.model_extra or {}
    try:
        content = read_content(record_type, given, Validation(names="error"))
        if record_type is ITEM_FULFILLMENT:
            Fulfilments(store).fulfil(_find_source(store, given), content, only_named=True)
        else:
            store.create(record_type, content)
    except RefusedError as refused:
        raise ProblemError(422, f"{record_type.collection}: {refused.answer.body.decode()}") from refused


def _find_source(store: RecordStore, given: dict[str, Any]) -> Record:
    for text in texts(dig(given, "createdFrom", "externalId")):
        order = store.find_external(SALES_ORDER, text)
        if order is not None:
            return order
    raise ProblemError(422, "item_fulfillments: createdFrom.externalId names no sales order")
