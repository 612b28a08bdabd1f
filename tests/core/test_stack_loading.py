"""Loading: what a valid stack.yaml becomes."""

import datetime as dt
import pickle
from pathlib import Path

import pytest

from harness.core.loading import load_stack
from harness.core.outcomes import (
    Branch,
    DeadLetter,
    Deduplicate,
    Outcome,
    Reconcile,
    Recover,
    Reject,
    Renew,
    Reorder,
    Resend,
    ResolvedWhen,
    Retry,
)
from harness.core.problems import StackError
from harness.core.stack import Breaker, Role, Source, System
from tests.core.stack_texts import WHOLE

REFERENCE = Path(__file__).parents[2] / "reference" / "stack.yaml"


@pytest.fixture(scope="module")
def stack():
    """Load a stack that says everything stack.yaml can say."""
    return load_stack(WHOLE, file="whole.yaml")


def outcome_of(stack, handoff: str, slug: str) -> Outcome:
    """Return the leading outcome of one path."""
    return next(path for path in stack.handoff(handoff).paths if path.slug == slug).outcome


def test_reference_loads():
    """The stack in use loads, with its ids in the order of the file."""
    stack = load_stack(REFERENCE.read_text(encoding="utf-8"), file="reference/stack.yaml")
    assert [handoff.id for handoff in stack.handoffs][:2] == ["order-capture", "order-to-erp"]
    assert str(stack.handoff("order-capture").paths[0].outcome.location) == "reference/stack.yaml:52:9"


def test_top(stack):
    """The settings of the whole stack are read, durations in seconds, days as days."""
    assert (stack.name, stack.version, stack.time.scale) == ("acme", 1, 20.0)
    assert stack.matrix.recurrence_high == 5
    assert stack.matrix.impact_high == ("delayed_shipment", "inventory_error")
    assert stack.systems["erp"] == System("erp", fake="netsuite")
    assert stack.systems["carrier"] == System("carrier", wiremock="fakes/carrier")
    assert stack.roles["compliance"] == Role("compliance", "daily", 4 * 3600.0, "zendesk")
    assert stack.accept[0].until == dt.date(2027, 3, 31)


def test_integration(stack):
    """The system under test: how it starts, what it shows in each of three ways, what it does not show."""
    integration = stack.integration
    assert integration.command == ("python", "-m", "reference")
    assert (integration.image, integration.url, integration.health) == ("acme/integration", None, "/up")
    assert integration.webhooks == {"storefront": "/webhooks/storefront", "gateway": "/webhooks/gateway"}
    assert integration.client_retries == {"gateway": 2}
    assert integration.entity == "order-(?P<order>[0-9]+)"
    assert integration.observe.dead_letters == Source(path="/ops/dead-letters")
    assert integration.observe.queues == Source(command="./queues.sh")
    assert integration.observe.jobs == Source(python="my_adapter:jobs")
    assert integration.observe.breakers is None


def test_handoff(stack):
    """A handoff has every field under a plain name."""
    handoff = stack.handoff("order-to-erp")
    assert (handoff.source, handoff.target, handoff.protocol) == ("storefront", "erp", "api")
    assert handoff.after == ("order-capture",)
    assert handoff.operations == ("sales_order.create", "sales_order.upsert")
    assert handoff.effects == "at_least_once"
    assert handoff.resolved_when == ResolvedWhen("erp", "sales_order", "exists_once")
    assert handoff.within_s == 600.0
    assert handoff.dead_letter == DeadLetter(3, "integration-oncall")
    assert handoff.breaker == Breaker(5, 40.0, 2, "integration-oncall")
    assert stack.handoff("order-capture").effects == "exactly_once"


def test_one_word_for_a_list(stack):
    """`after` and `operation` take one name without brackets."""
    handoff = stack.handoff("shipping-advice")
    assert (handoff.after, handoff.operations) == (("order-to-erp",), ("shipping_advice.send",))


@pytest.mark.parametrize(
    ("handoff", "slug", "outcome"),
    [
        ("order-capture", "dropped:reconcile", Reconcile(20.0, 100.0)),
        ("order-capture", "duplicate:deduplicate", Deduplicate()),
        ("order-capture", "out_of_order:reorder", Reorder()),
        ("order-capture", "bad_signature:reject", Reject(401)),
        ("order-capture", "receiver_down:recover", Recover(200.0)),
        ("order-to-erp", "429:retry", Retry(4, 4.0, 3.0, 100.0, "full", honour_retry_after=True)),
        ("order-to-erp", "session_expired:renew_session", Renew(Retry(2, 2.0))),
        ("order-to-erp", "permission_denied:renew_session", Renew(Retry(2, 0.0))),
        (
            "order-to-erp",
            "USER_ERROR+already-exists:branch",
            Branch("treat-as-done", ResolvedWhen("erp", "sales_order", "Billed")),
        ),
        ("order-to-erp", "malformed:dead_letter", DeadLetter(1, "integration-oncall")),
        ("order-to-erp", "amount>500.00EUR:retry", Retry(3, 1.0)),
        ("shipping-advice", "ack_missing:resend", Resend(2, 1800.0)),
        ("shipping-advice", "file_missing:resend", Resend(1)),
    ],
)
def test_outcomes(stack, handoff, slug, outcome):
    """Every outcome is read with its values and stands under its slug."""
    assert outcome_of(stack, handoff, slug) == outcome


