"""Faults at the carrier, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.carrier.conftest import code_of

if TYPE_CHECKING:
    from tests.fakes.carrier.conftest import Carrier


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("status", {"status": 503}, (503, "service_unavailable")),
        ("status", {"status": 500}, (500, "internal_error")),
        ("status", {"status": 418}, (418, "http_418")),
        ("error", {"code": "address_undeliverable"}, (422, "address_undeliverable")),
        ("error", {"code": "service_unavailable_for_parcel"}, (422, "service_unavailable_for_parcel")),
        ("error", {"code": "new_in_the_next_release"}, (422, "new_in_the_next_release")),
        ("rate_limited", {}, (429, "rate_limited")),
        ("session_expired", {}, (401, "unauthorized")),
        ("permission_denied", {}, (403, "permission_denied")),
    ],
)
def test_errors_are_worded_as_the_carrier_words_them(
    carrier: Carrier, kind: str, params: dict[str, Any], said: tuple[int, str]
) -> None:
    """Each fault that is an answer has the carrier's status and code, buys nothing, and is gone with the next call."""
    carrier.fake.arm(kind, params=params, attempts=[1])
    answer = carrier.post()
    assert code_of(answer) == said
    assert answer.json()["error"]["message"]
    assert carrier.fake.state("labels") == []
    carrier.buy()
    [call, _] = carrier.fake.journal("exchange")
    assert (call["status"], call["code"], call["faults"]) == (*said, ["f1"])


def test_a_text_goes_out_as_it_is(carrier: Carrier) -> None:
    """A message of one's own may hold anything."""
    text = 'no "such" street {{x}} ü \\ '
    carrier.fake.arm("error", params={"code": "address_undeliverable", "text": text})
    assert carrier.post().json()["error"]["message"] == text


@pytest.mark.parametrize(("given", "said"), [({"retry_after_s": 30}, "30"), ({"retry_after_s": 0.2}, "1"), ({}, "1")])
def test_a_rate_limit_says_when_to_come_back(carrier: Carrier, given: dict[str, Any], said: str) -> None:
    """Retry-After is in whole seconds of production, never too early."""
    carrier.fake.arm("rate_limited", params=given)
    assert carrier.post().headers["Retry-After"] == said


def test_a_status_says_when_to_come_back_only_if_asked(carrier: Carrier) -> None:
    """A 503 has a Retry-After where the fault gives one."""
    carrier.fake.arm("status", params={"status": 503, "retry_after_s": 7}, attempts=[1])
    carrier.fake.arm("status", "f2", params={"status": 503}, attempts=[2])
    assert carrier.post().headers["Retry-After"] == "7"
    assert "Retry-After" not in carrier.post().headers
