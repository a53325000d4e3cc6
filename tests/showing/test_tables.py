"""Tables and first-screen lines: what a few results look like when they are read."""

from __future__ import annotations

import math

from analysis.params.counting import Retention
from analysis.results.money import Cost
from analysis.results.retention import Cell as Retained
from analysis.results.trust import Check
from analysis.showing import Reader, retention, tables, words
from analysis.showing.table import Cell, Column, Table

NAN = math.nan
EN, ZH = Reader("en"), Reader("zh")


def check(name: str, state: str = "ok", found: float = 0, subject: str = "", limit: float = NAN) -> Check:
    return Check(name, state, found, limit, NAN, 100, subject)


def said(rows: list[Check], reader: Reader = EN) -> list[str]:
    return [row[2].text for row in tables.checks(rows, reader).rows]


def test_checks_of_a_kind_that_found_nothing_share_a_row():
    rows = [check("duplicates", subject="events"), check("two_arms"), check("duplicates", subject="orders")]
    assert said(rows) == ["No row came twice (events, orders).", "Nobody was in two arms."]
    assert said(rows, ZH) == ["没有重复的行（事件、订单）。", "没有用户同时在两组。"]


def test_a_check_that_found_something_keeps_its_own_row():
    rows = [check("duplicates", subject="events"), check("duplicates", found=3, subject="orders")]
    assert said(rows) == ["No row came twice (events).", "3 of 100 rows came twice (orders) and count once."]


def test_covered_times_share_a_row_and_a_cut_one_does_not():
    rows = [check("coverage", "warn", 7, subject="after", limit=56.0),
            check("coverage", found=56, subject="before", limit=56.0),
            check("coverage", found=1, subject="during", limit=1.0)]
    assert said(rows) == ["The data cover only 7 of the 56 days after the campaign.",
                          "The data cover the whole time: before 56 days, during 1 day."]


def test_no_two_rows_of_a_folded_table_have_the_same_key():
    rows = [check("duplicates", subject="users"), check("duplicates", subject="events"),
            check("missing_days", subject="events")]
    keys = [row[0].value for row in tables.checks(rows, EN).rows]
    assert keys == ["duplicates users events", "missing_days events"]


def test_trust_in_one_line_names_what_failed_before_what_warns():
    rows = [check("two_arms", "warn", 3), check("duplicates", "fail", 50, subject="orders"), check("balance")]
    assert words.trust(rows, EN) == (
        "Trust checks failed: 1. 50 of 100 rows came twice (orders) and count once.")
    assert words.trust([check("two_arms")] * 2, EN) == "The data passed all checks."


def test_who_came_back_is_told_for_the_middle_of_the_periods_that_are_over():
    cells = [Retained("on", None, p, 200, 200 - 40 * p, 1 - p / 5, 0.0, 1.0) for p in range(5)]
    assert retention.came_back(cells, Retention(), EN) == "60.0% of 200 users came back in week 2."
    assert retention.came_back(cells, Retention(start="visit"), EN) == (
        "60.0% of 200 users that began with “visit” came back in week 2.")
    assert retention.came_back(cells, Retention(every="month"), ZH) == "200 位用户的第 2 个月留存率为 60.0%。"
    assert retention.came_back(cells[:1], Retention(), EN) == ""


def test_sentences_in_chinese_have_no_blank_between_them():
    assert ZH.prose(["一。", "二。"]) == "一。二。"
    assert EN.prose(["One.", "Two."]) == "One. Two."


def test_a_column_of_sentences_gets_room_and_one_of_numbers_does_not_wrap():
    table = Table("t", "c", [Column("a", "A"), Column("b", "B"), Column("c", "C", True), Column("d", "D")], [
        [Cell("", "x" * 99), Cell("", "数" * 13), Cell(1, "1"), Cell("", "short")]])
    assert '<td class="long">数' in table.html() and "<td>1" in table.html()
    assert '<td class="t">short' in table.html() and '<th scope="row">xxx' in table.html()


def test_a_bound_that_is_not_known_is_empty_in_the_spreadsheet_and_a_dash_on_the_page():
    rows = [Cost("media", 10.0, NAN, "params", "zero_total"), Cost("", 0.0, NAN, "total", "zero_total")]
    table = tables.costs(rows, EN)
    assert [cell.text for cell in table.rows[0]] == ["Media", "10.00", "–", "stated in the params"]
    assert table._repr_mimebundle_()["application/vnd.campaign.table+json"]["rows"][0][2] is None


def test_text_from_data_is_escaped():
    table = Table("t", "<i>", [Column("a", "<b>")], [[Cell("<u>", "<u>")]])
    assert "<i>" not in table.html() and "<b>" not in table.html() and "<u>" not in table.html()
