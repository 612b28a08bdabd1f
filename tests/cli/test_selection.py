"""Choosing experiments: expressions and shards."""

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.selection import select, shard
from harness.core.problems import StackError


@dataclass(frozen=True)
class Named:
    """An experiment as far as choosing is concerned."""

    id: str


IDS = ("a/429:retry/once", "a/429:retry/last", "a/any:retry/once", "b/USER_ERROR+already-exists:branch/taken")
ALL = tuple(map(Named, IDS))


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        (None, [0, 1, 2, 3]),
        ("  ", [0, 1, 2, 3]),
        ("once", [0, 2]),
        ("RETRY", [0, 1, 2]),
        ("a/429:retry/last", [1]),
        ("not once", [1, 3]),
        ("retry and not once", [1]),
        ("taken or last", [1, 3]),
        ("taken or retry and last", [1, 3]),
        ("(taken or retry) and once", [0, 2]),
        ("not (once or taken)", [1]),
        ("not not once", [0, 2]),
        ("user_error+already-exists", [3]),
        ("nota or once", [0, 2]),
    ],
)
def test_an_expression_chooses_by_words_in_ids(expression, chosen):
    """Words are parts of ids, case aside; `not` binds before `and`, `and` before `or`."""
    assert select(ALL, expression) == tuple(ALL[index] for index in chosen)


@pytest.mark.parametrize("expression", ["and", "once and", "or once", "(once", "once)", "not", "()", "once taken"])
def test_an_expression_that_cannot_be_read_is_told(expression):
    """What is left over or missing is a located problem, not a crash and not a silent choice."""
    with pytest.raises(StackError) as raised:
        select(ALL, expression)
    assert "cannot be read" in raised.value.problems[0].message


def test_an_expression_that_chooses_nothing_names_the_nearest():
    """Whoever misspelt an id is told which one was probably meant."""
    with pytest.raises(StackError) as raised:
        select(ALL, "a/429:retry/onze")
    assert raised.value.problems[0].suggestion == "a/429:retry/once"


@given(st.text(max_size=30))
def test_no_expression_crashes(expression):
    """Whatever is typed, experiments are chosen or a problem is told."""
    with suppress(StackError):
        assert set(select(ALL, expression)) <= set(ALL)


@given(st.integers(1, 40), st.integers(1, 40))
def test_shards_are_everything_once(size, count):
    """Together the shards are all experiments, none of them twice, and none much larger than another."""
    experiments = tuple(Named(str(number)) for number in range(size))
    shards = [shard(experiments, f"{index}/{count}") for index in range(1, min(size, count) + 1)]

    assert sorted(int(each.id) for part in shards for each in part) == list(range(size))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "a/b", "1/3/5", "-1/3", "1.5/3", ""])
def test_what_is_no_shard_is_told(text):
    """Only i/n with 1 <= i <= n is one."""
    with pytest.raises(StackError):
        shard(ALL, text)


def test_a_shard_without_experiments_is_told():
    """A job that would test nothing must not look like one that passed."""
    with pytest.raises(StackError) as raised:
        shard(ALL, "5/5")
    assert "none of 4" in raised.value.problems[0].message
