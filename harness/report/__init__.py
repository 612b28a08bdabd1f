"""The surfaces that show a run: one HTML file, the terminal, Markdown. All are drawn from one view of run.json."""

from harness.report.html import render_html, write_html
from harness.report.markdown import render_markdown, write_markdown
from harness.report.terminal import Progress, render_summary
from harness.report.view import RunView, build_view

__all__ = [
    "Progress",
    "RunView",
    "build_view",
    "render_html",
    "render_markdown",
    "render_summary",
    "write_html",
    "write_markdown",
]
