"""docker-compose.yml, with a container engine: up, joined from outside and from inside, and down without a trace."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.lab.conducted import find_conducted
from harness.lab.containers.daemon import connect
from tests.programs import NOT_HERE

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("engine"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
STACK = "reference/stack.yaml"
HANDOFF = Path(sys.executable).with_name("handoff")
PROJECT = "handoff-test"
WITHIN_S = 300
ONE = "order-to-erp/429:retry/once"


def _find_compose():
    """Find the plugin, which waits for health, else the program before it."""
    if shutil.which("docker") and not _call("docker", "compose", "version").returncode:
        return ["docker", "compose"], ["up", "--wait"]
    return ["docker-compose"], ["up", "--detach"]


def _call(*words, **environment):
    return subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


@pytest.fixture(scope="module")
def compose():
    """Give how compose is called here, and the words that bring a project up; take it down at the end, without a trace."""
    words, up = _find_compose()
    if shutil.which(words[0]) is None:
        pytest.skip(f"{NOT_HERE}docker compose (apt-get install docker-compose)")

    def call(*more):
        return _call(*words, "--project-name", PROJECT, *more)

    call("down", "--volumes")
    ended = call(*up)
    assert ended.returncode == 0, ended.stderr + call("logs", "lab", "integration").stdout
    yield call
    ended = call("down", "--volumes")
    assert (ended.returncode, _list_project()) == (0, []), ended.stderr


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Keep the register in a folder of the test's own."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))


def test_the_lab_that_is_up_is_joined(compose, tmp_path):
    """From this machine, by its conductor, with the real Toxiproxy; what kills the integration is left out, saying so."""
    record = find_conducted()
    ended = _call(HANDOFF, "run", STACK, "--lab", "attached", "-k", f"{ONE} or crash", "--out", str(tmp_path), "--json")
    document = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert [(each["id"], each["verdict"]) for each in document["experiments"]] == [(ONE, "held")]
    assert (document["engine"], document["lab"]) == ("toxiproxy", "attached")
    assert {each["applicable"] for each in document["skipped"]} == {False}
    assert find_conducted() == record or find_conducted().id == record.id


def test_the_harness_joins_it_from_inside(compose):
    """As a service of its own, which `up` does not start."""
    stack = "/run/stack/stack.yaml"
    ended = compose(
        "run", "--rm", "harness", "handoff", "run", stack, "--lab", "attached", "-k", ONE, "--out", "/reports"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 held" in ended.stdout


def _list_project():
    """List what is there of the project: containers, networks and volumes, by name."""
    client = connect()
    label = {"label": f"com.docker.compose.project={PROJECT}"}
    kinds = (client.containers.list(all=True, filters=label), client.networks.list(filters=label))
    found = [each.name for kind in (*kinds, client.volumes.list(filters=label)) for each in kind]
    client.close()
    return found
