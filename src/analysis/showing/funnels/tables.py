"""Funnels as tables; rounded here, raw values go along for the CSV. What is long is cut on the page."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.results.conversion import SegmentGap, StepEffect
from analysis.results.drops import Drop
from analysis.results.entry_days import EntryDay
from analysis.results.funnel import Step
from analysis.results.lost_to import LostTo
from analysis.results.survival import Moment
from analysis.showing.funnels import words
from analysis.showing.reader import MISSING, Reader
from analysis.showing.table import Cell, Column, Table, cut, interval_cell

MOST_SHOWN = 4    # rows of a table that the page shows


def whole(steps: Sequence[Step], reader: Reader) -> Table:
    """The whole funnel, one row per step."""
    say = reader.say
    whole = [step for step in steps if step.by == ""]
    columns = [Column("step", say("Step")), Column("n", say("Got here"), True), Column("rate", say("Of entries"), True),
               Column("interval", say("95% interval"), True), Column("step_rate", say("Of the step before"), True),
               Column("step_interval", say("95% interval"), True),
               Column("n_lost", say("Lost since the step before"), True),
               Column("median_seconds", say("Median time from entry"), True)]
    has_open = any(step.n_reached != step.n_converted for step in whole)
    columns += [Column("n_reached", say("Open windows included"), True)] if has_open else []
    name = reader.label(whole[0].funnel)
    caption = (say("Funnel {name}: entries whose window is over", name=name) if has_open else
               say("Funnel {name}: all entries", name=name))
    return Table(f"funnel_{whole[0].funnel}", caption, columns,
                 [_step(step, reader)[:len(columns)] for step in whole])


def _step(step: Step, reader: Reader) -> list[Cell]:
    return [
        Cell(step.step, reader.title(step.step)), Cell(step.n_converted, reader.count(step.n_converted)),
        Cell(step.rate, reader.percent(step.rate)),
        interval_cell(step.rate_lower, step.rate_upper, reader.percent, reader)
        if step.position > 1 else Cell(None, MISSING),
        Cell(step.step_rate, reader.percent(step.step_rate)),
        interval_cell(step.step_rate_lower, step.step_rate_upper, reader.percent, reader)
        if step.position > 1 else Cell(None, MISSING), Cell(step.n_lost, reader.count(step.n_lost)),
        Cell(step.median_seconds, reader.duration(step.median_seconds) if step.position > 1 else MISSING),
        Cell(step.n_reached, reader.count(step.n_reached))]


def by_segment(steps: Sequence[Step], by: str, reader: Reader, gaps: Sequence[SegmentGap] = ()) -> Table:
    """One breakdown: a row per segment, its entries and the share of entries at each step; against the rest."""
    say = reader.say
    own = [step for step in steps if step.by == by]
    apart = {gap.segment: gap for gap in gaps if gap.by == by}
    titles = {step.position: reader.label(step.step) for step in own}
    columns = [Column(by, say("Time") if by == "phase" else reader.label(by)), Column("n", say("Entries"), True),
               *(Column(f"rate_{i}", titles[i], True) for i in sorted(titles) if i > 1),
               Column("interval", say("95% interval of the last"), True)]
    if apart:
        columns += [Column("diff", say("Against the rest"), True), Column("diff_interval", say("Interval"), True),
                    Column("pvalue", say("p (adjusted)"), True)]
    rows = []
    for segment in dict.fromkeys(step.segment for step in own):
        path = [step for step in own if step.segment == segment]
        last = path[-1]
        rows.append([
            Cell(segment, say(segment) if by == "phase" else reader.label(segment) if segment else say("(none)")),
            Cell(last.n_mature, reader.count(last.n_mature)),
            *(Cell(step.rate, reader.percent(step.rate)) for step in path[1:]),
            interval_cell(last.rate_lower, last.rate_upper, reader.percent, reader),
            *(_against(apart[segment], reader) if apart else [])])
    name = reader.label(own[0].funnel)
    caption = (say("Funnel {name} right before, during and right after: share of entries that got to each step",
                   name=name)
               if by == "phase" else say("Funnel {name} by {by}: share of entries that got to each step", name=name,
                                         by=reader.label(by)))
    return Table(f"funnel_{own[0].funnel}_by_{by}", caption, columns, **cut(rows, reader, MOST_SHOWN))


def _against(gap: SegmentGap | StepEffect, reader: Reader) -> list[Cell]:
    return [Cell(gap.diff, reader.points(gap.diff)),
            interval_cell(gap.diff_lower, gap.diff_upper, reader.points, reader),
            Cell(gap.pvalue_adjusted, reader.pvalue(gap.pvalue_adjusted))]


def effects(rows: Sequence[StepEffect], reader: Reader) -> Table:
    """Arm against control at each step."""
    say = reader.say
    has_arms = len({row.arm for row in rows}) > 1
    columns = [Column("step", say("Step")), Column("base", say("Share of")), Column("control", say("Control"), True),
               Column("treatment", say("Campaign"), True), Column("diff", say("Difference"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p (adjusted)"), True), Column("rel_diff", say("Effect"), True),
               Column("rel_interval", say("Interval of the effect"), True)]
    bases = {"assigned": say("users assigned"), "entry": say("first entries")}
    return Table(f"funnel_{rows[0].funnel}_arms",
                 say("Funnel {name}: the arms step by step, users by their first entry",
                     name=reader.label(rows[0].funnel)), columns, [
        [Cell(row.step, reader.title(row.step) + (f" · {reader.label(row.arm)}" if has_arms else "")),
         Cell(row.base, bases[row.base]), Cell(row.value_control, reader.percent(row.value_control)),
         Cell(row.value_treatment, reader.percent(row.value_treatment)), *_against(row, reader),
         Cell(row.rel_diff, reader.signed(row.rel_diff)),
         interval_cell(row.rel_diff_lower, row.rel_diff_upper, reader.signed, reader)] for row in rows])


def time_to_convert(moments: Sequence[Moment], reader: Reader) -> Table:
    """The curve at round times, and how many could still convert then."""
    say = reader.say
    columns = [Column("seconds", say("Time from entry")), Column("share", say("Converted by then"), True),
               Column("interval", say("95% interval"), True), Column("n_at_risk", say("Still to convert"), True)]
    rows = [[Cell(m.seconds, reader.duration(m.seconds)), Cell(m.share, reader.percent(m.share)),
             interval_cell(m.share_lower, m.share_upper, reader.percent, reader),
             Cell(m.n_at_risk, reader.count(m.n_at_risk))] for m in moments if m.is_landmark]
    return Table(f"funnel_{moments[0].funnel}_times", say("Funnel {name}: time from entry to the last step",
                                                          name=reader.label(moments[0].funnel)), columns, rows)


def entry_days(days: Sequence[EntryDay], reader: Reader) -> Table:
    """One row per day of entry."""
    say = reader.say
    columns = [Column("day", say("Day of entry")), Column("n", say("Entries"), True),
               Column("n_converted", say("Converted"), True), Column("rate", say("Of entries"), True),
               Column("interval", say("95% interval"), True)]
    rows = [[Cell(day.day, reader.day(day.day)), Cell(day.n_entered, reader.count(day.n_entered)),
             Cell(day.n_converted, reader.count(day.n_converted)),
             Cell(day.rate, say("still open") if day.is_open else reader.percent(day.rate)),
             interval_cell(day.rate_lower, day.rate_upper, reader.percent, reader)] for day in days]
    caption = say("Funnel {name} by day of entry", name=reader.label(days[0].funnel))
    return Table(f"funnel_{days[0].funnel}_days", caption, columns, **cut(rows, reader, MOST_SHOWN))


def drops(rows: Sequence[Drop], reader: Reader) -> Table:
    """Segment, time and step together: where more were lost than the step loses everywhere."""
    say = reader.say
    has_segments, has_times = any(row.by for row in rows), len({row.period for row in rows}) > 1
    columns = [*([Column("segment", say("Segment"))] if has_segments else []),
               *([Column("period", say("Entries in the {period} from", period=say(rows[0].every)))]
                 if has_times or not has_segments else []),
               Column("step", say("Lost before")), Column("n_lost", say("Lost"), True),
               Column("n_before", say("Came that far"), True), Column("loss_rate", say("Share lost"), True),
               Column("pooled_rate", say("Of all"), True), Column("shrunk_rate", say("Shrunk"), True),
               Column("excess_shrunk", say("Too many"), True)]
    several = len({row.by for row in rows}) > 1
    cells = []
    for row in rows:
        who = {"segment": Cell(f"{row.by} {row.segment}" if several else row.segment,
                               words.segment_of(row.by if several else "", row.segment, reader)),
               "period": Cell(row.period, reader.day(row.period))}
        cells.append([
            *(who[column.key] for column in columns if column.key in who), Cell(row.step, reader.label(row.step)),
            Cell(row.n_lost, reader.count(row.n_lost)), Cell(row.n_before, reader.count(row.n_before)),
            Cell(row.loss_rate, reader.percent(row.loss_rate)), Cell(row.pooled_rate, reader.percent(row.pooled_rate)),
            Cell(row.shrunk_rate, reader.percent(row.shrunk_rate)),
            Cell(row.excess_shrunk, reader.number(row.excess_shrunk, 1))])
    caption = say("Funnel {name}: where more were lost than elsewhere", name=reader.label(rows[0].funnel))
    return Table(f"funnel_{rows[0].funnel}_drops", caption, columns, **cut(cells, reader, MOST_SHOWN))


def lost_to(rows: Sequence[LostTo], reader: Reader) -> Table:
    """What the lost did next, the largest loss first."""
    say = reader.say
    columns = [Column("step", say("Lost after")), Column("event", say("Next")), Column("n", say("Units"), True),
               Column("share", say("Of the lost"), True), Column("base_rate", say("Of those who went on"), True),
               Column("lift", say("Times as common"), True), Column("lift_interval", say("95% interval"), True)]
    ordered = sorted(rows, key=lambda row: (-row.n_lost, row.position, -row.n))
    cells = [[Cell(row.step, reader.label(row.step)), Cell(row.event, words.next_name(row, reader)),
              Cell(row.n, reader.count(row.n)), Cell(row.share, reader.percent(row.share)),
              Cell(row.base_rate, reader.percent(row.base_rate)), Cell(row.lift, reader.number(row.lift)),
              interval_cell(row.lift_lower, row.lift_upper, reader.number, reader)] for row in ordered]
    caption = say("Funnel {name}: what those who were lost did next", name=reader.label(rows[0].funnel))
    return Table(f"funnel_{rows[0].funnel}_lost_to", caption, columns, **cut(cells, reader, MOST_SHOWN))
