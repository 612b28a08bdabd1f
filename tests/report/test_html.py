"""Behaviour of the HTML report."""

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from harness.report import render_html, write_html

from .samples import build_experiment, build_large, build_run, poison, wrap_run

_VOID = {"meta", "link", "input", "br", "hr", "img"}
_IMPLIED = {"td"}
_PAYLOAD = "\"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>{{ 7 * 7 }}"


class _Page(HTMLParser):
    """Reads a page strictly: every element that needs it is closed, in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag in _IMPLIED and self.open[-1] == tag:
            self.open.pop()
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self.open[-1] in _IMPLIED and tag == "tr":
            self.open.pop()
        assert tag == self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    def values(self, name):
        return [attrs[name] for _, attrs in self.tags if attrs.get(name) is not None]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


RUNS = {
    "example": build_run(),
    "empty": {},
    "no experiments": wrap_run([]),
    "interrupted": build_run(interrupted=True, finished_at=None),
    "bare experiments": {"experiments": [{"id": "order-to-erp/any:retry/once"}, {}, {"verdict": "violated"}]},
    "wrong types": {
        "experiments": {"id": 1},
        "handoffs": "x",
        "coverage": [],
        "ledger": 3,
        "summary": None,
        "labs": "4",
    },
}


@pytest.fixture(params=RUNS)
def page(request):
    """Return a parsed report of each kind of run."""
    return _Page(render_html(RUNS[request.param]))


def test_page_is_well_formed(page):
    """Every report parses, has one title, one main heading and unique ids."""
    tags = [tag for tag, _ in page.tags]
    ids = page.values("id")

    assert (tags[: tags.index("body")].count("title"), tags.count("h1"), tags.count("main")) == (1, 1, 1)
    assert len(ids) == len(set(ids))


def test_page_asks_for_nothing(page):
    """No element loads anything from anywhere, and the page's own policy forbids it."""
    loading = page.values("src") + [attrs.get("href", "") for tag, attrs in page.tags if tag == "link"]
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv"))

    assert loading == ["data:,"]
    assert policy.startswith("default-src 'none'")


def test_every_link_leads_somewhere(page):
    """Every link of the page points to a place on the page."""
    links = [attrs["href"] for tag, attrs in page.tags if tag in {"a", "use"}]

    assert {link.removeprefix("#") for link in links} <= set(page.values("id"))


def test_style_and_script_load_nothing():
    """Neither the style sheet nor the script names an address."""
    for name in ("style.css", "script.js"):
        source = files("harness.report").joinpath("templates", name).read_text(encoding="utf-8")
        assert not re.search(r"//|@import|fetch|XMLHttp|url\((?!#)", source)


def test_script_is_the_one_the_policy_allows():
    """The policy carries the hash of the script in the page, so that it runs and no other does."""
    page = render_html(build_run())
    script = page[page.index("<script>") + len("<script>") : page.rindex("</script>")]

    assert f"script-src 'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in page


def test_every_experiment_has_anchor_and_command():
    """Each experiment of run.json is on the page under an anchor, with its command, gates, checks and evidence."""
    run = build_run()
    raw = render_html(run)
    page = _Page(raw)

    for item in run["experiments"]:
        anchor = "e-" + re.sub(r"[^a-z0-9]+", "-", item["id"].lower())
        assert anchor in page.values("id")
        assert item["reproduce"] in page.text
    assert len(run["experiments"]) == raw.count('<details class="exp"')
    assert "PUT salesOrder eid:SHP-411001 → 429, attempt 5" in page.text
    assert "client saw 429, server 429" in page.text


