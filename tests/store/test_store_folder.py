"""Run folders: made once, grown while the run goes, read whole."""

import datetime as dt
import json

import pytest

from harness.store.folder import RunFolder, make_folder, name_run


def test_two_runs_of_one_second_have_two_folders(tmp_path):
    """A run is named by its start; the next one of the same second by a number beside it."""
    name = name_run(dt.datetime(2026, 7, 4, 9, 5, 1, tzinfo=dt.UTC))
    made = [make_folder(tmp_path / "reports", name) for _ in range(3)]

    assert [folder.name for folder in made] == ["20260704-090501", "20260704-090501-2", "20260704-090501-3"]
    assert all(folder.is_dir() for folder in made)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """A file in the way is an error at once."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_folder(tmp_path / "file", "run")


def test_history_is_there_while_the_run_goes(tmp_path):
    """What was written can be read before the run ended, one entry a line with its keys in order."""
    with RunFolder(make_folder(tmp_path, "run")) as folder:
        folder.write_history([{"b": 1, "a": "ü"}, {"c": None}])
        seen = (folder.path / "history.ndjson").read_text(encoding="utf-8")

    assert seen == '{"a":"ü","b":1}\n{"c":null}\n'


def test_documents_are_written_whole(tmp_path):
    """Neither half a file nor a draft of one is left beside them."""
    with RunFolder(make_folder(tmp_path, "run")) as folder:
        folder.write_decisions([{"hit": True}])
        folder.write_run({"schema": "handoff-run/1"})

    assert sorted(path.name for path in folder.path.iterdir()) == ["decisions.ndjson", "history.ndjson", "run.json"]
    assert json.loads((folder.path / "run.json").read_text()) == {"schema": "handoff-run/1"}


@pytest.mark.parametrize("told", [True, False])
def test_a_run_that_never_was_leaves_no_folder(tmp_path, told):
    """Where it fails before any experiment ended there is nothing to keep; otherwise what was seen stays."""
    path = make_folder(tmp_path, "run")
    with pytest.raises(RuntimeError):
        fail_in(path, told=told)

    assert path.exists() == told


def fail_in(path, *, told):
    """Fail in the middle of a run."""
    with RunFolder(path) as folder:
        folder.write_decisions([{"hit": True}])
        if told:
            folder.write_history([{"type": "experiment"}])
        raise RuntimeError
