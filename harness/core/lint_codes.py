"""The codes of the linter: what each finds, how grave it is, and why it matters. Codes are stable: users filter by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.problems import Severity


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One thing the linter looks for: `finds` and `why` are a sentence each, without a full stop."""

    code: str
    finds: str
    why: str
    severity: Severity = "warning"


_OWNED = "an owner is a named role with rotation and SLA; a person, or whoever notices first, cannot be relied on"
_NOTIFIES = "a notification is not a resolution path: it tells a human, a path handles"
END = "resolved is an end state somebody can look at, such as an order fulfilled; never that the error went away"
_DECIDER = (
    "a path needs to know what data decides it (error code, value threshold, or a human) and which role decides then"
)
_SAME_AGAIN = "retry is the same payload again, and a rule that was never encoded refuses the same payload each time"
_OUT_OF_TIME = "a path that cannot end in its time is late each time it is taken, so nobody can tell late from lost"
_BREAKER = "a breaker pauses one handoff after N consecutive failures, so that they do not cascade"
_REACHED = "a path that is never taken handles nothing, and whoever reads the stack counts on it"

FINDINGS: dict[str, FindingKind] = {
    kind.code: kind
    for kind in (
        FindingKind("owner-missing", "a handoff without an owner, or owned by nobody in particular", _OWNED),
        FindingKind("owner-is-person", "a handoff owned by a person", _OWNED),
        FindingKind("role-without-rotation", "a role without a rotation", _OWNED),
        FindingKind("role-without-sla", "a role without an SLA", _OWNED),
        FindingKind("role-unused", "a role that nothing names", "whoever is on duty in it waits for work that never comes"),
        FindingKind("queue-without-sla", "a queue where neither it nor its role has an SLA", "a case nobody is late with is a personal inbox"),
        FindingKind("queue-without-decisions", "a queue that names no decisions", "a human task with no decision defined is a notification in disguise"),
        FindingKind("decision-decides-nothing", "a queue whose every decision only acknowledges, or only tells somebody", "a human task with no decision defined is a notification in disguise"),
        FindingKind("branch-notifies", "a branch whose other way is to tell somebody, or nothing at all", _NOTIFIES),
        FindingKind("decision-without-role", "a path decided by a human that leads to no role's queue", _DECIDER),
        FindingKind("decision-without-data", "a path decided by a code or a value that its trigger does not give", _DECIDER),
        FindingKind("dead-letter-without-escalation", "a dead letter without a count or a role to escalate to", "a dead letter is a queue that escalates after N failures; without that, what lies there is lost in silence"),
        FindingKind("breaker-without-alert", "a breaker that alerts no role", "a breaker pauses the handoff and alerts the owning role; a pause nobody hears of is an outage"),
        FindingKind("end-state-missing", "a handoff without `resolved_when`", END),
        FindingKind("end-state-no-error", "an end state that only says that no error is left, or that all is well", END),
        FindingKind("end-state-unseen", "an end state in the integration itself", "an integration can be green on both sides while the handoff is broken: the record on the receiving side tells"),
        FindingKind("end-state-before", "an end state that stands before the handoff begins", "what is resolved before anything was done stays resolved when nothing is done: whatever is asked of it holds"),
        FindingKind("no-paths", "a handoff without a single path", "each exception there is somebody's triage, whoever notices first"),
        FindingKind("no-path-for-the-rest", "a call with named failures and no path for any other", "two weeks of logs hide 8 to 15 distinct codes behind a few failed states; some are not in this list"),
        FindingKind("no-end", "attempts that may all fail, and nothing said of what follows", "automated retry has at most N attempts; what is still failing then must be handled, not dropped"),
        FindingKind("retry-on-business-rule", "a business rule or a value threshold that is answered by sending again, or by carrying on", f"a business-logic gap can never be resolved by a retry: {_SAME_AGAIN}", severity="error"),
        FindingKind("retry-on-refusal", "sending again what the vendor refuses for what it is, an expired session without renewing it among that", _SAME_AGAIN),
        FindingKind("retry-of-one", "a retry that sends once", "automated retry is the same payload again; one send is none"),
        FindingKind("retry-without-backoff", "three sends or more without a wait between them", "retry is with backoff: what failed a moment ago fails again, and a vendor that is down is hit by every order at once"),
        FindingKind("then-never-reached", "a `then` after an outcome that is final", _REACHED),
        FindingKind("age-unasked", "an age on the refusal of something other than a stale webhook", "whoever reads the stack takes the age for a limit, and nothing asks for it"),
        FindingKind("trigger-never-fires", "a trigger that cannot happen at this handoff", _REACHED),
        FindingKind("trigger-covered", "a trigger that a more specific one always takes", _REACHED),
        FindingKind("trigger-always-fires", "a value threshold that every order passes, so that it takes all other failures too", _REACHED),
        FindingKind("code-unknown", "a code that is another vendor's, or nearly one of this vendor's", "a path is decided by the code in the answer, and one that never stands there decides nothing"),
        FindingKind("triggers-overlap", "two triggers that look the same on the wire and lead to different outcomes", "what data decides a path must be there when it is chosen; a lost answer and a lost request look alike"),
        FindingKind("trigger-no-failure", "a status that is no failure", "a path resolves an exception; success needs none"),
        FindingKind("longer-than-within", "a path that may take longer than its handoff", _OUT_OF_TIME),
        FindingKind("longer-than-pause", "a retry budget longer than the pause of the breaker", "what is still retrying when the pause ends is sent into the probe, and the one failure that reopens the breaker is its own"),
        FindingKind("longer-than-session", "a retry budget longer than the vendor's session lives", "session expiry is one of the seven common causes: an attempt beyond it fails for another reason than the first"),
        FindingKind("longer-than-ladder", "a recovery that counts on a webhook after its sender has given up", "a sender retries a webhook so long and no longer; after that only a look at both sides finds the record"),
        FindingKind("pause-below-gap", "a pause of the breaker shorter than a gap between attempts", "a pause no longer than backoff does not pause anything"),
        FindingKind("reconcile-too-rare", "a reconciliation rarer than it has time to heal", _OUT_OF_TIME),
        FindingKind("crash-hidden-by-reconcile", "a recovery that reconciliation would do in its place", "a check that cannot fail proves nothing: acknowledged and lost would look like acknowledged and kept"),
        FindingKind("breaker-never-opens", "a breaker that can never count its failures in a row", _BREAKER),
        FindingKind("effect-not-repeatable", "`exactly_once` declared of a call that the vendor carries out again each time", "an answer that is lost leaves two bad choices there: send again and double it, or do not and lose it"),
        FindingKind("operation-missing", "a call without `operation`", "an exchange nobody can tell to be this handoff's proves nothing about it"),
        FindingKind("receiver-missing", "webhooks of a system the integration has no receiver for", "a webhook nobody takes is a handoff that never happens"),
        FindingKind("handoff-to-itself", "a handoff from a system to itself", "a handoff is a point where one system passes work to another"),
        FindingKind("not-observable", "dead letters or queues declared that the integration does not show", "what cannot be looked at is unknown, and unknown is never held"),
        FindingKind("not-exercised", "a handoff or a clause that no experiment asks about, with the reason", "what nobody asks about has no verdict, and a green run says nothing about it", severity="info"),
        FindingKind("accept-expired", "an `accept` whose last day is over", "a verdict is lived with for a reason and until a day, not for good"),
    )
}  # fmt: skip
"""Every kind of finding by its code."""
