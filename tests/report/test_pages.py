"""The sample campaigns and a hostile one, as the command leaves them."""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest

from analysis.report.render import FORMULA
from tests.browser import axe, open_page
from tests.campaigns import HOSTILE, write_bare, write_hostile
from tests.report.conftest import campaign

PAGES = [("double11-2025", "report.html"), ("double11-2025", "report.en.html"), ("grocer-18", "report.html"),
         ("checkout", "report.html"), ("asos", "report.html"), ("double11-2025.plan", "report.html"),
         ("double11-2025.plan", "report.en.html"), ("grocer-18.plan", "report.html"),
         ("grocer", "report.html"), ("grocer", "report.en.html"),
         ("double11-2025.monitor", "report.html"), ("double11-2025.monitor", "report.en.html")]


@pytest.fixture(scope="module", params=PAGES, ids=[f"{name}-{page}" for name, page in PAGES])
def page(request, built) -> Path:
    name, file = request.param
    return built(name) / file


class Text(HTMLParser):
    """What a reader sees, without code and log."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: list[str] = []
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self._hidden += tag in ("style", "pre")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "pre")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)


# --- every page ---

def test_a_page_is_light_and_allows_nothing(page):
    html = unescape(page.read_text(encoding="utf-8"))
    bare = re.sub(r"<svg.*?</svg>", "", html, flags=re.S)
    assert len(bare.encode()) < 60_000
    assert "default-src 'none'" in html
    assert "script" not in Text(html).tags
    beside = r'results\.json|notebook\.ipynb|tables/|report(?:\.\w\w)?\.html"'
    assert not re.search(rf'(?:src|href)="(?!#|data:|{beside})', html)


def test_the_first_screen_answers_in_order(page):
    html = page.read_text(encoding="utf-8")
    first = html[:html.index("<nav")]
    order = [first.find(mark) for mark in ('class="verdict', "<table", 'class="note"', 'class="glance"')]
    found = [place for place in order if place >= 0]
    assert order[0] >= 0 and order[3] >= 0 and found == sorted(found)


def test_every_table_of_the_page_can_be_taken_away(page):
    html = page.read_text(encoding="utf-8")
    files = re.findall(r'href="tables/([^"]+)"', html)
    assert len(files) == html.count("<table")
    assert sorted(files) == sorted(path.name for path in (page.parent / "tables").iterdir())


LATIN = {  # what stays Latin in Chinese: methods, units of software, formats (4e-30), the sample's own names
    "App", "Wilson", "Welch", "Miettinen", "Nurminen", "Fieller", "Holm", "CUPED", "delta", "t", "p", "k", "n", "SHA",
    "Asia", "Shanghai", "e", "Python", "campaign", "analysis", "duckdb", "ibis", "framework", "scipy", "pandas",
    "statsmodels"}


@pytest.mark.parametrize("name", ["double11-2025", "double11-2025.plan"])
def test_the_chinese_page_speaks_chinese(built, name):
    html = (built(name) / "report.html").read_text(encoding="utf-8")
    text = "|".join(Text(html[html.index("<main"):]).seen)
    text = re.sub(r"[\w-]+\.(?:csv|json|ipynb|yml|parquet)|\b[0-9a-f]{16}\b", " ", text)
    assert set(re.findall(r"[A-Za-z]+", text)) - LATIN == {"English"}   # the link to the other page
    assert not re.search(r"[\u4e00-\u9fff] [，。；：、！？（）]|[，。；：、！？] [\u4e00-\u9fff]", text)


@pytest.mark.parametrize("name", ["checkout", "asos", "grocer-18.plan"])
def test_the_english_page_speaks_english(built, name):
    page = built(name) / "report.html"
    assert not re.search(r"[\u4e00-\u9fff]", page.read_text(encoding="utf-8"))


def test_figures_have_every_glyph(built):
    """A box in place of a character would be told by matplotlib in the run log."""
    for name in ("double11-2025", "grocer-18", "checkout", "asos", "double11-2025.plan", "grocer-18.plan"):
        assert "Glyph" not in (built(name) / "notebook.ipynb").read_text(encoding="utf-8")


def test_the_first_screen_names_the_numbers_that_are_taken_for_more_than_they_are(built):
    first = {name: (built(name) / page).read_text("utf-8").split("<nav")[0] for name, page in (
        ("double11-2025", "report.en.html"), ("grocer-18", "report.html"), ("checkout", "report.html"))}
    lottery = json.loads((built("double11-2025") / "results.json").read_text("utf-8"))
    change, both = lottery["goals"][0]["change"], next(
        row for row in lottery["effects"] if row["metric"] == "amount_in_all")
    assert f"not the effect of the campaign: 支付金额 +{change:.1%}" in first["double11-2025"]
    assert "may have been moved forward: it is no gain yet." in first["double11-2025"]
    assert f"With the time after it is −\u2060CN¥{-both['total']:,.0f} in all" in first["double11-2025"]
    assert "nothing here can be credited to the campaign" in first["grocer-18"]
    assert "Most: " in first["grocer-18"] and "No earlier edition is named" in first["checkout"]


@pytest.mark.parametrize("name", ["double11-2025", "double11-2025.plan", "grocer"])
def test_the_languages_of_a_report_lead_to_each_other(built, name):
    pages = {each: (built(name) / each).read_text("utf-8") for each in ("report.html", "report.en.html")}
    assert '<a href="report.en.html" hreflang="en" lang="en">English</a>' in pages["report.html"]
    assert '<a href="report.html" hreflang="zh-Hans" lang="zh-Hans">中文</a>' in pages["report.en.html"]
    index = (built(name).parent / "index.html").read_text("utf-8")
    assert f'<a href="{name}/report.en.html" hreflang="en" lang="en">English</a>' in index
    assert "hreflang" not in (built("checkout") / "report.html").read_text("utf-8")


# --- in a browser ---

@pytest.mark.browser
@pytest.mark.parametrize("settings", [{}, {"dark": True}, {"width": 320}], ids=str)
def test_a_page_is_quiet_fits_and_is_accessible(page, settings):
    with open_page(page, **settings) as opened:
        assert opened.messages == []
        assert opened.requests == []
        assert not opened.scrolls_sideways
        assert axe(opened) == []


@pytest.mark.browser
def test_words_of_a_table_keep_together_on_a_phone(page):
    """No cell is so narrow that a line holds fewer than four characters."""
    with open_page(page, width=320) as opened:
        narrow = opened.page.evaluate("""() => [...document.querySelectorAll('tbody th,td:is(.t,.long)')].filter(cell =>
            cell.textContent.trim().length > 3 && cell.getBoundingClientRect().width
            < 3.2 * parseFloat(getComputedStyle(cell).fontSize)).map(cell => cell.textContent)""")
        assert narrow == []


# --- a campaign with hardly anything ---

def test_a_bare_campaign_has_a_page_without_traces_of_what_it_lacks(tmp_path):
    params = write_bare(tmp_path)
    done = campaign("run", params, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    text = " ".join(Text((tmp_path / "out/bare/report.html").read_text(encoding="utf-8")).seen)
    assert "The params" not in text and "Where did users drop" not in text and "{" not in text


# --- hostile text ---

@pytest.fixture(scope="module")
def hurt(tmp_path_factory) -> Path:
    """The folder of reports of the hostile campaign."""
    folder = tmp_path_factory.mktemp("hostile")
    done = campaign("run", write_hostile(folder), "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_hostile_text_comes_out_as_text(hurt):
    for path in (hurt / "index.html", hurt / "hostile/report.html"):
        html = path.read_text(encoding="utf-8")
        read = Text(html)
        assert "script" not in read.tags
        assert all(text in "".join(read.seen) for text in HOSTILE), path.name
    results = json.loads((hurt / "hostile/results.json").read_text(encoding="utf-8"))
    assert results["campaign"]["title"] == " ".join(HOSTILE)
    assert {step["segment"] for step in results["funnels"] if step["by"] == "channel"} <= set(HOSTILE)
    assert {cost["item"] for cost in results["costs"]} == {*HOSTILE, ""}


def test_hostile_text_comes_out_of_a_plan_as_text(tmp_path):
    done = campaign("plan", write_hostile(tmp_path), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    read = Text((tmp_path / "out/hostile.plan/report.html").read_text(encoding="utf-8"))
    assert "script" not in read.tags and HOSTILE[3] in "".join(read.seen)
    for path in (tmp_path / "out/hostile.plan/tables").iterdir():
        for row in csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))):
            for cell in row:
                assert not cell.startswith(FORMULA) or re.fullmatch(r"-?\d[\d.e-]*( -?\d[\d.e-]*)?", cell), cell


def test_hostile_text_stays_text_in_the_notebook(hurt):
    notebook = json.loads((hurt / "hostile/notebook.ipynb").read_text(encoding="utf-8"))
    shown = [Text("".join(output["data"].get(kind, ""))) for cell in notebook["cells"]
             for output in cell.get("outputs", ()) if "data" in output for kind in ("text/html", "image/svg+xml")]
    assert shown and not [tag for read in shown for tag in read.tags if tag in ("script", "iframe", "object")]
    assert HOSTILE[0] in "".join(text for read in shown for text in read.seen)


def test_hostile_names_are_drawn_as_they_are(hurt):
    html = (hurt / "hostile/report.html").read_text(encoding="utf-8")
    drawn = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", html, re.S))
    assert "&lt;script&gt;alert(1)" in drawn and "$x^2$" in drawn and "{placeholder}" in drawn


def test_spreadsheets_hold_no_formula_and_lie_where_they_should(hurt):
    tables = hurt / "hostile/tables"
    files = sorted(path.name for path in tables.iterdir())
    assert all(re.fullmatch(r"[\w-]+\.csv", name) for name in files) and len(files) == len(set(files))
    assert {"funnel_path.csv", "funnel_path_by_channel.csv", "funnel_path_by_channel_2.csv"} <= set(files)
    for path in tables.iterdir():
        for row in csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))):
            for cell in row:
                assert not cell.startswith(FORMULA) or re.fullmatch(r"-?\d[\d.e-]*( -?\d[\d.e-]*)?|-?inf.*", cell), cell


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", "hostile/report.html"])
def test_hostile_text_opens_no_dialog(hurt, name):
    with open_page(hurt / name, width=320) as opened:
        dialogs: list[str] = []
        opened.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        opened.page.reload()
        assert dialogs == [] and opened.messages == []
        assert not opened.scrolls_sideways
        assert axe(opened) == []
