"""Vendors that mappings of a few lines play: a shop's tax service, and whatever a test writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.conftest import RunningFake, start_mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A vendor that keeps what it is sent under the id in the path.
NOTES = {
    "mappings": [
        {
            "name": "a note is kept",
            "request": {"method": "PUT", "urlPathTemplate": "/notes/{id}"},
            "response": {
                "status": 201,
                "headers": {"Content-Type": "application/json"},
                "body": '{"id":"{{request.path.id}}","text":{{{toJson (jsonPath request.body \'$.text\')}}},"by":"{{request.headers.Handoff-Key.[0]}}"}',
                "transformers": ["response-template"],
            },
            "metadata": {
                "handoff": {
                    "operation": "note.write",
                    "record": "note",
                    "effect": "update",
                    "find": {"id": "path.id"},
                    "key": "header.X-Key",
                    "order": ["$.order"],
                }
            },
        },
        {
            "name": "a note is read",
            "request": {
                "method": "GET",
                "urlPathTemplate": "/notes/{id}",
                "headers": {"Handoff-Record": {"contains": "{"}},
            },
            "response": {
                "status": 200,
                "body": "{{{request.headers.Handoff-Record.[0]}}}",
                "transformers": ["response-template"],
            },
            "metadata": {"handoff": {"operation": "note.read", "record": "note", "find": {"id": "path.id"}}},
        },
        {
            "name": "a note is thrown away",
            "request": {"method": "DELETE", "urlPathTemplate": "/notes/{id}"},
            "response": {"status": 204},
            "metadata": {
                "handoff": {
                    "operation": "note.delete",
                    "record": "note",
                    "effect": "delete",
                    "find": {"id": "path.id"},
                }
            },
        },
    ]
}


def write_folder(folder: Path, **files: Any) -> Path:
    """Write mapping files by name, texts as they are, and answer the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def notes_process(wiremock_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFake]:
    """Start the keeper of notes once."""
    folder = write_folder(tmp_path_factory.mktemp("notes"), notes=NOTES)
    with start_mapped("notes", folder, wiremock_url) as fake:
        yield fake


@pytest.fixture
def notes(notes_process: RunningFake) -> RunningFake:
    """Give a keeper of notes as at the start, who knows two orders."""
    notes_process.reset()
    notes_process.seed(entities=[{"name": "#1", "aliases": ["1"]}, {"name": "#2", "aliases": ["2"]}])
    return notes_process


@pytest.fixture
def play(wiremock_url: str, tmp_path: Path) -> Iterator[Callable[..., RunningFake]]:
    """Give a function that serves mapping files, each time as another system."""
    from contextlib import ExitStack  # noqa: PLC0415 - only this fixture opens as many as a test wants

    with ExitStack() as stack:
        count = 0

        def serve(**files: Any) -> RunningFake:
            nonlocal count
            count += 1
            folder = write_folder(tmp_path / f"system-{count}", **files)
            return stack.enter_context(start_mapped(f"system-{count}", folder, wiremock_url))

        yield serve
