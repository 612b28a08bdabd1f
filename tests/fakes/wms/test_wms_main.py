"""The warehouse as a process."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import TYPE_CHECKING

import standardwebhooks

from tests.fakes.conftest import ROOT, Receiver, start_fake

if TYPE_CHECKING:
    import pytest


def test_the_account_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """Token and secret are those of WMS_TOKEN and WMS_WEBHOOK_SECRET, also after a reset."""
    secret = "whsec_" + base64.b64encode(b"from the environment").decode()
    monkeypatch.setenv("WMS_TOKEN", "from-the-environment")
    monkeypatch.setenv("WMS_WEBHOOK_SECRET", secret)
    with start_fake("fakes.wms") as fake:
        fake.reset()
        headers = {"Authorization": "Bearer from-the-environment"}
        assert fake.client.get("/orders", headers=headers).status_code == 200
        assert fake.client.get("/orders", headers={"Authorization": "Bearer wms_handoff"}).status_code == 401
        fake.seed(webhooks=[{"topic": "order.allocated", "address": receiver.url}])
        body = {"reference": "1", "lines": [{"sku": "TEE", "quantity": 1}]}
        assert fake.client.post("/orders", json=body, headers=headers).status_code == 201
        [got] = receiver.wait(1)
        standardwebhooks.Webhook(secret).verify(got.body, got.headers)


def test_a_secret_that_cannot_sign_is_refused_at_once() -> None:
    """A webhook secret that is not whsec_ and base64 ends the start with a message."""
    command = [sys.executable, "-m", "fakes.wms", "--webhook-secret", "hush"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert ended.returncode == 1
    assert "whsec_" in ended.stderr
    assert "Traceback" not in ended.stderr
