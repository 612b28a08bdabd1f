"""`handoff lab env`: the variables of a lab that is up, in the form that whoever reads them needs."""

import json
import shlex
import subprocess

import pytest

from harness.cli.app import main
from harness.lab.registry import register

VARIABLES = {
    "STOREFRONT_URL": "http://127.0.0.1:4001",
    "CARRIER_URL": "http://127.0.0.1:4005",
    "CARRIER_TOKEN": "carrier_5f",
    "INTEGRATION_DATA_DIR": "/srv/a folder/it's data",
    "CARRIER_CONTROL_URL": "http://127.0.0.1:4105",
}


@pytest.fixture
def up(tmp_path, monkeypatch):
    """Have a lab that is up, as far as the register goes, of a stack in a folder."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    stack = tmp_path / "stack.yaml"
    stack.write_text("")
    registration = register("handoff-env", stack=str(stack), kind="up")
    registration.publish(VARIABLES)
    yield stack
    registration.close()


def show(capsys, *words):
    """Print the variables; return what was printed."""
    assert main(["lab", "env", *words]) == 0
    return capsys.readouterr().out


def source(script, folder):
    """Have a shell take the variables and tell what a child of it then sees."""
    told = "; for name in STOREFRONT_URL CARRIER_TOKEN INTEGRATION_DATA_DIR; do printenv $name; done"
    ended = subprocess.run(["sh", "-c", script + told], cwd=folder, capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


def test_a_shell_takes_them(up, capsys, tmp_path):
    """What a shell makes of either form, spaces and quotes included, is what the lab published."""
    expected = [VARIABLES[name] for name in ("STOREFRONT_URL", "CARRIER_TOKEN", "INTEGRATION_DATA_DIR")]

    (tmp_path / "lab.env").write_text(show(capsys, str(up)))
    assert source("set -a; . ./lab.env; set +a", tmp_path) == expected
    exported = show(capsys, "--format", "export")
    assert source(f"eval {shlex.quote(exported)}", tmp_path) == expected


def test_a_container_engine_takes_them(up, capsys):
    """It reads a line up to its first `=` as the name and the rest, as it is, as the value."""
    lines = show(capsys, "--format", "docker").splitlines()

    assert dict(line.split("=", 1) for line in lines) == VARIABLES


@pytest.mark.parametrize("words", [["--format", "json"], ["--json"]])
def test_programs_take_them(up, capsys, words):
    """Both ways to ask give the same JSON object."""
    assert json.loads(show(capsys, *words)) == VARIABLES


def test_a_form_that_does_not_exist_is_told(up, capsys):
    """A wrong form is a usage error that names the right ones."""
    assert main(["lab", "env", "--format", "yaml"]) == 4
    told = capsys.readouterr().err
    assert "'dotenv', 'export', 'docker', 'json'" in told
