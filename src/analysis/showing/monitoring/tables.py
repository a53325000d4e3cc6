"""What was seen of a running campaign -> tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.results.running.arrival import Arrival
from analysis.results.running.breaks import Break
from analysis.results.running.course import LeftOut, Point
from analysis.results.running.split import ArmSoFar
from analysis.showing.monitoring.when import When
from analysis.showing.reader import MISSING, Reader
from analysis.showing.table import Cell, Column, Table, cut, interval_cell
from analysis.showing.tables import MARKS, VERDICTS
from analysis.showing.words import reason_text

N_ROWS = 8   # of a long table, on the page
ARRIVED = {"ok": "arrived", "none": "nothing arrived", "few": "too few", "many": "too many"}
ARRIVAL_MARKS = {"ok": "ok", "none": "fail", "few": "fail", "many": "warn"}   # CSS class of a state


def arrivals(rows: Sequence[Arrival], when: When, reader: Reader) -> Table:
    """One row per table and day, the last first."""
    say = reader.say
    columns = [Column("when", _tick_heading(when, reader)), Column("table", say("Table")),
               Column("state", say("State")), Column("n_rows", say("Rows"), True),
               Column("expected", say("Expected"), True), Column("interval", say("Expected range"), True)]
    ordered = sorted(rows, key=lambda row: -row.tick)
    cells = [[Cell(when.at(row.tick), when.at(row.tick)), Cell(row.table, say(row.table)),
              Cell(row.state, say(ARRIVED[row.state]), ARRIVAL_MARKS[row.state]),
              Cell(row.n_rows, reader.count(row.n_rows)), Cell(row.expected, reader.count(row.expected)),
              _range(row.lower, row.upper, row.reason, reader.count, reader)] for row in ordered]
    return Table("arrivals", say("Rows that arrived, the last first"), columns, **cut(cells, reader, N_ROWS))


def split(rows: Sequence[ArmSoFar], when: When, reader: Reader) -> Table:
    """One row per look and arm, the last first."""
    say = reader.say
    units = say("Clusters") if rows[0].cluster else say("Users")
    columns = [Column("when", _tick_heading(when, reader)), Column("arm", say("Group")), Column("n", units, True),
               Column("share", say("Share"), True), Column("planned_share", say("Planned share"), True),
               Column("pvalue", say("p so far"), True)]
    cells = [[Cell(when.at(row.tick), when.at(row.tick)), Cell(row.arm, reader.label(row.arm)),
              Cell(row.n_users, reader.count(row.n_users)), Cell(row.share, reader.percent(row.share)),
              Cell(row.planned_share, reader.percent(row.planned_share)), Cell(row.pvalue, reader.pvalue(row.pvalue))]
             for row in sorted(rows, key=lambda row: -row.tick)]
    n_arms = sum(row.tick == 1 for row in rows)
    return Table("split", say("Users of each arm so far, the last look first"), columns,
                 **cut(cells, reader, max(n_arms, 1)))


def effects(rows: Sequence[Point], reader: Reader) -> Table:
    """One row per metric and arm at the last look at which something may be claimed."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("verdict", say("Verdict")), Column("role", say("Role")),
               Column("control", say("Control"), True), Column("treatment", say("Campaign"), True),
               Column("rel_diff", say("Effect"), True), Column("interval", say("Interval, looking early"), True),
               Column("fixed_interval", say("As if looked at once"), True),
               Column("pvalue_adjusted", say("p, looking early"), True)]
    has_arms = len({row.arm for row in rows}) > 1
    return Table("effects", say("Effects so far: the campaign against its control group"), columns,
                 [_effect(row, has_arms, reader) for row in rows])


def _effect(row: Point, has_arms: bool, reader: Reader) -> list[Cell]:
    verdict = reader.say(VERDICTS[row.verdict])
    if row.role == "guardrail" and row.verdict == "cannot_tell":
        verdict = reader.say("not shown to hold")
    if row.reason:
        verdict += reader.say(" ({why})", why=reason_text(row.reason, reader))
    role = reader.say(row.role)
    if row.role == "guardrail":
        role += reader.say(" (margin {margin}, p {p})", margin=reader.percent(row.margin, 0),
                           p=reader.pvalue(row.pvalue_margin))
    return [
        Cell(row.metric, reader.title(row.metric) + (f" · {reader.label(row.arm)}" if has_arms else "")),
        Cell(row.verdict, verdict, MARKS[row.verdict]), Cell(row.role, role),
        Cell(row.value_control, reader.amount(row.value_control, row.unit)),
        Cell(row.value_treatment, reader.amount(row.value_treatment, row.unit)),
        Cell(row.rel_diff, reader.signed(row.rel_diff)),
        interval_cell(row.rel_diff_lower, row.rel_diff_upper, reader.signed, reader),
        interval_cell(row.fixed_lower, row.fixed_upper, reader.signed, reader),
        Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted))]


