"""
Defects, seeded into a sound stack one by one.

A mutation is a pattern and what to write in its place: each place where the pattern stands is one defect. `¦` in the new text
is where the finding has to point; without one it has to point at the handoff.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MARK = "¦"
HANDOFF = re.compile(r"^  - id: ([\w-]+)\n(?:    .*\n)*", re.MULTILINE)


@dataclass(frozen=True)
class Mutation:
    """Write `new` wherever `old` stands in a block that has all of `needs` and none of `lacks`; `also` may be found beside it."""

    code: str
    old: str
    new: str
    also: tuple[str, ...] = ()
    needs: str = ""
    lacks: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Defect:
    """One place in one text: what to write from `start` to `end`, and the block it is in."""

    mutation: Mutation
    start: int
    end: int
    new: str
    block: str

    @property
    def name(self) -> str:
        """Name it for the list of tests."""
        return f"{self.mutation.code}@{self.block}:{self.start}"


_RETRY = r"^      - on: ([^\n]*)\n        retry: "
_ANY = r"^      - on: any\n"
_BREAKER = r"^    breaker: \{failures: (\d+), pause: \w+"
# Where no fake has names of its own.
_FREE = "system: (carrier|crm)|protocol: file_transfer"
_RULE = "kind: business_rule"

MUTATIONS = (
    Mutation("owner-missing", r"^    owner: .*\n", "", also=("role-unused",)),
    Mutation("owner-is-person", r"^    owner: .*\n", f"    owner: {MARK}Jane Doe\n", also=("role-unused",)),
    Mutation("owner-is-person", r"^    owner: .*\n", f"    owner: {MARK}jane.doe@acme.test\n", also=("role-unused",)),
    Mutation("role-without-rotation", r"^  ([\w-]+): \{rotation: \w+, ", rf"  {MARK}\1: {{", whole=True),
    Mutation("role-without-rotation", r"^  ([\w-]+): \{rotation: \w+, ", rf"  {MARK}\1: {{rotation: none, ", whole=True),
    Mutation("role-without-sla", r"^  ([\w-]+): (\{rotation: \w+), sla: \w+", rf"  {MARK}\1: \2", also=("queue-without-sla",), whole=True),
    Mutation("role-unused", r"^roles:\n", f"roles:\n  {MARK}spare: {{rotation: daily, sla: 1h}}\n", whole=True),
    Mutation("queue-without-decisions", r"^        queue: \{role: ([\w-]+), .*\n", rf"        {MARK}queue: {{role: \1}}\n", also=("decision-without-data",)),
    Mutation("decision-decides-nothing", r"decisions: \{.*\}\}\}$", f"decisions: {{{MARK}seen: {{to: acknowledge}}}}}}"),
    Mutation("decision-decides-nothing", r"decisions: \{.*\}\}\}$", f"decisions: {{{MARK}ok: {{to: noted}}, hide: {{to: dismiss}}}}}}"),
    Mutation("branch-notifies", r"^        branch: \{to: [\w-]+", f"        {MARK}branch: {{to: notify-ops"),
    Mutation("branch-notifies", r"^        branch: \{to: [\w-]+", f"        {MARK}branch: {{to: email the team"),
    Mutation("decision-decides-nothing", r"decisions: \{.*\}\}\}$", f"decisions: {{{MARK}tell: {{to: notify-customer}}, close: {{to: close the case}}}}}}"),
    Mutation("branch-notifies", r"^        branch: \{to: [\w-]+", f"        {MARK}branch: {{to: post-to-slack"),
    Mutation("branch-notifies", r"^        branch: \{to: [\w-]+", f"        {MARK}branch: {{to: drop a ticket in Jira"),
    Mutation("decision-without-role", r"^      - (on: [^\n]*\n        branch: \{to: [\w-]+)(?:, decided_by: \w+)?", rf"      - {MARK}\1, decided_by: human"),
    Mutation("decision-without-data", _ANY, f"      - {MARK}on: any\n        decided_by: code\n"),
    Mutation("decision-without-data", _ANY, f"      - {MARK}on: any\n        decided_by: threshold\n"),
    Mutation("dead-letter-without-escalation", r"^        then: dead_letter\n((?:        .*\n|      - .*\n)*)    dead_letter: \{.*\n", rf"        {MARK}then: dead_letter\n\1", also=("dead-letter-without-escalation", "role-unused")),
    Mutation("dead-letter-without-escalation", r"^        dead_letter: \{escalate_after: \d+, to: ([\w-]+)\}", rf"        {MARK}dead_letter: {{to: \1}}"),
    Mutation("dead-letter-without-escalation", r"^        dead_letter: \{escalate_after: (\d+), to: [\w-]+\}", rf"        {MARK}dead_letter: {{escalate_after: \1}}", also=("role-unused",)),
    Mutation("breaker-without-alert", r"^    breaker: (\{.*), alert: [\w-]+\}", rf"    {MARK}breaker: \1}}", also=("role-unused",)),
    Mutation("end-state-missing", r"^    resolved_when: .*\n", ""),
    Mutation("end-state-no-error", r"^(    )resolved_when: (\{.*), state: \w+\}", rf"\1{MARK}resolved_when: \2, state: no_error}}", needs=_FREE),
    Mutation("end-state-no-error", r"^(    )resolved_when: (\{.*), state: \w+\}", rf"\1{MARK}resolved_when: \2, state: error-cleared}}", needs=_FREE),
    Mutation("end-state-no-error", r"^(    )resolved_when: (\{system: \w+), record: \w+, state: \w+\}", rf"\1{MARK}resolved_when: \2, record: exception, state: closed}}", needs=_FREE),
    Mutation("unknown-state", r"^(    resolved_when: \{.*), state: \w+\}", rf"\1, state: {MARK}no_error}}", lacks=_FREE),
    Mutation("unknown-state", r"(branch: \{.*, resolved_when: \{.*), state: \w+\}", rf"\1, state: {MARK}ok}}", lacks=_FREE),
    Mutation("unknown-record", r"^(    resolved_when: \{system: \w+), record: \w+, state: \w+\}", rf"\1, record: {MARK}exception, state: closed}}", lacks=_FREE),
    Mutation("unknown-operation", r"^(    operation: \[)(\w+)\.\w+", rf"\1{MARK}\2.push", needs="protocol: api", lacks=_FREE),
    Mutation("unknown-topic", r"^(    operation: \[)\w+[/.]\w+", rf"\1{MARK}order/made", needs="protocol: webhook"),
    Mutation("end-state-unseen", r"^(    )resolved_when: \{system: \w+", rf"\1{MARK}resolved_when: {{system: integration"),
    Mutation("end-state-before", r"^(    )resolved_when: .*", rf"\1{MARK}resolved_when: {{system: storefront, record: order, state: exists_once}}", needs="protocol: api"),
    Mutation("end-state-before", r"^(    )resolved_when: .*", rf"\1{MARK}resolved_when: {{system: storefront, record: transaction, state: success}}", needs="protocol: webhook"),
    Mutation("no-paths", r"^    paths:\n(?:      .*\n)*", "", also=("role-unused", "breaker-never-opens")),
    Mutation("no-path-for-the-rest", _ANY, "      - on: {code: SOMETHING_ELSE}\n"),
    Mutation("no-end", _RETRY + r"(\{.*\}\n)        then: dead_letter\n", rf"      - on: \1\n        {MARK}retry: \2"),
    Mutation("no-end", r"^        renew_session: true\n(        retry: .*\n)        then: dead_letter\n", rf"        {MARK}renew_session: true\n\1"),
    Mutation("no-end", r"^        resend: (\{.*\}\n)        then: dead_letter\n", rf"        {MARK}resend: \1"),
    Mutation("attempts-in-then", _RETRY + r"(\{.*\}\n)        then: dead_letter\n", rf"      - on: \1\n        retry: \2        then: {{{MARK}retry: {{attempts: 2, initial: 1s}}}}\n"),
    Mutation("retry-on-business-rule", _RETRY, rf"      - on: \1\n        {_RULE}\n        {MARK}retry: "),
    Mutation("retry-on-business-rule", rf"^        {_RULE}\n        queue: .*\n", f"        {_RULE}\n        {MARK}retry: {{attempts: 2, initial: 1s}}\n        then: dead_letter\n", also=("role-unused",), needs="    dead_letter: "),
    Mutation("retry-on-business-rule", _RETRY, rf'      - on: {{when: "amount > 900.00 USD"}}\n        {MARK}retry: ', also=("no-path-for-the-rest",)),
    Mutation("retry-on-business-rule", rf"^        {_RULE}\n        queue: .*\n", f"        {_RULE}\n        {MARK}recover: {{within: 5m}}\n", also=("role-unused",)),
    Mutation("retry-on-business-rule", _RETRY + r".*\n        then: dead_letter\n", f'      - on: {{when: "amount > 900.00 USD"}}\n        {MARK}reconcile: {{every: 1m, within: 2m}}\n', also=("no-path-for-the-rest",)),
    Mutation("retry-on-refusal", r"^        renew_session: true\n        retry: ", f"        {MARK}retry: "),
    Mutation("retry-on-refusal", _RETRY, rf"      - on: {{code: EMBARGOED_COUNTRY}}\n        {MARK}retry: ", also=("no-path-for-the-rest",)),
    Mutation("retry-on-refusal", _RETRY, rf"      - on: {{status: 422}}\n        {MARK}retry: ", also=("no-path-for-the-rest",)),
    Mutation("retry-on-refusal", _RETRY, rf"      - on: {{status: 400}}\n        {MARK}retry: ", also=("no-path-for-the-rest",)),
    Mutation("retry-on-refusal", r"^      - on: permission_denied\n        dead_letter: .*\n", f"      - on: permission_denied\n        {MARK}retry: {{attempts: 2, initial: 1s}}\n        then: dead_letter\n", needs="    dead_letter: "),
    Mutation("retry-on-refusal", r"^      - on: \{code: (card_declined|duplicate_reference)\}\n(?:        .*\n)*", rf"      - on: {{code: \1}}\n        {MARK}retry: {{attempts: 2, initial: 1s}}\n        then: dead_letter\n", also=("role-unused",)),
    Mutation("retry-without-backoff", _RETRY + r"\{attempts: [3-9], initial: \w+", rf"      - on: \1\n        {MARK}retry: {{attempts: 3, initial: 0s", lacks="honour_retry_after"),
    Mutation("code-unknown", r"^      - on: \{code: (USER_ERRO)R", rf"      - on: {MARK}{{code: \1"),
    Mutation("code-unknown", r"^      - on: \{code: card_declined\}", f"      - on: {MARK}{{code: duplicate_reference}}"),
    Mutation("retry-of-one", _RETRY + r"\{attempts: \d+", rf"      - on: \1\n        {MARK}retry: {{attempts: 1"),
    Mutation("then-never-reached", r"^(        (?:queue|branch|deduplicate|reorder|reject): .*\n)", rf"\1        {MARK}then: dead_letter\n", also=("dead-letter-without-escalation",)),
    Mutation("then-never-reached", r"^(        reject: .*\n)", rf"\1        then: {{{MARK}dead_letter: {{escalate_after: 1, to: warehouse-ops}}}}\n", needs="owner: warehouse-ops"),
    Mutation("age-unasked", r"^(      - on: bad_signature\n        )reject: \{status: (\d+)\}", rf"\1{MARK}reject: {{status: \2, older_than: 5m}}"),
    Mutation("trigger-never-fires", _ANY, f"      - on: {MARK}file_missing\n", also=("no-path-for-the-rest",)),
    Mutation("trigger-never-fires", _ANY, f"      - on: {MARK}out_of_order\n", also=("no-path-for-the-rest",)),
    Mutation("trigger-never-fires", r"^      - on: dropped\n", f"      - on: {MARK}rate_limited\n", also=("crash-hidden-by-reconcile",)),
    Mutation("trigger-never-fires", r"^      - on: receiver_down\n", f"      - on: {MARK}{{status: 503}}\n"),
    Mutation("trigger-never-fires", _ANY, f"      - on: {MARK}partial_allocation\n", also=("no-path-for-the-rest",), needs="    to: erp\n"),
    Mutation("trigger-never-fires", r"^      - on: \{when: .*\}", f'      - on: {MARK}{{when: "amount < 0 EUR"}}'),
    Mutation("trigger-always-fires", r"^      - on: \{when: .*\}", f'      - on: {MARK}{{when: "amount >= 0.00 EUR"}}'),
    Mutation("trigger-covered", r"^      - on: \{status: 429\}", f"      - on: rate_limited\n        dead_letter: true\n      - on: {MARK}{{status: 429}}"),
    Mutation("trigger-covered", r"^      - on: session_expired\n", f"      - on: {MARK}{{status: 401}}\n        dead_letter: true\n      - on: session_expired\n"),
    Mutation("trigger-covered", r"^      - on: permission_denied\n", f"      - on: {MARK}{{status: 403}}\n        dead_letter: true\n      - on: permission_denied\n"),
    Mutation("triggers-overlap", _ANY, f"      - on: timeout\n        dead_letter: true\n      - on: {MARK}connection\n        branch: {{to: later}}\n      - on: any\n", needs="    dead_letter: ", lacks="lost_response|on: timeout"),
    Mutation("triggers-overlap", r"^(      - on: (?:timeout|lost_response)\n)", rf"\1        dead_letter: true\n      - on: {MARK}connection\n", lacks="on: connection"),
    Mutation("trigger-no-failure", _ANY, f"      - on: {MARK}{{status: 302}}\n", also=("no-path-for-the-rest",)),
    Mutation("trigger-no-failure", r"^      - on: \{status: 429\}", f"      - on: {MARK}{{status: 204}}"),
    Mutation("longer-than-within", r"^    within: \w+\n    paths:\n      - on: ([^\n]*)\n        (retry|reconcile|resend)", rf"    within: 1s\n    paths:\n      - on: \1\n        {MARK}\2", also=("longer-than-within",)),
    Mutation("longer-than-within", _RETRY + r"\{attempts: \d+, initial: \w+(?:, factor: \d+)?(?:, max: \w+)?", rf"      - on: \1\n        {MARK}retry: {{attempts: 9, initial: 100s, factor: 2", also=("longer-than-session", "longer-than-pause", "pause-below-gap")),
    Mutation("longer-than-session", r"^    within: \w+\n(    paths:\n(?:      .*\n)*?)      - on: any\n        retry: \{attempts: \d+, initial: \w+", rf"    within: 48h\n\1      - on: any\n        {MARK}retry: {{attempts: 3, initial: 2h", also=("pause-below-gap",), needs="    to: erp\n", lacks=", max: "),
    Mutation("longer-than-session", _RETRY, rf"      - on: \1\n        {MARK}retry: {{attempts: 4, initial: 30m, factor: 1}}\n        then: dead_letter\n      - on: malformed\n        retry: ", also=("pause-below-gap", "longer-than-within"), needs="    to: erp\n", lacks="on: malformed"),
    Mutation("longer-than-ladder", r"^    within: \w+\n(    paths:\n(?:      .*\n)*?      - on: receiver_down\n        )recover: \{within: \w+\}", rf"    within: 96h\n\1{MARK}recover: {{within: 80h}}"),
    Mutation("longer-than-ladder", r"^        recover: \{within: \w+\}", f"        {MARK}recover: {{within: 28h}}", also=("longer-than-within", "crash-hidden-by-reconcile"), needs="protocol: webhook"),
    Mutation("longer-than-pause", r"^      - on: (\{status: 429\}|rate_limited)\n        retry: (.*\n(?:      .*\n)*(?:    dead_letter.*\n))    breaker: \{failures: (\d+), pause: \w+", rf"      - on: \1\n        {MARK}retry: \2    breaker: {{failures: \3, pause: 20s", lacks="initial: 2s, factor: 2, honour"),
    Mutation("longer-than-pause", _RETRY + r"\{attempts: \d+, initial: \w+", rf"      - on: \1\n        {MARK}retry: {{attempts: 11, initial: 10s, factor: 1, max: 30s}}\n        then: dead_letter\n      - on: {{code: OTHER}}\n        retry: {{attempts: 2, initial: 1s", needs="    breaker: ", also=("longer-than-within",), lacks="max: 30s"),
    Mutation("pause-below-gap", _BREAKER, rf"    {MARK}breaker: {{failures: \1, pause: 3s", also=("pause-below-gap",)),
    Mutation("pause-below-gap", _BREAKER, rf"    {MARK}breaker: {{failures: \1, pause: 7500ms", also=("pause-below-gap",)),
    Mutation("reconcile-too-rare", r"^        reconcile: \{every: \w+, within: \w+\}", f"        {MARK}reconcile: {{every: 130s, within: 120s}}"),
    Mutation("reconcile-too-rare", r"^        reconcile: \{every: \w+, within: \w+\}", f"        {MARK}reconcile: {{every: 1h, within: 2m}}"),
    Mutation("crash-hidden-by-reconcile", r"^(      - on: crash\n        )recover: \{within: \w+\}", rf"\1{MARK}recover: {{within: 60s}}", needs="protocol: webhook"),
    Mutation("crash-hidden-by-reconcile", r"^(      - on: crash\n        )recover: \{within: \w+\}", rf"\1{MARK}recover: {{within: 3m}}", needs="protocol: webhook"),
    Mutation("breaker-never-opens", r"^    paths:\n", f"    {MARK}breaker: {{failures: 2, pause: 9s, alert: warehouse-ops}}\n    paths:\n", needs="protocol: (webhook|file_transfer)\n(.*\n)*    owner: warehouse-ops"),
    Mutation("breaker-never-opens", _BREAKER, rf"    {MARK}breaker: {{failures: 500, pause: 40s", needs="recurrence_per_week"),
    Mutation("breaker-without-alert", r"^    paths:\n", f"    {MARK}breaker: {{failures: 3, pause: 2m}}\n    paths:\n", needs="protocol: api", lacks="breaker"),
    Mutation("effect-not-repeatable", r"^    operation: .*\n(?:    effects: .*\n)?", f"    {MARK}operation: [inventory_level.adjust]\n    effects: exactly_once\n", needs="    to: storefront\n"),
    Mutation("effect-not-repeatable", r"^    operation: .*\n(?:    effects: .*\n)?", f"    {MARK}operation: [order.read, refund.create]\n", needs="    to: storefront\n"),
    Mutation("effect-not-repeatable", r"^    protocol: file_transfer\n((?:    .*\n)*?)    operation: (.*\n)    effects: at_least_once\n", rf"    protocol: manual_export\n\1    {MARK}operation: \2"),
    Mutation("operation-missing", r"^    operation: .*\n", "", needs="protocol: api"),
    Mutation("handoff-to-itself", r"^    from: [\w-]+\n    to: ([\w-]+)\n", r"    from: \1\n    to: \1\n", needs="protocol: api"),
    Mutation("not-observable", r"^integration:\n((?:  .*\n)*)    dead_letters: .*\n", rf"{MARK}integration:\n\1", whole=True),
    Mutation("not-observable", r"^integration:\n((?:  .*\n)*)    queues: .*\n", rf"{MARK}integration:\n\1", whole=True, needs="^        queue: "),
    Mutation("accept-expired", r"^(name: .*\n)((?:.*\n)*)  - id: ([\w-]+)\n((?:    .*\n)*?)      - on: crash\n", rf"\1accept:\n  - {MARK}{{clause: '\3/crash:recover', reason: beta, until: 2026-01-31}}\n\2  - id: \3\n\4      - on: crash\n", whole=True),
    Mutation("receiver-missing", r"^    from: \w+\n    to: integration\n((?:    .*\n)*?)(?:    operation: .*\n)?(    (?:effects|resolved_when): )", r"    from: erp\n    to: integration\n\1\2", also=("longer-than-ladder",)),
)  # fmt: skip


def seed_defects(text: str) -> Iterator[Defect]:
    """Yield every defect that can be seeded into a text."""
    blocks = [("stack", 0, len(text))] + [(match[1], match.start(), match.end()) for match in HANDOFF.finditer(text)]
    for mutation in MUTATIONS:
        for name, start, end in blocks[:1] if mutation.whole else blocks[1:]:
            block = text[start:end]
            lacking = mutation.lacks and re.search(mutation.lacks, block)
            if lacking or not re.search(mutation.needs, block, re.MULTILINE):
                continue
            for match in re.finditer(mutation.old, block, re.MULTILINE):
                yield Defect(mutation, start + match.start(), start + match.end(), match.expand(mutation.new), name)


def plant(text: str, defects: Sequence[Defect]) -> tuple[str, list[tuple[str, int, int]]]:
    """Write defects of different places into a text; return it with the code, line and column each must be found at."""
    parts, at, marks = [], 0, []
    for defect in sorted(defects, key=lambda defect: defect.start):
        parts.append(text[at : defect.start])
        before = "".join(parts)
        new = defect.new
        marked = new.find(MARK)
        place = len(before) + marked if marked >= 0 else before.rindex("  - id: ") + 4
        parts.append(new.replace(MARK, ""))
        at = defect.end
        whole = "".join(parts)
        line_start = whole.rfind("\n", 0, place) + 1
        marks.append((defect.mutation.code, whole.count("\n", 0, place) + 1, place - line_start + 1))
    return "".join(parts) + text[at:], marks
