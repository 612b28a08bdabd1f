"""Which of the labs that are up is joined."""

import pytest

from harness.core.problems import StackError
from harness.lab.choice import choose_lab
from harness.lab.errors import EnvironmentNotReady
from harness.lab.registry import register
from harness.wire.address import Address


@pytest.fixture
def enter(tmp_path):
    """Enter labs into the register; what is left of them goes at the end."""
    entered = []

    def one(lab, *, stack="stack.yaml", kind="up"):
        entered.append(register(lab, stack=str(tmp_path / stack), kind=kind))
        return entered[-1].record

    yield one
    for registration in entered:
        registration.close()


def test_the_only_lab_of_the_stack_is_the_one(enter, tmp_path):
    """Labs of other stacks and those that belong to a run do not count."""
    record = enter("ours")
    enter("theirs", stack="other.yaml")
    enter("of-a-run", kind="run")
    assert choose_lab(tmp_path / "stack.yaml") == record


def test_a_name_chooses_among_all(enter, tmp_path):
    """A lab can be named whatever its stack, also where the stack has no file."""
    theirs = enter("theirs", stack="other.yaml")
    enter("ours")
    assert choose_lab(tmp_path / "stack.yaml", lab_id="theirs") == theirs
    assert choose_lab(None, lab_id="theirs") == theirs


def test_no_lab_is_an_environment_that_is_not_ready(enter, tmp_path, monkeypatch):
    """Which lab is missing, why that matters and the command that brings it up are told."""
    monkeypatch.chdir(tmp_path)
    enter("theirs", stack="other.yaml")
    with pytest.raises(EnvironmentNotReady, match=r"no lab of stack\.yaml is up") as missing:
        choose_lab(tmp_path / "stack.yaml", target=Address("127.0.0.1", 9000))
    assert "http://127.0.0.1:9000 cannot know" in missing.value.why
    assert missing.value.next_command.startswith("handoff lab up stack.yaml --env lab.env")


def test_several_labs_ask_which(enter, tmp_path):
    """The ids are listed, and how to name one."""
    ids = {enter(lab).id for lab in ("one", "two")}
    with pytest.raises(StackError) as refused:
        choose_lab(tmp_path / "stack.yaml")
    (problem,) = refused.value.problems
    assert set(problem.expected) == ids
    assert "--lab attached:" in problem.fix


def test_a_wrong_name_lists_what_is_up(enter, tmp_path):
    """The nearest is offered; where nothing is up, the command that changes that."""
    with pytest.raises(EnvironmentNotReady, match="handoff lab up"):
        choose_lab(tmp_path / "stack.yaml", lab_id="up-0-abcdef")
    enter("up-0-abcdee")
    enter("other")
    with pytest.raises(EnvironmentNotReady, match="attached:up-0-abcdee"):
        choose_lab(tmp_path / "stack.yaml", lab_id="up-0-abcdef")


def test_a_stack_without_a_file_needs_a_name():
    """A stack from stdin has no lab of its own."""
    with pytest.raises(StackError, match="stdin"):
        choose_lab(None)
