"""Judging an integration that somebody started by hand, as a user does: lab up, start it, run, lab down."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from harness.cli import main
from harness.lab.orphans import find_processes

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
WITHIN_S = 90
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
FEW = "429:retry/once or bad_signature:reject/forged or crash"


class Home:
    """A register, temporary files and reports of one's own, and the commands run there."""

    def __init__(self, folder):
        self.folder = folder
        self.env_file = folder / "lab.env"
        (folder / "tmp").mkdir()
        self.environment = os.environ | {"HANDOFF_STATE_DIR": str(folder / "state"), "TMPDIR": str(folder / "tmp")}

    def handoff(self, *words):
        """Run a command to its end."""
        return subprocess.run(
            [*HANDOFF, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=WITHIN_S,
            check=False,
        )  # fmt: skip

    def run(self, *words):
        """Run experiments; answer the exit code, what was said, and run.json."""
        done = self.handoff("run", STACK, "--out", str(self.folder / "out"), "--json", *words)
        return SimpleNamespace(code=done.returncode, said=done.stderr, document=json.loads(done.stdout or "null"))

    def bring_up(self, *words):
        """Bring a lab up that stays; answer what was said of it."""
        up = self.handoff("lab", "up", STACK, "--env", str(self.env_file), "--detach", "--json", *words)
        assert up.returncode == 0, up.stderr
        return json.loads(up.stdout)

    def read_variables(self):
        """Read the variables as a shell would."""
        pairs = (line.partition("=") for line in self.env_file.read_text().splitlines())
        return {name: shlex.split(value)[0] for name, _, value in pairs}


@pytest.fixture
def make_home(tmp_path_factory):
    """Make homes; what is up in them ends with the test."""
    made = []

    def make():
        made.append(Home(tmp_path_factory.mktemp("home")))
        return made[-1]

    yield make
    for home in made:
        assert home.handoff("lab", "down").returncode == 0


class ByHand:
    """The reference in a shell of one's own, with the variables of a lab but on a port of its own choice."""

    def __init__(self, home):
        environment = home.environment | home.read_variables() | {"INTEGRATION_PORT": "0"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reference"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        listening = next(line for line in self.process.stdout if "listening" in line)
        self.url = f"http://{json.loads(listening)['address']}"
        # A pipe nobody reads would hold it up.
        self._reader = Thread(target=self.process.stdout.read, daemon=True)
        self._reader.start()

    def end(self):
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WITHIN_S)
        self._reader.join()
        self.process.stdout.close()


@pytest.fixture
def start_by_hand():
    """Start the reference by hand, and end it."""
    started = []

    def start(home):
        started.append(ByHand(home))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def refuse(capsys, monkeypatch, tmp_path):
    """Run a command that is refused, in this process; answer its exit code and why."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(ROOT)

    def run(*words):
        code = main(["run", STACK, "--out", str(tmp_path / "out"), *words])
        assert not (tmp_path / "out").exists()
        return code, capsys.readouterr().err

    return run


def _verdicts(document):
    return {experiment["id"]: experiment["verdict"] for experiment in document["experiments"]}


@pytest.mark.timeout(300)
def test_an_integration_started_by_hand_is_judged(make_home, start_by_hand):
    """It is judged where it runs, in the lab it was told of; what would kill it is skipped aloud; the lab stays up."""
    home = make_home()
    said = home.bring_up()
    integration = start_by_hand(home)

    done = home.run("--attach", integration.url, "-k", FEW)
    assert (done.code, _verdicts(done.document)) == (
        0,
        {"order-capture/bad_signature:reject/forged": "held", "order-to-erp/429:retry/once": "held"},
    ), done.said
    assert (done.document["lab"], done.document["labs"]) == ("attached", 1)
    assert all(f"--attach {integration.url}" in each["reproduce"] for each in done.document["experiments"])
    assert {item["id"].split("/")[1] for item in done.document["skipped"]} == {"crash:recover"}
    assert all("not ours to kill" in item["reason"] for item in done.document["skipped"])
    assert done.document["summary"]["skipped"] == len(done.document["skipped"]) > 0

    alone = home.run("--attach", integration.url, "-k", "crash")
    assert (alone.code, alone.document["experiments"]) == (10, [])
    required = home.run("--attach", integration.url, "-k", "forged or crash", "--require")
    assert (required.code, required.document["summary"]["held"]) == (12, 1)

    assert integration.process.poll() is None
    assert home.handoff("lab", "env", "--json").stdout
    assert find_processes(said["id"])


@pytest.mark.timeout(300)
def test_the_integration_of_a_lab_is_judged_where_it_is(make_home):
    """A lab brought up with its integration needs no address; among several labs one is named."""
    home = make_home()
    first, second = home.bring_up("--with-integration"), home.bring_up()
    asked = home.run("--lab", "attached", "-k", "forged")
    assert asked.code == 4
    assert all(said["id"] in asked.said for said in (first, second))
    done = home.run("--lab", f"attached:{first['id']}", "-k", "forged")
    assert (done.code, list(_verdicts(done.document).values())) == (0, ["held"]), done.said


@pytest.mark.parametrize("words", [["--attach", "http://127.0.0.1:9"], ["--lab", "attached"], ["--lab", "attached:a"]])
def test_without_a_lab_the_way_to_one_is_told(refuse, words):
    """Nothing is brought up in its place: exit 12, and the command that brings one up."""
    code, why = refuse(*words)
    assert code == 12
    assert "handoff lab up" in why


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--attach", "http://10.1.2.3:80"], "--allow-host 10.1.2.3"),
        (["--attach", "http://10.1.2.3:80", "--allow-host", "10.1.2.4"], "--allow-host 10.1.2.3"),
        (["--attach", "https://127.0.0.1:9"], "only http"),
        (["--lab", "attahced"], "did you mean `attached`?"),
        (["--lab", "embedded", "--attach", "http://127.0.0.1:9"], "can know nothing"),
        (["--lab", "embedded:a"], "always new"),
        (["--lab", "attached", "--integration", "python -m reference"], "keep one of the two"),
        (["--lab", "containers:a"], "always new"),
        (["--lab", "containers", "--attach", "http://127.0.0.1:9"], "can know nothing"),
        (["--lab", "containers"], "names no image"),
        (["--image", "acme/middleware"], "add --lab containers"),
    ],
)
def test_what_contradicts_itself_or_leaves_this_machine_is_refused(refuse, words, says):
    """Exit 4 with the way out, before anything is written."""
    code, why = refuse(*words)
    assert code == 4
    assert says in why


def test_pytest_skips_and_refuses_alike(tmp_path):
    """As items, what would kill the integration is skipped with its reason, and a missing lab fails with the way to one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    argv = [sys.executable, "-m", "pytest", STACK, "-rs", "-p", "no:randomly", "--handoff-attach", "http://127.0.0.1:9"]
    ended = subprocess.run(
        [*argv, "-k", "crash or forged"], cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False,
        env=environment | {"HANDOFF_STATE_DIR": str(tmp_path), "COLUMNS": "200"},
    )  # fmt: skip
    assert "1 failed, 2 skipped" in ended.stdout, ended.stdout
    assert "not ours to kill" in ended.stdout
    assert "handoff lab up scenarios/slice.yaml" in ended.stdout
