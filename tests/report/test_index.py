"""The list of campaigns, from whatever lies in the folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis.report.batch import write_index
from analysis.report.entries import read_entries
from analysis.report.index import build_index
from analysis.showing.reader import Reader
from tests.editions import level, record
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
    assert re.fullmatch(r"[\w%.-]+/report\.html", page.named("a")[-1]["href"])


# Runs that failed

def fail(folder: Path, name: str, **known: object) -> None:
    """What a failed run leaves."""
    (folder / f"{name}.failed").mkdir()
    (folder / f"{name}.failed" / "report.html").write_text("FAILED")
    record = {"status": "failed", "code": 3, "campaign": None, "at": "2025-11-12T00:00:00+00:00"} | known
    (folder / f"{name}.failed" / "run.json").write_text(json.dumps(record))


def test_a_failed_run_is_told_beside_the_last_good_report_and_on_top(tmp_path):
    put(tmp_path, "spring")
    fail(tmp_path, "spring")
    [entry] = read_entries(tmp_path)
    assert (entry.failed, entry.verdict) == ("failed", "works")
    page = Elements(build_index(tmp_path, Reader()).html)
    assert [a["href"] for a in page.named("a")] == [
        "#main", "#c1", "spring/report.html", "spring.failed/report.html"]
    assert page.text.count("The last run failed") == 2


def test_a_campaign_that_has_only_failed_is_listed_by_what_its_run_knew(tmp_path):
    campaign = {"title": "Sommer", "owner": "team", "language": "en",
                "period": {"start": "2025-07-01", "end": "2025-07-31"}}
    fail(tmp_path, "summer", status="refused", code=2, campaign=campaign)
    [entry] = read_entries(tmp_path)
    assert (entry.folder, entry.title, entry.failed, entry.start) == ("summer", "Sommer", "refused", "2025-07-01")
    page = Elements(build_index(tmp_path, Reader()).html)
    assert "The last run was refused" in page.text and "1 Jul 2025" in page.text
    assert "There are no results" not in page.text
    assert [a["href"] for a in page.named("a")] == ["#main", "#c1", "summer.failed/report.html"]


@pytest.mark.parametrize("text", ["{", "[]", '{"status": 3}', '{"status": "failed", "campaign": {"period": 7}}'])
def test_a_failure_whose_record_cannot_be_read_is_told_all_the_same(tmp_path, text):
    fail(tmp_path, "spring")
    (tmp_path / "spring.failed" / "run.json").write_text(text)
    assert [(entry.folder, entry.title, entry.failed) for entry in read_entries(tmp_path)] == [
        ("spring", "spring", "failed")]


# Groups and the chart of a series

def edition(folder: Path, name: str, n: str, mean: float, days: float = 10.0, **more: object) -> None:
    left = put(folder, name, end=f"2025-0{n}-28")
    own = record(n, f"2025-0{n}-01", f"2025-0{n}-28", days, "spring_sale")
    own["campaign"] |= left["campaign"] | {
        "name": name, "currency": "EUR", "labels": {"spend": "paid amount", "go": "offer"},
        "period": own["campaign"]["period"]}
    own["phases"] = [level("spend", mean * k, 1.0, "EUR", days, group=group) for group, k in (("go", 2), ("stay", 1))]
    (folder / name / "results.json").write_text(json.dumps(left | own | more), encoding="utf-8")


def test_a_series_stands_together_with_its_primary_metric_drawn(tmp_path):
    for n, mean in (("1", 10.0), ("2", 12.5)):
        edition(tmp_path, f"sale{n}", n, mean)
    put(tmp_path, "other")
    html = build_index(tmp_path, Reader()).html
    page = Elements(html)
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", html) == ["Spring sale", "Other campaigns"]
    assert re.findall(r'<h3[^>]*><a href="(.*?)/report', html) == ["sale2", "sale1", "other"]
    assert [svg["aria-label"] for svg in page.named("svg")] == [
        "per user during the campaign, from edition 1 to edition 2. offer: €20.00 to €25.00; stay: €10.00 to €12.50."]
    heights = [float(circle["cy"]) for circle in page.named("circle")]
    assert len(heights) == 4 and heights[0] > heights[1] < heights[2] > heights[3]   # higher is further up


def test_editions_of_different_length_are_drawn_per_day_and_untrusted_ones_not(tmp_path):
    edition(tmp_path, "sale1", "1", 10.0)
    edition(tmp_path, "sale2", "2", 40.0, days=20.0)
    edition(tmp_path, "sale3", "3", 90.0, verdict={"answer": "do_not_trust", "metric": "spend"})
    page = Elements(build_index(tmp_path, Reader()).html)
    assert [svg["aria-label"] for svg in page.named("svg")] == [
        "per user and day, from edition 1 to edition 2. offer: €2.00 to €4.00; stay: €1.00 to €2.00."]
    assert len(page.named("circle")) == 4


def test_editions_that_begin_on_one_day_stand_in_the_order_of_the_series(tmp_path):
    for name, n, mean in (("sale1", "1", 10.0), ("sale12", "2", 20.0), ("sale11", "2", 30.0)):
        edition(tmp_path, name, n, mean, series={"name": "spring_sale", "edition": name[4:]})
    shorter = tmp_path / "sale12/results.json"
    shorter.write_text(shorter.read_text("utf-8").replace("2025-02-28", "2025-02-20"), "utf-8")   # 12 ends before 11
    page = Elements(build_index(tmp_path, Reader()).html)
    across = [float(circle["cx"]) for circle in page.named("circle")]
    assert len(across) == 6 and across[:3] == sorted(set(across)) == across[3:]


@pytest.mark.parametrize("changed", [
    {"phases": []}, {"verdict": {"answer": "do_not_trust", "metric": "spend"}}, {"definitions": {}}, {"phases": 7}])
def test_one_edition_with_the_metric_is_no_course(tmp_path, changed):
    edition(tmp_path, "sale1", "1", 10.0, **changed)
    edition(tmp_path, "sale2", "2", 12.0)
    assert not Elements(build_index(tmp_path, Reader()).html).named("svg")


def test_a_report_on_a_series_stands_with_it(tmp_path):
    edition(tmp_path, "sale1", "1", 10.0)
    left = put(tmp_path, "all", answer="editions")
    left |= {"notebook": "compare", "provenance": {"sources": {"sale1": "1234"}}}
    (tmp_path / "all" / "results.json").write_text(json.dumps(left))
    assert {entry.folder: entry.series for entry in read_entries(tmp_path)} == {
        "all": "spring_sale", "sale1": "spring_sale"}


def test_many_campaigns_stand_by_year(tmp_path):
    for i in range(24):
        put(tmp_path, f"c{i}", end=f"{2025 + i % 2}-11-11")
    html = build_index(tmp_path, Reader()).html
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", html) == ["2026", "2025"]
    assert [a["href"] for a in Elements(html).named("a")][:3] == ["#main", "#g1", "#g2"]


def test_goals_of_numbers_that_are_not_to_be_trusted_are_marked(tmp_path):
    put(tmp_path, "spring", answer="do_not_trust")
    page = Elements(build_index(tmp_path, Reader()).html)
    assert "2 met, if the data were right" in page.text
    assert "met" not in [span.get("class") for span in page.named("span")]


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
