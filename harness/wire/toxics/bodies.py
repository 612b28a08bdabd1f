"""
Read the JSON bodies of the admin API as Toxiproxy does.

Unknown keys are ignored, null counts as absent, the case of keys does not matter, and neither does what follows the first value.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from harness.wire.toxics import TOXICS
from harness.wire.toxics.errors import bad_body, invalid_stream, invalid_type, missing_field
from harness.wire.toxics.fitting import Fitting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.wire.toxics import AnyToxic

T = TypeVar("T")
LARGEST = 2**63 - 1
LARGEST_SINGLE = 3.4028235e38


@dataclass(frozen=True, slots=True)
class ProxyBody:
    """What a body says about a proxy; None where it says nothing."""

    name: str | None = None
    listen: str | None = None
    upstream: str | None = None
    enabled: bool | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> ProxyBody:
        """Read the fields of a proxy; raise `EngineError` 400 on a wrong type."""
        return cls(
            _field(raw, "name", str),
            _field(raw, "listen", str),
            _field(raw, "upstream", str),
            _field(raw, "enabled", bool),
        )

    def ensure_complete(self, *, place: str = "") -> None:
        """Raise `EngineError` 400 when a field is missing that a new proxy needs."""
        if not self.name:
            raise missing_field(f"name{place}")
        if not self.upstream:
            raise missing_field(f"upstream{place}")


def read_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; raise `EngineError` 400 if it is none."""
    raw = _parse(body)
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise bad_body(f"expected an object, got {type(raw).__name__}")
    return raw


def read_proxies(body: bytes) -> list[ProxyBody]:
    """Parse the body of /populate; raise `EngineError` 400 if it is not a list of complete proxies."""
    raw = _parse(body)
    if not isinstance(raw, list | None) or not all(isinstance(entry, dict | None) for entry in raw or ()):
        raise bad_body("expected a list of proxies")
    proxies = [ProxyBody.read(entry or {}) for entry in raw or ()]
    for number, proxy in enumerate(proxies, 1):
        proxy.ensure_complete(place=f" at proxy {number}")
    return proxies


def read_fitting(raw: Mapping[str, Any]) -> Fitting:
    """Build the toxic a body asks for: downstream, toxicity 1 and named `<type>_<stream>` unless it says otherwise."""
    kind = _field(raw, "type", str) or ""
    stream = _field(raw, "stream", str)
    if stream is None:
        stream = "downstream"
    toxicity = _toxicity(raw, 1.0)
    name = _field(raw, "name", str) or f"{kind}_{stream}"
    if stream.lower() not in ("upstream", "downstream"):
        raise invalid_stream()
    if kind not in TOXICS:
        raise invalid_type()
    return Fitting(name, kind, stream, toxicity, TOXICS[kind]())


def read_attributes(toxic: AnyToxic, raw: Mapping[str, Any]) -> AnyToxic:
    """Return the toxic with the attributes a body names; the others stay."""
    attributes = _field(raw, "attributes", dict) or {}
    named = {field.name: _attribute(attributes, field.name) for field in fields(toxic)}
    return type(toxic)(**asdict(toxic) | {name: value for name, value in named.items() if value is not None})


def read_toxicity(fitting: Fitting, raw: Mapping[str, Any]) -> float:
    """Return the toxicity a body names, or the one there is."""
    return _toxicity(raw, fitting.toxicity)


def _parse(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").strip(" \t\r\n")
    if not text:
        raise bad_body("EOF")
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError) as error:
        raise bad_body(str(error)) from error


def _lower_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key.lower(): value for key, value in pairs}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_lower_keys, parse_constant=_refuse_constant)


def _field(raw: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, kind):
        raise bad_body(f"{name}: expected {kind.__name__}, got {type(value).__name__}")
    return value


def _toxicity(raw: Mapping[str, Any], default: float) -> float:
    value = raw.get("toxicity")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_body(f"toxicity: expected a number, got {type(value).__name__}")
    if abs(value) > LARGEST_SINGLE:
        raise bad_body(f"toxicity: {value:.3g} is too large")
    return value


def _attribute(attributes: Mapping[str, Any], name: str) -> int | None:
    value = attributes.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise bad_body(f"attributes.{name}: expected a whole number, got {json.dumps(value)[:40]}")
    return value
