"""What a failed check means, told as a noun that fits behind "lead to": "a fifth attempt", "no dead letter"."""

import re

from harness.report.model import Check, Experiment

FALLBACK_EFFECT = "another outcome than declared"

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

# The first row with a word in the check's name decides; inside it the first word found in what was observed.
_EFFECTS: tuple[tuple[tuple[str, ...], tuple[tuple[str, str], ...], str], ...] = (
    (("no_dead_letter",), (), "a dead letter where none is due"),
    (("replay",), (), "dead letters that do not replay once"),
    (
        ("escalat",),
        (("no alert", "no escalation"), ("expected", "the wrong number of escalations")),
        "a wrong escalation",
    ),
    (
        ("dead_letter",),
        (("no dead letter", "no dead letter"), ("dead letters", "several dead letters for one failure")),
        "a dead letter other than declared",
    ),
    (("alert",), (("0 alerts", "no alert"),), "a wrong alert"),
    (("stays_closed",), (), "a breaker that opens too early"),
    (("probe",), (), "wrong probing of a paused handoff"),
    (("opens", "breaker", "silence"), (), "a breaker that does not act as declared"),
    (("backoff", "gap", "delay"), (), "retries at the wrong times"),
    (("payload", "key"), (), "retries that send something else"),
    (("session", "renew"), (("never", "sessions that are never renewed"),), "sessions renewed too often"),
    (("acknowledged",), (), "webhooks that are not acknowledged"),
    (("answer", "signature", "reject"), (), "the wrong answer to the sender"),
    (("untouched", "unchanged"), (), "effects where nothing may change"),
    (("end_state", "reorder"), (), "another end state than in order"),
    (
        ("resolved", "reconcil", "recover"),
        (
            ("doubled", "doubled orders"),
            ("too late", "orders that arrive too late"),
            ("not in", "orders that do not arrive"),
        ),
        "orders that are not resolved",
    ),
    (
        ("ledger", "conservation"),
        (("doubled", "doubled orders"), ("lost", "lost orders")),
        "orders in a state that is not allowed",
    ),
    (("dedup", "once", "duplicate", "idempot"), (), "doubled effects"),
    (("branch",), (), "the wrong branch"),
    (("queue", "role"), (), "no proper case for the role in charge"),
    (("contain", "cascade"), (), "failures that spread to other handoffs"),
)


def say_effects(experiment: Experiment) -> tuple[str, ...]:
    """Return what a violated experiment led to, as nouns without repetition: ("a fifth attempt", "no dead letter")."""
    failed = [check for check in experiment.checks if check.verdict == "violated"]
    found = [_say_effect(check) for check in failed] if failed else _guess_effects(experiment)
    return tuple(dict.fromkeys(effect for effect in found if effect)) or (FALLBACK_EFFECT,)


def _say_effect(check: Check) -> str:
    name, observed = check.name.lower().replace(" ", "_"), check.observed.lower()
    if name.startswith(("attempt", "retry")):
        return _say_attempts(check.declared, observed) or "the wrong number of attempts"
    for words, sharper, effect in _EFFECTS:
        if any(word in name for word in words):
            return next((sharp for word, sharp in sharper if word in observed), effect)
    return FALLBACK_EFFECT


def _guess_effects(experiment: Experiment) -> list[str]:
    """Read the two texts of an experiment that lists no failed check."""
    absent = re.search(r"\bno (dead letter|escalation|alert)", experiment.observed)
    return [_say_attempts(experiment.declared, experiment.observed), f"no {absent[1]}" if absent else ""]


def _say_attempts(declared: str, observed: str) -> str:
    wanted, seen = _read_attempts(declared), _read_attempts(observed)
    if wanted is None or seen is None or wanted == seen:
        return ""
    if seen > wanted:
        return f"a {_say_ordinal(seen)} attempt" if seen == wanted + 1 else f"{seen} attempts instead of {wanted}"
    return f"only {seen} of {wanted} attempts" if seen else "no attempt at all"


def _read_attempts(words: str) -> int | None:
    found = re.search(r"\b(\d{1,6}|no) (?:attempt|send|sent)", words)
    return (0 if found[1] == "no" else int(found[1])) if found else None


def _say_ordinal(n: int) -> str:
    if n < len(_ORDINALS):
        return _ORDINALS[n]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th") if n % 100 not in {11, 12, 13} else "th"
    return f"{n}{ending}"
