"""`handoff explore` without labs: what it refuses, what it can combine, what it says, and what `run` makes of what it kept."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli import main
from harness.cli.explore import decide_exit
from harness.core.regression import Regression, write_regression
from harness.core.schedule import Strike, build_schedule
from harness.explore.telling import render_exploration

SLICE = Path(__file__).parents[2] / "scenarios" / "slice.yaml"
KEPT = write_regression(
    Regression("acme-slice", 3, build_schedule([Strike(1, "order-to-erp/lost_response", 1, 1, 2)], slots=1))
)
FOUND = {
    "id": "order-to-erp/combined:conserved/0123456789",
    "strikes": [
        {"fault": "order-to-erp/outage", "order": 1, "attempt": 2, "begins": 1, "lasts": 1},
        {"fault": "order-to-erp/timeout", "order": "every", "attempt": "every", "begins": 1, "lasts": 2},
    ],
    "slots": 2,
    "drawn": {"strikes": 7, "slots": 4},
    "declared": "every order posted once or parked once",
    "observed": "doubled: #411001",
    "hits": 10,
    "runs": 10,
    "at_least": 0.7411,
    "smallest": True,
    "file": "regressions/one.yaml",
    "not_kept": None,
    "reproduce": "handoff run stack.yaml --regressions regressions/one.yaml",
}
DOCUMENT = {
    "found": [],
    "drawn": 40,
    "trials": {"drawn": 40, "smaller": 0, "again": 0},
    "verdicts": {"held": 38, "violated": 0, "unknown": 2},
    "confidence": 0.95,
    "fewer_than": 0.0758,
    "failure": None,
    "interrupted": False,
    "seconds": 61.0,
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep register and reports of every test in its own folder, with a stack in it."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "stack.yaml").write_text(SLICE.read_text())
    return tmp_path


def refuse(capsys, home, *arguments, command="explore"):
    """Give these arguments to a command; return the exit code and stderr, after seeing that nothing was started or written."""
    before = set(home.rglob("*"))
    given = arguments if "--out" in arguments else ("--out", str(home / "out"), *arguments)
    code = main([command, str(home / "stack.yaml"), *given])
    assert set(home.rglob("*")) == before
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "5"], "did you mean `5s`"),
        (["--budget", "soon"], "is not a duration"),
        (["--budget", "0s"], "no time to search"),
        (["--budget", "-5m"], "is negative"),
        (["--trials", "0"], "--trials"),
        (["--most", "0"], "--most"),
        (["--confirm", "0"], "--confirm"),
        (["--confirm", "often"], "--confirm"),
        (["-n", "0"], "-n"),
        (["--seed", "-1"], "--seed"),
        (["--engine", "steam"], "--engine"),
        (["--lab", "embeded"], "did you mean `embedded`"),
        (["--lab", "embedded:x"], "always new"),
        (["--integration", ""], "names no command"),
        (["--integration", "a", "--attach", "http://127.0.0.1:1"], "exclude each other"),
        (["--attach", "localhost"], "is not a URL"),
        (["--image", "ours:1"], "for a lab of containers"),
        (["--regressions", "stack.yaml/below"], "stack.yaml is no folder"),
        (["--budgett", "5m"], "did you mean `--budget`"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(arguments, said, capsys, home, monkeypatch):
    """Exit 4, with what is wrong and what would be right."""
    monkeypatch.chdir(home)
    code, err = refuse(capsys, home, *arguments)

    assert (code, said in err) == (4, True), err
    assert re.search("fix:|next:|did you mean", err)


def test_a_folder_that_cannot_be_written_is_refused(capsys, home):
    """Where no folder can be made the search does not begin."""
    code, err = refuse(capsys, home, "--out", str(home / "stack.yaml"))

    assert (code, "cannot be written to" in err) == (4, True)


def test_a_stack_without_anything_to_strike_is_refused(capsys, home):
    """A stack none of whose handoffs can be driven has nothing to combine, and is told so."""
    text = re.sub(r"\n    resolved_when: .*", "", SLICE.read_text())
    (home / "stack.yaml").write_text(text)
    code, err = refuse(capsys, home)

    assert (code, "next: handoff" in err) == (4, True), err


def test_an_integration_that_does_not_start(capsys, home):
    """Exit 12, and no folder is left of a search that never was."""
    arguments = ["--out", str(home / "out"), "-n", "2", "--integration", "no-such-command-anywhere"]
    code = main(["explore", str(home / "stack.yaml"), *arguments])
    err = capsys.readouterr().err

    assert code == 12
    assert "there is no command 'no-such-command-anywhere'" in err
    assert list((home / "out").iterdir()) == []


def test_the_menu(capsys, home):
    """The faults there are to combine are listed by name, as words or as JSON."""
    assert main(["explore", str(home / "stack.yaml"), "--menu"]) == 0
    names = capsys.readouterr().out.split()
    assert {"order-capture/dropped", "order-to-erp/session_expired"} <= set(names)
    assert main(["explore", str(home / "stack.yaml"), "--menu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"menu": names}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"found": [FOUND]}, 1),
        ({"found": [FOUND], "interrupted": True}, 1),
        ({"interrupted": True}, 10),
        ({"failure": "no lab"}, 10),
        ({"verdicts": {"held": 0, "violated": 0, "unknown": 9}}, 10),
    ],
)
def test_exit_codes(changes, code):
    """A finding counts whatever else happened; without one, only a search that was whole and proved something is fine."""
    assert decide_exit(DOCUMENT | changes) == code


def render(document):
    """Render a document; return its lines."""
    stream = io.StringIO()
    render_exploration(document, Console(file=stream, width=100), report=Path("reports/explore-1/explore.json"))
    return stream.getvalue().splitlines()


def test_a_finding_is_told():
    """Each strike in a line, declared beside observed, how sure it is, where it is kept and how to see it again."""
    trials = {"drawn": 40, "smaller": 12, "again": 10}
    assert render(DOCUMENT | {"found": [FOUND], "fewer_than": None, "trials": trials}) == [
        "VIOLATED  order-to-erp/combined:conserved/0123456789",
        "  strikes    order-to-erp/outage at call 2 of order 1, in slot 1",
        "             order-to-erp/timeout at every call of every order, in slots 1 to 2",
        "  declared   every order posted once or parked once",
        "  observed   doubled: #411001",
        "  confirmed  10 of 10 further runs: it breaks in at least 74% of all, with a confidence of 95%",
        "  shrunk     from 7 strikes on 4 orders to 2 strikes on 2 orders",
        "  kept as    regressions/one.yaml",
        "  reproduce  handoff run stack.yaml --regressions regressions/one.yaml",
        "",
        "40 schedules drawn, 62 trials (12 to shrink, 10 to confirm) in 61 s",
        "38 held, 0 violated, 2 unknown",
        "report: reports/explore-1/explore.json",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hits": 0, "at_least": 0.0, "file": None}, "0 of 10 further runs: seen once, and not again"),
        ({"hits": 0, "at_least": 0.0, "file": None}, "not kept no further run broke it"),
        ({"hits": 0, "runs": 0, "file": None, "smallest": False}, "not run again: nothing was left"),
        ({"smallest": False}, "nothing was left of the budget to try smaller ones"),
        ({"file": None, "not_kept": "x.yaml cannot be written: denied"}, "x.yaml cannot be written: denied"),
    ],
)
def test_a_doubtful_finding_is_told(changes, said):
    """What is not certain about a finding stands beside it."""
    assert said in " ".join(" ".join(render(DOCUMENT | {"found": [FOUND | changes]})).split())


def test_nothing_found_is_told_with_how_much_that_says():
    """Nothing found is a bound and not a proof; of nothing held it is not even that."""
    assert "nothing found: fewer than 7.6% of such schedules break a promise, with a confidence of 95%" in render(
        DOCUMENT
    )
    nothing = {"fewer_than": None, "verdicts": {"held": 0, "violated": 0, "unknown": 4}}
    assert "nothing found, and nothing proven: no trial was held" in render(DOCUMENT | nothing)
    assert render(DOCUMENT | {"interrupted": True})[0] == "interrupted: this is what was tried by then"
    assert render(DOCUMENT | {"failure": "gone"})[0] == "no lab was left: gone"


@pytest.mark.parametrize("given", [(), ("--regressions", "regressions"), ("--regressions", "regressions/one.yaml")])
def test_what_is_kept_is_planned(given, capsys, home, monkeypatch):
    """A regression beside the stack, or named, is one experiment more, told with its file."""
    (home / "regressions").mkdir()
    (home / "regressions" / "one.yaml").write_text(KEPT)
    monkeypatch.chdir(home)
    assert main(["plan", "stack.yaml", "-k", "combined", "--json", *given]) == 0

    (experiment,) = json.loads(capsys.readouterr().out)["experiments"]
    assert experiment["location"] == "regressions/one.yaml"
    assert [fault["min_receipts"] for fault in experiment["faults"]] == [1]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("lost_response", "lost_respons", "did you mean `order-to-erp/lost_response`"),
        ("acme-slice", "acme", "did you mean `acme-slice`"),
        ("slots: 1", "slots: none", "one.yaml:5:8"),
        ("order: 1", "order: 2", "`order` is `every`, or a whole number, from 1 to 1"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_kept_file_with_a_mistake_is_refused(command, right, wrong, said, capsys, home):
    """Exit 4, with its place in the file and what was probably meant; nothing is started."""
    (home / "regressions").mkdir()
    (home / "regressions" / "one.yaml").write_text(KEPT.replace(right, wrong))
    code = main([command, str(home / "stack.yaml"), *(("--out", str(home / "out")) if command == "run" else ())])
    err = capsys.readouterr().err

    assert (code, said in err) == (4, True), err
    assert re.search(r"one\.yaml:\d+:\d+  ", err)
    assert not (home / "out").exists()


def test_regressions_that_are_not_there_are_refused(capsys, home):
    """A place that was named has to be there; beside the stack there need be none."""
    code, err = refuse(capsys, home, "--regressions", str(home / "nowhere"), command="run")
    assert (code, "there is no such folder" in err) == (4, True)
    assert main(["plan", str(home / "stack.yaml"), "-k", "clean"]) == 0
