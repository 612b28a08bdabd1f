"""Slack incoming webhooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.fakes.conftest import RunningFake

HOOK = "/services/T0001/B0001/abcdef"


def test_a_message_is_taken(opsdesk: RunningFake) -> None:
    """A text is answered with a plain ``ok`` and kept with its channel, role and order."""
    opsdesk.seed(
        entities=[{"name": "#411001", "aliases": ["411001"]}],
        settings={"roles": [{"role": "warehouse", "key": "B0001", "channel": "slack"}]},
    )
    answer = opsdesk.client.post(HOOK, json={"text": "order 411001 is stuck"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert answer.headers["Content-Type"].startswith("text/plain")
    [message] = opsdesk.state("messages")
    assert {
        "channel": "B0001",
        "text": "order 411001 is stuck",
        "role": "warehouse",
        "entity": "#411001",
    }.items() <= message.items()


def test_a_hooks_secret_stays_out_of_the_journal(opsdesk: RunningFake) -> None:
    """The last part of a hook's address is its credential and is never written down."""
    opsdesk.client.post(HOOK, json={"text": "x"})
    assert opsdesk.journal("exchange")[0]["path"] == "/services/T0001/B0001/REDACTED"
    assert "abcdef" not in json.dumps(opsdesk.journal())


def test_a_form_and_blocks_are_taken_too(opsdesk: RunningFake) -> None:
    """The payload may come as a form field, the text in blocks or attachments."""
    payload = {"channel": "#ops", "blocks": [{"text": {"text": "one"}}], "attachments": [{"fallback": "two"}]}
    assert opsdesk.client.post(HOOK, data={"payload": json.dumps(payload)}).text == "ok"
    [message] = opsdesk.state("messages")
    assert (message["channel"], message["text"]) == ("#ops", "one\ntwo")


@pytest.mark.parametrize(
    ("path", "content", "status", "text"),
    [
        (HOOK, b"{", 400, "invalid_payload"),
        (HOOK, b"[]", 400, "invalid_payload"),
        (HOOK, b"\xff", 400, "invalid_payload"),
        (HOOK, b"{}", 400, "no_text"),
        (HOOK, b'{"text":""}', 400, "no_text"),
        (HOOK, b'{"text":7,"blocks":7,"attachments":{}}', 400, "no_text"),
        (HOOK, json.dumps({"text": "x", "attachments": [{}] * 101}).encode(), 400, "too_many_attachments"),
        ("/services/X/Y/Z", b'{"text":"x"}', 404, "no_service"),
        ("/services/T1/B1", b'{"text":"x"}', 404, "no_service"),
    ],
)
def test_a_bad_message_is_refused_in_a_word(
    opsdesk: RunningFake, path: str, content: bytes, status: int, text: str
) -> None:
    """Errors are one word of plain text."""
    answer = opsdesk.client.post(path, content=content)
    assert (answer.status_code, answer.text) == (status, text)
    assert opsdesk.state("messages") == []


def test_a_burst_is_limited(opsdesk: RunningFake) -> None:
    """Past a short burst a hook answers 429 with Retry-After; another hook does not."""
    opsdesk.seed(settings={"messages_burst": 2, "messages_per_s": 0.001})
    body: dict[str, Any] = {"text": "x"}
    answers = [opsdesk.client.post(HOOK, json=body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (answers[2].text, answers[2].headers["Retry-After"]) == ("rate_limited", "1000")
    assert opsdesk.client.post("/services/T0001/B0002/x", json=body).status_code == 200
