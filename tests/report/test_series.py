"""Editions of a series in runs: where they are looked for, in what turn, made anew when, and told on a terminal."""

import json
import os

import pytest
from click.testing import CliRunner

from analysis.data.editions import Record
from analysis.params import load
from analysis.report.batch import in_turn
from analysis.report.cli import main
from analysis.report.diff import text
from analysis.report.editions import digest, looks_in, made_of_editions
from analysis.report.run import Job
from analysis.results.editions.change import since
from analysis.results.editions.course import course
from analysis.showing import Reader
from analysis.showing.editions import sections, series
from tests.editions import level, record

EDITION = """\
title: Sale {n}
question: Did it sell more?
owner: shop
series: {{name: spring, edition: {n}}}
period: {{start: {year}-03-01, end: {year}-03-10}}
no_control_group: None.
sources: {{orders: {{path: orders.csv}}}}
metrics: {{spend: {{sum: orders.amount, role: primary, unit: USD}}}}
"""
ALL = "title: All\nquestion: How did they go?\nowner: shop\neditions: spring\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Params of three editions, named against their order, and of their series; reports of two."""
    (tmp_path / "params").mkdir()
    for name, n, year in (("a", 3, 2025), ("b", 2, 2024), ("c", 1, 2023)):
        (tmp_path / "params" / f"{name}.yml").write_text(EDITION.format(n=n, year=year), "utf-8")
    (tmp_path / "params" / "all.yml").write_text(ALL, "utf-8")
    (tmp_path / "params" / "other.yml").write_text("title: unreadable\n", "utf-8")
    for folder, n, year in (("c", "1", 2023), ("b", "2", 2024)):
        (tmp_path / "reports" / folder).mkdir(parents=True)
        (tmp_path / "reports" / folder / "results.json").write_text(
            json.dumps(record(n, f"{year}-03-01", f"{year}-03-10")), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(here, folder, **parts):
    path = here / "reports" / folder / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | parts), "utf-8")


def test_editions_are_made_oldest_first_and_the_series_last(here):
    jobs = [Job(here / "params" / f"{name}.yml", here / "reports") for name in ("a", "all", "b", "c", "other")]
    assert [[job.params.stem for job in part] for part in in_turn(jobs)] == [["c", "b", "a", "all"], ["other"]]


def test_a_run_looks_for_editions_where_it_writes(here):
    edition, whole, out = load("params/a.yml"), load("params/all.yml"), here / "elsewhere"
    assert looks_in(edition, out, {}) == {"series.reports": os.path.join("..", "elsewhere")}
    assert looks_in(whole, out, {}) == {"reports": os.path.join("..", "elsewhere")}
    assert looks_in(edition, out, {"series.reports": "x"}) == {} == looks_in(whole, out, {"reports": "x"})
    assert load("params/a.yml", looks_in(edition, out, {})).series.reports == "../elsewhere"


def test_a_report_is_made_anew_when_the_edition_before_says_something_else(here):
    def made():
        return [made_of_editions(load(f"params/{name}.yml"), here / "reports", {}) for name in ("a", "b", "c", "all")]

    first = made()
    assert first[2] == "" and "" not in (first[0], first[1], first[3])   # nothing lies before the oldest
    change(here, "b", since={"changes": 7}, provenance={"python": "4"})
    assert made() == first                # how it compares itself, and by which libraries it was made
    change(here, "b", trust="warn")
    second = made()
    assert [x == y for x, y in zip(first, second, strict=True)] == [False, True, True, False]
    assert digest([]) == ""


# --- campaign diff ---

def campaign(*words):
    done = CliRunner().invoke(main, [*map(str, words)])
    return done.exit_code, done.output


