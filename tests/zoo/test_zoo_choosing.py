"""Who lives in a zoo, and which experiments they are given."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from harness.core.compile import compile_stack
from harness.core.loading import load_stack
from harness.core.problems import StackError
from harness.zoo.choosing import choose
from harness.zoo.inhabitant import Inhabitant
from harness.zoo.listing import choose_names, list_inhabitants
from scenarios.zoo.catalogue import VARIANTS
from scenarios.zoo.combined import COMBINED

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference" / "stack.yaml"
BROKEN = {"name": "bad", "kind": "broken", "clauses": ["order-to-erp/429:retry"]}


@pytest.fixture(scope="module")
def experiments():
    """Compile the reference's stack."""
    return compile_stack(load_stack(REFERENCE.read_text(), file=str(REFERENCE))).experiments


@pytest.fixture
def zoo(tmp_path):
    """Make a zoo's command of what it is to print."""

    def make(printed):
        script = tmp_path / "zoo.py"
        script.write_text(f"import sys; sys.stdout.write({printed!r})")
        return shlex.join([sys.executable, str(script)])

    return make


def test_a_broken_one_is_given_its_handoffs_and_a_sample(experiments):
    """Everything about the handoffs it breaks, three more, the same for the same seed and others for another."""
    bad = Inhabitant("bad", "broken", "", "", REFERENCE, clauses=("order-to-erp/429:retry", "erp-to-wms/breaker"))
    chosen = choose(experiments, bad, seed=1, elsewhere=3)
    own = {each.id for each in experiments if each.handoff in {"order-to-erp", "erp-to-wms"}}

    assert own <= {each.id for each in chosen}
    assert len(chosen) == len(own) + 3
    assert chosen == choose(experiments, bad, seed=1, elsewhere=3)
    assert {each.id for each in chosen} != {each.id for each in choose(experiments, bad, seed=2, elsewhere=3)}


def test_what_is_about_the_broken_clauses_is_never_left_out(experiments):
    """Given fewer experiments, a broken one keeps all that is about what it breaks, and its sample of the rest."""
    bad = Inhabitant("bad", "broken", "", "", REFERENCE, clauses=("order-to-erp/429:retry",))
    telling = {each.id for each in experiments if each.clause in bad.clauses}
    chosen = choose(experiments, bad, seed=1, elsewhere=3, most=10)
    tightest = choose(experiments, bad, seed=1, elsewhere=3, most=1)

    assert len(chosen) == 10
    assert telling < {each.id for each in chosen}
    assert len(tightest) == len(telling) + 3


def test_a_correct_one_is_asked_about_every_handoff(experiments):
    """A fair sample takes from every handoff in turn, and all where there are no more."""
    good = Inhabitant("good", "correct", "", "", REFERENCE)
    handoffs = {each.handoff for each in experiments}

    assert {each.handoff for each in choose(experiments, good, seed=1, fair=len(handoffs))} == handoffs
    assert choose(experiments, good, seed=1, fair=len(experiments)) == experiments


def test_a_zoo_lists_itself(zoo):
    """What the command prints is read, the stack of the command line stands in for one that is not named."""
    listed = list_inhabitants(
        zoo(json.dumps([BROKEN, {**BROKEN, "name": "b", "stack": "x.yaml"}])), stack=Path("s.yaml")
    )

    assert [(each.name, each.stack) for each in listed] == [("bad", Path("s.yaml")), ("b", Path("x.yaml"))]
    assert listed[0].command.endswith("zoo.py bad")
    assert listed[0].handoffs == ("order-to-erp",)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("{", "prints no JSON"),
        ("[]", "lists nobody"),
        (json.dumps([{"name": "bad"}]), "0.kind: field required"),
        (json.dumps([BROKEN, BROKEN]), "lists bad twice"),
        (json.dumps([{**BROKEN, "clauses": []}]), "bad breaks nothing"),
        (json.dumps([{**BROKEN, "kind": "correct"}]), "breaks clauses, yet is correct"),
    ],
)
def test_a_list_that_is_none_is_told(zoo, printed, told):
    """Whatever is wrong with a list is said, with the way out."""
    with pytest.raises(StackError) as caught:
        list_inhabitants(zoo(printed), stack=Path("s.yaml"))

    (problem,) = caught.value.problems
    assert told in problem.message
    assert problem.fix


@pytest.mark.parametrize("command", ["", "'", "no-such-command-anywhere", f"{sys.executable} -c 1/0"])
def test_a_zoo_that_cannot_be_asked_is_told(command):
    """A command that is none, is not there, or fails."""
    with pytest.raises(StackError):
        list_inhabitants(command, stack=Path("s.yaml"))


def test_a_name_that_nobody_has_is_told_the_nearest():
    """A misspelt name is answered with the one that was probably meant."""
    with pytest.raises(StackError) as caught:
        choose_names(["no-jitter", "reference"], ["no-jiter"])

    assert caught.value.problems[0].suggestion == "no-jitter"


def test_what_the_zoo_breaks_is_exercised():
    """Every clause that somebody in the zoo breaks has an experiment in the plan of its stack."""
    clauses = {}
    for variant in VARIANTS:
        path = ROOT / variant.show()["stack"]
        if path not in clauses:
            clauses[path] = {
                each.clause for each in compile_stack(load_stack(path.read_text(), file=str(path))).experiments
            }
        assert set(variant.clauses) <= clauses[path], variant.name


def test_every_kind_of_promise_is_broken_by_somebody(experiments):
    """Whatever triggers and outcomes the reference promises something about, at some handoff somebody in the zoo does not keep it."""
    promised = {each.clause.partition("/")[2] for each in experiments}
    broken = {clause.partition("/")[2] for variant in VARIANTS for clause in variant.clauses}

    assert promised - broken == set()


def test_every_check_and_shape_has_somebody_to_catch(experiments):
    """The document names somebody in the zoo for each check and for each shape of experiment that the reference is asked by."""
    text = (ROOT / "docs" / "detection.md").read_text()
    section = text[text.index("## What is broken on purpose") : text.index("## A zoo of your own")]
    said = set(re.findall(r"`([^` ]+)`", section))
    checks = {check.name.partition(" ")[0] for each in experiments for check in each.checks}
    # Rows of pairs are numbered, decisions have their own names, and bodies are broken in several ways.
    shapes = {
        each.shape for each in experiments if not re.fullmatch(r"\d\d|decided-\w+|silent|connection-reset", each.shape)
    }
    named = {name for name in said if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)} - shapes

    assert checks - said == set()
    assert shapes - said == {"wrong-types", "missing-fields", "empty"}
    assert named - {variant.name for variant in (*VARIANTS, *COMBINED)} == set()
