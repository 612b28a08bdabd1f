"""How much the linter finds: defects seeded into sound stacks, alone and together, each to be found where it is."""

import datetime as dt
import random
from collections import Counter

import pytest

from harness.core.lint import lint_stack, note_unexercised
from harness.core.lint_codes import FINDINGS
from harness.core.loading import load_stack
from harness.core.problems import StackError
from tests.core.seeded_defects import MUTATIONS, Defect, plant, seed_defects
from tests.core.sound_stacks import read_sound_stacks

TODAY = dt.date(2026, 11, 22)
STACKS = read_sound_stacks()
# The same kind of defect at so many places of one stack tells as much as at all of them.
PLACES = 3
SETS = 40


def find(text: str) -> list[tuple[str, int, int]]:
    """Return what `handoff lint` finds in a text, errors of the file among it: code, line and column."""
    try:
        found = lint_stack(load_stack(text, file="stack.yaml"), today=TODAY)
    except StackError as error:
        found = error.problems
    return [(each.code, each.line, each.column) for each in found]


def choose_defects() -> list[tuple[str, Defect]]:
    """Choose defects of every mutation in every stack, at no more than so many places each."""
    chosen, places = [], Counter()
    for name, text in STACKS.items():
        for defect in seed_defects(text):
            key = name, defect.mutation
            places[key] += 1
            if places[key] <= PLACES:
                chosen.append((name, defect))
    return chosen


SEEDED = choose_defects()


@pytest.mark.parametrize("name", STACKS)
def test_sound(name):
    """A sound stack has no findings at all."""
    assert find(STACKS[name]) == []


def test_every_code_is_seeded():
    """Every code of the linter is seeded at several places, by mutations that all apply somewhere."""
    seeded = Counter(defect.mutation.code for _, defect in SEEDED)
    assert set(FINDINGS) - set(seeded) == {"queue-without-sla", "not-exercised"}, "below"
    assert {code for code, count in seeded.items() if count < 2} == set()
    assert {mutation.old for mutation in MUTATIONS} == {defect.mutation.old for _, defect in SEEDED}
    assert len(SEEDED) >= 60


@pytest.mark.parametrize(("name", "defect"), [pytest.param(*each, id=f"{each[0]}-{each[1].name}") for each in SEEDED])
def test_found(name, defect):
    """A seeded defect is found under its code at its line and column, and nothing else but what follows from it."""
    text, (expected,) = plant(STACKS[name], [defect])
    found = find(text)
    assert expected in found
    found.remove(expected)
    assert {code for code, _, _ in found} <= set(defect.mutation.also)


@pytest.mark.parametrize("number", range(SETS))
def test_found_together(number):
    """Of several defects in different handoffs of one stack each is found as if it were alone."""
    draw = random.Random(number)  # noqa: S311 - drawn alike each time
    name = draw.choice([name for name, text in STACKS.items() if text.count("\n  - id: ") > 3])
    by_block: dict[str, list[Defect]] = {}
    for defect in seed_defects(STACKS[name]):
        if not defect.mutation.whole:
            by_block.setdefault(defect.block, []).append(defect)
    blocks = draw.sample(sorted(by_block), draw.randint(2, min(5, len(by_block))))
    text, expected = plant(STACKS[name], [draw.choice(by_block[block]) for block in blocks])
    found = Counter(find(text))
    refused = {code for code, *_ in found} - set(FINDINGS)
    # A file with an error in it is not linted any further.
    assert Counter(each for each in expected if not refused or each[0] in refused) <= found


@pytest.mark.parametrize("name", STACKS)
def test_sound_is_exercised(name):
    """Of a sound stack everything is asked, but for a handoff over files, which is noted once and is no warning."""
    notes = note_unexercised(load_stack(STACKS[name], file="stack.yaml"), ())
    assert [(each.code, each.severity) for each in notes] == [("not-exercised", "info")] * (name == "warehouse")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"amount > 500.00 EUR"', '"weight > 5"', "nothing is asked of `payment-capture/weight>5:queue`: "),
        ("    operation: [wms_order.create]\n", "", ""),
        ("system: wms, record: order, state: allocated", "system: integration, record: order, state: allocated", "nothing is asked of `order-to-wms/partial_allocation:branch`: nobody but the integration"),
        ("from: wms\n    to: integration\n    protocol: webhook", "from: wms\n    to: erp\n    protocol: webhook", "nothing is asked of handoff `wms-shipment`: it cannot be driven: "),
    ],
)  # fmt: skip
def test_not_exercised(right, wrong, said):
    """What nobody asks about is noted where it stands, unless a finding says there already what is wrong with it."""
    text = STACKS["warehouse"]
    assert right in text
    stack = load_stack(text.replace(right, wrong, 1), file="stack.yaml")
    findings = lint_stack(stack, today=TODAY)
    notes = [each for each in note_unexercised(stack, findings) if each not in findings]
    assert [each.message.startswith(said) for each in notes if "stock-file" not in each.message] == [True] * bool(said)
    assert not {each.line for each in notes} & {each.line for each in findings}


def test_queue_without_sla():
    """Where the role of a queue loses its SLA, both the role and each of its queues are found."""
    text = STACKS["warehouse"].replace("fraud-review: {rotation: daily, sla: 1h", "fraud-review: {rotation: daily")
    threshold = next(number for number, line in enumerate(text.splitlines(), 1) if "decided_by: threshold" in line)
    assert [found for found in find(text) if found[0] == "queue-without-sla"] == [("queue-without-sla", threshold, 9)]


@pytest.mark.parametrize(
    ("right", "as_right"),
    [
        ("      - on: timeout\n", "      - on: connection\n        retry: {attempts: 3, initial: 4s}\n        then: dead_letter\n      - on: timeout\n"),
        ("fraud-review: {rotation: daily, sla: 1h", "fraud-review: {rotation: follow the sun, sla: 1h"),
        ('"amount > 500.00 EUR"', '"amount >= 0.01 EUR"'),
        ("decisions: {correct: {to: continue}", "decisions: {correct: {to: continue}, seen: {to: acknowledge}"),
        ("branch: {to: treat-as-done", "branch: {to: logistics-partner"),
        ("branch: {to: treat-as-done", "branch: {to: paged-import"),
        ("{system: gateway, record: payment_intent, state: succeeded}", "{system: gateway, record: payment_intent, state: requires_capture}"),
        ("on: {status: 503}", "on: {status: 409}"),
        ("on: {status: 503}", "on: {status: 404}"),
        ("failures: 5, pause: 40s", "failures: 12, pause: 40s"),
        ("failures: 5, pause: 40s", "failures: 5, pause: 28s"),
        ("retry: {attempts: 3, initial: 4s, max: 30s", "retry: {attempts: 2, initial: 60s, max: 1m"),
        ("recover: {within: 200s}", "recover: {within: 5m}"),
        ("within: 5m", "within: 24h"),
        ("effects: at_least_once", "effects: exactly_once"),
        ("client_retries: {gateway: 2}", "client_retries: {gateway: 2, wms: 0}"),
        ("on: receiver_down", "on: stale"),
        ("[label.create]", "[refund.create]"),
    ],
)  # fmt: skip
def test_sound_otherwise(right, as_right):
    """What is as right as what it replaces is no finding."""
    assert right in STACKS["warehouse"]
    assert find(STACKS["warehouse"].replace(right, as_right, 1)) == []
