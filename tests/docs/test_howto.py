"""The how-tos: their code is run as it stands."""

import asyncio
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.loading import load_stack
from tests.programs import NOT_HERE

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


def read_walk(name, mark):
    """Read a block of commands that is marked as a part of the walk through a how-to."""
    text = (HOWTO / name).read_text(encoding="utf-8")
    return re.search(rf"<!-- walk: {mark} -->\n```\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Walk the first steps: return the folder that was made, and the variables to go on with."""
    folder = tmp_path_factory.mktemp("walk")
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = os.environ | {"PATH": paths, "HANDOFF_STATE_DIR": str(folder / "state")}
    script = read_walk("validate-staging.md", "scaffold").replace("handoff run\n", "handoff run -n 1 -k clean\n")
    walk(script, folder, variables)
    return folder / "shop", variables


def walk(script, folder, variables):
    """
    Run commands one after another as a shell does, up to the first that fails; return what they printed.

    Of the experiments they select the first of each clause are run: that the commands work is what is asked here.
    """
    narrowed = script.replace("-k clean", "-k order-to-erp/clean:resolve/one").replace("-k 429", "-k 429:retry/once")
    ended = subprocess.run(
        ["sh", "-ec", narrowed], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.mark.parametrize("mark", ["look", "command"])
def test_validate_staging(shop, mark):
    """What the how-to tells to type in the folder it made works as it stands."""
    folder, variables = shop

    assert walk(read_walk("validate-staging.md", mark), folder, variables)


def test_validate_staging_something_that_runs_already(shop):
    """A lab stays up, the program is started by hand and judged twice; the tunnel has a way for each port it needs."""
    folder, variables = shop
    script = read_walk("validate-staging.md", "attached")
    tunnel = read_walk("validate-staging.md", "tunnel").replace("ssh -N", "echo ssh -N")
    script = script.replace("python integration.py &\n", 'python integration.py & trap "kill $!" EXIT\n')
    script = script.replace("handoff lab down", f"{tunnel}handoff lab down")

    told = walk(script, folder, variables)

    lines = (folder / "lab.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines)
    ways = set(re.findall(r"-R (\d+):127\.0\.0\.1:\1(?!\d)", re.search(r"^ssh -N .*$", told, re.MULTILINE)[0]))
    vendors = {
        url.rsplit(":", 1)[1] for name, url in given.items() if name in {"STOREFRONT_URL", "ERP_URL", "GATEWAY_URL"}
    }
    assert vendors < ways
    assert not ways & {url.rsplit(":", 1)[1] for name, url in given.items() if name.endswith("_CONTROL_URL")}
    assert told.count(" held · 0 violated · 0 unknown") == 2


def test_validate_staging_in_a_pipeline(shop):
    """The commands for a pipeline leave a document and a JUnit file that say what was found."""
    folder, variables = shop
    script = read_walk("validate-staging.md", "pipeline").replace("--require", "--require -n 1 -k clean")

    walk(script, folder, variables)

    assert json.loads((folder / "run.json").read_text())["summary"]["violated"] == 0
    assert 'failures="0"' in (folder / "handoff.xml").read_text()


def test_learn_from_examples(tmp_path):
    """The experiment of the how-to is violated, as it says."""
    if shutil.which("node") is None:
        pytest.skip(f"{NOT_HERE}Node")
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = os.environ | {"PATH": paths, "HANDOFF_STATE_DIR": str(tmp_path / "state")}
    script = read_walk("learn-from-examples.md", "example").strip() + f" --out {tmp_path} || [ $? -eq 1 ]"

    assert "4 different payloads" in walk(script, HOWTO.parents[1], variables)


@pytest.mark.parametrize("name", ["run-your-integration.md"])
def test_stacks_are_sound(name):
    """Every whole stack that a how-to shows can be loaded."""
    stacks = re.findall(r"```yaml\n(version:.*?)```", (HOWTO / name).read_text(encoding="utf-8"), re.DOTALL)

    assert stacks
    for text in stacks:
        assert load_stack(text, file=name).handoffs
