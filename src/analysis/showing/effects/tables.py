"""Effects by other methods, shuffled labels, balance and segments as tables."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.results.balance import Balance
from analysis.results.quantiles import QuantileEffect
from analysis.results.segments import SegmentEffect
from analysis.results.uplift import Uplift
from analysis.results.views import View
from analysis.showing.effects.words import METHODS
from analysis.showing.reader import Reader
from analysis.showing.table import Cell, Column, Table, cut, interval_cell
from analysis.showing.tables import verdict_cell
from analysis.showing.words import reason_text


def views(rows: Sequence[Uplift], found: Sequence[View], reader: Reader) -> Table:
    """One row per metric, arm and method, the report's own first; on the page those of the primary metric."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("method", say("Method")),
               Column("rel_diff", say("Effect"), True), Column("rel_interval", say("Interval of the effect"), True),
               Column("diff", say("Difference"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p-value"), True)]
    has_arms = len({row.arm for row in rows}) > 1
    table = []
    for row in rows:
        name = reader.title(row.metric) + (f" · {reader.label(row.arm)}" if has_arms else "")
        if row.reason:
            continue
        table.append(_row(name, row, row.method, reader))
        table += [_row(name, view, view.method, reader) for view in found
                  if (view.metric, view.arm) == (row.metric, row.arm)]
    n_primary = sum(1 for row in rows if row.role == "primary" and not row.reason) + sum(
        view.metric == rows[0].metric for view in found)
    caption = say("The same effects by other methods, not corrected for other metrics; first as in the report")
    return Table("methods", caption, columns, **cut(table, reader, max(n_primary, 1)))


def _row(name: str, row: Uplift | View, method: str, reader: Reader) -> list[Cell]:
    def difference(x: float) -> str:
        return reader.difference(x, row.unit)

    effect, interval = Cell(row.rel_diff, reader.signed(row.rel_diff)), interval_cell(
        row.rel_diff_lower, row.rel_diff_upper, reader.signed, reader)
    if method == "ranks":
        effect = Cell(row.superiority, reader.say("higher in {share} of pairs", share=reader.percent(row.superiority)))
        interval = interval_cell(row.superiority_lower, row.superiority_upper, reader.percent, reader)
    label = reader.say(METHODS[method])
    if method == "winsorised":
        label = reader.say("at most {cap} per user ({n} users)", cap=reader.amount(row.cap, row.unit),
                           n=reader.count(row.n_capped))
    return [Cell(row.metric, name), Cell(method, label), effect, interval, Cell(row.diff, difference(row.diff)),
            interval_cell(row.diff_lower, row.diff_upper, difference, reader),
            Cell(row.pvalue, reader.pvalue(row.pvalue))]


def quantiles(rows: Sequence[QuantileEffect], reader: Reader) -> Table:
    """One row per quantile and arm."""
    say = reader.say
    columns = [Column("name", say("Quantile")), Column("verdict", say("Verdict")), Column("rows", say("Rows"), True),
               Column("control", say("Control"), True), Column("treatment", say("Campaign"), True),
               Column("rel_diff", say("Effect"), True), Column("rel_interval", say("Interval of the effect"), True),
               Column("diff", say("Difference"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p (adjusted)"), True)]
    has_arms = len({row.arm for row in rows}) > 1
    return Table("quantiles", say("Quantiles of rows: the campaign against its control group"), columns, [
        _quantile(row, reader, has_arms) for row in rows])


def _quantile(row: QuantileEffect, reader: Reader, has_arms: bool) -> list[Cell]:
    def amount(x: float) -> str:
        return reader.amount(x, row.unit)

    share = reader.percent(row.q, 0 if round(row.q * 100, 6) % 1 == 0 else 1)
    name = reader.say("{name}, {share} of rows below", name=reader.title(row.name), share=share)
    return [
        Cell(row.name, name + (f" · {reader.label(row.arm)}" if has_arms else "")),
        verdict_cell(row.verdict, row.reason, reader),
        Cell(row.n_rows_treatment + row.n_rows_control, reader.count(row.n_rows_treatment + row.n_rows_control)),
        Cell(row.value_control, amount(row.value_control)), Cell(row.value_treatment, amount(row.value_treatment)),
        Cell(row.rel_diff, reader.signed(row.rel_diff)),
        interval_cell(row.rel_diff_lower, row.rel_diff_upper, reader.signed, reader),
        Cell(row.diff, amount(row.diff)), interval_cell(row.diff_lower, row.diff_upper, amount, reader),
        Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted))]


def balance(rows: Sequence[Balance], reader: Reader) -> Table:
    """One row per metric and arm: were they alike before?"""
    say = reader.say
    columns = [Column("metric", say("Metric before")), Column("control", say("Control"), True),
               Column("treatment", say("Campaign"), True), Column("standardised", say("Standard deviations"), True),
               Column("pvalue", say("p (adjusted)"), True)]
    has_arms = len({row.arm for row in rows}) > 1
    return Table("balance", say("Were the arms alike before? Per user and campaign length"), columns, [
        [Cell(row.metric, reader.title(row.metric) + (f" · {reader.label(row.arm)}" if has_arms else "")),
         Cell(row.value_control, reader.amount(row.value_control, row.unit)),
         Cell(row.value_treatment, reader.amount(row.value_treatment, row.unit)),
         Cell(row.standardised, reader.number(row.standardised, 3)),
         Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted))] for row in rows])


def segments(rows: Sequence[SegmentEffect], reader: Reader) -> Table:
    """One row per segment and arm."""
    say = reader.say
    columns = [Column("segment", say("Segment")), Column("users", say("Users"), True),
               Column("control", say("Control"), True), Column("treatment", say("Campaign"), True),
               Column("diff", say("Difference"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("rel_diff", say("Effect"), True), Column("pvalue", say("p (adjusted)"), True)]
    by, has_arms = rows[0].by, len({row.arm for row in rows}) > 1

    def difference(x: float) -> str:
        return reader.difference(x, rows[0].unit)

    def name(row: SegmentEffect) -> str:
        return (reader.label(row.segment) or say("(none)")) + (f" · {reader.label(row.arm)}" if has_arms else "")

    return Table(f"effect_by_{by}", say("Effect by {by}", by=reader.label(by)), columns, [
        [Cell(row.segment, name(row)),
         Cell(row.n_users, reader.count(row.n_users)),
         Cell(row.value_control, reader.amount(row.value_control, row.unit)),
         Cell(row.value_treatment, reader.amount(row.value_treatment, row.unit)),
         Cell(row.diff, reason_text(row.reason, reader) or difference(row.diff)),
         interval_cell(row.diff_lower, row.diff_upper, difference, reader),
         Cell(row.rel_diff, reader.signed(row.rel_diff)),
         Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted))] for row in rows])
