"""`handoff lint`: findings for people and for programs, and files that are none."""

import json
import os
from pathlib import Path

import pytest

from harness.cli import main
from tests.core.stack_texts import SMALL

FIELDS = ["code", "severity", "file", "line", "column", "message", "fix", "why"]
ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference" / "stack.yaml"
OURS = [
    *(ROOT / "examples").glob("*/stack.yaml"),
    *(ROOT / "scenarios").glob("*.yaml"),
    *(ROOT / "scenarios/zoo").glob("*.yaml"),
]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a stack.yaml into an empty folder and go there."""
    monkeypatch.chdir(tmp_path)

    def write_text(text: str | bytes, name: str = "stack.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_text


def lint_json(capsys, *arguments: str) -> tuple[int, list[dict[str, object]]]:
    """Run `handoff lint --json` and return its exit code and findings."""
    code = main(["lint", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_nothing_to_say(capsys):
    """The stack in use has no findings, and lint says so."""
    assert main(["lint", str(REFERENCE)]) == 0
    assert "no findings" in capsys.readouterr().out


@pytest.mark.parametrize("stack", OURS, ids=lambda path: path.parent.name)
def test_ours(stack, capsys):
    """The stacks that come with the project have nothing to find in them, and everything of them is asked."""
    assert main(["lint", str(stack), "--strict"]) == 0
    assert "no findings" in capsys.readouterr().out


def test_nothing_to_say_as_json(capsys):
    """No findings are an empty list."""
    assert lint_json(capsys, str(REFERENCE)) == (0, [])


def test_default_file(write, capsys):
    """Without an argument lint reads the stack.yaml of the folder."""
    write(SMALL.replace("attempts: 4", "attempts: 0"))
    code, (problem,) = lint_json(capsys)
    assert (code, problem["file"], problem["code"], problem["line"]) == (4, "stack.yaml", "out-of-range", 20)


def test_errors(write, capsys):
    """Errors are drawn with their line on stdout, exit 4."""
    write(SMALL.replace("attempts: 4", "attempt: 4"))
    assert main(["lint", "stack.yaml"]) == 4
    out = capsys.readouterr().out
    assert "stack.yaml:20:17  unknown field `attempt` in retry\n" in out
    assert "      │                 ^^^^^^^\n" in out
    assert "did you mean `attempts`?" in out
    assert "2 errors in stack.yaml" in out


def test_warnings_pass(write, capsys):
    """Findings that are warnings are shown with their line, exit 0."""
    write(SMALL)
    code, findings = lint_json(capsys)
    assert code == 0
    assert {finding["severity"] for finding in findings} == {"warning"}
    assert main(["lint"]) == 0
    out = capsys.readouterr().out
    assert f"{len(findings)} warnings in stack.yaml" in out
    assert "   12 │   - id: order-to-erp\n      │     ^^\n" in out


def test_strict(write, capsys):
    """With --strict warnings are exit 4; what is sound passes as before."""
    write(SMALL)
    assert main(["lint", "--strict"]) == 4
    assert "warnings in stack.yaml" in capsys.readouterr().out
    assert main(["lint", str(REFERENCE), "--strict"]) == 0


def test_notes_pass(write, capsys):
    """What no experiment asks about is a note: shown, counted, and no reason to fail."""
    write(REFERENCE.read_text().replace('"amount > 500.00 EUR"', '"weight > 5"'))
    assert main(["lint", "--strict"]) == 0
    out = capsys.readouterr().out
    assert "the weight of an order is not the harness's to choose" in out
    assert "\n1 note in stack.yaml (" in out


def test_finding_of_severity_error(write, capsys):
    """A finding that is an error is exit 4 although the stack loads."""
    write(SMALL.replace("        then: dead_letter", "        kind: business_rule\n        then: dead_letter"))
    code, findings = lint_json(capsys)
    assert code == 4
    assert [finding["code"] for finding in findings if finding["severity"] == "error"] == ["retry-on-business-rule"]


def test_json_shape(write, capsys):
    """Every finding has all fields, also errors about the file itself."""
    write(SMALL)
    write("a: [", "broken.yaml")
    for name in ("stack.yaml", "broken.yaml", "missing.yaml"):
        _, findings = lint_json(capsys, name)
        assert findings
        for finding in findings:
            assert list(finding) == FIELDS
            assert finding["message"]
            assert finding["fix"]


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        (b"", "empty-file", 0, 0),
        (b"version: 1\nname: \xff\xfe\n", "not-utf8", 2, 7),
        (b"version: 1\r\nname: caf\xe9\r\n", "not-utf8", 2, 10),
        (b"\xff\xfev\x00e\x00r\x00", "not-utf8", 1, 1),
        (b"version: 1\nname: a\x00b\n", "yaml-character", 2, 8),
        (b"version: 1\n\tname: a\n", "yaml-tab", 2, 1),
        (b"x" * 4_100_000, "too-large", 0, 0),
    ],
    ids=["empty", "not utf-8", "latin-1", "utf-16", "nul", "tab", "huge"],
)
def test_unfit_files(write, capsys, content, code, line, column):
    """A file that is no text of a stack is one located problem, exit 4."""
    write(content)
    exit_code, (problem, *_) = lint_json(capsys)
    assert exit_code == 4
    assert (problem["code"], problem["line"], problem["column"]) == (code, line, column)


def test_byte_order_mark(write, capsys):
    """A file with a byte order mark is read."""
    write(b"\xef\xbb\xbf" + SMALL.encode())
    assert lint_json(capsys)[0] == 0


def test_missing_file(write, capsys):
    """A missing file is told with the nearest file of the folder."""
    write(SMALL, "stack.yml")
    assert main(["lint", "stack.yaml"]) == 4
    assert "did you mean `stack.yml`?" in capsys.readouterr().out


def test_missing_folder(write, capsys):
    """A file in a folder that is not there is missing too."""
    write(SMALL)
    assert lint_json(capsys, "nowhere/stack.yaml")[1][0]["code"] == "missing-file"


def test_folder(write, capsys, tmp_path):
    """A folder in the place of a file is told, with the stack in it."""
    write(SMALL)
    code, (problem,) = lint_json(capsys, str(tmp_path))
    assert (code, problem["code"]) == (4, "is-folder")
    assert "stack.yaml" in str(problem["fix"])


@pytest.mark.parametrize("name", ["/dev/zero", "x" * 5000])
def test_odd_names(capsys, name):
    """A device, or a name longer than any file has, is a problem of the file, not a hang or a crash."""
    code, (problem,) = lint_json(capsys, name)
    assert (code, problem["code"]) == (4, "unreadable-file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_forbidden_file(write, capsys):
    """A file without permission to read is told so."""
    write(SMALL).chmod(0)
    assert lint_json(capsys)[1][0]["code"] == "unreadable-file"


def test_fifo(write, capsys, tmp_path):
    """A pipe in the place of a file does not make lint wait."""
    write(SMALL)
    os.mkfifo(tmp_path / "pipe.yaml")
    assert lint_json(capsys, "pipe.yaml")[1][0]["code"] == "unreadable-file"


def test_a_line_is_quoted_without_the_password_in_it(tmp_path, capfd):
    """What is printed ends up in logs of builds: a login in an address is replaced."""
    path = tmp_path / "stack.yaml"
    path.write_text('version: 1\nname: x\nintegration: {comand: [app, "postgres://shop:hunter2hunter2@db/x"]}\n')
    assert main(["lint", str(path)]) == 4
    said = "".join(capfd.readouterr())
    assert "comand" in said
    assert "hunter2" not in said