def course(rows: Sequence[Point], when: When, reader: Reader) -> Table:
    """One row per look, metric and arm, the last first; on the page the primary metric's last."""
    say = reader.say
    columns = [Column("when", _tick_heading(when, reader)), Column("metric", say("Metric")),
               Column("rel_diff", say("Effect"), True), Column("interval", say("Interval, looking early"), True),
               Column("fixed_interval", say("As if looked at once"), True),
               Column("pvalue_adjusted", say("p, looking early"), True),
               Column("pvalue", say("p of a single look"), True)]
    has_arms = len({row.arm for row in rows}) > 1
    ordered = sorted(rows, key=lambda row: (row.role != "primary", -row.tick))
    cells = [[Cell(when.at(row.tick), when.at(row.tick)),
              Cell(row.metric, reader.title(row.metric) + (f" · {reader.label(row.arm)}" if has_arms else "")),
              Cell(row.rel_diff, reader.signed(row.rel_diff)),
              interval_cell(row.rel_diff_lower, row.rel_diff_upper, reader.signed, reader)
              if not row.reason else Cell(None, reason_text(row.reason, reader)),
              interval_cell(row.fixed_lower, row.fixed_upper, reader.signed, reader),
              Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted)),
              Cell(row.pvalue, reader.pvalue(row.pvalue))] for row in ordered]
    return Table("course", say("The effect look by look, the last first"), columns, **cut(cells, reader, N_ROWS))


def breaks(rows: Sequence[Break], when: When, reader: Reader) -> Table:
    """One row per metric, arm and day: breaks first, then the last days."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("of", say("Of")), Column("when", _tick_heading(when, reader)),
               Column("state", say("State")), Column("value", say("Value"), True),
               Column("expected", say("Expected"), True), Column("interval", say("Expected range"), True)]
    ordered = sorted(rows, key=lambda row: (not row.is_break, -row.tick))
    last = max(row.tick for row in rows)
    cells = [_break(row, when, reader) for row in ordered]
    return Table("breaks", say("Sudden breaks, and every metric at the last look"), columns,
                 **cut(cells, reader, sum(row.is_break or row.tick == last for row in rows)))


def _break(row: Break, when: When, reader: Reader) -> list[Cell]:
    def level(x: float) -> str:
        return reader.number(x, 2) if row.arm else reader.amount(x, row.unit)

    of = reader.say("{arm} / control", arm=reader.label(row.arm)) if row.arm else reader.say("everybody")
    state = Cell("break", reader.say("break"), "fail") if row.is_break else (
        Cell("not_judged", reason_text(row.reason, reader)) if row.reason else Cell("ok", reader.say("as usual"), "ok"))
    return [Cell(row.metric, reader.title(row.metric)), Cell(row.arm, of), Cell(when.at(row.tick), when.at(row.tick)),
            state, Cell(row.value, level(row.value)), Cell(row.expected, level(row.expected)),
            _range(row.lower, row.upper, "", level, reader)]


def left_out(rows: Sequence[LeftOut], reader: Reader) -> Table:
    """Metrics that cannot be watched."""
    say = reader.say
    return Table("left_out", say("Metrics that cannot be watched while the campaign runs"),
                 [Column("metric", say("Metric")), Column("role", say("Role")), Column("reason", say("Why"))],
                 [[Cell(row.metric, reader.title(row.metric)), Cell(row.role, say(row.role)),
                   Cell(row.reason, reason_text(row.reason, reader))] for row in rows])


def _range(lower: float, upper: float, reason: str, show: object, reader: Reader) -> Cell:
    if math.isnan(lower):
        return Cell(None, reason_text(reason, reader) or MISSING)
    if math.isinf(upper):
        return Cell(f"{lower:.10g} inf", reader.say("at least {lower}", lower=show(lower)))  # type: ignore[operator]
    return interval_cell(lower, upper, show, reader)  # type: ignore[arg-type]


def _tick_heading(when: When, reader: Reader) -> str:
    return reader.say("Day") if when.every == "day" else reader.say("Hour until")
