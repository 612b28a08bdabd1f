"""`handoff schema`: the JSON Schema of stack.yaml, for editors."""

from harness.cli.terminal import say_json
from harness.core.schema import build_schema


def schema() -> None:
    """
    Print the JSON Schema of stack.yaml (draft-07), so that editors complete and check it.

    handoff schema > stack.schema.json, then put this line on top of the file:
    # yaml-language-server: $schema=stack.schema.json
    """
    say_json(build_schema())
