"""Rules within one handoff's paths: one trigger, one outcome, no two triggers that tie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

from harness.core.durations import parse_duration
from harness.core.problems import EDITOR_COMPLETION, Problem, shorten
from harness.core.shape import ATTEMPTS, OUTCOMES
from harness.core.triggers import Condition, Trigger, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.document import Document
    from harness.core.nodes import Node

_TRIGGER_KEYS = ("status", "code", "text", "when")


def path_problems(document: Document, handoff: Node) -> Iterator[Problem]:
    """Yield every broken rule among the paths of one handoff."""
    paths = handoff.get("paths")
    seen: list[Trigger] = []
    for path in paths.items if paths is not None else ():
        if path.kind != "mapping":
            continue
        yield from _one_trigger(document, path)
        yield from _one_outcome(document, path, "path", path.keys.get("on", path))
        then = path.get("then")
        if then is not None and then.kind == "mapping":
            yield from _one_outcome(document, then, "`then`", path.keys["then"])
            yield from _no_attempts(document, then)
        yield from _retry_limits(document, path)
        trigger = _trigger(path.get("on"))
        if trigger is not None:
            yield from _ties(document, path, trigger, seen)
            seen.append(trigger)


def _one_trigger(document: Document, path: Node) -> Iterator[Problem]:
    on = path.get("on")
    if on is None or on.kind != "mapping":
        return
    leading = [key for key in ("status", "code", "when") if key in on.entries]
    if len(leading) != 1:
        message = "a trigger is one of a status, a code (and text), a comparison, or a named condition"
        if leading:
            message = f"a trigger cannot have both `{leading[0]}` and `{leading[1]}`"
        fix = "split it into two paths" if leading else "add one"
        yield document.problem("one-trigger", message, on, expected=_TRIGGER_KEYS, fix=fix, command=EDITOR_COMPLETION)
    elif "text" in on.entries and "code" not in on.entries:
        yield document.problem(
            "one-trigger", "`text` narrows a `code`, and there is none", on.keys["text"], fix="add `code:`"
        )


def _one_outcome(document: Document, step: Node, what: str, at: Node) -> Iterator[Problem]:
    given = [name for name in step.entries if name in OUTCOMES]
    leading = [name for name in given if not (name == "retry" and "renew_session" in given)]
    if not leading:
        yield document.problem(
            "no-outcome",
            f"this {what.strip('`')} has no outcome" if what == "path" else f"{what} has no outcome",
            at,
            expected=OUTCOMES,
            fix="say what is done about the failure",
            command=EDITOR_COMPLETION,
        )
    for extra in leading[1:]:
        yield document.problem(
            "two-outcomes",
            f"{'a path' if what == 'path' else what} has one outcome: `{leading[0]}` or `{extra}`",
            step.keys[extra],
            found=extra,
            fix=f"put `{extra}` under `then`, or remove it" if what == "path" else "remove one",
        )


def _no_attempts(document: Document, then: Node) -> Iterator[Problem]:
    """Yield attempts that follow used-up attempts: nothing could say what follows those, and they would fail unhandled."""
    for name in ATTEMPTS:
        if name in then.entries and not (name == "retry" and "renew_session" in then.entries):
            yield document.problem(
                "attempts-in-then",
                f"`{name}` cannot stand under `then`: nothing would say what happens once those attempts have failed too",
                then.keys[name],
                found=name,
                expected=tuple(outcome for outcome in OUTCOMES if outcome not in ATTEMPTS),
                fix="raise `attempts` of the path's own, and end it in `dead_letter`, `queue` or `branch`",
            )


def _retry_limits(document: Document, step: Node) -> Iterator[Problem]:
    retry = step.get("retry")
    if retry is None:
        return
    initial, longest = _seconds(retry.text("initial")), _seconds(retry.text("max"))
    if initial is not None and longest is not None and longest < initial:
        message = f"`max` ({retry.text('max')}) is shorter than `initial` ({retry.text('initial')})"
        yield document.problem("max-below-initial", message, retry.entries["max"], fix="raise `max` or remove it")


def _ties(document: Document, path: Node, trigger: Trigger, seen: list[Trigger]) -> Iterator[Problem]:
    on = path.entries["on"]
    for earlier in seen:
        message, fix = _say_tie(trigger, earlier)
        if message:
            yield document.problem("equal-triggers", message, on, found=trigger.slug, fix=fix)
            return


def _say_tie(trigger: Trigger, earlier: Trigger) -> tuple[str, str]:
    """Say what two triggers have in common that they must not, and the way out; nothing where they are two."""
    first = f"line {earlier.location.line}"
    if trigger == earlier:
        message = f"the trigger `{trigger.slug}` is declared twice on this handoff (first on {first})"
        return message, "merge the two paths"
    if trigger.ties_with(earlier):
        message = (
            f"the triggers `{earlier.slug}` ({first}) and `{trigger.slug}` are equally specific and can both match"
        )
        return message, "merge the two paths, or make one more specific"
    if trigger.shares_id_with(earlier):
        both = f"`{shorten(str(earlier.code))}` ({first}) and `{shorten(str(trigger.code))}`"
        message = f"the triggers {both} would both stand as `{trigger.slug}` in ids"
        return message, "narrow one of them by a `text`, or move it to a handoff of its own"
    return "", ""


def _trigger(on: Node | None) -> Trigger | None:
    """Read a trigger for comparison, or None where it is not a valid one."""
    if on is None:
        return None
    if on.kind == "scalar":
        condition = cast("Condition", on.value) if on.value in get_args(Condition) else None
        return Trigger(condition=condition, location=on.location) if condition else None
    status, code, text, when = (on.get(key) and on.entries[key].value for key in _TRIGGER_KEYS)
    if _is_status(status) and code is None and when is None:
        return Trigger(status=cast("int", status), location=on.location)
    if isinstance(code, str) and when is None and status is None and (text is None or isinstance(text, str)):
        return Trigger(code=code, text=text, location=on.location)
    return _threshold_trigger(when, on) if isinstance(when, str) and code is None and status is None else None


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _threshold_trigger(when: str, on: Node) -> Trigger | None:
    try:
        return Trigger(when=parse_threshold(when), location=on.location)
    except ValueError:
        return None


def _seconds(text: str | None) -> float | None:
    try:
        return parse_duration(text) if text is not None else None
    except ValueError:
        return None
