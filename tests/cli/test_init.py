"""`handoff init`: a folder that runs at once, and nothing that was there is touched."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.app import build_app, main
from harness.cli.init import SCAFFOLD, name_stack
from harness.core.lint import lint_stack
from harness.core.loading import load_stack

HANDOFF = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]


@pytest.fixture
def shop(tmp_path):
    """Lay a folder down and return it."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    return tmp_path / "shop"


def handoff(folder, *arguments):
    """Run a command in a folder."""
    return subprocess.run([*HANDOFF, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_it_writes_a_stack_that_is_sound_and_named_by_its_folder(shop):
    """The stack is called as its folder and lint finds nothing in it."""
    stack = load_stack((shop / "stack.yaml").read_text(), file="stack.yaml")

    assert stack.name == "shop"
    assert lint_stack(stack) == ()
    assert {path.name for path in shop.iterdir()} == set(SCAFFOLD)


def test_it_says_what_comes_next(tmp_path, monkeypatch):
    """What is printed names the folder to go to, quoted for a shell, and the commands to give there."""
    monkeypatch.chdir(tmp_path)

    said = CliRunner().invoke(build_app(), ["init", "my shop"]).output

    assert "next: cd 'my shop'" in said
    assert "handoff run" in said
    assert (tmp_path / "my shop" / "stack.yaml").is_file()


def test_the_current_folder_is_the_default(tmp_path, monkeypatch):
    """Without a folder the current one is filled, and nobody is told to go anywhere."""
    monkeypatch.chdir(tmp_path)

    said = CliRunner().invoke(build_app(), ["init"]).output

    assert "cd " not in said
    assert (tmp_path / "integration.py").is_file()


@pytest.mark.parametrize("name", SCAFFOLD)
def test_nothing_is_overwritten(tmp_path, capsys, name):
    """One file that is there already is named, stays as it is, and keeps all others from being written."""
    (tmp_path / name).write_text("mine")

    code = main(["init", str(tmp_path)])

    assert code == 4
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    told = capsys.readouterr().err
    assert f"{tmp_path / name}  this is there already" in told
    assert "handoff init " in told


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path):
    """A dangling link counts as something that is there: what it leads to is not made."""
    (tmp_path / "stack.yaml").symlink_to(tmp_path / "elsewhere.yaml")

    assert main(["init", str(tmp_path)]) == 4
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_a_file_is_no_folder(tmp_path, capsys):
    """A file that is named as the folder is told as that."""
    (tmp_path / "notes").write_text("mine")

    assert main(["init", str(tmp_path / "notes")]) == 4
    assert "this is a file, not a folder" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    """Where the folder cannot be made, the place and the reason are told."""
    (tmp_path / "file").write_text("")

    assert main(["init", str(tmp_path / "file" / "shop")]) == 4
    assert "cannot be written: not a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "name"),
    [("shop", "shop"), ("My Shop!", "My-Shop"), ("läden", "l-den"), ("…", "shop"), ("x" * 200, "x" * 80)],
)
def test_names(tmp_path, folder, name):
    """A stack is named as its folder as far as the rules for names let it."""
    assert name_stack(tmp_path / folder) == name


def test_the_readme_names_what_is_there(shop):
    """Every file in the readme's table is in the folder, and every clause it tells to try can be put into the stack."""
    readme = (shop / "README.md").read_text()
    added = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL)[1]
    stack = (shop / "stack.yaml").read_text()
    promised = stack.replace("        deduplicate: true\n", f"        deduplicate: true\n{added}", 1)

    assert set(re.findall(r"^\| `([\w.]+)`", readme, re.MULTILINE)) <= set(SCAFFOLD)
    assert len(load_stack(promised, file="s").handoffs[0].paths) == 1 + len(
        load_stack(stack, file="s").handoffs[0].paths
    )


def test_what_the_readme_breaks_is_found(shop):
    """With an attempt fewer than declared, as the readme proposes, the run says so and exits 1."""
    program = Path(shop / "integration.py")
    changed = re.sub(r'("payments-ops".*?"any": \()3', r"\g<1>2", program.read_text())
    assert changed != program.read_text()
    program.write_text(changed)

    ended = handoff(shop, "run", "-n", "2", "-k", "payment-capture and any and exhausted")

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "payment-capture/any:retry/exhausted" in ended.stdout


def test_a_stack_runs_from_any_folder(shop):
    """The command of a stack is one of the folder the stack stands in, wherever the harness is called from."""
    ended = handoff(shop.parent, "run", "shop/stack.yaml", "-n", "1", "-k", "order-to-erp/clean:resolve/one")

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_command_that_cannot_be_started_is_told(shop):
    """One that is not there is told with the folder it was looked for in, one that may not be started with what lets it."""
    stack = shop / "stack.yaml"
    stack.write_text(stack.read_text().replace("[python, integration.py]", "[./start.sh]"))

    missing = handoff(shop.parent, "run", "shop/stack.yaml", "-n", "1", "-k", "clean")
    (shop / "start.sh").write_text("#!/bin/sh")
    forbidden = handoff(shop.parent, "run", "shop/stack.yaml", "-n", "1", "-k", "clean")

    assert (missing.returncode, forbidden.returncode) == (12, 12)
    assert f"there is no command './start.sh' in {shop}" in missing.stderr
    assert f"next: chmod +x {shop}/start.sh" in forbidden.stderr