def test_first_screen_tells_the_run():
    """Sentence, totals, what broke with declared beside observed, and the ledger come before any detail."""
    page = render_html(build_run())
    text = _Page(page[page.index("<main>") : page.index("</main>") + len("</main>")]).text
    places = [
        text.index(words)
        for words in (
            "59 of 62 promises hold",
            "Every promise, by handoff",
            "What broke",
            "4 attempts, then dead letter",
            "5 attempts at 0.00 0.21 0.63 1.44 3.05 s, no dead letter within 5.0 s",
            "5 (at least 1, 4 expected), both witnesses agree",
            "What could not be judged",
            "the fault never touched traffic: 0 receipts",
            "Where every order ended up",
            "Every experiment",
        )
    ]

    assert places == sorted(places)


def test_matrix_says_in_words_what_it_shows_in_colour():
    """Each cell of the matrix carries its standing as text and as a glyph."""
    page = render_html(build_run())
    cell = page[page.index('class="cell s-violated"') :]
    cell = cell[: cell.index("</a>")]

    assert "✗" in cell
    assert "429 → retry" in cell
    assert ", violated, 3 experiments" in cell


def test_tables_have_headings(page):
    """Every table has column headings with a scope, and every picture a text for those who cannot see it."""
    tags = [tag for tag, _ in page.tags]

    assert tags.count("table") == tags.count("thead")
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in page.tags if tag == "th")
    assert all(attrs.get("aria-label") for tag, attrs in page.tags if attrs.get("role") == "img")


@pytest.mark.parametrize("keep", [("verdict", "kind"), ()])
def test_hostile_text_is_shown_not_obeyed(keep):
    """Markup in any field of run.json ends up as text: no element, no attribute, no template expression of its own."""
    run = build_run()
    for item in run["experiments"]:
        item.pop("rerun_of", None)
    page = _Page(render_html(poison(run, _PAYLOAD, keep=keep)))
    tags = [tag for tag, _ in page.tags]

    assert tags.count("script") == 1
    assert "img" not in tags
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 50
    assert "49" not in page.text.replace("{{ 7 * 7 }}", "")[:200]


def test_hostile_keys_are_shown_not_obeyed():
    """Markup in the names of versions ends up as text as well."""
    page = _Page(render_html(build_run(versions={_PAYLOAD: _PAYLOAD})))

    assert "img" not in [tag for tag, _ in page.tags]


def test_large_run_stays_small():
    """Two hundred experiments with long timelines stay below 3 MB, each still with its picture."""
    page = render_html(build_large(200))

    assert len(page.encode()) < 3_000_000
    assert page.count('<svg class="tl"') == 200


def test_long_texts_do_not_blow_the_page_up():
    """Very long labels and evidence are cut, not repeated at length two hundred times."""
    run = poison(
        build_large(200), "x" * 2_000, keep=("id", "verdict", "kind", "handoff", "clause", "lane", "reproduce")
    )

    assert len(render_html(run).encode()) < 3_000_000


def test_write_makes_folders(tmp_path):
    """Writing makes the folders on the way and returns the path; text that no encoding carries does no harm."""
    path = write_html(build_run(stack="acme \ud800"), tmp_path / "a" / "b" / "index.html")

    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_experiment_without_timeline():
    """An experiment without a timeline has everything but the picture."""
    page = render_html(wrap_run([build_experiment("order-to-erp", "any:retry", "once", timeline=None)]))

    assert '<svg class="tl"' not in page
    assert "at most 3 attempts" in page


def _luminance(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["ink", "dim", "held", "violated", "unknown", "accepted", "link"])
@pytest.mark.parametrize("ground", ["paper", "card", "own"])
def test_text_has_contrast(theme, ink, ground):
    """Every colour of text reads on every ground it stands on, in all themes (WCAG AA: 4.5 to 1)."""
    css = files("harness.report").joinpath("templates", "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{3,6})", blocks[theme]))
    colours = {
        name: f"#{value[1] * 2}{value[2] * 2}{value[3] * 2}" if len(value) == 4 else value
        for name, value in colours.items()
    }

    behind = colours.get(f"{ink}-bg", colours["card"]) if ground == "own" else colours[ground]

    assert _contrast(colours[ink], behind) >= 4.5
