"""The lab a command line chooses: a new one, or one that is up already, and where the integration listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from harness.core.problems import Problem, StackError, nearest
from harness.engine.run import Options
from harness.lab import toxics
from harness.lab.choice import choose_lab
from harness.lab.containers.images import choose_image
from harness.lab.environment import ENGINE_VARIABLE
from harness.lab.target import choose_target
from harness.wire.reach import own_reach

if TYPE_CHECKING:
    from pathlib import Path

    from harness.core.stack import Stack
    from harness.lab.registry import LabRecord
    from harness.lab.toxics import Kind
    from harness.report.run_json import RunInfo

EMBEDDED, CONTAINERS, ATTACHED = "embedded", "containers", "attached"
NEW = frozenset({EMBEDDED, CONTAINERS})
KINDS = (EMBEDDED, CONTAINERS, ATTACHED)


@dataclass(frozen=True, slots=True)
class Given:
    """The options of a command line that choose lab and integration, as they were given."""

    lab: str | None = None
    engine: Kind | None = None
    integration: str | None = None
    attach: str | None = None
    image: str | None = None
    allowed_hosts: tuple[str, ...] = ()

    def as_words(self) -> tuple[str, ...]:
        """Return them as the words of a command line again."""
        named = (
            ("--lab", self.lab),
            ("--engine", self.engine),
            ("--integration", self.integration),
            ("--image", self.image),
            ("--attach", self.attach),
        )
        words = [word for name, value in named if value is not None for word in (name, value)]
        return (*words, *(word for host in self.allowed_hosts for word in ("--allow-host", host)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The lab that was chosen: its kind, its toxic engine, and the id of the one that is up where it is attached."""

    kind: str
    engine: Kind
    id: str | None = None


def build_options(info: RunInfo, given: Given, where: Chosen, *, stack_path: Path | None) -> Options:
    """Build what the engine is told of the labs that were chosen; `stack_path` is None where the stack came from stdin."""
    return Options(
        run_id=info.run_id,
        seed=info.seed,
        labs=info.labs,
        stack_path=stack_path,
        engine=where.engine,
        integration_command=given.integration,
        attach_url=given.attach,
        containers=where.kind == CONTAINERS,
        image=given.image,
        attached=where.kind == ATTACHED,
        lab_id=where.id,
        allowed_hosts=given.allowed_hosts,
    )


def choose_where(stack: Stack, given: Given, *, stack_path: Path | None) -> Chosen:
    """
    Choose the lab: as given, else the one an integration that runs elsewhere was started with, else a new one.

    Raises StackError where what is given contradicts itself (a new lab is unknown to what runs already) or leaves the lab or
    the integration open, EnvironmentNotReady where there is no lab to join.
    """
    name, _, lab_id = (given.lab or "").partition(":")
    elsewhere = given.attach or (stack.integration.url if given.integration is None else None)
    _ensure_consistent(given, name, lab_id, elsewhere)
    own_reach().allow(given.allowed_hosts)
    if name == CONTAINERS:
        choose_image(stack, given.image, given.integration)
        return Chosen(CONTAINERS, given.engine or toxics.TOXIPROXY)
    if name != ATTACHED and elsewhere is None:
        return Chosen(EMBEDDED, given.engine or toxics.EMBEDDED)
    target = choose_target(stack, given.attach, allowed_hosts=given.allowed_hosts)
    record = choose_lab(stack_path, lab_id=lab_id or None, target=target)
    return Chosen(ATTACHED, _choose_engine(given, record), record.id)


def _ensure_consistent(given: Given, name: str, lab_id: str, elsewhere: str | None) -> None:
    if given.lab is not None and name not in KINDS:
        _refuse(f"there is no lab {given.lab}", expected=KINDS, suggestion=nearest(name, KINDS))
    if name in NEW and lab_id:
        _refuse(f"--lab {given.lab} names a lab, and one of {name} is always new", fix=f"--lab attached:{lab_id}")
    if given.image is not None and name != CONTAINERS:
        _refuse(f"--image {given.image} is for a lab of containers", fix="add --lab containers, or leave out --image")
    if name in NEW and elsewhere is not None:
        message = f"--lab {name} brings up a new lab, of which the integration at {elsewhere} can know nothing"
        _refuse(message, fix="leave out --lab, and have the integration started with the variables of `handoff lab up`")
    if name == ATTACHED and given.integration is not None:
        message = "--lab attached uses what runs already, --integration starts another"
        _refuse(message, fix="keep one of the two")


def _choose_engine(given: Given, record: LabRecord) -> Kind:
    """Take the engine a lab that is up was brought up with; raise StackError where another was asked for."""
    built = record.environment.get(ENGINE_VARIABLE)
    engine: Kind = toxics.TOXIPROXY if built == toxics.TOXIPROXY else toxics.EMBEDDED
    if given.engine not in {None, engine}:
        message = f"--engine {given.engine}: the lab {record.id} was brought up with {engine}"
        _refuse(message, fix=f"leave out --engine, or bring a lab up with it: handoff lab up --engine {given.engine}")
    return engine


def _refuse(message: str, **more: Any) -> NoReturn:
    raise StackError((Problem("lab", message, "<command line>", **more),))
