"""The wheel: complete, and all that is needed to go from nothing to a verdict outside of the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def call(*words, cwd, env=None):
    """Run a command to its end; fail with what it printed."""
    ended = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{words}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from the checkout."""
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out), cwd=ROOT)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_is_complete(wheel):
    """Whatever the repository keeps in the packages is in the wheel too: pages, mappings, the folder `init` copies."""
    kept = call("git", "ls-files", "harness", "fakes", "reference", cwd=ROOT).splitlines()
    packed = set(zipfile.ZipFile(wheel).namelist())

    assert len(kept) > 300
    assert [name for name in kept if (ROOT / name).exists() and name not in packed] == []


def prepare(folder, wheel, *, dependencies):
    """
    Make a fresh environment with the wheel in it; return its folder of commands and the variables to call them with.

    Without `dependencies` those of this interpreter are lent to it by a path. Its own project is not among them: the file that leads
    an editable install to the checkout is only read in a folder of site packages.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    call(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=ROOT)
    python = folder / "bin" / "python"
    call(*pip, "--python", str(python), "install", "-q", *([] if dependencies else ["--no-deps"]), str(wheel), cwd=ROOT)
    if not dependencies:
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    state = folder / "state"
    return folder / "bin", kept | {"HANDOFF_STATE_DIR": str(state), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def test_from_the_wheel_to_a_verdict(wheel, tmp_path):
    """Installed into a fresh environment, `handoff init shop`, `cd shop`, `handoff run`: what is promised is held."""
    commands, variables = prepare(tmp_path / "venv", wheel, dependencies=False)
    where = call(str(commands / "python"), "-c", "import harness; print(harness.__file__)", cwd=tmp_path, env=variables)
    assert where.startswith(str(tmp_path / "venv"))

    call(str(commands / "handoff"), "init", "shop", cwd=tmp_path, env=variables)
    words = ("run", "--json", "-k", "clean or exhausted or opens")
    run = json.loads(call(str(commands / "handoff"), *words, cwd=tmp_path / "shop", env=variables))

    assert run["summary"]["violated"] == run["summary"]["unknown"] == 0
    assert run["summary"]["held"] == len(run["experiments"]) >= 5
    (report,) = (tmp_path / "shop" / "reports").iterdir()
    assert "<html" in (report / "index.html").read_text()

    told = call(str(commands / "python"), "-m", "pytest", "-q", cwd=tmp_path / "shop", env=variables)
    assert "1 passed" in told


@pytest.mark.slow
def test_the_wheel_names_all_it_needs(wheel, tmp_path):
    """In an environment with nothing else in it, pip gets all that a run needs, and every promise is held."""
    commands, variables = prepare(tmp_path / "venv", wheel, dependencies=True)

    call(str(commands / "handoff"), "init", "shop", cwd=tmp_path, env=variables)
    run = json.loads(call(str(commands / "handoff"), "run", "--json", cwd=tmp_path / "shop", env=variables))

    assert run["summary"]["violated"] == run["summary"]["unknown"] == 0
    assert run["summary"]["held"] == len(run["experiments"]) > 50
