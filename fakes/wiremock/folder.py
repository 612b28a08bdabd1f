"""
Read a folder of mappings as WireMock has them: one mapping a file, or several under ``mappings``.

The folder may be a WireMock root (``mappings/``, ``__files/``) or hold the mapping files itself. ``faults.json`` beside them
is ours, see fakes.wiremock.failures.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fakes.kit.reach import NotAllowedError, own_reach
from fakes.wiremock.errors import MappingError
from fakes.wiremock.failures import FAILURES_FILE, Failures, read_failures
from fakes.wiremock.metadata import Mapped, read_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILES = "__files"
TEMPLATE = "{{"


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything read from a folder."""

    mappings: tuple[Mapped, ...]
    failures: Failures


def read_folder(folder: Path) -> Folder:
    """Read a folder; raises MappingError where it is not there, holds no mapping, or one that cannot be read."""
    if not folder.is_dir():
        raise MappingError(str(folder), "there is no such folder of mappings")
    root = folder / "mappings" if (folder / "mappings").is_dir() else folder
    files = [path for path in sorted(root.rglob("*.json")) if _holds_mappings(path, root)]
    mappings = [mapped for path in files for mapped in _read_file(path, folder)]
    if not mappings:
        raise MappingError(str(folder), "holds no mapping; a mapping is a .json file with a request and a response")
    return Folder(tuple(mappings), read_failures(folder / FAILURES_FILE, load_document))


def load_document(path: Path) -> tuple[str, Any]:
    """Return the text of a JSON file and what it says; raises MappingError at ``file:line:column``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}:1:1", f"cannot be read: {error}") from error
    try:
        return text, json.loads(text)
    except json.JSONDecodeError as error:
        raise MappingError(f"{path}:{error.lineno}:{error.colno}", f"is not valid JSON: {error.msg}") from error


def _holds_mappings(path: Path, root: Path) -> bool:
    inside = path.relative_to(root).parts
    return FILES not in inside and inside != (FAILURES_FILE,)


def _read_file(path: Path, folder: Path) -> Iterator[Mapped]:
    text, document = load_document(path)
    several = isinstance(document, dict) and isinstance(document.get("mappings"), list)
    for index, each in enumerate(document["mappings"] if several else [document]):
        where = f"{path}:{_locate(text, index) if several else '1:1'}"
        label = f"mappings[{index}]" if several else "the mapping"
        if not isinstance(each, dict):
            raise MappingError(where, f"{label} is not an object")
        if not isinstance(each.get("request"), dict):
            raise MappingError(where, f'{label} has no request; expected "request": {{"method": …, "urlPath": …}}')
        _ensure_local(each, where)
        whole = _take_in_file(each, path, folder, where)
        yield Mapped(where, str(path.relative_to(folder)), index, whole, read_metadata(each, where))


def _locate(text: str, index: int) -> str:
    """Return ``line:column`` of the mapping with this number in a file of several."""
    try:
        at = text.index("[", text.index('"mappings"')) + 1
        for _ in range(index):
            at = json.JSONDecoder().raw_decode(text, _skip(text, at))[1]
        at = _skip(text, at)
    except ValueError:
        return "1:1"
    line_start = text.rfind("\n", 0, at) + 1
    return f"{text.count(chr(10), 0, at) + 1}:{at - line_start + 1}"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _ensure_local(document: dict[str, Any], where: str) -> None:
    """Refuse a mapping that would pass calls on to a machine that is neither this one nor of the lab."""
    response = document.get("response")
    target = response.get("proxyBaseUrl") if isinstance(response, dict) else None
    if target is None or TEMPLATE in str(target):
        return
    try:
        parts = urlsplit(str(target))
        own_reach().resolve_now(parts.hostname or "", parts.port or 80)
    except NotAllowedError as error:
        raise MappingError(where, f"response.proxyBaseUrl: {error}") from error
    except (OSError, ValueError):
        return


def _take_in_file(document: dict[str, Any], path: Path, folder: Path, where: str) -> Mapping[str, Any]:
    """Put the file that ``bodyFileName`` names into the mapping: WireMock itself may be on another machine."""
    response = document.get("response")
    name = response.get("bodyFileName") if isinstance(response, dict) else None
    if not isinstance(response, dict) or name is None:
        return document
    if TEMPLATE in str(name):
        raise MappingError(
            where, f"response.bodyFileName is a template ({name}); name one file, or write the body here"
        )
    roots = [folder, folder.parent, path.parent]
    found = next((root / FILES / str(name) for root in roots if (root / FILES / str(name)).is_file()), None)
    if found is None:
        raise MappingError(where, f"response.bodyFileName names {name}, which is not in {folder / FILES}")
    content = found.read_bytes()
    kept = {key: value for key, value in response.items() if key != "bodyFileName"}
    try:
        body = {"body": content.decode("utf-8")}
    except UnicodeDecodeError:
        body = {"base64Body": base64.b64encode(content).decode()}
    return {**document, "response": {**kept, **body}}
