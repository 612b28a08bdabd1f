"""Credentials that look live are refused before anything starts, and never told."""

import os

import pytest

from harness.core.problems import StackError
from harness.core.stack import Integration, Stack, System
from harness.lab.containers.images import choose_image
from harness.lab.credentials import make_credentials
from harness.lab.environment import build_account
from harness.lab.errors import EnvironmentNotReady
from harness.lab.layout import choose_place
from harness.lab.live_keys import ensure_safe_environment, ensure_safe_image, ensure_safe_text, ensure_safe_words

LIVE = "sk_" + "live_51Habcdefghijkl"
SHOP = "shpat_" + "0123456789abcdef" * 2


def test_a_shell_that_would_be_inherited_is_refused_by_the_names_of_its_variables():
    """Every variable is told with what it holds, and how to go on without them; no value is."""
    with pytest.raises(EnvironmentNotReady) as refused:
        ensure_safe_environment({"STRIPE_API_KEY": LIVE, "SHOP TOKEN": f"x={SHOP}", "PATH": "/bin"})
    told = str(refused.value)
    assert "STRIPE_API_KEY holds a live Stripe key (sk_live_…)" in told
    assert "env -u STRIPE_API_KEY -u 'SHOP TOKEN' handoff" in refused.value.next_command
    assert LIVE not in told
    assert SHOP not in told
    assert "PATH" not in told


def test_what_the_lab_sets_anew_reaches_nobody():
    """The integration gets the lab's own token under that name, whatever stood there."""
    ensure_safe_environment({"STOREFRONT_TOKEN": SHOP, "GATEWAY_API_KEY": LIVE})


def test_what_a_lab_issues_is_safe():
    """An outer lab's variables, or those of an earlier one, are no live keys."""
    credentials = make_credentials()
    issued = {
        k: v
        for prefix in ("STOREFRONT", "ERP", "GATEWAY", "WMS")
        for k, v in build_account(prefix, credentials).items()
    }
    ensure_safe_environment({f"COPY_OF_{name}": value for name, value in issued.items()})


def test_a_command_that_carries_one_is_refused():
    """The word is not repeated."""
    with pytest.raises(StackError) as refused:
        ensure_safe_words(["env", f"KEY={LIVE}", "python"])
    assert "--integration carries a live Stripe key (sk_live_…)" in str(refused.value)
    assert LIVE not in str(refused.value)


def test_a_stack_that_holds_one_is_refused_where_it_stands():
    """File, line and column are told, and the line is shown without it."""
    with pytest.raises(StackError) as refused:
        ensure_safe_text(f"version: 1\nname: {LIVE}\n", "stack.yaml")
    (problem,) = refused.value.problems
    assert (problem.line, problem.column) == (2, 7)
    assert LIVE not in problem.render()
    assert ensure_safe_text("version: 1\n", "stack.yaml") == "version: 1\n"


@pytest.mark.parametrize("command", [None, "python -m reference"])
def test_no_integration_is_placed_that_would_inherit_one(monkeypatch, command):
    """Whether the stack's command or the caller's; one that runs elsewhere has its own environment."""
    stack = Stack("s", {"a": System("a")}, Integration(command=("python",)), {}, ())
    monkeypatch.setitem(os.environ, "PAYMENTS_KEY", LIVE)
    with pytest.raises(EnvironmentNotReady):
        choose_place(stack, command, with_integration=True)
    elsewhere = Stack("s", {}, Integration(url="http://127.0.0.1:9"), {}, ())
    assert choose_place(elsewhere, None, with_integration=True).url


def test_an_image_that_sets_one_is_refused():
    """The image and its variable are told, the value is not."""
    with pytest.raises(EnvironmentNotReady) as refused:
        ensure_safe_image("shop/app:1", ["PATH=/bin", f"STRIPE_KEY={LIVE}"])
    assert "the image shop/app:1: its variable STRIPE_KEY holds a live Stripe key" in str(refused.value)
    assert LIVE not in str(refused.value)


def test_a_command_for_an_image_is_looked_at_too():
    """Whichever kind of lab starts it."""
    with pytest.raises(StackError, match="carries a live Stripe key"):
        choose_image(Stack("s", {}, Integration(image="shop/app"), {}, ()), None, f"app --key {LIVE}")
