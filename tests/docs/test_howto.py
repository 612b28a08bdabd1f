"""The how-tos: their code is run as it stands."""

import asyncio
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.loading import load_stack

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


def read_blocks(name):
    """Read the blocks of a how-to that are marked as to be run, by the file they are to stand in."""
    text = (HOWTO / name).read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- run: (\S+) -->\n```python\n(.*?)```", text, re.DOTALL))


def test_add_a_check(tmp_path):
    """The check of the how-to passes the tests of the how-to."""
    blocks = read_blocks("add-a-check.md")
    package = tmp_path / "promptness.py"
    package.write_text(blocks["harness/core/checks/promptness.py"], encoding="utf-8")
    tests = tmp_path / "test_promptness.py"
    renamed = blocks["test_promptness.py"].replace("harness.core.checks.promptness", "promptness")
    tests.write_text(renamed, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tests)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout
    assert "3 passed" in ended.stdout


def test_add_a_fake(tmp_path):
    """The fake of the how-to takes a call, journals it for its order, and answers an armed fault in its own words."""
    source = tmp_path / "loyalty.py"
    source.write_text(read_blocks("add-a-fake.md")["fakes/loyalty/__main__.py"], encoding="utf-8")
    fake = runpy.run_path(str(source))["build_loyalty"](nonce="n")

    first, second = asyncio.run(_credit_twice(fake))

    assert (first.status_code, second.status_code) == (201, 429)
    assert second.json()["error"]["code"] == "too_busy"
    assert [record["order"] for record in fake.collections[0].describe_all()] == ["#1001"]
    assert fake.collections[0].describe_all()[0]["entity"] == "#1001"


async def _credit_twice(fake):
    import httpx2  # noqa: PLC0415 - only this scene talks to the fake

    from fakes.kit.fake import build_vendor_app  # noqa: PLC0415 - as above
    from fakes.kit.plane import build_fake_control  # noqa: PLC0415 - as above

    vendor = httpx2.ASGITransport(app=build_vendor_app(fake))
    control = httpx2.ASGITransport(app=build_fake_control(fake, "t"))
    body = {"order": "#1001", "points": 5}
    async with (
        httpx2.AsyncClient(transport=vendor, base_url="http://vendor") as client,
        httpx2.AsyncClient(
            transport=control, base_url="http://control", headers={"Authorization": "Bearer t"}
        ) as plane,
    ):
        first = await client.post("/v1/points", json=body)
        fault = {"id": "f1", "kind": "rate_limited", "entity": "#1001", "attempts": [1]}
        assert (await plane.post("/faults", json=fault)).status_code == 201
        return first, await client.post("/v1/points", json=body)


@pytest.mark.parametrize("name", ["run-your-integration.md"])
def test_stacks_are_sound(name):
    """Every whole stack that a how-to shows can be loaded."""
    stacks = re.findall(r"```yaml\n(version:.*?)```", (HOWTO / name).read_text(encoding="utf-8"), re.DOTALL)

    assert stacks
    for text in stacks:
        assert load_stack(text, file=name).handoffs
