"""The control plane of a fake: seed, faults, state, acts, catalogue."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fakes.kit.control import AnyObject, Call, ControlRoute, build_control_app
from fakes.kit.faults import build_fault
from fakes.kit.problems import ProblemError, build_validation_problem, invalid, unknown
from fakes.kit.reach import NotAllowedError, own_reach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp

    from fakes.kit.fake import Fake


class EntitySeed(BaseModel):
    """An order and the texts it goes by."""

    name: str = Field(min_length=1, max_length=300)
    aliases: list[str] = Field(default_factory=list)


class WebhookSeed(BaseModel):
    """A subscription the vendor holds without having been asked through its API."""

    topic: str
    address: str = Field(pattern=r"^https?://[!-~]+$")


class SeedBody(BaseModel):
    """The body of ``POST /seed``."""

    model_config = ConfigDict(strict=True, extra="forbid")

    entities: list[EntitySeed] = Field(default_factory=list)
    webhooks: list[WebhookSeed] = Field(default_factory=list)
    records: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    settings: dict[str, Any] | None = None


def build_fake_control(fake: Fake, token: str) -> ASGIApp:
    """Return the whole control plane of a fake."""
    calls = _Calls(fake)
    routes = [
        ControlRoute(
            "POST",
            "/seed",
            "Register entities, subscribe webhooks, bring in records, set settings",
            calls.seed,
            SeedBody,
        ),
        ControlRoute("GET", "/faults", "List the armed faults", calls.list_faults),
        ControlRoute("POST", "/faults", "Arm a fault", calls.arm, AnyObject, status=201),
        ControlRoute("DELETE", "/faults", "Lift all faults", calls.lift_all),
        ControlRoute("DELETE", "/faults/{id:path}", "Lift a fault", calls.lift),
        ControlRoute("GET", "/state/{collection}", "Show the records of a collection", calls.show_state),
        ControlRoute("POST", "/act/{verb}", "Make the vendor do something by itself", calls.act, AnyObject),
        ControlRoute("GET", "/catalogue", "Show what this vendor can do", calls.show_catalogue),
    ]
    return build_control_app(system=fake.system, journal=fake.journal, token=token, reset=fake.reset_all, routes=routes)


class _Calls:
    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    async def seed(self, call: Call) -> Mapping[str, Any]:
        """Validate everything, then take it in."""
        body: SeedBody = call.body
        await self._check_webhooks(body.webhooks)
        settings = self._plan_settings(body.settings)
        records = self._plan_records(body.records)
        for entity in body.entities:
            self._fake.entities.register(entity.name, entity.aliases)
        for apply in settings:
            apply()
        for webhook in body.webhooks:
            if self._fake.seeds.webhook is not None:
                self._fake.seeds.webhook(webhook.topic, webhook.address)
        for apply in records:
            apply()
        return {
            "seeded": {
                "entities": len(body.entities),
                "webhooks": len(body.webhooks),
                "records": len(records),
                "settings": len(body.settings or {}),
            }
        }

    async def list_faults(self, _: Call) -> Mapping[str, Any]:
        """Show the board."""
        return {"faults": [armed.describe() for armed in self._fake.board.armed()]}

    async def arm(self, call: Call) -> Mapping[str, Any]:
        """Validate and arm."""
        return self._fake.board.arm(build_fault(call.raw, self._fake.catalogue)).describe()

    async def lift(self, call: Call) -> Mapping[str, Any]:
        """Lift one."""
        return self._fake.board.lift(call.params["id"]).describe()

    async def lift_all(self, _: Call) -> Mapping[str, Any]:
        """Lift all."""
        return {"lifted": self._fake.board.lift_all()}

    async def show_state(self, call: Call) -> Mapping[str, Any]:
        """Show a collection."""
        name = call.params["collection"]
        for collection in self._fake.collections:
            if collection.name == name:
                return {"collection": name, "records": collection.describe_all()}
        known = ", ".join(collection.name for collection in self._fake.collections)
        raise ProblemError(404, f"there is no collection {name!r}; there are {known}")

    async def act(self, call: Call) -> Mapping[str, Any]:
        """Run a verb and journal it."""
        verb = call.params["verb"]
        act = self._fake.acts.get(verb)
        if act is None:
            raise ProblemError(404, f"there is no verb {verb!r}; there are {', '.join(self._fake.acts)}")
        try:
            params = act.params.model_validate(call.raw)
        except ValidationError as error:
            raise build_validation_problem(error) from error
        result = act.run(params)
        if inspect.isawaitable(result):
            result = await result
        self._fake.journal.append("act", verb=verb, params=dict(call.raw), result=result)
        return result

    async def show_catalogue(self, _: Call) -> Mapping[str, Any]:
        """Show the catalogue."""
        return self._fake.describe()

    async def _check_webhooks(self, webhooks: list[WebhookSeed]) -> None:
        if webhooks and self._fake.seeds.webhook is None:
            raise invalid("webhooks", "this vendor sends none")
        for i, webhook in enumerate(webhooks):
            if webhook.topic not in self._fake.catalogue.topics:
                raise unknown(f"webhooks.{i}.topic", webhook.topic, self._fake.catalogue.topics)
            try:
                await own_reach().ensure_allowed(urlsplit(webhook.address).hostname or "", 80)
            except NotAllowedError as error:
                raise invalid(f"webhooks.{i}.address", str(error)) from error

    def _plan_settings(self, settings: dict[str, Any] | None) -> list[Callable[[], None]]:
        if settings is None:
            return []
        if self._fake.seeds.settings is None:
            raise invalid("settings", "this vendor has none")
        model, apply = self._fake.seeds.settings
        try:
            values = model.model_validate(settings)
        except ValidationError as error:
            raise build_validation_problem(error, prefix="settings") from error
        return [lambda: apply(values)]

    def _plan_records(self, records: dict[str, list[dict[str, Any]]]) -> list[Callable[[], None]]:
        planned: list[Callable[[], None]] = []
        for name, rows in records.items():
            if name not in self._fake.seeds.records:
                raise unknown("records", name, self._fake.seeds.records)
            model, take_in = self._fake.seeds.records[name]
            for i, row in enumerate(rows):
                try:
                    value = model.model_validate(row)
                except ValidationError as error:
                    raise build_validation_problem(error, prefix=f"records.{name}.{i}") from error
                planned.append(_bind(take_in, value))
        return planned


def _bind(take_in: Callable[[Any], None], value: Any) -> Callable[[], None]:
    return lambda: take_in(value)
