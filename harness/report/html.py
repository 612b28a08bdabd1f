"""
One HTML file that shows a run: self-contained, readable offline and without scripts.

The page forbids itself every request by a content security policy; the few lines of script it carries (copy, open what
a link points to) are allowed by their hash.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.report.model import Experiment
from harness.report.phrases import (
    DASH,
    UNKNOWN_KINDS,
    plural,
    say_clause,
    say_first_try,
    say_receipts,
    say_seconds,
    say_support,
)
from harness.report.strip import is_outside, say_declared
from harness.report.timeline import Picture, build_picture, clip
from harness.report.view import RunView, build_view

# A page that opens at once: where a run is too large for it, each experiment shows fewer of its events and evidence.
_LARGEST = 2_800_000
_EVENTS_IN_ALL = 6_000
_EVENTS_AT_LEAST, _EVENTS_AT_MOST = 6, 120
_LETTERS_AT_LEAST, _LETTERS_AT_MOST = 80, 640

_STANDING_WORDS = {
    "held": "held",
    "violated": "violated",
    "unknown": "unknown",
    "accepted": "accepted",
    "not_exercised": "not exercised",
}
_GLYPHS = {"held": "✓", "violated": "✗", "unknown": "?", "accepted": "≈", "not_exercised": DASH, "skipped": DASH}


def write_html(run: Mapping[str, Any], path: Path, *, timelines: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """Write the report of a parsed run.json to `path`, folders included, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_html(run, timelines=timelines), encoding="utf-8", errors="replace")
    return path


def render_html(run: Mapping[str, Any], *, timelines: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Return the report of a parsed run.json as one HTML document; `timelines` as for `build_view`."""
    view = build_view(run, timelines=timelines)
    cap = min(_EVENTS_AT_MOST, max(_EVENTS_AT_LEAST, _EVENTS_IN_ALL // max(1, len(view.experiments))))
    letters = _LETTERS_AT_MOST
    page = _render(view, cap, letters)
    while len(page) > _LARGEST and (cap, letters) != (_EVENTS_AT_LEAST, _LETTERS_AT_LEAST):
        cap, letters = max(_EVENTS_AT_LEAST, cap // 2), max(_LETTERS_AT_LEAST, letters // 2)
        page = _render(view, cap, letters)
    return page


def _render(view: RunView, cap: int, letters: int) -> str:
    script = _read_asset("script.js")

    def picture(experiment: Experiment) -> Picture | None:
        if experiment.timeline is None:
            return None
        return build_picture(experiment.timeline, cap=cap, judge_gaps=experiment.verdict != "held")

    return (
        _open_environment(letters)
        .get_template("page.html")
        .render(
            view=view,
            css=Markup(_read_asset("style.css")),  # noqa: S704 - our own file, not data of the run
            script=Markup(script),  # noqa: S704 - our own file, not data of the run
            script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            picture=picture,
            cap=cap,
        )
    )


def _read_asset(name: str) -> str:
    return files("harness.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _open_environment(letters: int) -> Environment:
    def shorten(value: object) -> object:
        return clip(value, letters) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shorten,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": say_seconds,
        "clause": say_clause,
        "plural": plural,
        "number": _say_number,
        "declared_gap": say_declared,
        "clip": clip,
        "whole": escape,
    }
    environment.tests |= {"outside": is_outside}
    environment.globals |= {
        "glyphs": _GLYPHS,
        "words": _STANDING_WORDS,
        "kinds": UNKNOWN_KINDS,
        "receipts": say_receipts,
        "support": say_support,
        "first_try": say_first_try,
    }
    return environment


def _say_number(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"
