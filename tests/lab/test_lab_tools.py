"""Where Toxiproxy, WireMock and Java are looked for."""

import pytest

from harness.lab import tools


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """Take everything off the machine (PATH, variables, tools); answer its only tools folder."""
    for variable in (tools.TOXIPROXY_VARIABLE, tools.WIREMOCK_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(tools, "list_folders", lambda: iter([tmp_path / "tools"]))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tools"


def write_program(path, text="#!/bin/sh\n"):
    """Write an executable and answer its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def write_jar(path):
    """Write what passes for a jar and answer its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK")
    return path


def test_nothing_is_there(empty):
    """Where nothing is installed nothing is found."""
    assert (tools.find_toxiproxy(), tools.find_wiremock(), tools.find_java()) == (None, None, None)


def test_toxiproxy_by_name_then_path_then_folder(empty, monkeypatch, tmp_path):
    """What the variable names wins over PATH, and PATH over the tools folder."""
    kept = write_program(empty / "bin" / "toxiproxy-server")
    assert tools.find_toxiproxy() == kept
    on_path = write_program(tmp_path / "path" / "toxiproxy-server")
    assert tools.find_toxiproxy() == on_path
    named = write_program(tmp_path / "elsewhere" / "server")
    monkeypatch.setenv(tools.TOXIPROXY_VARIABLE, str(named))
    assert tools.find_toxiproxy() == named


def test_a_name_that_leads_nowhere_finds_nothing(empty, monkeypatch, tmp_path):
    """A variable that names nothing is not passed over for another version than the one asked for."""
    write_program(empty / "bin" / "toxiproxy-server")
    write_jar(empty / "wiremock-standalone.jar")
    monkeypatch.setenv(tools.TOXIPROXY_VARIABLE, str(tmp_path / "none"))
    monkeypatch.setenv(tools.WIREMOCK_VARIABLE, str(tmp_path / "none.jar"))
    assert (tools.find_toxiproxy(), tools.find_wiremock()) == (None, None)


def test_toxiproxy_must_be_a_program(empty):
    """A file that cannot be run is no server."""
    write_program(empty / "bin" / "toxiproxy-server").chmod(0o644)
    assert tools.find_toxiproxy() is None


def test_wiremock_by_name_then_folder_then_npm(empty, monkeypatch, tmp_path):
    """What the variable names wins over the tools folder, and that over npm's package in the current folder."""
    packed = write_jar(tmp_path / "node_modules" / "wiremock" / "build" / "wiremock-standalone-3.13.2.jar")
    assert tools.find_wiremock() == packed
    kept = write_jar(empty / "wiremock-standalone.jar")
    assert tools.find_wiremock() == kept
    named = write_jar(tmp_path / "mine.jar")
    monkeypatch.setenv(tools.WIREMOCK_VARIABLE, str(named))
    assert tools.find_wiremock() == named


@pytest.mark.parametrize(
    ("says", "version", "usable"),
    [
        ('openjdk version "17.0.2" 2022-01-18', 17, True),
        ('openjdk version "11" 2018-09-25', 11, True),
        ('java version "1.8.0_292"', 8, False),
        ("no idea", None, False),
    ],
)
def test_java_version(empty, monkeypatch, tmp_path, says, version, usable):
    """Java counts from version 11, in the old and the new way of naming versions."""
    program = write_program(tmp_path / "path" / "java", f"#!/bin/sh\necho '{says}' >&2\n")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert tools.read_java_version(program) == version
    assert tools.find_java() == (program if usable else None)


def test_a_checkout_has_a_tools_folder_of_its_own():
    """In a checkout `.tools` is looked at before the folder in the user's cache."""
    folders = list(tools.list_folders())
    assert [folder.name for folder in folders] == [".tools", "tools"]
    assert (folders[0].parent / "pyproject.toml").is_file()
