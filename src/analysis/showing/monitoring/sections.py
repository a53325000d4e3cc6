"""A section of the report on a running campaign: its sentences, figures and tables together."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.facts.population import Facts
from analysis.facts.ticks import is_hourly, planned_ticks
from analysis.results.running.arrival import Last
from analysis.results.running.course import LeftOut, Point
from analysis.results.running.decision import Decision, Watch
from analysis.results.running.outlook import Unseen
from analysis.results.running.split import ArmSoFar
from analysis.showing import figures
from analysis.showing import tables as shared
from analysis.showing.monitoring import tables, words
from analysis.showing.monitoring.when import When
from analysis.showing.picture import show
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Html, definitions, paragraphs
from analysis.showing.words import trust as trust_line


def when_of(facts: Facts, reader: Reader) -> When:
    """The days (hours) of the period, for a reader."""
    return When(planned_ticks(facts.campaign), "hour" if is_hourly(facts.campaign) else "day", reader)


def glance(
    seen: Watch, last: Sequence[Last], split: Sequence[ArmSoFar], effects: Sequence[Point],
    out: Sequence[LeftOut], when: When, reader: Reader,
) -> Html:
    """A line for each question of who watches."""
    say = reader.say
    return definitions([
        (say("Data"), words.arrivals(seen.arrivals, last, when, reader)), (say("Split"), words.split(split, reader)),
        (say("Guardrails"), words.guardrails(effects, out, reader)),
        (say("Sudden breaks"), words.breaks(seen.breaks, when, reader)),
        (say("Trust checks"), trust_line(seen.checks, reader))], "glance")


def arrivals(seen: Watch, when: When, reader: Reader) -> Stack:
    """Rows of every table, day by day."""
    if not seen.arrivals:
        return _nothing(reader)
    by_table = [[row for row in seen.arrivals if row.table == table]
                for table in dict.fromkeys(row.table for row in seen.arrivals)]
    return Stack([
        *(show(figures.plot_rows(rows, when, reader), words.rows_chart(rows, when, reader)) for rows in by_table),
        tables.arrivals(seen.arrivals, when, reader)])


def split(seen: Watch, rows: Sequence[ArmSoFar], when: When, reader: Reader) -> Stack:
    """The arms' sizes; a chart only where users came in over time. And every trust check."""
    shown: list = []
    if len({row.n_users for row in rows if row.arm == rows[0].arm}) > 1:
        shown.append(show(figures.plot_split(rows, when, reader), words.split_chart(rows, reader)))
    table = [tables.split(rows, when, reader)] if rows else []
    return Stack([paragraphs([words.split(rows, reader)]), *shown, *table, shared.checks(seen.checks, reader)])


def guardrails(course: Sequence[Point], out: Sequence[LeftOut], effects: Sequence[Point], when: When,
               reader: Reader) -> Stack:
    """Each guardrail over time, against its limit."""
    shown: list = [paragraphs([words.guardrails(effects, out, reader)])]
    shown += _charts([row for row in course if row.role == "guardrail"], when, reader)
    return Stack([*shown, *([tables.left_out(out, reader)] if out else [])])


def effect(course: Sequence[Point], effects: Sequence[Point], when: When, reader: Reader) -> Stack:
    """The primary metric over time, all metrics at the last look."""
    if not course:
        return _nothing(reader)
    return Stack([*_charts([row for row in course if row.role == "primary"], when, reader),
                  *([tables.effects(effects, reader)] if effects else []), tables.course(course, when, reader)])


def breaks(seen: Watch, answer: Decision, when: When, reader: Reader) -> Stack:
    """Two series at most, those that broke last or of the primary metric; all of them in the table."""
    if not seen.breaks:
        return Stack([paragraphs([words.breaks(seen.breaks, when, reader)])])
    series = [[row for row in seen.breaks if (row.metric, row.arm) == key]
              for key in dict.fromkeys((row.metric, row.arm) for row in seen.breaks)]
    known = [rows for rows in series if any(not row.reason for row in rows)]
    known.sort(key=lambda rows: (-max((row.tick for row in rows if row.is_break), default=0),
                                 rows[0].metric != answer.metric, rows[0].arm))
    return Stack([*(show(figures.plot_breaks(rows, when, reader), words.breaks_chart(rows, when, reader))
                    for rows in known[:2]), tables.breaks(seen.breaks, when, reader)])


def limits(answer: Decision, rest: Unseen, out: Sequence[LeftOut], when: When, reader: Reader) -> Html:
    """What stopping now would leave unseen."""
    return paragraphs(words.limits(answer, rest, out, when, reader))


def _charts(rows: Sequence[Point], when: When, reader: Reader) -> list:
    own = [[row for row in rows if (row.metric, row.arm) == key]
           for key in dict.fromkeys((row.metric, row.arm) for row in rows)]
    return [show(figures.plot_course(path, when, reader), words.course(path, when, reader)) for path in own]


def _nothing(reader: Reader) -> Stack:
    return Stack([paragraphs([reader.say("No day of the campaign is over yet.")])])
