"""Stacks of many shapes for tests of what they compile to."""

from dataclasses import dataclass
from functools import cache

from histories import call, told
from hypothesis import strategies as st

from harness.core.compile import compile_stack
from harness.core.experiments import Experiment, Plan, Watch
from harness.core.loading import load_stack

WEBHOOK_PATHS = {
    "dropped": "reconcile: {every: 60s, within: 120s}",
    "duplicate": "deduplicate: true",
    "out_of_order": "reorder: true",
    "bad_signature": "reject: {status: 401}",
    "malformed": "dead_letter: {escalate_after: 2, to: oncall}",
    "receiver_down": "recover: {within: 200s}",
    "crash": "recover: {within: 40s}",
}
API_PATHS = {
    "{status: 429}": "retry: {attempts: 4, initial: 4s, jitter: full}, then: dead_letter",
    "{status: 503}": "retry: {attempts: 2, initial: 1s}, then: dead_letter",
    "{status: 409}": "retry: {attempts: 2, initial: 1s}, then: dead_letter",
    "{status: 401}": "retry: {attempts: 2, initial: 1s}, then: dead_letter",
    "session_expired": "renew_session: true, retry: {attempts: 2, initial: 2s}, then: dead_letter",
    "rate_limited": "retry: {attempts: 3, initial: 2s, honour_retry_after: true}, then: dead_letter",
    "connection": "retry: {attempts: 2, initial: 2s}, then: dead_letter",
    "malformed": "dead_letter: {escalate_after: 1, to: oncall}",
    "{code: USER_ERROR, text: already exists}": "branch: {to: done}",
    "{code: LOCKED}": "retry: {attempts: 2, initial: 1s}, then: dead_letter",
    "partial_allocation": "retry: {attempts: 2, initial: 1s}, then: dead_letter",
}


@cache
def compile_text(text: str) -> Plan:
    """Compile the text of a stack."""
    return compile_stack(load_stack(text, file="stack.yaml"))


@dataclass(frozen=True)
class Shape:
    """What of a stack may vary."""

    webhook_paths: tuple[str, ...] = tuple(WEBHOOK_PATHS)
    api_paths: tuple[str, ...] = ("{status: 429}", "session_expired", "malformed")
    any_path: str | None = "retry: {attempts: 3, initial: 4s}, then: dead_letter"
    failures: int | None = 5
    pause: str = "40s"
    escalate_after: int | None = 3
    observed: bool = True
    effects: str = "exactly_once"
    scale: int = 20

    @property
    def text(self) -> str:
        """Write the stack."""
        api = [f"{{on: {on}, {API_PATHS[on]}}}" for on in self.api_paths]
        api += [f"{{on: any, {self.any_path}}}"] if self.any_path else []
        escalation = f"{{escalate_after: {self.escalate_after}, to: oncall}}" if self.escalate_after else "{}"
        more = f"    dead_letter: {escalation}\n"
        if self.failures is not None:
            more += f"    breaker: {{failures: {self.failures}, pause: {self.pause}, alert: oncall}}\n"
        return "".join(
            [
                f"version: 1\nname: some\ntime: {{scale: {self.scale}}}\n",
                "systems: {storefront: {fake: shopify}, erp: {fake: netsuite}, crm: {wiremock: ./crm}}\n",
                "integration:\n  command: [./run]\n  webhooks: {storefront: /hooks}\n",
                "  observe: {dead_letters: /dlq}\n" if self.observed else "",
                "roles: {oncall: {sla: 15m}}\nhandoffs:\n",
                "  - id: capture\n    from: storefront\n    to: integration\n    protocol: webhook\n    owner: oncall\n",
                "    operation: [orders/create, orders/updated]\n    within: 5m\n",
                "    resolved_when: {system: erp, record: sales_order, state: exists_once}\n    paths:\n",
                *(f"      - {{on: {on}, {WEBHOOK_PATHS[on]}}}\n" for on in self.webhook_paths),
                "  - id: post\n    from: storefront\n    to: erp\n    protocol: api\n    after: [capture]\n    owner: oncall\n",
                f"    operation: [sales_order.create, sales_order.upsert]\n    effects: {self.effects}\n    within: 10m\n",
                "    resolved_when: {system: erp, record: sales_order, state: exists_once}\n    paths:\n",
                *(f"      - {path}\n" for path in api),
                more,
            ]
        )

    @property
    def plan(self) -> Plan:
        """Compile the stack."""
        return compile_text(self.text)

    @property
    def experiments(self) -> dict[str, Experiment]:
        """List the experiments by id."""
        return {experiment.id: experiment for experiment in self.plan.experiments}


def some_of(valid, *, at_least=0):
    """Choose some of the valid values, each at most once."""
    return st.lists(st.sampled_from(sorted(valid)), unique=True, min_size=at_least).map(tuple)


shapes = st.builds(
    Shape,
    webhook_paths=some_of(WEBHOOK_PATHS, at_least=1),
    api_paths=some_of(API_PATHS, at_least=1),
    any_path=st.sampled_from(
        [
            None,
            "retry: {attempts: 1, initial: 4s}, then: dead_letter",
            "retry: {attempts: 7, initial: 2s, jitter: decorrelated}, then: dead_letter",
            "retry: {attempts: 2, initial: 2s, jitter: equal}, then: {queue: {role: oncall}}",
            "dead_letter: {escalate_after: 2, to: oncall}",
        ]
    ),
    failures=st.none() | st.integers(1, 6),
    escalate_after=st.none() | st.integers(1, 4),
    observed=st.booleans(),
    effects=st.sampled_from(["exactly_once", "at_least_once"]),
    scale=st.sampled_from([1, 20]),
)


def steps_of(experiment, kind):
    """List the steps of one kind."""
    return [step for step in experiment.steps if isinstance(step, kind)]


def watched_s(experiment):
    """Return how long the last thing that must not happen is watched for."""
    return steps_of(experiment, Watch)[-1].for_s


def expected_attempts(experiment, calls):
    """Tell whether so many failing calls are what an experiment expects."""
    check = next(check for check in experiment.checks if check.name == "attempts")
    return check.judge(told(*(call(n, 503) for n in range(calls)))).outcome
