"""What a run shows in a terminal: its progress on stderr while it goes, its summary on stdout when it is done."""

from harness.report.progress import Progress
from harness.report.summary import render_summary

__all__ = ["Progress", "render_summary"]
