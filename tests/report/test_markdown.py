"""Behaviour of the Markdown summary."""

import re

from harness.report import render_markdown, write_markdown

from .samples import build_large, build_run, poison


def test_summary_tells_the_run():
    """Sentence, totals, what broke, what is undecided or left out, and the command stand in the summary."""
    page = render_markdown(build_run(), report="reports/x/index.html")

    for words in (
        "59 of 62 promises hold",
        "| 59 | 1 | 1 | 1 | 1 | 26 of 27 |",
        "| `order-to-erp/429:retry/exhausted`<br>`reference/stack.yaml:41:9` | 4 attempts, then dead letter |",
        "- `handoff run reference/stack.yaml --seed 11 -k 'order-to-erp/429:retry/exhausted'`",
        "- `payment-capture/lost_response:retry/once` (vacuous): the fault never touched traffic",
        "- accepted until 2027-03-31 `inventory-sync/stale:retry/once` (violated): vendor beta",
        "- skipped `shipment-to-carrier`: Java 11 is missing",
        "ledger: 412 orders, 0 lost, 0 doubled",
        "report: `reports/x/index.html`",
    ):
        assert words in page


def test_hostile_text_is_inert():
    """Text of a run makes no HTML, no link, no image, no mention and no table cell."""
    run = build_run()
    for item in run["experiments"]:
        item.pop("rerun_of", None)
    page = render_markdown(poison(run, "<img src=x> [a](http://x.example) @team | `b`\n# c"))
    outside_code = re.sub(r"`[^`]*`", "", page).replace("<br>", "")

    assert "<" not in outside_code
    assert "@" not in outside_code
    assert not re.search(r"(?<!\\)\]\(", outside_code)
    assert "://" not in outside_code
    assert not re.search(r"^# ", page, flags=re.MULTILINE)
    assert len({line.count("|") - line.count("\\|") for line in page.splitlines() if line.startswith("| `")}) == 1


def test_many_findings_are_cut():
    """A summary stays short however much broke, and says how much it leaves out."""
    run = build_large(120)
    for item in run["experiments"]:
        item["verdict"] = "violated"

    page = render_markdown(run)

    assert "and 95 more in the report" in page
    assert len(page) < 20_000


def test_empty_run():
    """A run without anything is still told."""
    assert "Nothing was tested" in render_markdown({})


def test_write_makes_folders(tmp_path):
    """Writing makes the folders on the way and returns the path."""
    path = write_markdown(build_run(), tmp_path / "a" / "summary.md")

    assert path.read_text(encoding="utf-8").startswith("### handoff: acme")
