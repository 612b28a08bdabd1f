"""Choose the lab to join among those that are up."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from harness.core.problems import Problem, StackError, nearest
from harness.lab.conducted import find_conducted
from harness.lab.errors import EnvironmentNotReady
from harness.lab.keeper import find_kept
from harness.lab.registry import LabRecord
from harness.wire.address import Address


def choose_lab(stack_path: Path | None, *, lab_id: str | None = None, target: Address | None = None) -> LabRecord:
    """
    Choose the lab of a stack that is up, or the one named by its id: of those in the register, else the one a conductor tells of.

    `target` is where the integration listens, for the message. Raises EnvironmentNotReady (exit 12) where it is not up, and
    StackError (exit 4) where several are and none is named.
    """
    if lab_id is not None:
        return _find(lab_id, find_kept())
    kept = [] if stack_path is None else find_kept(stack_path)
    conducted = None if kept else find_conducted()
    if conducted is not None:
        return conducted
    if stack_path is None:
        _refuse("a stack read from stdin has no lab of its own", fix="name the lab: --lab attached:ID")
    shown = _shorten(stack_path)
    if not kept:
        unknowing = "" if target is None else f", so what runs at http://{target} cannot know its systems"
        raise EnvironmentNotReady(
            "the lab",
            f"no lab of {shown} is up{unknowing}",
            f"handoff lab up {shown} --env lab.env, start the integration with the variables in lab.env, and come back",
        )
    if len(kept) > 1:
        _refuse(
            f"{len(kept)} labs of {shown} are up: which one?",
            expected=_list_ids(kept),
            fix=f"name it, as in --lab attached:{kept[0].id}, or end the others: handoff lab down",
        )
    return kept[0]


def _find(lab_id: str, kept: list[LabRecord]) -> LabRecord:
    found = next((record for record in kept if record.id == lab_id), None)
    if found is not None:
        return found
    conducted = find_conducted()
    if conducted is not None and conducted.id == lab_id:
        return conducted
    ids = _list_ids([*kept, *([] if conducted is None else [conducted])])
    if not ids:
        raise EnvironmentNotReady(
            f"the lab {lab_id}", "it is not up, nor is any other", "handoff lab up STACK --env lab.env"
        )
    near = nearest(lab_id, ids) or ids[0]
    raise EnvironmentNotReady(
        f"the lab {lab_id}", f"it is not up; up: {', '.join(ids)}", f"name one: --lab attached:{near}"
    )


def _list_ids(kept: Iterable[LabRecord]) -> tuple[str, ...]:
    return tuple(record.id for record in kept)


def _shorten(path: Path) -> str:
    """Write a path as somebody in this folder would."""
    below = os.path.relpath(path)
    return str(path) if below.startswith("..") else below


def _refuse(message: str, **more: Any) -> NoReturn:
    raise StackError((Problem("lab", message, "<command line>", **more),))
