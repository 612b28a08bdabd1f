"""Reading folders of mappings: what is served, what it is called, and where what is wrong stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.wiremock.errors import MappingError
from fakes.wiremock.folder import read_folder
from fakes.wiremock.operations import build_operations
from fakes.wiremock.places import parse_place
from fakes.wiremock.stubs import Account, build_stub
from tests.fakes.conftest import ROOT
from tests.fakes.wiremock.conftest import write_folder

if TYPE_CHECKING:
    from pathlib import Path


def mapping(path: str = "/a", **more: Any) -> dict[str, Any]:
    """Return a mapping."""
    return {"request": {"method": "GET", "urlPath": path}, "response": {"status": 200}, **more}


def handoff(**said: Any) -> dict[str, Any]:
    """Return metadata of ours."""
    return {"metadata": {"handoff": said}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n  oops", "m.json:2:3: is not valid JSON: Expecting property name"),
        ("[]", "m.json:1:1: the mapping is not an object"),
        ('{"response": {}}', 'm.json:1:1: the mapping has no request; expected "request"'),
        ('{"mappings": [{"request": {}},\n\n    7]}', "m.json:3:5: mappings[1] is not an object"),
        (
            '{"request": {}, "response": {"bodyFileName": "x.json"}}',
            "response.bodyFileName names x.json, which is not in",
        ),
        ('{"request": {}, "response": {"bodyFileName": "{{a}}"}}', "response.bodyFileName is a template"),
        (
            '{"request": {}, "metadata": {"handoff": {"effekt": "create"}}}',
            "metadata.handoff.effekt: Extra inputs are not permitted; known are operation, shared, record",
        ),
        ('{"request": {}, "metadata": {"handoff": {"effect": "made"}}}', "metadata.handoff.effect: Input should be"),
        (
            '{"request": {}, "metadata": {"handoff": {"id": "id"}}}',
            "metadata.handoff.id: 'id' is no place; expected $.name[0].name, path.name",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """File, line and column, what is wrong, and what would be right."""
    with pytest.raises(MappingError) as caught:
        read_folder(write_folder(tmp_path, m=text))
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    """No folder, and a folder without a mapping, are two different things."""
    with pytest.raises(MappingError, match="there is no such folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(MappingError, match="holds no mapping"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"codes": {"x": {"status": 200}}}',
            "faults.json:1:1: codes.x.status: Input should be greater than or equal to 400",
        ),
        (
            '{"kinds": {"rate_limited": "slow"}}',
            "faults.json:1:1: kinds.rate_limited names 'slow', which is not among codes",
        ),
        ('{"code": "error"}', "faults.json:1:1: code: 'error' is no place"),
        ("{", "faults.json:1:2: is not valid JSON"),
    ],
)
def test_what_is_wrong_with_the_words_of_errors_is_told(tmp_path: Path, text: str, said: str) -> None:
    """A broken faults.json stops the fake as a broken mapping does."""
    write_folder(tmp_path, m=mapping())
    (tmp_path / "faults.json").write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        read_folder(tmp_path)
    assert said in str(caught.value)


def test_one_call_has_one_operation(tmp_path: Path) -> None:
    """Two names for the same method and path are told with both places."""
    folder = write_folder(tmp_path, a=mapping(**handoff(operation="a.read")), b=mapping(**handoff(operation="b.read")))
    with pytest.raises(
        MappingError, match=r"b\.json:1:1: .*'b.read': GET /a is the operation 'a.read' at .*a\.json:1:1"
    ):
        build_operations(read_folder(folder).mappings)


def test_mappings_of_one_call_are_one_operation(tmp_path: Path) -> None:
    """Success and refusals of a call are one operation, named where one of them says its name."""
    folder = write_folder(
        tmp_path,
        a=mapping(**handoff(operation="a.read", record="thing", order=["query.order"])),
        b=mapping(name="refused", priority=9),
        c=mapping("/c", name="one"),
        d=mapping("/c", name="two"),
    )
    operations = build_operations(read_folder(folder).mappings)
    assert [operation.name for operation in operations.operations] == ["a.read", "GET /c"]
    plan = operations.plans["a.read"]
    assert (plan.collection, plan.order) == ("things", (parse_place("query.order"),))


@pytest.mark.parametrize(
    ("request_", "path", "groups"),
    [
        ({"urlPath": "/a.b"}, "/a.b", {}),
        ({"url": "/a?b=c"}, "/a", {}),
        ({"urlPathTemplate": "/v1/{id}/x"}, "/v1/7/x", {"id": "7"}),
        ({"urlPathPattern": "/v1/(?<id>[0-9]+)"}, "/v1/7", {"id": "7"}),
        ({"urlPattern": "/v1/[a-z]+\\?x=.*"}, "/v1/abc", {}),
    ],
)
def test_paths_are_read_in_every_form(
    tmp_path: Path, request_: dict[str, str], path: str, groups: dict[str, str]
) -> None:
    """Every way WireMock has to name a URL leads to its operation, and variables are found."""
    from fakes.kit.catalogue import Catalogue  # noqa: PLC0415 - classifies for this test alone

    folder = write_folder(tmp_path, m={"name": "it", "request": {"method": "GET", **request_}})
    catalogue = Catalogue("x", build_operations(read_folder(folder).mappings).operations)
    match = catalogue.classify("GET", path)
    assert (match.operation and match.operation.name, dict(match.params)) == ("it", groups)
    assert catalogue.classify("GET", "/elsewhere/entirely").operation is None


def test_a_pattern_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A regular expression only Java understands is told with its place."""
    folder = write_folder(tmp_path, m={"request": {"urlPathPattern": "/\\p{Alpha}+"}})
    with pytest.raises(MappingError, match=r"m\.json:1:1: the URL pattern"):
        build_operations(read_folder(folder).mappings)


