"""What `handoff run` refuses before anything starts, and what it says when the integration does not come up."""

import re
from pathlib import Path

import pytest

from harness.cli import main

SLICE = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
TEXT = SLICE.read_text()


def change(old, new):
    """Change the reference's text in one place."""
    assert TEXT.count(old) >= 1
    return TEXT.replace(old, new, 1)


BROKEN_STACKS = {
    "an unknown key": (change("attempts: 4", "attempst: 4"), "did you mean `attempts`"),
    "a wrong type": (change("attempts: 4", "attempts: many"), "attempts"),
    "a bad duration": (change("within: 10m", "within: 10 minutes"), "10m"),
    "a duplicate id": (change("- id: order-to-erp", "- id: order-capture"), "order-capture"),
    "two equally specific triggers": (change("on: session_expired", "on: {status: 429}"), "429"),
    "an unknown system": (change("to: erp\n", "to: epr\n"), "did you mean `erp`"),
    "no attempt at all": (change("attempts: 4", "attempts: 0"), "attempts"),
    "an undeclared role": (
        change("escalate_after: 3, to: integration-oncall", "escalate_after: 3, to: oncall"),
        "oncall",
    ),
    "broken YAML": (change("handoffs:", "handoffs: ["), "YAML"),
    "an empty file": ("", "empty"),
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep register and reports of every test in its own folder."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def refuse(capsys, home, *arguments, stack=SLICE):
    """Run with these arguments; return the exit code and stderr, after seeing that nothing was started or written."""
    before = {path.name for path in home.iterdir()}
    given = arguments if "--out" in arguments else ("--out", str(home / "out"), *arguments)
    code = main(["run", str(stack), *given])
    assert {path.name for path in home.iterdir()} == before
    return code, capsys.readouterr().err


@pytest.mark.parametrize("kind", BROKEN_STACKS)
def test_a_stack_with_a_mistake_is_refused_with_its_place(kind, capsys, home):
    """Exit 4, with file, line and column, and what was probably meant; nothing is started."""
    text, said = BROKEN_STACKS[kind]
    stack = home / "stack.yaml"
    stack.write_text(text)
    code, err = refuse(capsys, home, stack=stack)

    assert code == 4
    assert re.search(r"stack\.yaml(:\d+:\d+)?  ", err)
    assert said in err


@pytest.mark.parametrize("kind", sorted(set(BROKEN_STACKS) - {"an empty file"}))
def test_a_mistake_has_a_line_and_a_column(kind, capsys, home):
    """Only a file without any text has no place to point at."""
    (home / "stack.yaml").write_text(BROKEN_STACKS[kind][0])
    _, err = refuse(capsys, home, stack=home / "stack.yaml")

    assert re.search(r"stack\.yaml:\d+:\d+  ", err)
    assert "^" in err


def test_a_missing_file_is_told_with_its_neighbour(capsys, home):
    """The nearest file that exists is named."""
    (home / "stack.yaml").write_text(TEXT)
    code, err = refuse(capsys, home, stack=home / "stak.yaml")

    assert code == 4
    assert "stack.yaml" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-k", "no-such-experiment"], "chooses none of"),
        (["-k", "order-to-erp/429:retry/onse"], "order-to-erp/429:retry/once"),
        (["-k", "(clean"], "cannot be read at the end"),
        (["--shard", "5/4"], "5/4 is not a shard"),
        (["--shard", "half"], "1 <= i <= n"),
        (["-k", "clean", "--shard", "9/9"], "holds none of 4"),
        (["-n", "0"], "-n"),
        (["--seed", "-1"], "--seed"),
        (["--integration", ""], "names no command"),
        (["--integration", "a 'b"], "no closing quotation"),
        (["--integration", "a", "--attach", "http://127.0.0.1:1"], "exclude each other"),
        (["--attach", "localhost"], "is not a URL"),
        (["--integraton", "a"], "did you mean `--integration`"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(arguments, said, capsys, home):
    """Exit 4, with what is wrong and what would be right."""
    code, err = refuse(capsys, home, *arguments)

    assert (code, said in err) == (4, True), err
    assert re.search("fix:|next:|did you mean", err)


@pytest.mark.parametrize("out", ["file/below", "file"])
def test_a_folder_that_cannot_be_written_is_refused(out, capsys, home):
    """Where no folder can be made the run does not begin."""
    (home / "file").write_text("in the way")
    code, err = refuse(capsys, home, "--out", str(home / out))

    assert code == 4
    assert "cannot be written to" in err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-command-anywhere", ["there is no command 'no-such-command-anywhere'"]),
        (
            'python -c \'print("reading settings"); raise SystemExit("no licence")\'',
            ["ended with exit code 1 before it was ready", "| reading settings", "| no licence"],
        ),
    ],
)
def test_an_integration_that_does_not_start_is_told_with_its_last_lines(command, said, capsys, home):
    """Exit 12, with what it said and the next command; no folder is left of a run that never was."""
    code = main(["run", str(SLICE), "-n", "2", "-k", "clean", "--out", str(home / "out"), "--integration", command])
    err = capsys.readouterr().err

    assert code == 12
    assert all(words in err for words in said), err
    assert "next:" in err
    assert list((home / "out").iterdir()) == []


def test_an_integration_that_never_gets_healthy_is_told_with_its_last_lines(capsys, home, monkeypatch):
    """It is waited for as long as is allowed, and then what it said so far is shown."""
    monkeypatch.setattr("harness.lab.assembly.HEALTHY_WITHIN_S", 1.0)
    command = "python -c 'print(\"waiting for a database\", flush=True); import time; time.sleep(600)'"
    code = main(["run", str(SLICE), "-n", "1", "-k", "clean", "--out", str(home / "out"), "--integration", command])
    err = capsys.readouterr().err

    assert code == 12
    assert "did not give 200 from" in err
    assert "| waiting for a database" in err
