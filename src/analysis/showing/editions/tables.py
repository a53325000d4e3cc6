"""Tables about two editions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from analysis.results.editions.change import Change, LeftOut
from analysis.showing.editions import words
from analysis.showing.reader import Reader
from analysis.showing.table import Cell, Column, Table, interval_cell

VERDICTS = {"higher": "higher", "lower": "lower", "cannot_tell": "cannot tell", "counted": ""}


def changes(rows: Sequence[Change], reader: Reader) -> Table:
    """One row per number with the same definition in both: then and now with intervals, and the difference."""
    say = reader.say
    columns = [Column("number", say("Number")), Column("verdict", say("Difference")),
               Column("before", say("Then"), True), Column("before_interval", say("95% interval"), True),
               Column("now", say("Now"), True), Column("now_interval", say("95% interval"), True),
               Column("diff", say("Now − then"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p (adjusted)"), True)]
    return Table("since", say("Then and now: numbers with the same definition"), columns,
                 [_change(row, reader) for row in rows])


def _change(row: Change, reader: Reader) -> list[Cell]:
    def level(x: float) -> str:
        return reader.amount(x, row.unit)

    def difference(x: float) -> str:
        return reader.difference(x, row.unit)

    name = words.name_of(row, reader)
    if row.is_per_day:
        name = reader.say("{name}, per day", name=name)
    state = "unknown" if row.verdict == "cannot_tell" else ""
    return [
        Cell(f"{row.kind} {row.name} {row.group}".strip(), name),
        Cell(row.verdict, reader.say(VERDICTS[row.verdict]), state),
        Cell(row.before, level(row.before)), _bounds(row.before_lower, row.before_upper, level, reader),
        Cell(row.now, level(row.now)), _bounds(row.now_lower, row.now_upper, level, reader),
        Cell(row.diff, difference(row.diff)), _bounds(row.diff_lower, row.diff_upper, difference, reader),
        Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted))]


def _bounds(lower: float, upper: float, show: Callable[[float], str], reader: Reader) -> Cell:
    return interval_cell(lower, upper, show, reader) if not math.isnan(lower) else Cell(None, reader.number(math.nan))


def left_out(rows: Sequence[LeftOut], reader: Reader) -> Table:
    """One row per number that is not compared, and why."""
    say = reader.say
    columns = [Column("number", say("Number")), Column("why", say("Why"))]
    return Table("not_compared", say("Not compared, and why"), columns, [
        [Cell(f"{row.kind} {row.name} {row.group}".strip(), words.name_of(row, reader)),
         Cell(row.reason, words.why(row, reader))] for row in rows])
