"""The tap's control plane (docs/contract.md §3): bodies in, the `Tap` asked, JSON out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fakes.kit.control import Call, ControlRoute, build_control_app
from fakes.kit.problems import invalid
from fakes.kit.reach import NotAllowedError, own_reach
from harness.wire.address import Address
from harness.wire.matching import Route
from harness.wire.rules import DEFAULT_TTL_S, LONGEST_TTL_S, REFUSE, Rule
from harness.wire.signals import Moment, Signal, signal_number
from harness.wire.values import Certificate, Listener, Tls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from harness.wire.tap import Tap


def _check_address(text: str) -> str:
    if Address.parse(text).port == 0:
        raise ValueError(f"address {text}: port 0 leads nowhere")
    return text


def _check_listen_address(text: str) -> str:
    Address.parse(text, default_host="127.0.0.1")
    return text


def _check_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


def _check_signal(name: str) -> str:
    signal_number(name)
    return name


Name = Annotated[str, Field(min_length=1, max_length=300)]
ListenerName = Annotated[str, Field(pattern=r"^[^/\s]{1,300}$")]
UpstreamAddress = Annotated[str, AfterValidator(_check_address)]
RuleUpstream = Annotated[str, AfterValidator(lambda text: text if text == REFUSE else _check_address(text))]
Entities = dict[Name, Annotated[list[Name], Field(min_length=1)]]
TtlSeconds = Annotated[float, Field(gt=0, le=LONGEST_TTL_S)]


class Body(BaseModel):
    """A body whose values are taken as they are; what is not known is ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class RouteBody(Body):
    """An operation of a listener."""

    operation: Name
    method: Name
    path: Annotated[str, AfterValidator(_check_pattern)]


class CertificateBody(Body):
    """A certificate with its key, for the hosts it is shown to."""

    hosts: Annotated[list[Name], Field(min_length=1)]
    chain_pem: str
    key_pem: Annotated[str, Field(repr=False)]


class TlsBody(Body):
    """How a listener ends TLS."""

    certificates: Annotated[list[CertificateBody], Field(min_length=1)]
    passthrough: UpstreamAddress | None = None


class ListenerBody(Body):
    """The body of `POST /listeners`: a listener with an `upstream`, or a front with `hosts`."""

    name: ListenerName
    system: Name = "front"
    direction: Literal["outbound", "inbound"] = "outbound"
    upstream: UpstreamAddress | None = None
    routes: list[RouteBody] = []
    relay: Literal["http", "opaque"] = "http"
    address: Annotated[str, AfterValidator(_check_listen_address)] = ""
    fd: Annotated[int, Field(ge=0)] | None = None
    tls: TlsBody | None = None
    hosts: dict[Name, ListenerName] = {}

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if (self.upstream is None) is not bool(self.hosts):
            raise ValueError("expected either upstream, or hosts with the listener of each")
        if self.upstream is not None and not {"system", "direction"} <= self.model_fields_set:
            raise ValueError("expected system and direction beside upstream")
        return self


class ListenerChange(Body):
    """The body of `PATCH /listeners/{name}`."""

    upstream: UpstreamAddress | None = None
    accepting: bool | None = None
    ttl_s: TtlSeconds = DEFAULT_TTL_S


class RuleBody(Body):
    """The body of `POST /rules`."""

    id: Name
    listener: Name
    upstream: RuleUpstream
    operation: Name | None = None
    entities: Entities | None = None
    attempts: list[Annotated[int, Field(ge=1)]] | None = None
    ttl_s: TtlSeconds = DEFAULT_TTL_S


class SignalBody(Body):
    """The body of `POST /signals`."""

    id: Name
    listener: Name
    pid: Annotated[int, Field(gt=1)]
    signal: Annotated[str, AfterValidator(_check_signal)]
    operation: Name | None = None
    entities: Entities | None = None
    when: Moment = "response_head"
    nth: Annotated[int, Field(ge=1)] = 1
    ttl_s: TtlSeconds = DEFAULT_TTL_S


