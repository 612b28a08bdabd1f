"""
Refuse credentials that look live before anything starts: an integration under test must have none to use.

Whatever a lab's faults make it do, it must not do it to a real account. What is found is told by name and form, never by value.
"""

import shlex
from collections.abc import Iterable, Mapping

from harness.core.problems import Problem, StackError, split_lines
from harness.lab.environment import clear_ours
from harness.lab.errors import EnvironmentNotReady
from harness.wire.privacy import OURS, find_live_key

ADVICE = "take it out of the file: a lab issues its own keys, and gives them to the integration in its environment"


def ensure_safe_environment(environment: Mapping[str, str]) -> None:
    """
    Raise EnvironmentNotReady where an integration would inherit a live-looking credential.

    Variables that the lab sets anew do not count: what stood in them reaches nobody.
    """
    inherited = clear_ours(environment)
    found = {name: key for name, value in inherited.items() if (key := find_live_key(value)) is not None}
    if found:
        told = ", ".join(f"{name} holds {key}" for name, key in found.items())
        unset = " ".join(f"-u {shlex.quote(name)}" for name in found)
        why = f"{told}; the integration would inherit it and could reach a real account with it"
        raise EnvironmentNotReady("this shell", why, f"env {unset} handoff …, or unset {' '.join(found)}")


def ensure_safe_image(image: str, variables: Iterable[str]) -> None:
    """Raise EnvironmentNotReady where an image sets a live-looking credential; `variables` are as it has them, `NAME=value`."""
    for name, _, value in (each.partition("=") for each in variables):
        key = find_live_key(value)
        if key is not None:
            why = f"its variable {name} holds {key}, and what runs in it could reach a real account with it"
            raise EnvironmentNotReady(f"the image {image}", why, f"build it without ENV {name}")


def ensure_safe_words(words: Iterable[str], what: str = "--integration") -> None:
    """Raise StackError where a word of a command holds a live-looking credential; every process listing would show it."""
    for word in words:
        key = find_live_key(word)
        if key is not None:
            fix = "leave it out: a lab issues its own keys, and gives them to the integration in its environment"
            raise StackError((Problem("live-key", f"{what} carries {key}", "<command line>", fix=fix),))


def ensure_safe_text(text: str, file: str) -> str:
    """Return the text of a stack.yaml; raise StackError, located, where a live-looking credential stands in it."""
    problems = []
    for number, line in enumerate(split_lines(text), start=1):
        key = find_live_key(line)
        if key is not None:
            message = f"this file holds {key}"
            shown = OURS.redact_text(line)
            place = (file, number, key.start + 1)
            problems.append(Problem("live-key", message, *place, fix=ADVICE, source_line=shown))
    if problems:
        raise StackError(tuple(problems))
    return text
