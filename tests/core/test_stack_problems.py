"""Problems: every mistake in a stack.yaml is located, and says the way out."""

from pathlib import Path

import pytest

from harness.core.loading import load_stack
from harness.core.problems import Problem, StackError, nearest
from tests.core.stack_texts import SMALL

REFERENCE = (Path(__file__).parents[2] / "reference" / "stack.yaml").read_text(encoding="utf-8")


def problems_of(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a text; at least something is."""
    with pytest.raises(StackError) as caught:
        load_stack(text, file="stack.yaml")
    assert caught.value.problems
    return caught.value.problems


def only(text: str) -> Problem:
    """Return the one thing that is wrong with a text."""
    (problem,) = problems_of(text)
    return problem


def test_small_is_valid():
    """The text the mistakes are made in is itself without a mistake."""
    assert load_stack(SMALL, file="stack.yaml").handoffs[0].id == "order-to-erp"


@pytest.mark.parametrize(
    ("right", "wrong", "code", "points_at", "suggestion"),
    [
        ("attempts: 4", "attempt: 4, attempts: 4", "unknown-field", "attempt", "attempts"),
        ("protocol: api", "protocol: api\n    protocl: api", "unknown-field", "protocl", "protocol"),
        ("name: acme", "name: acme\nhandoff: []", "unknown-field", "handoff", "handoffs"),
        ("{status: 429}", "{statis: 429, status: 429}", "unknown-field", "statis", "status"),
        ("version: 1", "version: 2", "unknown-version", "2", "1"),
        ("version: 1", 'version: "1"', "unknown-version", '"1"', "1"),
        ("version: 1", "version: true", "unknown-version", "true", "1"),
        ("{fake: shopify}", "{fake: shopify, hosts: [LOCALHOST]}", "bad-hosts", "LOCALHOST", ""),
        (
            "{fake: shopify}",
            "{fake: shopify, hosts: [Shop.ACME.test]}",
            "bad-hosts",
            "Shop.ACME.test",
            "shop.acme.test",
        ),
        ("name: acme", "name: acme corp", "bad-name", "acme corp", "acme-corp"),
        ("attempts: 4", "attempts: four", "wrong-type", "four", ""),
        ("attempts: 4", 'attempts: "4"', "wrong-type", '"4"', "4"),
        ("attempts: 4", "attempts: 4.5", "wrong-type", "4.5", ""),
        ("attempts: 4", "attempts: true", "wrong-type", "true", ""),
        ("attempts: 4", "attempts: 0", "out-of-range", "0", "1"),
        ("attempts: 4", "attempts: -1", "out-of-range", "-1", "1"),
        ("attempts: 4", "attempts: 99999", "out-of-range", "99999", "1000"),
        ("initial: 4s", "initial: 4x", "bad-duration", "4x", "4s"),
        ("initial: 4s", "initial: 4", "bad-duration", "4", "4s"),
        ("initial: 4s", "initial: -4s", "bad-duration", "-4s", "4s"),
        ("within: 10m", "within: 0s", "bad-duration", "0s", ""),
        ("within: 10m", "within: 90000h", "bad-duration", "90000h", ""),
        ("max: 9s", "max: 3s", "max-below-initial", "3s", ""),
        ("protocol: api", "protocol: apy", "unknown-value", "apy", "api"),
        ("fake: netsuite", "fake: netsweet", "unknown-value", "netsweet", "netsuite"),
        ("on: any", "on: sesion_expired", "unknown-value", "sesion_expired", "session_expired"),
        ("on: any", "on: {status: 42}", "out-of-range", "42", "100"),
        ("on: any", "on: {code: 1001}", "wrong-type", "1001", '"1001"'),
        ("on: any", "on: {text: x}", "one-trigger", "{", ""),
        ("on: any", "on: {}", "one-trigger", "{", ""),
        ("on: any", "on: {text: x, status: 400}", "one-trigger", "text", ""),
        ("on: any", "on: {status: 400, code: X}", "one-trigger", "{", ""),
        ("on: any", "on: {when: amount is high}", "bad-threshold", "amount is high", ""),
        ("on: any", "on: {status: 429}", "equal-triggers", "{", ""),
        (
            "on: any",
            "on: {code: A B}\n        dead_letter: true\n      - on: {code: A-B}",
            "equal-triggers",
            "{code: A-B}",
            "",
        ),
        (
            "on: any",
            "on: {when: amount > 5}\n        dead_letter: true\n      - on: {when: total > 500 EUR}",
            "equal-triggers",
            "{when: total",
            "",
        ),
        ("from: storefront", "from: storefrnt", "unknown-system", "storefrnt", "storefront"),
        ("to: erp", "to: erq", "unknown-system", "erq", "erp"),
        ("webhooks: {storefront", "webhooks: {storefrnt", "unknown-system", "storefrnt", "storefront"),
        ("/hooks", "hooks", "bad-path", "hooks", "/hooks"),
        ("owner: oncall", "owner: oncal", "unknown-role", "oncal", "oncall"),
        ("alert: oncall", "alert: oncal", "unknown-role", "oncal", "oncall"),
        ("to: oncall}", "to: oncal}", "unknown-role", "oncal", "oncall"),
        ("then: dead_letter", "then: {retry: {attempts: 2, initial: 1s}}", "attempts-in-then", "retry", ""),
        (
            "then: dead_letter",
            "then: {renew_session: true, retry: {attempts: 2, initial: 1s}}",
            "attempts-in-then",
            "renew_session",
            "",
        ),
        ("then: dead_letter", "then: {resend: true}", "attempts-in-then", "resend", ""),
        ("then: dead_letter", "then: {queue: {role: oncal}}", "unknown-role", "oncal", "oncall"),
        ("then: dead_letter", "then: {dead_letter: {to: oncal}}", "unknown-role", "oncal", "oncall"),
        ("then: dead_letter", "then: dead_leter", "wrong-type", "dead_leter", "dead_letter"),
        ("then: dead_letter", "then: {}", "no-outcome", "then", ""),
        ("then: dead_letter", "reorder: true", "two-outcomes", "reorder", ""),
        ("then: dead_letter", "then: {reorder: true, deduplicate: true}", "two-outcomes", "deduplicate", ""),
        ("        retry: {attempts: 4, initial: 4s, max: 9s}\n", "", "no-outcome", "on", ""),
        ("within: 10m", "within: 10m\n    after: [order-to-emp]", "unknown-handoff", "order-to-emp", "order-to-erp"),
        ("within: 10m", "within: 10m\n    after: [order-to-erp]", "after-itself", "order-to-erp", ""),
        ("within: 10m", "within: 10m\n    operation: Create Order", "bad-operation", "Create Order", "create_order"),
        ("within: 10m", "within: 10m\n    operation: [sales_order.upsert, .c]", "bad-operation", ".c", "c"),
        ("within: 10m", "within: 10m\n    hops:", "no-value", "hops", ""),
        ("within: 10m", "within: 10m\n    hops: [a, ]\n    after: [~]", "no-value", "~", ""),
        ("    within: 10m\n", "", "missing-field", "i", ""),
        ("erp: {fake: netsuite}", "erp: {}", "one-of", "erp", ""),
        ("erp: {fake: netsuite}", "erp: {fake: netsuite, wiremock: x}", "one-of", "erp", ""),
        (
            "erp: {fake: netsuite}",
            "erp: {fake: netsuite}\n  integration: {fake: wms}",
            "reserved-name",
            "integration",
            "",
        ),
        ("erp: {fake: netsuite}", "erp: {fake: netsuite}\n  a b: {fake: wms}", "bad-name", "a b", "a-b"),
        ("command: [python, -m, reference]", "health: /up", "one-of", "integration", ""),
        ("  webhooks:", "  url: http://127.0.0.1:9\n  webhooks:", "one-of", "url", ""),
        ("  webhooks:", '  entity: "(x"\n  webhooks:', "bad-entity", '"(x"', ""),
        ("  webhooks:", "  entity: x+\n  webhooks:", "bad-entity", "x+", ""),
        ("  webhooks:", "  observe: {jobs: {command: x, path: /x}}\n  webhooks:", "one-of", "jobs", ""),
        (
            "oncall: {rot",
            "on_call: {rotation: daily}\n  on-call: {rotation: daily}\n  oncall: {rot",
            "duplicate-role",
            "on-call",
            "",
        ),
        ("name: acme", "name: acme\ntime: {scale: 0}", "out-of-range", "0", "1"),
        ("name: acme", "name: acme\ntime: {scale: .nan}", "wrong-type", ".nan", ""),
        ("name: acme", "name: acme\nname: other", "duplicate-key", "name", ""),
        ("name: acme", "name: acme\n7: x", "key-not-text", "7", ""),
        ("name: acme", "name: acme\n? [a]\n: x", "key-not-text", "[", ""),
        ("name: acme", "name: !!str acme", "yaml-tag", "!!str", ""),
        ("name: acme", "name: *acme", "unknown-alias", "*", ""),
        (
            "name: acme",
            "name: acme\naccept: [{clause: order-to-erp/429:retri, reason: x, until: 2027-01-01}]",
            "unknown-clause",
            "{",
            "order-to-erp/429:retry",
        ),
        (
            "name: acme",
            "name: acme\naccept: [{clause: order-to-erp/breaker, reason: x, until: tomorrow}]",
            "bad-date",
            "tomorrow",
            "",
        ),
    ],
)
def test_mistakes(right, wrong, code, points_at, suggestion):
    """One mistake gives one problem that points at it, names the nearest valid value and says what to do."""
    assert right in SMALL
    problem = only(SMALL.replace(right, wrong, 1))
    assert problem.code == code
    assert problem.source_line[problem.column - 1 :].startswith(points_at)
    assert problem.suggestion == suggestion
    assert problem.fix
    assert problem.severity == "error"


def test_every_problem_at_once():
    """All mistakes of a file are told together, in the order of the file."""
    text = SMALL
    for right, wrong in [("version: 1", "version: 3"), ("4s", "4x"), ("to: erp", "to: erq"), ("on: any", "on: an")]:
        text = text.replace(right, wrong, 1)
    problems = problems_of(text)
    assert [problem.code for problem in problems] == [
        "unknown-version",
        "unknown-system",
        "bad-duration",
        "unknown-value",
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_rendering():
    """A problem shows its line, a caret under what is meant, the nearest name, all names, the next command."""
    problem = only(SMALL.replace("attempts: 4", "attempts: 4, attempt: 5"))
    assert problem.render() == (
        "stack.yaml:20:30  unknown field `attempt` in retry\n"
        "   20 │         retry: {attempts: 4, attempt: 5, initial: 4s, max: 9s}\n"
        "      │                              ^^^^^^^\n"
        "   did you mean `attempts`?  (attempts, initial, factor, max, jitter, honour_retry_after)\n"
        "   editor completion: handoff schema > stack.schema.json"
    )


def test_duplicate_handoffs():
    """A handoff id is declared once; the second is told where the first stands."""
    second = SMALL[SMALL.index("  - id:") :]
    problem = only(SMALL + second)
    assert problem.code == "duplicate-id"
    assert "first on line 12" in problem.message
    assert problem.line == 25


def test_circle():
    """Handoffs that wait for each other are told, those that only wait for the circle are not."""
    handoffs = SMALL[SMALL.index("  - id:") :]
    text = SMALL.replace("within: 10m", "within: 10m\n    after: [b]", 1)
    for name, after in (("b", "order-to-erp"), ("c", "b"), ("d", "c")):
        text += handoffs.replace("order-to-erp", name).replace("within: 10m", f"within: 10m\n    after: [{after}]", 1)
    problems = problems_of(text)
    assert [(problem.code, problem.found) for problem in problems] == [
        ("after-cycle", "order-to-erp"),
        ("after-cycle", "b"),
    ]


@pytest.mark.parametrize("owner", ["jane.doe@acme.test", "Jane Doe"])
def test_person_as_owner_loads(owner):
    """An owner that is a person is a finding of the linter, not an error."""
    assert load_stack(SMALL.replace("owner: oncall", f"owner: {owner}"), file="x").handoffs[0].owner == owner


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "empty-file", 0, 0),
        ("# only a remark\n", "empty-file", 0, 0),
        ("---\n", "wrong-type", 2, 1),
        ("just words", "wrong-type", 1, 1),
        ("- a\n- b\n", "wrong-type", 1, 1),
        ("a: [1, 2\nb: 3", "yaml-syntax", 2, 2),
        ("a: b: c", "yaml-syntax", 1, 5),
        ("a: 'x\n\n", "yaml-syntax", 3, 1),
        ("a:\n\tb: 1", "yaml-tab", 2, 1),
        ("version: 1\nna\x00me: x", "yaml-character", 2, 3),
        ("version: 1\r\nna\x00me: x", "yaml-character", 2, 3),
        ("a: \x1b[31mred", "yaml-character", 1, 4),
        ("a: \ud800", "yaml-character", 1, 4),
        ("version: 1\n---\nversion: 1\n", "two-documents", 2, 1),
        ("[" * 100_000, "too-deep", 1, 41),
        ("a: " * 100_000, "yaml-syntax", 1, 5),
        ("{a: " * 100_000, "too-deep", 1, 158),
        ("- " * 100_000, "too-deep", 1, 81),
        ("- a\n" * 100_000, "too-large", 20_001, 3),
        ("a" * 1_000_001, "too-large", 0, 0),
    ],
)
def test_broken_text(text, code, line, column):
    """Text that is no YAML, or is no stack by far, is one located problem."""
    problem = problems_of(text)[0]
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert problem.fix


def test_alias_bomb():
    """Aliases that would unfold into billions of values are refused, quickly."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert problems_of("\n".join(lines))[-1].code == "too-large"


def test_alias_tower():
    """Aliases cannot stack levels beyond the depth the file itself may have."""
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000)]
    assert problems_of("\n".join(lines))[-1].code == "too-deep"