def test_diff_says_what_changed_and_what_cannot_be_compared(here):
    change(here, "b", phases=[level("spend", 23.0, 1.0), level("buyers", 0.3, 0.03, "share")],
           definitions=record()["definitions"] | {"funnels": {"shop": {"steps": "visit > pay", "window": "14 days"}}})
    code, said = campaign("diff", "reports/c", "reports/b/results.json")
    assert code == 0 and said.startswith("spring-1 -> spring-2\nCompared with edition 1 (1 Mar 2023 to 10 Mar 2023).")
    assert "1 of 3 numbers with the same definition differ by more than chance" in said and "no effect" in said
    lines = said.splitlines()
    spend = next(line for line in lines if line.startswith("Spend  ") or line.startswith("Spend "))
    assert "higher" in spend and "$20.00" in spend and "$22.00 to $24.00" in spend and "$3.00" in spend
    assert any(line.startswith("Shop · pay: rate") and "counted over another time: then 7 days, now 14 days" in line
               for line in lines)
    assert any(line.startswith("Basket") and "only the earlier edition has it" in line for line in lines)


def test_diff_for_programs_is_json_without_nan(here):
    code, said = campaign("diff", "reports/c", "reports/b", "--json")
    found = json.loads(said, parse_constant=lambda constant: pytest.fail(constant))
    assert code == 0 and found["before"]["edition"] == "1" and found["left_out"] == []
    assert {change["kind"] for change in found["changes"]} == {"level", "effect", "funnel", "cost"}
    assert found["changes"][-1]["pvalue"] is None


def test_diff_of_what_is_no_report_says_so_of_both(here):
    (here / "note.json").write_text("[]", "utf-8")
    code, said = campaign("diff", "note.json", "reports/nothing")
    assert code == 2 and said.splitlines() == [
        "note.json: is not the results.json of a report (TypeError)",
        "reports/nothing: no such file; `campaign run` leaves one in the folder of a report"]


def test_columns_stand_under_each_other_in_chinese_too():
    said = text(since(record("1"), record("2", "2026-03-01")), Reader("zh", "USD"))
    head, *rows = said.split("\n\n")[1].splitlines()[1:]
    wide = {sum(2 if ord(c) > 0x2e7f else 1 for c in line) for line in [head, *rows]}
    assert len(wide) == 1 and "上一期" in head


# --- on the page ---

def outputs(shown):
    return " ".join(item.html() if hasattr(item, "html") and callable(item.html) else getattr(item, "html", "")
                    or item.alt for item in (shown if isinstance(shown, list) else [shown]))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_hostile_name_is_text_and_no_number_is_nan(language):
    before, now = record("<b>1"), record("2", "2026-03-01")
    for each in (before, now):
        each["phases"][0] |= {"group": "<script>", "mean_lower": None, "mean_upper": None}
    said = outputs(sections.since(since(before, now), Reader(language, "USD")))
    assert "<script>" not in said and "&lt;script&gt;" in said and "nan" not in said and "None" not in said
    found = course([Record("a", before), Record("b", now)])
    whole = " ".join(outputs(part(found, Reader(language, "USD"))) for part in (
        series.verdict, series.glance, series.editions, series.primary, series.effects, series.funnels, series.apart,
        series.limits, series.rules))
    assert "<script>" not in whole and "<b>1" not in whole and "nan" not in whole


def test_without_control_groups_no_uplift_is_told_and_with_them_the_effects_are():
    pair = [record("1"), record("2", "2026-03-01")]
    with_arms = course([Record("a", pair[0]), Record("b", pair[1])])
    for each in pair:
        each["effects"] = []
    without = course([Record("a", pair[0]), Record("b", pair[1])])
    reader = Reader("en", "USD")
    assert "a higher number is not an uplift" in outputs(series.verdict(without, reader))
    assert outputs(series.effects(without, reader)) == "<p>No edition had a control group.</p>"
    assert "2 of them had a control group" in outputs(series.verdict(with_arms, reader))
    assert "Effect on spend by edition" in outputs(series.effects(with_arms, reader))


def test_a_first_edition_says_so():
    assert "No earlier edition" in outputs(sections.since(None, Reader()))
