"""The command line as a whole: exit codes, help, and mistakes in the command."""

import os
import subprocess
import sys

import pytest

from harness.cli import main

COMMANDS = ("doctor", "lint", "schema")


def run(*arguments: str, stdin: bytes | None = None, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run `handoff` in a process of its own."""
    program = "import sys; from harness.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        check=False,
        input=stdin,
        env={**os.environ, **variables},
        timeout=60,
    )


def test_help_names_every_command(capsys):
    """The help lists every command and the exit codes."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in COMMANDS:
        assert f" {command} " in out
    assert "violated" in out


def test_bare_command_helps(capsys):
    """`handoff` alone prints the help."""
    assert main([]) == 0
    assert "Usage: handoff" in capsys.readouterr().out


def test_version(capsys):
    """`--version` prints name and version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("handoff 0.")


@pytest.mark.parametrize(
    ("arguments", "wrong", "right"),
    [
        (["lnt"], "lnt", "lint"),
        (["shema"], "shema", "schema"),
        (["lint", "--jsn"], "--jsn", "--json"),
        (["--versoin"], "--versoin", "--version"),
    ],
)
def test_mistyped(capsys, arguments, wrong, right):
    """A mistyped command or option is exit 4, with the nearest valid one and the next command, on stderr."""
    assert main(arguments) == 4
    captured = capsys.readouterr()
    assert wrong in captured.err
    assert f"did you mean `{right}`?" in captured.err
    assert "--help" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["lint", "a", "b"], ["schema", "x"], ["--json"], ["lint", "--json=x"], ["zzz"]])
def test_other_usage_errors(capsys, arguments):
    """Every usage error is exit 4 and says the next command."""
    assert main(arguments) == 4
    assert "next: handoff" in capsys.readouterr().err


def test_crash_is_not_a_verdict(capsys, monkeypatch):
    """A crash of the harness is exit 70 with its traceback, never 1, which means violated."""

    def crash() -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr("harness.cli.schema.build_schema", crash)
    assert main(["schema"]) == 70
    assert "out of cheese" in capsys.readouterr().err


def test_missing_dependency():
    """A package that is not installed is exit 12 with the command that gets it, not a traceback."""
    program = "import sys; sys.modules['rich.console'] = None; from harness.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program, "lint"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 12
    assert b"`rich" in done.stderr
    assert b"make venv" in done.stderr
    assert b"Traceback" not in done.stderr


def test_reader_that_hangs_up():
    """Output into a pipe that nobody reads ends quietly."""
    program = "import sys; from harness.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", program, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


@pytest.mark.parametrize("arguments", [["--help"], ["lint", "-"], ["lint", "-", "--json"], ["schema"], ["doctor"]])
def test_plain_locale(arguments):
    """With a locale that knows only ASCII and a pipe for a terminal, every command prints and none crashes."""
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}
    done = run(*arguments, stdin="version: 1\nname: é ü 毎\n".encode(), **plain)
    assert done.returncode in {0, 4, 12}
    assert b"Traceback" not in done.stderr
    assert done.stdout.isascii()


def test_no_color():
    """NO_COLOR is honoured even where colour is forced, and colour is there without it."""
    coloured = run("lint", "-", stdin=b"version: 2", FORCE_COLOR="1", TERM="xterm", NO_COLOR="")
    plain = run("lint", "-", stdin=b"version: 2", FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")
    assert b"\x1b[31m" in coloured.stdout or b"\x1b[1;31m" in coloured.stdout
    assert b"31m" not in plain.stdout
