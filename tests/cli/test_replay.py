"""`handoff replay` as a command: a fresh run judged again, damaged runs, folders that are none."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main

ROOT = Path(__file__).parents[2]
STACK = "scenarios/slice.yaml"
CHOSEN = "clean:resolve/one or 429:retry/once or 429:retry/exhausted"
HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
WITHIN_S = 110


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Run four experiments for real; return the folder of the run and what it printed."""
    home = tmp_path_factory.mktemp("home")
    arguments = ["run", STACK, "-n", "1", "--seed", "5", "-k", CHOSEN, "--out", str(home / "out"), "--json"]
    ended = subprocess.run(
        [*HANDOFF, *arguments], cwd=ROOT, env=os.environ | {"HANDOFF_STATE_DIR": str(home / "state")},
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (folder,) = (home / "out").iterdir()
    return folder, json.loads(ended.stdout)


@pytest.fixture
def folder(fresh, tmp_path):
    """Give a copy of the run that a test may damage."""
    return shutil.copytree(fresh[0], tmp_path / "run")


def replay(capsys, folder):
    """Replay a run and return the exit code and its document."""
    code = main(["replay", str(folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


def rewrite(folder, change):
    """Change the lines of a run's history."""
    history = folder / "history.ndjson"
    lines = history.read_text(encoding="utf-8").splitlines(keepends=True)
    history.write_text("".join(change(lines)), encoding="utf-8")


def test_a_fresh_run_is_judged_alike(fresh, capsys):
    """The document is the run's own, to the last byte, reasons, evidence and timeline included."""
    code, document = replay(capsys, fresh[0])
    assert (code, document.pop("replay")) == (0, {"differences": []})
    assert len(document["experiments"]) == 4
    assert json.dumps(document, sort_keys=True) == json.dumps(fresh[1], sort_keys=True)


def test_it_is_told_to_people(fresh, capsys):
    """The summary is the run's, and it says that every verdict is as stored."""
    assert main(["replay", str(fresh[0])]) == 0
    printed = capsys.readouterr().out
    assert "4 held · 0 violated · 0 unknown" in printed
    assert "judged again from the record: 4 verdicts, each as stored" in printed


def test_nothing_is_run(folder, capsys, monkeypatch):
    """No process is started and no address opened, and the folder stays as it is."""

    def refuse(*_args, **_options):
        raise AssertionError("nothing may be run")

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.socket.bind", refuse)
    assert replay(capsys, folder)[0] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.7, 0.99])
def test_a_cut_history_is_unknown(folder, capsys, share):
    """From where a history was cut off nothing is held any more; what was whole before stays as it was."""
    rewrite(folder, lambda lines: lines[: int(share * len(lines))])
    code, document = replay(capsys, folder)
    assert code == 10
    verdicts = [item["verdict"] for item in document["experiments"]]
    assert set(verdicts) <= {"held", "unknown"}
    differing = [item["id"] for item in document["replay"]["differences"]]
    assert sorted(differing) == sorted(item["id"] for item in document["experiments"] if item["verdict"] == "unknown")
    assert differing


def test_a_journal_with_a_gap_is_unknown(folder, capsys):
    """One call taken out of a journal leaves a gap, and the verdict says so."""

    def cut(lines):
        gone = next(n for n, line in enumerate(lines) if '"source":"tap"' in line and n > 20)
        return lines[:gone] + lines[gone + 1 :]

    rewrite(folder, cut)
    assert main(["replay", str(folder)]) == 10
    printed = capsys.readouterr().out
    assert "1 verdict not as stored" in printed
    assert "was  held: " in printed
    assert "is   unknown (interference): the stored record: " in printed


def test_another_verdict_in_the_document_is_told(folder, capsys):
    """A document that says otherwise than its record ends with 11: all is held, and that is not what was stored."""
    path = folder / "run.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["experiments"][1]["verdict"] = "violated"
    path.write_text(json.dumps(document), encoding="utf-8")
    code, replayed = replay(capsys, folder)
    (difference,) = replayed["replay"]["differences"]
    assert (code, difference["id"]) == (11, document["experiments"][1]["id"])
    assert (difference["was"]["verdict"], difference["is"]["verdict"]) == ("violated", "held")


def test_what_broke_is_broken_again(folder, capsys):
    """A history in which the vendor holds two records of one order is violated, whatever the document says."""
    name = "order-to-erp/clean:resolve/one"

    def double(lines):
        """Let one more record of the order be created, with everything that counts entries told of it."""
        read = [json.loads(line) for line in lines]
        own = [line for line in read if line["experiment"] == name]
        order = next(line["name"] for line in own if line["type"] == "order" and line["ordinal"] == 1)
        first = next(line for line in own if line.get("collection") == "sales_orders" and line["entity"] == order)
        last = [line for line in own if line.get("source") == "erp"][-1]
        second = first | {"record_id": "999999", "seq": last["seq"] + 1}
        own[0]["entries"] += 1
        for line in own:
            if line["type"] == "judged":
                line["journals"] += 1
        read.insert(read.index(last) + 1, second)
        return [json.dumps(line) + "\n" for line in read]

    rewrite(folder, double)
    code, document = replay(capsys, folder)
    (broken,) = [item for item in document["experiments"] if item["verdict"] == "violated"]
    assert (code, broken["id"]) == (1, name)


def test_a_stack_that_compiles_to_something_else(folder, capsys):
    """An experiment that the stored stack does not compile to is named and is not held."""
    stack = folder / "stack.yaml"
    stack.write_text(stack.read_text(encoding="utf-8").replace("status: 429", "status: 418"), encoding="utf-8")
    code, document = replay(capsys, folder)
    assert code == 10
    assert {each["id"] for each in document["replay"]["differences"]} == {
        "order-to-erp/429:retry/once", "order-to-erp/429:retry/exhausted"
    }  # fmt: skip
    assert {each["is"]["verdict"] for each in document["replay"]["differences"]} == {"unknown"}


class TestRefusals:
    """What is no folder of a run."""

    def test_no_such_folder(self, tmp_path, capsys, monkeypatch):
        """The nearest run below reports is named, or how a folder is named where there is none."""
        monkeypatch.chdir(tmp_path)
        assert main(["replay", "20260101-000000"]) == 4
        assert "name the folder a run was written to" in capsys.readouterr().err
        (tmp_path / "reports" / "20260101-000001").mkdir(parents=True)
        assert main(["replay", "20260101-000000"]) == 4
        assert "did you mean `20260101-000001`?" in capsys.readouterr().err

    def test_by_name(self, fresh, tmp_path, capsys, monkeypatch):
        """A run below reports can be given by its name."""
        shutil.copytree(fresh[0], tmp_path / "reports" / "one")
        monkeypatch.chdir(tmp_path)
        assert replay(capsys, "one")[0] == 0

    @pytest.mark.parametrize("name", ["run.json", "history.ndjson", "stack.yaml"])
    def test_a_file_is_missing(self, folder, capsys, name):
        """The missing file is named; exit 4."""
        (folder / name).unlink()
        assert main(["replay", str(folder)]) == 4
        assert f"it holds no {name}" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["", "7", "[]", "{}", '{"schema": "something-else/1"}'])
    def test_no_document(self, folder, capsys, text):
        """A run.json that is none is told."""
        (folder / "run.json").write_text(text, encoding="utf-8")
        assert main(["replay", str(folder)]) == 4
        assert "it cannot be read" in capsys.readouterr().err
