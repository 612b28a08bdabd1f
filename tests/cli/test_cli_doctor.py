"""`handoff doctor`: what is checked, and what decides that a machine is ready."""

import json
import resource

from harness.cli import main, readiness
from harness.core.loading import load_stack
from tests.core.stack_texts import SMALL, WHOLE

FIELDS = ["name", "status", "required", "detail", "needed_for", "command"]


def doctor_json(capsys, *arguments: str) -> tuple[int, dict[str, dict[str, object]]]:
    """Run `handoff doctor --json` and return its exit code and checks by name."""
    code = main(["doctor", *arguments, "--json"])
    return code, {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def test_this_machine_is_ready(capsys):
    """Where the tests run, everything required is there."""
    code, checks = doctor_json(capsys)
    assert code == 0
    assert {name for name, check in checks.items() if check["required"]} == {
        "Python",
        "dependencies",
        "loopback",
        "file descriptors",
        "monotonic clock",
        "temporary folder",
    }
    assert all(check["status"] == "ok" for check in checks.values() if check["required"])


def test_shape(capsys):
    """Every check says its status, what it is for, and, unless it is fine, the command that gets it."""
    _, checks = doctor_json(capsys)
    assert {"Java", "toxiproxy-server", "docker", "cores", "memory", "leftover labs"} <= set(checks)
    for check in checks.values():
        assert list(check) == FIELDS
        assert check["status"] in {"ok", "warning", "missing"}
        assert check["detail"]
        assert check["needed_for"]
        assert bool(check["command"]) is (check["status"] != "ok")


def test_text(capsys):
    """For people the last line says whether the machine is ready."""
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "ready"


def test_missing_requirement(capsys, monkeypatch):
    """A dependency that is missing or too old is exit 12, named, with the command that gets it."""
    monkeypatch.setattr(readiness, "_requirements", lambda: ["no-such-package>=1", "typer>=999", "pydantic>=2.0"])
    code, checks = doctor_json(capsys)
    assert code == 12
    assert checks["dependencies"]["status"] == "missing"
    assert "no-such-package>=1, typer>=999" in str(checks["dependencies"]["detail"])
    assert "pydantic" not in str(checks["dependencies"]["detail"])
    assert checks["dependencies"]["command"] == "make venv"
    assert main(["doctor"]) == 12
    assert capsys.readouterr().out.splitlines()[-1] == "not ready"


def test_optional_parts_do_not_block(capsys, monkeypatch, tmp_path):
    """Without Java, toxiproxy-server and docker a lab still runs: they are missing, and exit is 0."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("HANDOFF_WIREMOCK_JAR", "HANDOFF_TOXIPROXY_SERVER"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    code, checks = doctor_json(capsys)
    assert code == 0
    parts = ("Java", "WireMock", "toxiproxy-server", "docker")
    assert [checks[name]["status"] for name in parts] == ["missing"] * 4


def test_docker_without_daemon(capsys, monkeypatch, tmp_path):
    """A docker whose daemon does not answer is missing."""
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    checks = doctor_json(capsys)[1]
    assert checks["docker"]["status"] == checks["images"]["status"] == "missing"
    assert checks["images"]["command"] == "make images"


def test_few_file_descriptors(capsys, monkeypatch):
    """Too few file descriptors for a lab are exit 12."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (40, 40))
    code, checks = doctor_json(capsys)
    assert (code, checks["file descriptors"]["status"]) == (12, "missing")


def test_check_that_crashes(capsys, monkeypatch):
    """A required check that cannot be made counts as missing and says why."""

    def crash(*_: object, **__: object) -> None:
        raise OSError("no loopback here")

    monkeypatch.setattr("socket.create_server", crash)
    code, checks = doctor_json(capsys)
    assert (code, checks["loopback"]["status"]) == (12, "missing")
    assert "no loopback here" in str(checks["loopback"]["detail"])


def test_stack_needs(monkeypatch, tmp_path):
    """A stack adds the command of its integration, which blocks, and Java and WireMock's jar, which do not."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HANDOFF_WIREMOCK_JAR", str(tmp_path / "none.jar"))
    command, java, jar = readiness.check_stack_needs(load_stack(WHOLE, file="x"))
    assert (command.status, command.blocks) == ("missing", True)
    assert (java.status, java.blocks, java.command) == ("missing", False, "apt-get install default-jre-headless")
    assert (jar.status, jar.blocks, jar.command) == ("missing", False, "make wiremock")
    assert "carrier" in java.needed_for


def test_stack_without_wiremock():
    """A stack of fakes alone needs no Java."""
    assert [check.name for check in readiness.check_stack_needs(load_stack(SMALL, file="x"))] == ["integration command"]


def test_broken_stack(capsys, tmp_path):
    """A stack that does not load is exit 4, told on stderr."""
    path = tmp_path / "stack.yaml"
    path.write_text("version: 1", encoding="utf-8")
    assert main(["doctor", str(path)]) == 4
    assert "missing field `handoffs`" in capsys.readouterr().err
