"""Who came back, and what they were worth: sentences, tables and the section of the report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date

from analysis.facts.loaded import gap_days
from analysis.facts.population import Facts
from analysis.params.counting import Retention
from analysis.results.curves import CurveGap, CurveTest
from analysis.results.ltv import Value
from analysis.results.retention import Cell
from analysis.showing import figures
from analysis.showing.picture import show
from analysis.showing.reader import MISSING, Reader
from analysis.showing.stack import Stack
from analysis.showing.table import Cell as Shown
from analysis.showing.table import Column, Table, cut, paragraphs
from analysis.stats.comparison import ALPHA

MOST_SHOWN = 6    # rows of a table that the page shows
HEADINGS = {"on_or_after": "Came back then or later", "on": "Came back in that period",
            "streak": "Came back in every period so far", "previous": "Of those of the period before"}


def section(facts: Facts, cells: Sequence[Cell], tests: Sequence[CurveTest], gaps: Sequence[CurveGap],
            values: Sequence[Value], reader: Reader) -> Stack:
    """Curves, the triangle of cohorts, arms or segments against each other, and worth by cohort."""
    asked = facts.campaign.retention
    if asked is None:
        return Stack([paragraphs([reader.say("The params do not ask for retention.")])])
    if not cells:
        return Stack([paragraphs([reader.say("Nobody started in the range of cohorts.")])])
    shown = Stack([show(figures.plot_retention(list(cells), reader), in_words(cells, asked.every, reader)),
                   curve(cells, asked.every, reader)])
    if len({cell.cohort for cell in cells}) > 2:  # more than one cohort beside the pooled
        shown += [show(figures.plot_retention_triangle(list(cells), reader),
                       cohorts_in_words(cells, asked.every, reader)), cohorts(cells, reader, facts.campaign.first_day)]
    if missing := gap_days(facts):
        shown.append(paragraphs([missing_days(missing, reader)], "note"))
    if tests:
        shown += [paragraphs([told_apart(test, reader) for test in tests], "note"),
                  *([periods_apart(gaps, asked.every, reader)] if gaps else [])]
    if values:
        shown += [show(figures.plot_value(list(values), reader), worth_in_words(values, reader)), worth(values, reader)]
    return shown


def in_words(cells: Sequence[Cell], every: str, reader: Reader) -> str:
    """How many came back half-way through the periods that are over: the last one has nothing later to come."""
    stay, habit = _half_way(cells, "on_or_after"), _half_way(cells, "on")
    if stay is None or habit is None:
        return came_back(cells, every, reader) or reader.say(
            "No period of return is over yet, so nothing can be said about who came back.")
    return reader.say(
        "{stay} of {n} users came back in {period} {last} or later; {habit} came back in that very {period}. "
        "Only cohorts whose {period} {last} is over are counted.", stay=reader.percent(stay.rate),
        habit=reader.percent(habit.rate), n=reader.count(stay.n_users), last=stay.period, period=reader.say(every))


def came_back(cells: Sequence[Cell], asked: Retention, reader: Reader) -> str:
    """The same in one line; "" where no period is over."""
    habit = next((cell for flavour in ("on", *HEADINGS) if (cell := _half_way(cells, flavour))), None)
    if habit is None:
        return ""
    message = ("{habit} of {n} users that began with “{start}” came back in {period} {last}." if asked.start.event else
               "{habit} of {n} users came back in {period} {last}.")
    return reader.say(message, habit=reader.percent(habit.rate), n=reader.count(habit.n_users), last=habit.period,
                      period=reader.say(asked.every), start=reader.label(asked.start.event or ""))


def _half_way(cells: Sequence[Cell], flavour: str) -> Cell | None:
    pooled = {cell.period: cell for cell in cells if cell.cohort is None and cell.flavour == flavour}
    last = max(pooled, default=0)
    return pooled.get((last + 1) // 2) if last else None


def cohorts_in_words(cells: Sequence[Cell], every: str, reader: Reader) -> str:
    """How the cohorts differ in the first period after their own."""
    flavour = of_triangle(cells)
    own = [c for c in cells if c.cohort is not None and c.flavour == flavour and c.period == 1 and not c.reason]
    if not own:
        return reader.say("No cohort has a whole {period} behind it.", period=reader.say(every))
    low, high = min(own, key=lambda c: c.rate), max(own, key=lambda c: c.rate)
    return reader.say("{n} cohorts; between {low} and {high} of them came back in {period} 1. Hatched cells are not "
                      "over or lack days of data, blank ones have not begun.", n=len(own), period=reader.say(every),
                      low=reader.percent(low.rate, 0), high=reader.percent(high.rate, 0))


def of_triangle(cells: Sequence[Cell]) -> str:
    """The flavour of the triangle: "or later" would favour the early cohorts, which were followed for longer."""
    flavours = [cell.flavour for cell in cells]
    return "on" if "on" in flavours else flavours[0]


def missing_days(days: Sequence[date], reader: Reader) -> str:
    """Which days hold no data, the first few by name."""
    named = reader.say(", ").join(reader.day(day) for day in days[:5])
    if len(days) > 5:
        named = reader.say("{days} and {n} more", days=named, n=len(days) - 5)
    return reader.say("No event at all came on {days}. Nobody can be seen on a day without data, so periods that touch "
                      "one have no rate; they are not counted as churn.", days=named)


def told_apart(test: CurveTest, reader: Reader) -> str:
    """One arm or segment against its control, over the whole curve."""
    say = reader.say
    values = {"arm": reader.label(test.arm) or MISSING, "control": reader.label(test.control) or MISSING}
    shares = {"share": reader.percent(test.share_treatment), "control_share": reader.percent(test.share_control)}
    if test.reason == "users_repeat":
        return say("Users are in several cohorts, so {arm} and {control} are not tested against each other.", **values)
    if test.reason == "empty_arm":
        return say("{arm} and {control} cannot be compared: in one of them nobody started.", **values)
    if test.reason == "started_differently":
        return say("{arm} and {control} are not compared: {share} of the one started and {control_share} of the other "
                   "(p {p}), so those who started are different people.", p=reader.pvalue(test.pvalue_started),
                   **shares, **values)
    if test.reason:
        return say("{arm} and {control}: nobody was lost in either, so there is nothing to test.", **values)
    p = reader.pvalue(test.pvalue_adjusted)
    if test.pvalue_adjusted >= ALPHA:
        said = say("How long users went on coming back cannot be told apart between {arm} and {control} "
                   "(log-rank test, p {p}).", p=p, **values)
    else:
        longer, shorter = (test.control, test.arm) if test.z > 0 else (test.arm, test.control)
        said = say("Users of {longer} went on coming back for longer than those of {shorter} (log-rank test, p {p}).",
                   longer=reader.label(longer), shorter=reader.label(shorter), p=p)
    if test.by == "variant":
        return reader.prose([said, say("Only users who started are compared: {share} of {arm} and {control_share} of "
                                       "{control} did.", **shares, **values)])
    return reader.prose([said, say("Who is in a segment was not drawn at random.")])


def curve(cells: Sequence[Cell], every: str, reader: Reader) -> Table:
    """All cohorts together, one row per period: users at risk, and each flavour with its interval."""
    say = reader.say
    pooled = {(c.flavour, c.period): c for c in cells if c.cohort is None}
    flavours = list(dict.fromkeys(flavour for flavour, _ in pooled))
    columns = [Column(every, say(every)), Column("n", say("Users followed"), True)]
    for flavour in flavours:
        columns += [Column(flavour, say(HEADINGS[flavour]), True),
                    Column(f"{flavour}_interval", say("95% interval"), True)]
    rows = []
    for period in sorted({period for _, period in pooled}):
        own = [pooled.get((flavour, period)) for flavour in flavours]
        n = next(cell.n_users for cell in own if cell)
        rows.append([Shown(period, str(period)), Shown(n, reader.count(n)),
                     *(shown for cell in own for shown in _rate(cell, reader))])
    caption = say("Who came back, all cohorts whose period is over")
    return Table("retention", caption, columns, **cut(rows, reader, MOST_SHOWN))


def _rate(cell: Cell | None, reader: Reader) -> list[Shown]:
    if cell is None:
        return [Shown(None, MISSING), Shown(None, MISSING)]
    return [Shown(cell.rate, reader.percent(cell.rate)),
            _bounds(cell.rate_lower, cell.rate_upper, reader.percent, reader)]


def _bounds(lower: float, upper: float, text: Callable[[float], str], reader: Reader) -> Shown:
    if math.isnan(lower) or math.isnan(upper):
        return Shown(None, MISSING)
    return Shown(f"{lower:.10g} {upper:.10g}", reader.interval(text(lower), text(upper)))


def cohorts(cells: Sequence[Cell], reader: Reader, start: date = date.min) -> Table:
    """The triangle: a row per cohort, the share back in each period; blank while a period has not begun.

    Of many the page shows those from just before `start` on.
    """
    say = reader.say
    flavour = of_triangle(cells)
    own = {(c.cohort, c.period): c for c in cells if c.cohort is not None and c.flavour == flavour}
    periods = sorted({period for _, period in own if period})
    columns = [Column("cohort", say("Cohort from")), Column("n", say("Users"), True),
               *(Column(f"period_{p}", str(p), True) for p in periods)]

    def share(cell: Cell | None) -> Shown:
        if cell is None:
            return Shown(None, "")
        return Shown(None, say("open")) if cell.reason else Shown(cell.rate, reader.percent(cell.rate, 0))

    rows = [[Shown(cohort, reader.day(cohort)), Shown(own[cohort, 0].n_users, reader.count(own[cohort, 0].n_users)),
             *(share(own.get((cohort, p))) for p in periods)]
            for cohort in sorted({c for c, period in own if period == 0})]
    caption = say("Share of each cohort that came back in that very period") if flavour == "on" else say(
        "Cohorts by period: {flavour}", flavour=say(HEADINGS[flavour]))
    return Table("cohorts", caption, columns, **cut(rows, reader, 12, sum(row[0].value <= start for row in rows) - 2))


def periods_apart(gaps: Sequence[CurveGap], every: str, reader: Reader) -> Table:
    """Differences in each period, one row per arm or segment and period."""
    say = reader.say
    columns = [Column("arm", say("Group")), Column("control", say("Compared with")), Column(every, say(every), True),
               Column("n", say("Users followed"), True), Column("rate_treatment", say("Came back"), True),
               Column("rate_control", say("Of those compared with"), True), Column("diff", say("Difference"), True),
               Column("diff_interval", say("Interval of the difference"), True),
               Column("pvalue", say("p (adjusted)"), True)]
    rows = [
        [Shown(gap.arm, reader.label(gap.arm) or say("(none)")), Shown(gap.control, reader.label(gap.control)),
         Shown(gap.period, str(gap.period)), Shown(gap.n_treatment, reader.count(gap.n_treatment)),
         Shown(gap.rate_treatment, reader.percent(gap.rate_treatment)),
         Shown(gap.rate_control, reader.percent(gap.rate_control)), Shown(gap.diff, reader.points(gap.diff)),
         _bounds(gap.diff_lower, gap.diff_upper, reader.points, reader),
         Shown(gap.pvalue_adjusted, reader.pvalue(gap.pvalue_adjusted))] for gap in gaps]
    caption = say("Came back in that very period: groups against each other")
    return Table("retention_gaps", caption, columns, **cut(rows, reader, MOST_SHOWN))


def worth_in_words(values: Sequence[Value], reader: Reader) -> str:
    """What a user paid in the longest time that is over for somebody."""
    together = [value for value in values if value.cohort is None]
    if not together:
        return reader.say("No cohort's days are over yet, so nothing can be said about what users are worth.")
    last = max(together, key=lambda value: value.n_days)
    return reader.say(
        "Within {days} of their start users paid {value} each, those who paid nothing included; {n} users are counted, "
        "whose {days} are over.", days=reader.duration(last.n_days * 86400), value=reader.money(last.value),
        n=reader.count(last.n_users))


def worth(values: Sequence[Value], reader: Reader) -> Table:
    """Paid in all per user, a row per length of time."""
    say = reader.say
    columns = [Column("n_days", say("Days since the start")), Column("n", say("Users followed"), True),
               Column("value", say("Paid per user"), True)]
    rows = [
        [Shown(value.n_days, str(value.n_days)), Shown(value.n_users, reader.count(value.n_users)),
         Shown(value.value, reader.money(value.value))] for value in values if value.cohort is None]
    caption = say("Paid in all since the start, cohorts whose days are over")
    return Table("value", caption, columns, **cut(rows, reader, MOST_SHOWN))
