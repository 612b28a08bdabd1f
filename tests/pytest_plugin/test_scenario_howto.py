"""The how-to on stories: its stories are the real ones, its words are those there are, its own conftest loads."""

import inspect
import re
from pathlib import Path

import pytest

from harness.pytest_plugin import fixtures
from harness.pytest_plugin.carrier import Carrier
from harness.pytest_plugin.crm import Crm
from harness.pytest_plugin.erp import Erp
from harness.pytest_plugin.faults import Armed, Faults
from harness.pytest_plugin.gateway import Gateway
from harness.pytest_plugin.ops import Ops
from harness.pytest_plugin.orders import Orders
from harness.pytest_plugin.past import Past
from harness.pytest_plugin.records import Records
from harness.pytest_plugin.storefront import Storefront
from harness.pytest_plugin.wms import Wms

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "howto" / "write-a-scenario.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", TEXT, re.DOTALL))
SPOKEN = (Storefront, Erp, Gateway, Wms, Carrier, Crm, Ops, Faults, Past, Records, Orders, Armed)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_the_stories_shown_are_the_ones_that_are_run(name):
    """A story in the how-to is its file, word for word."""
    assert SHOWN[name] == (ROOT / name).read_text(encoding="utf-8")


def test_every_word_of_a_story_is_explained():
    """Whatever a fixture can do is named in the how-to."""
    told = set(re.findall(r"`(\w+)", TEXT))
    ours = [base for kind in SPOKEN for base in kind.__mro__ if base.__module__.startswith("harness.")]
    words = {
        name
        for kind in ours
        for name, member in vars(kind).items()
        if not name.startswith("_") and inspect.isfunction(member)
    }

    assert "session_expires" in words
    assert words <= told


def test_every_fixture_is_explained():
    """Each fixture has its row."""
    rows = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    given = {name for name, member in vars(fixtures).items() if type(member).__name__ == "FixtureFunctionDefinition"}

    assert {"storefront", "stack_file"} <= given
    assert given <= rows


def test_the_words_that_are_explained_are_there():
    """What the tables name as something a fixture does, it does."""
    tables = re.findall(r"^\| (?:`(\w+)`|every vendor|records|orders) \|(?!.* says \|)(.*)\|$", TEXT, re.MULTILINE)
    known = {name for kind in SPOKEN for name, _ in inspect.getmembers(kind)} | {"look", "act", "perform"}
    named = {word for _, cells in tables for word in re.findall(r"`(\w+)`", cells)} - {"stack_file"}

    assert "loses_answers" in named
    assert named <= known


def test_its_conftest_loads():
    """The conftest of the how-to is a program that defines the two fixtures it speaks of."""
    block = re.search(r"<!-- run: conftest.py -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    scope = {"__file__": str(ROOT / "conftest.py")}
    exec(compile(block[1], "conftest.py", "exec"), scope)  # noqa: S102 - the program of our own document

    assert {"stack_file", "scale"} <= scope.keys()
