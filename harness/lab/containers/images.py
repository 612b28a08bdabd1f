"""The images of a lab of containers, by the names `images/build` makes them under."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from harness.core.problems import Problem, StackError
from harness.lab.live_keys import ensure_safe_words

if TYPE_CHECKING:
    from harness.core.stack import Stack

VERSION = version("handoff-chaos")
OURS = "handoff/"
FAKES = f"{OURS}fakes:{VERSION}"
HARNESS = f"{OURS}harness:{VERSION}"
TOXIPROXY = "ghcr.io/shopify/toxiproxy:2.12.0"
WIREMOCK = "wiremock/wiremock:3.13.2"


@dataclass(frozen=True, slots=True)
class ChosenImage:
    """The image of the integration, and the command run in it where that is not the image's own."""

    name: str
    command: tuple[str, ...] = ()


def choose_image(stack: Stack, image: str | None, command: str | None) -> ChosenImage:
    """
    Choose what the integration's container runs: the image given, else the stack's, and the command given, else the image's own.

    Raises StackError where neither names an image, or the command holds a live-looking credential.
    """
    named = image or stack.integration.image
    if named is None:
        place = stack.integration.location
        message = "the stack names no image of the integration, and a lab of containers starts nothing outside of one"
        fix = "add integration.image to the stack, or give --image IMAGE"
        raise StackError((Problem("image", message, place.file, place.line, place.column, fix=fix),))
    words = tuple(shlex.split(command)) if command else ()
    ensure_safe_words(words)
    return ChosenImage(complete_image(named), words)


def complete_image(name: str) -> str:
    """Complete the name of an image: one of ours without a tag is the one of this version."""
    return f"{name}:{VERSION}" if name.startswith(OURS) and ":" not in name else name


def tell_image(name: str) -> str:
    """Tell the command that gets an image."""
    made_here = name.startswith(OURS) or name in {TOXIPROXY, WIREMOCK}
    return "make images" if made_here else f"docker pull {name}"
