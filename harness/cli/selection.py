"""What a command line chooses: experiments by name (`-k`), shards, and the integration."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, TypeVar

from harness.core.problems import Problem, StackError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.experiments import Experiment

T = TypeVar("T")
WORD = re.compile(r"\s*(?:(?P<operator>and\b|or\b|not\b|[()])|(?P<name>[^\s()]+))")


def select(experiments: Sequence[Experiment], expression: str | None) -> tuple[Experiment, ...]:
    """
    Choose the experiments an expression names.

    An expression is words joined by `and`, `or`, `not` and parentheses; a word chooses the ids that contain it, case aside.
    Raises StackError when it cannot be read, or chooses nothing.
    """
    if expression is None or not expression.strip():
        return tuple(experiments)
    matcher = _Matcher(expression)
    chosen = tuple(each for each in experiments if matcher.matches(each.id))
    if not chosen:
        near = nearest(expression, [each.id for each in experiments])
        raise _problem(f"-k {expression} chooses none of {len(experiments)} experiments", suggestion=near)
    return chosen


def shard(items: Sequence[T], text: str | None, *, option: str = "--shard", what: str = "experiments") -> tuple[T, ...]:
    """Choose the i-th of n shards (`2/4`); together they are everything, each item in one."""
    if text is None:
        return tuple(items)
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    index, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= index <= count:
        raise _problem(
            f"{option} {text} is not a {option.strip('-')}", fix="write it as i/n with 1 <= i <= n, such as 2/4"
        )
    chosen = tuple(items[index - 1 :: count])
    if not chosen:
        raise _problem(f"{option} {text} holds none of {len(items)} {what}", fix=f"use fewer {option.strip('-')}s")
    return chosen


def ensure_integration(command: str | None, url: str | None) -> None:
    """Raise StackError unless what is given of the two chooses one integration: a command, or where one runs already."""
    if command is not None and url is not None:
        raise _problem("--integration and --attach exclude each other", fix="give one: a command to start, or a URL")
    if command is not None:
        try:
            words = shlex.split(command)
        except ValueError as error:
            message = f"--integration {command} is not a command: {str(error).lower()}"
            raise _problem(message, fix="quote it as a shell would") from error
        if not words:
            raise _problem("--integration names no command", fix="write it as in --integration 'python -m reference'")
    if url is not None and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise _problem(f"--attach {url} is not a URL", fix="write it as http://127.0.0.1:9000")


class _Matcher:
    """A recursive reading of the expression; the grammar is `or` of `and` of `not` of words."""

    def __init__(self, expression: str) -> None:
        self._text = expression
        self._words = [match[0].strip() for match in WORD.finditer(expression)]
        self.matches("")

    def matches(self, name: str) -> bool:
        self._left = list(self._words)
        found = self._or(name.lower())
        if self._left:
            raise self._unreadable(self._left[0])
        return found

    def _or(self, name: str) -> bool:
        found = self._and(name)
        while self._take("or"):
            found = self._and(name) or found
        return found

    def _and(self, name: str) -> bool:
        found = self._not(name)
        while self._take("and"):
            found = self._not(name) and found
        return found

    def _not(self, name: str) -> bool:
        if self._take("not"):
            return not self._not(name)
        if self._take("("):
            found = self._or(name)
            if not self._take(")"):
                raise self._unreadable("the end")
            return found
        word = self._left.pop(0) if self._left else ""
        if not word or word in {"and", "or", ")"}:
            raise self._unreadable(word or "the end")
        return word.lower() in name

    def _take(self, word: str) -> bool:
        if self._left and self._left[0] == word:
            self._left.pop(0)
            return True
        return False

    def _unreadable(self, where: str) -> StackError:
        return _problem(
            f"-k {self._text} cannot be read at {where}", fix="join words with and, or, not and parentheses"
        )


def _problem(message: str, *, suggestion: str = "", fix: str = "handoff plan lists every experiment") -> StackError:
    return StackError((Problem("selection", message, "<command line>", suggestion=suggestion, fix=fix),))