def test_alias_of_itself():
    """A value cannot contain itself."""
    assert "unknown-alias" in {problem.code for problem in problems_of("a: &a [*a]")}


def test_terminal_is_safe():
    """A rendered problem holds no control characters, whatever the file holds."""
    for text in ("a: \x1b[31mred", 'name: "\\e[31m\\u200f\\ud800"', '"\\e[2J": 1', "a: \x9b"):
        for problem in problems_of(text):
            rendered = problem.render().replace("\n", "")
            assert rendered.isprintable() or "\ufffd" in rendered
            assert "\x1b" not in rendered
            rendered.encode()


def test_long_lines_are_cut():
    """A problem deep in a long line shows the part around it, with the caret in place."""
    text = SMALL.replace("hooks}", "hooks, " + "x" * 500 + ": /y, erp: nope}")
    problem = next(problem for problem in problems_of(text) if problem.code == "bad-path")
    line, caret = problem.render().splitlines()[1:3]
    assert len(line) < 130
    assert line[caret.index("^") :].startswith("nope")


def test_wide_characters_keep_the_caret_in_place():
    """The caret accounts for characters that fill two columns."""
    problem = only(SMALL.replace("rotation: weekly, sla: 15m", "rotation: 毎週, sla: 4x"))
    caret = problem.render().splitlines()[2]
    assert caret.index("^") == len("   10 │   oncall: {rotation: ____, sla: ")


