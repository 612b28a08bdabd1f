"""`handoff schema`: what an editor gets."""

import json

from harness.cli import main


def test_schema_is_json(capsys):
    """The schema is printed alone, as draft-07."""
    assert main(["schema"]) == 0
    captured = capsys.readouterr()
    schema = json.loads(captured.out)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["properties"]["version"]["const"] == 1
    assert captured.err == ""