def build_tap_control(tap: Tap, token: str) -> ASGIApp:
    """Build the control plane of a tap."""
    calls = _Calls(tap)
    routes = [
        ControlRoute("GET", "/listeners", "List the listeners", calls.list_listeners),
        ControlRoute("POST", "/listeners", "Add a listener", calls.add_listener, ListenerBody, status=201),
        ControlRoute("PATCH", "/listeners/{name}", "Change a listener", calls.change_listener, ListenerChange),
        ControlRoute("DELETE", "/listeners/{name}", "Close a listener for good", calls.remove_listener),
        ControlRoute("GET", "/rules", "List the armed rules", calls.list_rules),
        ControlRoute("POST", "/rules", "Arm a rule", calls.arm_rule, RuleBody, status=201),
        ControlRoute("DELETE", "/rules", "Lift all rules", calls.lift_rules),
        ControlRoute("DELETE", "/rules/{id:path}", "Lift a rule", calls.lift_rule),
        ControlRoute("GET", "/signals", "List the signals that wait", calls.list_signals),
        ControlRoute("POST", "/signals", "Arm a signal", calls.arm_signal, SignalBody, status=201),
        ControlRoute("DELETE", "/signals", "Disarm all signals", calls.lift_signals),
        ControlRoute("DELETE", "/signals/{id:path}", "Disarm a signal", calls.lift_signal),
    ]
    return build_control_app(system="tap", journal=tap.journal, token=token, reset=tap.reset, routes=routes)


class _Calls:
    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    async def list_listeners(self, _: Call) -> Mapping[str, Any]:
        return {"listeners": [listener.as_body() for listener in self._tap.listeners()]}

    async def add_listener(self, call: Call) -> Mapping[str, Any]:
        body: ListenerBody = call.body
        await _ensure_allowed(body.upstream)
        await _ensure_allowed(None if body.tls is None else body.tls.passthrough, "tls.passthrough")
        listener = Listener(
            name=body.name,
            system=body.system,
            direction=body.direction,
            upstream=body.upstream or "",
            routes=tuple(Route(route.operation, route.method, route.path) for route in body.routes),
            relay=body.relay,
            address=body.address,
            tls=None if body.tls is None else _build_tls(body.tls),
            hosts=body.hosts,
        )
        return (await self._tap.add_listener(listener, fd=body.fd)).as_body()

    async def change_listener(self, call: Call) -> Mapping[str, Any]:
        body: ListenerChange = call.body
        await _ensure_allowed(body.upstream)
        changed = await self._tap.change_listener(
            call.params["name"], upstream=body.upstream, accepting=body.accepting, ttl_s=body.ttl_s
        )
        return changed.as_body()

    async def remove_listener(self, call: Call) -> Mapping[str, Any]:
        return self._tap.remove_listener(call.params["name"]).as_body()

    async def list_rules(self, _: Call) -> Mapping[str, Any]:
        return {"rules": self._tap.rules()}

    async def arm_rule(self, call: Call) -> Mapping[str, Any]:
        body: RuleBody = call.body
        await _ensure_allowed(body.upstream)
        attempts = None if body.attempts is None else tuple(body.attempts)
        fields = body.model_dump() | {"attempts": attempts, "entities": _tokens(body.entities)}
        return self._tap.arm_rule(Rule(**fields))

    async def lift_rule(self, call: Call) -> Mapping[str, Any]:
        return self._tap.lift_rule(call.params["id"])

    async def lift_rules(self, _: Call) -> Mapping[str, Any]:
        return {"lifted": self._tap.lift_rules()}

    async def list_signals(self, _: Call) -> Mapping[str, Any]:
        return {"signals": self._tap.signals()}

    async def arm_signal(self, call: Call) -> Mapping[str, Any]:
        body: SignalBody = call.body
        return self._tap.arm_signal(Signal(**body.model_dump() | {"entities": _tokens(body.entities)}))

    async def lift_signal(self, call: Call) -> Mapping[str, Any]:
        return self._tap.lift_signal(call.params["id"])

    async def lift_signals(self, _: Call) -> Mapping[str, Any]:
        return {"lifted": self._tap.lift_signals()}


async def _ensure_allowed(upstream: str | None, place: str = "upstream") -> None:
    """Refuse to lead traffic off this machine and the lab's network."""
    if upstream is None or upstream == REFUSE:
        return
    address = Address.parse(upstream)
    try:
        await own_reach().ensure_allowed(address.host, address.port)
    except NotAllowedError as error:
        raise invalid(place, str(error)) from error


def _build_tls(body: TlsBody) -> Tls:
    certificates = (Certificate(tuple(one.hosts), one.chain_pem, one.key_pem) for one in body.certificates)
    return Tls(tuple(certificates), body.passthrough)


def _tokens(entities: Entities | None) -> dict[str, tuple[str, ...]] | None:
    return None if entities is None else {name: tuple(tokens) for name, tokens in entities.items()}
