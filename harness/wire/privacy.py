"""
What the harness itself keeps out of everything it records or prints: what the fakes keep out of their journals.

`OURS` serves whatever belongs to no single lab: what children print, errors, the documents of a run.
"""

from __future__ import annotations

from typing import Final

from fakes.kit.livekeys import LAB_MARK, LiveKey, find_live_key
from fakes.kit.redaction import Redactor

OURS: Final = Redactor()

__all__ = ["LAB_MARK", "OURS", "LiveKey", "Redactor", "find_live_key"]
