"""Plain words for what a run says in identifiers: `429:retry` at a handoff to `erp` is "ERP rate limits"."""

import math
from collections.abc import Sequence

from harness.report.model import Experiment, Fault, Gate, Handoff

DASH = "\N{EN DASH}"  # stands where the run does not say

_SYSTEMS = {"erp": "ERP", "wms": "WMS", "crm": "CRM", "oms": "OMS", "pos": "POS", "tms": "TMS"}

# The cause in the plural, so that every sentence may go on with "lead to"; {system} is the system at the other end.
_CAUSES = {
    "429": "{system} rate limits",
    "rate_limited": "{system} rate limits",
    "session_expired": "expired {system} sessions",
    "permission_denied": "missing {system} permissions",
    "timeout": "{system} timeouts",
    "connection": "lost {system} connections",
    "malformed": "malformed {system} {message}",
    "lost_response": "lost {system} answers",
    "not_persisted": "{system} records confirmed but never written",
    "partial_allocation": "partial {system} allocations",
    "dropped": "dropped {system} {message}",
    "duplicate": "duplicate {system} {message}",
    "out_of_order": "{system} {message} out of order",
    "bad_signature": "{system} {message} with a bad signature",
    "stale": "outdated {system} {message}",
    "receiver_down": "outages of the webhook receiver",
    "subscription_removed": "removed {system} subscriptions",
    "crash": "crashes of the integration",
    "file_truncated": "truncated {system} files",
    "file_duplicate": "duplicate {system} files",
    "file_missing": "missing {system} files",
    "file_rejected": "rejected {system} files",
    "ack_missing": "missing {system} acknowledgements",
    "any": "other {system} errors",
    "clean": "undisturbed orders",
    "lost_answer": "lost {system} answers",
    "dead_letter": "{system} dead letters",
    "breaker": "repeated {system} failures",
    "combined": "several faults at once",
}

UNKNOWN_KINDS = {
    "vacuous": "nothing was tested: the fault never touched traffic",
    "environment": "a part of the lab was not in order",
    "interference": "the harness itself got in the way",
    "not_observable": "the integration does not show what the check needs",
}


def name_system(system: str) -> str:
    """Return how people call a system: `erp` is ERP."""
    return _SYSTEMS.get(system.lower(), system.replace("_", " ").replace("-", " "))


def split_clause(clause: str) -> tuple[str, str]:
    """Split `429:retry` into trigger and outcome; a breaker has no outcome."""
    trigger, _, outcome = clause.rpartition(":")
    return (trigger, outcome) if trigger else (clause, "")


def say_clause(clause: str) -> str:
    """Return a clause as a short label: `session_expired:retry` is "session expired → retry"."""
    trigger, outcome = (_unscore(part) for part in split_clause(clause))
    trigger = "any other error" if trigger == "any" else trigger
    return f"{trigger} → {outcome}" if outcome else trigger


def _unscore(word: str) -> str:
    """Take ids apart into words; a vendor's code in capitals stays as it is, `CODE+some-text` quotes the text."""
    code, plus, quoted = word.partition("+")
    if plus:
        return f"{code.strip()} “{quoted.replace('-', ' ').strip()}”"
    return word.replace("_", " ").strip() if word.islower() else word.strip()


def say_cause(clause: str, handoff: Handoff | None) -> str:
    """Return what goes wrong in this clause, in the plural: "ERP rate limits"."""
    trigger, _ = split_clause(clause)
    system, message = _far_end(handoff)
    known = _CAUSES.get(trigger.lower())
    if known:
        return known.format(system=system, message=message).replace("  ", " ").strip()
    if trigger.isdigit():
        return f"{system} answers with status {trigger}".strip()
    return f"{system} errors {_unscore(trigger)}".strip()


def _far_end(handoff: Handoff | None) -> tuple[str, str]:
    if handoff is None:
        return "", "messages"
    if handoff.protocol == "webhook":
        return name_system(handoff.source), "webhooks"
    other = handoff.source if handoff.target == "integration" else handoff.target
    return name_system(other), "answers"


def join_words(words: Sequence[str]) -> str:
    """Join as in a sentence: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def plural(n: int, word: str) -> str:
    """Return the number with its word: "1 order", "2 orders"."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def say_seconds(seconds: float | None) -> str:
    """Return a duration for people: 84 ms, 3.05 s, 74 s, 2 min 05 s; a dash when there is none."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    if abs(seconds) < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 19.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def say_receipts(fault: Fault) -> str:
    """Return what a fault left behind: "5 (at least 1, 4 expected)", a dash when the run does not say."""
    if fault.receipts is None:
        return DASH
    limits = [f"at least {fault.min_receipts}"] if fault.min_receipts is not None else []
    limits += [f"{fault.expected_receipts} expected"] if fault.expected_receipts is not None else []
    return f"{fault.receipts}" + (f" ({', '.join(limits)})" if limits else "")


def say_witnesses(gates: Sequence[Gate]) -> str:
    """Return whether tap and fake saw the same, empty when no gate says."""
    for gate in gates:
        if "witness" in gate.name.lower():
            return "both witnesses agree" if gate.passed else "the witnesses disagree"
    return ""


def say_first_try(experiment: Experiment) -> str:
    """Return what the first, disturbed run of an experiment said, which a second one, run alone, took the place of."""
    said = experiment.first_try or ", ".join(
        word for word in (experiment.verdict, experiment.unknown_kind, experiment.reason) if word
    )
    return f"first try: {said}"


def say_support(experiment: Experiment) -> str:
    """Return receipts and witnesses in one line: "5 (at least 1), both witnesses agree"; empty when there are none."""
    named = len(experiment.faults) > 1
    parts = [
        f"{fault.id or fault.kind} {say_receipts(fault)}" if named else say_receipts(fault)
        for fault in experiment.faults
    ]
    return ", ".join(part for part in (*parts, say_witnesses(experiment.gates)) if part and part != DASH)
