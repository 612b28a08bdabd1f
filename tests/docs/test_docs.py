"""The documents: what they name exists, what they link resolves, what they tell to type is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.app import build_app
from harness.core.compile import compile_stack
from harness.core.gates import list_gates
from harness.core.history import History
from harness.core.loading import load_stack
from harness.core.triggers import CONDITIONS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
IGNORED = {"build", "dist", "site"}


def read(name):
    """Read a document."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(document):
    """Every relative link of a document leads to something in the repository."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (document.parent / target).exists()]

    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(document):
    """Every file or folder of the repository that a document names in backticks is there."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    top = "harness|fakes|reference|scenarios|docs|tests"
    named = re.findall(rf"`((?:{top})/[\w./-]*)`", text)

    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_layout_is_whole():
    """The readme's layout has a line for every folder of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    folders = {line.split("/")[0] for line in listed.splitlines() if "/" in line} - IGNORED
    shown = set(re.findall(r"^\| `(\w+)/` \|", read("README.md"), re.MULTILINE))

    assert {folder for folder in folders if not folder.startswith(".")} <= shown


def test_make_targets_exist():
    """Every make target that a document tells to use is in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    told = {name for path in DOCUMENTS for name in re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(), re.MULTILINE)}

    assert told
    assert told <= targets


def list_commands():
    """List every command line of `handoff` in the code blocks of the documents."""
    for path in DOCUMENTS:
        for block in re.findall(r"```\w*\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                match = re.match(r"(?:\$ )?(handoff (?:run|plan|lint|lab|schema|doctor)\b[^#>|]*)", line)
                if match:
                    yield path.name, match[1].strip()


def test_commands_take_the_options_they_are_shown_with():
    """Every `handoff` command in a document exists and takes the options it is shown with."""
    import typer.main  # noqa: PLC0415 - the command tree is needed in this test alone

    tree = typer.main.get_command(build_app())
    shown = list(list_commands())
    for document, line in shown:
        command, words = tree, shlex.split(line)[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in words if word.startswith("-")}
        assert given <= known, f"{document}: {line}"

    assert len(shown) >= 8


def test_the_readme_counts_right():
    """The readme says as many experiments and clauses as the reference's stack compiles to."""
    plan = compile_stack(load_stack(read("reference/stack.yaml"), file="reference/stack.yaml"))
    readme = read("README.md")

    assert set(re.findall(r"· (\d+) experiments ·", readme)) == {str(len(plan.experiments))}
    assert set(re.findall(r"(\d+) experiments, three minutes", readme)) == {str(len(plan.experiments))}
    assert set(re.findall(r"of (\d+) clauses exercised", readme)) == {str(len(plan.coverage))}


def test_the_readme_shows_the_stack_as_it_is():
    """The excerpt of the stack in the readme stands in the stack, line for line."""
    excerpt = re.search(r"```yaml\n(.*?)```", read("README.md"), re.DOTALL)[1]
    stack = read("reference/stack.yaml").splitlines()

    assert [line for line in excerpt.splitlines() if line not in stack] == []


def test_the_reference_is_whole():
    """The reference of clauses names every trigger, every shape, check and gate of the reference's own plan."""
    text = read("docs/reference/clauses.md")
    plan = compile_stack(load_stack(read("reference/stack.yaml"), file="reference/stack.yaml"))
    checks = {check.name.split()[0] for experiment in plan.experiments for check in experiment.checks}
    shapes = {experiment.shape for experiment in plan.experiments if not experiment.shape.isdigit()}
    gates = {gate.name for gate in list_gates(plan.experiments[0], History(now=0.0))}
    names = checks | shapes | gates | set(CONDITIONS)

    assert sorted(name for name in names if f"`{name}`" not in text) == []


def test_every_exit_code_is_told():
    """The readme's table has the exit codes the program uses for what a run can end with."""
    from harness.cli import exits  # noqa: PLC0415 - only this test looks at the codes

    told = {int(code) for code in re.findall(r"^\| (\d+) \|", read("README.md"), re.MULTILINE)}

    assert told == {exits.OK, exits.VIOLATED, exits.USAGE, exits.UNKNOWN, exits.NOT_READY, exits.INTERNAL}


def test_decisions_are_all_listed():
    """Each decision record is listed once, in order, and says context, decision, alternatives and consequence."""
    records = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", read("docs/decisions/README.md"))

    assert listed == records
    for name in records:
        text = read(f"docs/decisions/{name}")
        assert all(word in text for word in ("**Context.**", "**Decision.**", "**Instead of**", "**Consequence.**")), (
            name
        )


def test_the_gate_is_a_sound_script():
    """The gate is executable and bash finds nothing wrong with it."""
    gate = ROOT / ".ci/run"

    assert gate.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", gate], check=False).returncode == 0
    assert sys.version_info >= (3, 11)
