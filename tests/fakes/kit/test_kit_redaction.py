"""What of a path the journals keep."""

import pytest

from fakes.kit.exchange import redact


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/services/T0001/B0001/abcdef", "/services/T0001/B0001/REDACTED"),
        ("/services/rest/record/v1/salesOrder/eid:SHP-1", "/services/rest/record/v1/salesOrder/eid:SHP-1"),
        ("/orders?token=abc&x=1", "/orders?token=REDACTED&x=1"),
    ],
)
def test_only_secrets_are_hidden(target, kept):
    """The address of a chat hook and telling parameters are secrets; another vendor's path is none."""
    assert redact(target) == kept
