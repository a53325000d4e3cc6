"""The list of campaigns, from whatever lies in the folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis.report.index import build_index, read_entries
from analysis.report.run import write_index
from analysis.showing.reader import Reader
from tests.report.sample_notebook import EN, results
from tests.report.test_render import NASTY, Elements


def put(folder: Path, name: str, *, end: str = "2025-11-11", answer: str = "works", **words: str) -> dict:
    """The results of one campaign, written where its report would have left them."""
    left = results("en", EN | {"title": name} | words)
    left["campaign"]["period"] = {"start": "2025-06-01", "end": end}
    left["verdict"]["answer"] = answer
    (folder / name).mkdir()
    (folder / name / "results.json").write_text(json.dumps(left), encoding="utf-8")
    return left


def test_the_newest_period_comes_first_and_what_cannot_be_read_last(tmp_path):
    put(tmp_path, "summer", end="2025-08-01")
    put(tmp_path, "winter", end="2025-12-24T20:00:00")
    put(tmp_path, "autumn", end="2025-11-11")
    (tmp_path / "again").mkdir()
    assert [entry.folder for entry in read_entries(tmp_path)] == ["winter", "autumn", "summer", "again"]


def test_an_entry_counts_goals_and_tells_the_worst_check(tmp_path):
    put(tmp_path, "spring")
    entry = read_entries(tmp_path)[0]
    assert (entry.met, entry.missed, entry.unknown, entry.checks) == (2, 1, 0, "warn")
    page = Elements(build_index(tmp_path, Reader()).html)
    assert [span["class"] for span in page.named("span") if "class" in span] == ["works", "met", "missed", "warn"]
    assert [a["href"] for a in page.named("a")] == ["#main", "spring/report.html"]
    assert "1 Jun 2025 to 11 Nov 2025" in page.text


@pytest.mark.parametrize("text", [
    "{", "[]", "null", "{}", '{"campaign": 3}', "\udcff",
    '{"campaign": {"title": "x"}, "verdict": {"answer": "fine"}}'])
def test_broken_results_are_a_line_and_not_a_crash(tmp_path, text):
    (tmp_path / "spring").mkdir()
    (tmp_path / "spring" / "results.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert "results.json cannot be read" in Elements(build_index(tmp_path, Reader()).html).text


@pytest.mark.parametrize("wrong", [
    {"campaign": {"language": "xx"}}, {"campaign": {"period": {"start": "soon", "end": "later"}}},
    {"campaign": {"period": {"start": 1, "end": 2}}}, {"verdict": {"answer": "great"}},
    {"checks": [{"state": "so-so"}]},
    {"goals": [3]}])
def test_a_word_that_the_index_does_not_know_is_told_not_guessed(tmp_path, wrong):
    left = put(tmp_path, "spring")
    for part, value in wrong.items():
        left[part] = left[part] | value if isinstance(value, dict) else value
    (tmp_path / "spring" / "results.json").write_text(json.dumps(left))
    assert read_entries(tmp_path)[0].problem


def test_a_folder_without_results_says_so(tmp_path):
    (tmp_path / "spring").mkdir()
    (tmp_path / ".running").mkdir()
    (tmp_path / "index.html").write_text("old")
    assert [(entry.folder, entry.problem) for entry in read_entries(tmp_path)] == [
        ("spring", "There are no results: no run has finished yet.")]


def test_an_empty_folder_has_a_page_too(tmp_path):
    assert "There is no report yet." in build_index(tmp_path, Reader()).html


def test_text_of_a_campaign_never_becomes_markup(tmp_path):
    folder = "<b onclick=x>&'\"#?🎉"
    put(tmp_path, folder, owner=NASTY)
    page = Elements(build_index(tmp_path, Reader()).html)
    assert not [tag for tag, _ in page.found if tag in ("script", "b")]
    assert NASTY in page.text
    assert folder in page.text
    assert re.fullmatch(r"[\w%.-]+/report\.html", page.named("a")[1]["href"])


def test_the_json_lists_the_same_campaigns(tmp_path):
    put(tmp_path, "spring", title="双十一")
    listed = json.loads(build_index(tmp_path, Reader("zh")).json)
    assert listed["schema_version"] == 1
    assert [(entry["title"], entry["verdict"], entry["met"]) for entry in listed["campaigns"]] == [
        ("双十一", "works", 2)]


def test_the_same_folder_gives_the_same_bytes(tmp_path):
    for name in ("b", "a", "c"):
        put(tmp_path, name)
    assert build_index(tmp_path, Reader()) == build_index(tmp_path, Reader())
    assert [entry.folder for entry in read_entries(tmp_path)] == ["a", "b", "c"]


@pytest.mark.parametrize(("languages", "heading"), [(["zh", "zh"], "活动报告"), (["zh", "en"], "Campaign reports")])
def test_the_list_speaks_the_language_of_its_reports_and_english_for_several(tmp_path, languages, heading):
    for i, language in enumerate(languages):
        left = put(tmp_path, f"c{i}")
        left["campaign"]["language"] = language
        (tmp_path / f"c{i}" / "results.json").write_text(json.dumps(left), encoding="utf-8")
    write_index(tmp_path)
    assert f"<h1>{heading}</h1>" in (tmp_path / "index.html").read_text("utf-8")