def test_queue(stack):
    """A role queue knows its role, SLA, decisions and who decides."""
    path = next(path for path in stack.handoff("order-to-erp").paths if path.queue is not None)
    queue = path.queue
    assert (queue.role, queue.decided_by, queue.sla_s) == ("compliance", "human", 3600.0)
    assert [(decision.name, decision.to) for decision in queue.decisions] == [
        ("approve", "continue"),
        ("reject", "cancel-and-refund"),
    ]
    assert (path.kind, path.decided_by) == ("business_rule", "human")


@pytest.mark.parametrize(
    ("slug", "effective"),
    [
        ("429:retry", DeadLetter(3, "integration-oncall")),
        ("lost_response:dead_letter", DeadLetter(3, "integration-oncall")),
        ("session_expired:renew_session", DeadLetter(7, "compliance")),
        ("malformed:dead_letter", DeadLetter(1, "integration-oncall")),
        ("amount>500.00EUR:retry", None),
        ("USER_ERROR+already-exists:branch", None),
    ],
)
def test_effective_dead_letter(stack, slug, effective):
    """A path that ends in a dead letter uses its own escalation, else the handoff's; another path has none."""
    path = next(path for path in stack.handoff("order-to-erp").paths if path.slug == slug)
    assert path.dead_letter == effective


def test_dead_letter_without_default(stack):
    """Where nobody declares an escalation the dead letter has none, and is still one."""
    assert stack.handoff("shipping-advice").paths[0].dead_letter == DeadLetter()


def test_by_specificity(stack):
    """Paths are tried from the most specific trigger down, whatever their order in the file."""
    slugs = [path.on.slug for path in stack.handoff("order-to-erp").by_specificity]
    assert slugs[:3] == ["USER_ERROR+already-exists", "RESTRICTED_PRODUCT", "amount>500.00EUR"]
    assert slugs[-1] == "429"


def test_places(stack):
    """Everything that stands in the file knows where."""
    handoff = stack.handoff("order-to-erp")
    lines = WHOLE.splitlines()
    for value, starts in [
        (handoff, "id: order-to-erp"),
        (handoff.breaker, "breaker:"),
        (handoff.dead_letter, "dead_letter: {escalate_after: 3"),
        (handoff.resolved_when, "resolved_when: {system: erp, record: sales_order"),
        (handoff.paths[0], "on: {status: 429}"),
        (handoff.paths[0].on, "{status: 429}"),
        (handoff.paths[0].outcome, "retry: {attempts: 4"),
        (handoff.paths[0].then, "then: dead_letter"),
        (handoff.paths[1].then, "dead_letter: {escalate_after: 7"),
        (handoff.paths[1].outcome, "renew_session: true"),
        (handoff.paths[4].queue, "queue: {role: compliance, decided_by"),
        (handoff.paths[4].queue.decisions[1], "reject: {to"),
        (stack.systems["erp"], "erp: "),
        (stack.roles["compliance"], "compliance: "),
        (stack.accept[1], "{clause: order-to-erp/breaker"),
        (stack.integration, "integration:"),
        (stack.integration.observe, "observe:"),
        (stack.integration.observe.jobs, "jobs:"),
        (stack.time, "time:"),
    ]:
        place = value.location
        assert place.file == "whole.yaml"
        assert lines[place.line - 1][place.column - 1 :].startswith(starts)


def test_gaps():
    """The gaps of a retry grow by the factor up to the longest, one fewer than attempts."""
    assert Retry(5, 1.0, 2.0, max_s=5.0).gaps_s == (1.0, 2.0, 4.0, 5.0)
    assert Retry(1, 1.0).gaps_s == ()
    assert Retry(3, 1.0, jitter="decorrelated").gaps_s == (1.0, 3.0)
    assert Retry(1000, 1.0, 1000.0).budget_s == float("inf")


def test_yaml_1_2_words(stack):
    """`on` is a key and `off`, `yes`, `no` are texts, also under a %YAML 1.1 directive."""
    text = "%YAML 1.1\n---\n" + WHOLE.replace("name: acme", "name: off").replace("to: continue", "to: yes")
    other = load_stack(text, file="x")
    assert other.name == "off"
    assert other.handoff("order-to-erp").paths[4].queue.decisions[0].to == "yes"
    assert other.handoffs[0].paths[0].on == stack.handoffs[0].paths[0].on


def test_aliases_are_values():
    """An alias stands for what its anchor holds."""
    text = WHOLE.replace("dead_letter: {escalate_after: 1,", "dead_letter: &letter {escalate_after: 1,")
    text = text.replace("    dead_letter: {escalate_after: 3, to: integration-oncall}", "    dead_letter: *letter")
    assert load_stack(text, file="x").handoff("order-to-erp").dead_letter == DeadLetter(1, "integration-oncall")


def test_line_ends_and_byte_order_mark(stack):
    """Files from Windows load the same."""
    assert load_stack("\ufeff" + WHOLE.replace("\n", "\r\n"), file="whole.yaml") == stack


def test_crosses_processes(stack):
    """A stack and its errors can be sent to another process."""
    assert pickle.loads(pickle.dumps(stack)) == stack  # noqa: S301 - made by this test
    with pytest.raises(StackError) as caught:
        load_stack("version: 2", file="x")
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems  # noqa: S301 - made by this test


def test_unknown_handoff(stack):
    """Asking for a handoff that is not there is a KeyError."""
    with pytest.raises(KeyError):
        stack.handoff("nothing")
