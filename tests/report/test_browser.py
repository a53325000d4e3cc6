"""The pages in a real browser: they ask for nothing, say nothing on the console, and everybody can read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.report.index import build_index
from analysis.report.render import render
from analysis.showing.reader import Reader
from tests.browser import Opened, axe, open_page
from tests.report.sample_notebook import WORDS, results, sample
from tests.report.test_index import edition, fail

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["en", "zh"])
def language(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def report(language, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp(language) / "report.html"
    path.write_text(render(sample(language)).html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def index(language, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(f"index-{language}")
    for answer in ("works", "does_not", "cannot_tell", "do_not_trust"):
        left = results(language, WORDS[language])
        left["verdict"]["answer"] = answer
        (folder / answer).mkdir()
        (folder / answer / "results.json").write_text(json.dumps(left), encoding="utf-8")
    (folder / "never_ran").mkdir()
    fail(folder, "works")
    fail(folder, "only_failed", status="refused")
    for n in "12":
        edition(folder, f"sale{n}", n, 10.0 + int(n))
    (folder / "index.html").write_text(build_index(folder, Reader(language)).html, encoding="utf-8")
    return folder / "index.html"


@pytest.mark.parametrize("settings", [
    {}, {"dark": True}, {"width": 320}, {"width": 320, "dark": True}, {"media": "print", "width": 640}], ids=str)
@pytest.mark.parametrize("page", ["report", "index"])
def test_a_page_is_quiet_fits_and_is_accessible(page, settings, language, request):
    with open_page(request.getfixturevalue(page), lang=language, **settings) as opened:
        assert opened.messages == []
        assert opened.requests == []
        assert not opened.scrolls_sideways
        assert axe(opened) == []


def test_the_helper_would_notice(tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text('<title>x</title><p style="width:2000px;color:#eee">x<img src="https://example.org/x.png">'
                   "<script>console.log('here')</script>")
    with open_page(bad, width=320) as opened:
        assert "here" in opened.messages
        assert opened.requests == ["https://example.org/x.png"]
        assert opened.scrolls_sideways
        assert any(found.startswith("image-alt") for found in axe(opened))


def test_script_that_got_into_a_page_does_not_run(tmp_path, report):
    hurt = tmp_path / "hurt.html"
    hurt.write_text(report.read_text(encoding="utf-8").replace(
        "</main>", "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"></main>"),
        encoding="utf-8")
    with open_page(hurt) as opened:
        assert opened.page.title() != "run"
        assert any("Content Security Policy" in message for message in opened.messages)


def test_dark_mode_reaches_the_ink_of_figures(report):
    assert _ink(report, dark=False) != _ink(report, dark=True)


def _ink(report: Path, dark: bool) -> str:
    with open_page(report, dark=dark) as opened:
        return opened.page.evaluate(
            "getComputedStyle(document.querySelector('figure svg text')).fill")


def test_the_answer_stands_before_the_contents_on_a_phone_and_beside_them_on_a_desk(report):
    with open_page(report, width=320) as opened:
        assert _box(opened, ".verdict")["y"] + _box(opened, ".verdict")["height"] < _box(opened, "nav")["y"]
    with open_page(report, width=1280) as opened:
        assert _box(opened, "nav")["x"] + _box(opened, "nav")["width"] < _box(opened, ".verdict")["x"]
        assert _box(opened, ".verdict")["y"] < 400


def _box(opened: Opened, selector: str) -> dict[str, float]:
    return opened.page.locator(selector).first.bounding_box()


def test_code_stays_out_of_print(report):
    with open_page(report, media="print") as opened:
        assert not opened.page.locator("details").first.is_visible()
        assert opened.page.locator("figure").first.is_visible()
        assert opened.page.pdf().startswith(b"%PDF")


def test_a_table_that_is_too_wide_scrolls_from_the_keyboard(report, tmp_path):
    wide = tmp_path / "wide.html"
    wide.write_text(report.read_text(encoding="utf-8").replace(
        "</main>", '<div class="scroll" id="wide" role="region" aria-label="wide" tabindex="0"><table><tr>'
        f"{'<td>1,234,567' * 30}</table></div></main>"), encoding="utf-8")
    with open_page(wide, width=700) as opened:
        opened.page.locator("#wide").focus()
        opened.page.keyboard.press("ArrowRight")
        opened.page.wait_for_timeout(500)  # smooth scrolling; the page's policy forbids to wait for a condition
        assert opened.page.evaluate("document.activeElement.scrollLeft") > 0


def test_a_wide_table_is_cards_on_a_phone_each_line_named_by_its_heading(report):
    with open_page(report, width=320) as opened:
        cell = opened.page.locator(".wide tbody tr:first-child td").first
        assert cell.evaluate("e => getComputedStyle(e, '::before').content").strip('"') != "none"
        assert not opened.page.evaluate("[...document.querySelectorAll('.wide')].some(e => e.scrollWidth > innerWidth)")


def test_type_in_figures_can_be_read_on_a_phone(report):
    with open_page(report, width=320) as opened:
        heights = opened.page.evaluate(
            "[...document.querySelectorAll('figure text')].map(e => { const turn = e.getScreenCTM(); "
            "return Math.hypot(turn.a, turn.b) * parseFloat(getComputedStyle(e).fontSize) })")
        assert heights and min(heights) > 9.5


def test_on_paper_nothing_is_cut_and_what_is_folded_is_seen(report, tmp_path):
    folded = tmp_path / "folded.html"
    folded.write_text(report.read_text(encoding="utf-8").replace(
        "</main>", "<details><summary>more</summary><p id=inside>seen</p></details></main>"), encoding="utf-8")
    with open_page(folded, media="print", width=672) as opened:   # A4 within its margins
        assert opened.page.locator("#inside").is_visible()
        assert not opened.scrolls_sideways
        assert not opened.page.evaluate(
            "[...document.querySelectorAll('.scroll')].some(e => getComputedStyle(e).overflowX != 'visible')")
