"""WireMock's admin API, driven by its Python client: stubs in and out, scenarios back to the start."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from wiremock.base import BaseResource
from wiremock.constants import Config, make_headers
from wiremock.exceptions import ApiException, NotFoundException
from wiremock.resources.mappings import Mapping as ClientMapping
from wiremock.resources.mappings.resource import Mappings

from fakes.wiremock.errors import MappingError
from fakes.wiremock.stubs import OWNER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fakes.wiremock.stubs import Account

READY_WITHIN_S = 30.0
_PAUSE_S = 0.02


class _Document(ClientMapping):  # type: ignore[misc]  # the client ships no types
    """A mapping as it stands: the client's own class drops what it does not know, such as urlPathTemplate."""

    def __init__(self, **document: Any) -> None:
        super().__init__(**document)
        self._document = document

    def get_json_data(self) -> dict[str, Any]:
        """Return the document."""
        return self._document


class _Server(BaseResource):  # type: ignore[misc]  # as above
    """What the client has no resource for."""

    @classmethod
    def is_healthy(cls) -> bool:
        """Tell whether it answers."""
        return bool(cls.REST_CLIENT.get("/health", headers=make_headers(), timeout=5).status_code == 200)

    @classmethod
    def restart_scenario(cls, name: str) -> None:
        """Put one scenario back to its first state; one that never left it is unknown to WireMock."""
        answer = cls.REST_CLIENT.put(f"/scenarios/{name}/state", headers=make_headers())
        if answer.status_code != 404:
            cls.REST_CLIENT.handle_response(answer)


class Admin:
    """One WireMock. Calls are made in threads; none of them is made while an integration waits for its answer."""

    def __init__(self, url: str, account: Account) -> None:
        # The client keeps its address for the whole process, which drives one WireMock only.
        Config.base_url = f"{url}/__admin"
        self._url = url
        self._account = account

    async def wait_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Wait until it answers; raises TimeoutError."""
        try:
            async with asyncio.timeout(within_s):
                while not await asyncio.to_thread(_answers):  # noqa: ASYNC110 - nobody tells when it is up
                    await asyncio.sleep(_PAUSE_S)
        except TimeoutError:
            raise TimeoutError(f"WireMock at {self._url} did not answer within {within_s:g} s") from None

    async def replace_all(self, stubs: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Take out all stubs of the system and put these in, each with where it was read; raises MappingError."""
        await asyncio.to_thread(self._replace_all, list(stubs))

    async def add(self, stub: Mapping[str, Any], where: str) -> None:
        """Put a stub in; raises MappingError where WireMock refuses it."""
        await asyncio.to_thread(_add, stub, where)

    async def remove(self, stub_id: str) -> None:
        """Take a stub out, if it is there."""
        await asyncio.to_thread(_remove, stub_id)

    async def restart_scenarios(self, names: Iterable[str]) -> None:
        """Put these scenarios back to their first state."""
        for name in names:
            await asyncio.to_thread(_Server.restart_scenario, name)

    def _replace_all(self, stubs: list[tuple[str, Mapping[str, Any]]]) -> None:
        ours = {"matchesJsonPath": {"expression": f"$.{OWNER}", "equalTo": self._account.system}}
        Mappings.delete_mapping_by_metadata(ours)
        for where, stub in stubs:
            _add(stub, where)


def _answers() -> bool:
    try:
        return _Server.is_healthy()
    except ApiException:
        return False


def _add(stub: Mapping[str, Any], where: str) -> None:
    try:
        Mappings.create_mapping(_Document(**stub))
    except ApiException as error:
        raise MappingError(where, f"WireMock refuses it: {_read_refusal(error)}") from error


def _remove(stub_id: str) -> None:
    try:
        Mappings.delete_mapping(stub_id)
    except NotFoundException:
        return


def _read_refusal(error: ApiException) -> str:
    """Return WireMock's own words, shortened to what is wrong and where."""
    text = str(error.args[-1]) if error.args else str(error)
    try:
        first = json.loads(text)["errors"][0]
    except (ValueError, KeyError, IndexError, TypeError):
        return text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__
    pointer = (first.get("source") or {}).get("pointer")
    detail = str(first.get("detail") or "").splitlines()
    said = ": ".join(filter(None, (first.get("title"), detail[0][:300] if detail else None)))
    return f"{pointer}: {said}" if pointer else said