def test_a_stub_is_its_systems_own(tmp_path: Path) -> None:
    """What WireMock gets meets calls of its system that no fault hit, with its own token and scenario."""
    document = mapping(scenarioName="s 1", uuid="1", id="1", metadata={"theirs": 1})
    document["request"]["headers"] = {"Authorization": {"equalTo": "Bearer ${TOKEN}"}}
    [mapped] = read_folder(write_folder(tmp_path, m=document)).mappings
    stub = build_stub(mapped, Account("tax", "secret"))
    assert stub["request"]["headers"] == {
        "Authorization": {"equalTo": "Bearer secret"},
        "Handoff-System": {"equalTo": "tax"},
        "Handoff-Fault": {"absent": True},
    }
    assert (stub["scenarioName"], stub["metadata"]) == ("tax.s_201", {"theirs": 1, "handoffSystem": "tax"})
    assert "uuid" not in stub
    assert stub["id"] == build_stub(mapped, Account("tax", "other"))["id"]
    assert stub["id"] != build_stub(mapped, Account("vat", "secret"))["id"]


@pytest.mark.parametrize("system", ["carrier", "crm"])
def test_our_own_mappings_can_be_read(system: str) -> None:
    """Carrier and CRM are folders like anybody's."""
    folder = read_folder(ROOT / "fakes" / system)
    assert build_operations(folder.mappings).operations
    assert folder.failures.list_codes()


def test_a_mapping_that_calls_a_machine_elsewhere_is_refused(tmp_path: Path) -> None:
    """It would carry what the integration sends to somebody's real system; to this machine it may pass calls on."""
    away = {"response": {"proxyBaseUrl": "https://203.0.113.7/api"}}
    with pytest.raises(MappingError, match=r"response\.proxyBaseUrl: 203\.0\.113\.7 .*--allow-host 203\.0\.113\.7"):
        read_folder(write_folder(tmp_path / "away", m=mapping(**away)))
    here = {"response": {"proxyBaseUrl": "http://127.0.0.1:9/api"}}
    assert read_folder(write_folder(tmp_path / "here", m=mapping(**here))).mappings