def test_nearest():
    """The nearest word ignores case, and is none when nothing is near."""
    assert nearest("ATTEMPT", ("attempts", "initial")) == "attempts"
    assert not nearest("zzz", ("attempts", "initial"))


def test_json_has_every_field():
    """The JSON of a problem always has the same eight fields."""
    for problem in (only(SMALL.replace("4s", "4x")), only("")):
        assert list(problem.as_json()) == ["code", "severity", "file", "line", "column", "message", "fix", "why"]


def test_reference_with_a_typo_in_every_key():
    """Whatever field of the stack in use is misspelt, the nearest name given is the right one."""
    lines = REFERENCE.splitlines()
    stack = load_stack(REFERENCE, file="stack.yaml")
    named = {*stack.systems, *stack.roles}
    for number, line in enumerate(lines):
        name = line.strip().removeprefix("- ").partition(":")[0]
        if not line.strip() or line.strip().startswith("#") or len(name) < 5 or " " in name:
            continue
        if name in named:
            continue
        broken = "\n".join([*lines[:number], line.replace(name, f"{name[:-2]}{name[-1]}", 1), *lines[number + 1 :]])
        problems = [problem for problem in problems_of(broken) if problem.code == "unknown-field"]
        assert [problem.suggestion for problem in problems] == [name]
        assert problems[0].line == number + 1
