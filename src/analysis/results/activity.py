"""How active users are: who is new, current, back and gone; on how many days; how many in a day, a week, a month."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta

from ibis.expr.types import Table

from analysis.facts.calendar import begin, first_day, midnight, number_of
from analysis.facts.loaded import gap_days
from analysis.facts.population import Facts, rows_of
from analysis.facts.presence_facts import STATES, active_users, lifecycle_counts, periods_active, presence
from analysis.params.counting import Activity
from analysis.results.recency import Recency, recency
from analysis.results.small_groups import put_together

WIDTHS = (1, 7, 30)      # days of the windows that end on a day


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Users of one period by what they did in it and before."""

    period: date           # its first day
    n_new: int             # active for the first time since the data begin
    n_current: int         # active, and in the period before
    n_resurrected: int     # active again after one period or more without
    n_dormant: int         # not active, but in the period before: counted in the first period of absence only
    reason: str = ""       # why it says little: "not_over", "gap" (a day without data in it or the period before),
    #                        "data_begin" (nothing is known of the time before, so that everybody looks new)


@dataclass(frozen=True, slots=True)
class Active:
    """Users active on a day, and in the 7 and 30 days that end with it."""

    day: date
    n_day: float           # nan where the window reaches before the data, or holds a day without
    n_week: float
    n_month: float
    reason: str = ""       # why one of them is nan: "data_begin", "gap"


@dataclass(frozen=True, slots=True)
class Stickiness:
    """Users by the number of periods in which they were active."""

    n_periods: int         # of those of the range, from 1 on
    to: int                # the same, or more where neighbours are together, as few users are in one alone
    n_exactly: int         # from `n_periods` to `to`
    n_at_least: int        # `n_periods` or more
    share_at_least: float  # of the users active in the range


@dataclass(frozen=True, slots=True)
class Activities:
    """All of it for one campaign."""

    lifecycle: list[Lifecycle]
    active: list[Active]
    stickiness: list[Stickiness]
    recency: list[Recency]
    per_day: float         # mean over the days that are known of users active on them; nan where none is
    day_of_month: float    # mean over the days of users on the day / users of its 30 days; nan where none is known


def activity(facts: Facts) -> Activities:
    """From the first phase to the last, or over the period that the params say, as far as the data reach."""
    asked = facts.campaign.activity
    if asked is None:
        return Activities([], [], [], [], math.nan, math.nan)
    active = _active(facts, asked)
    return Activities(_lifecycle(facts, asked), active, _stickiness(facts, asked), recency(facts),
                      _mean([day.n_day for day in active]),
                      _mean([day.n_day / day.n_month for day in active if day.n_month]))


def _mean(values: list[float]) -> float:
    """Of those that are known."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def days_looked_at(facts: Facts, asked: Activity) -> tuple[date, date]:
    """First and last local day, both inside the data."""
    campaign, tables = facts.campaign, facts.tables
    phases = [asked.period] if asked.period else [
        campaign.phase(name) for name in ("before", "during", "after") if campaign.phase(name)]
    spans = [phase.interval(campaign.time_zone) for phase in phases]
    instant = timedelta(microseconds=1)
    first = max(min(start for start, _ in spans), tables.data_from)
    last = min(max(end for _, end in spans), tables.data_until) - instant
    return campaign.local(first).date(), campaign.local(last).date()


def _present(facts: Facts, asked: Activity, every: str) -> Table:
    return presence(rows_of(facts, "events"), asked.event, every, facts.campaign.time_zone, asked.week_start,
                    facts.tables.data_until)


def _lifecycle(facts: Facts, asked: Activity) -> list[Lifecycle]:
    counts = lifecycle_counts(_present(facts, asked, asked.every))
    first, last = (number_of(day, asked.every, asked.week_start) for day in days_looked_at(facts, asked))
    return [Lifecycle(first_day(n, asked.every, asked.week_start), *counts.get(n, dict.fromkeys(STATES, 0)).values(),
                      reason=_defect(facts, asked, n)) for n in range(first, last + 1)]


def _defect(facts: Facts, asked: Activity, number: int) -> str:
    campaign, tables = facts.campaign, facts.tables
    before, begins, ends = (first_day(number + i, asked.every, asked.week_start) for i in (-1, 0, 1))
    if midnight(begins, campaign.time_zone) <= tables.data_from:
        return "data_begin"
    if any(before <= day < ends for day in gap_days(facts)):
        return "gap"
    return "not_over" if tables.data_until < midnight(ends, campaign.time_zone) else ""


def _active(facts: Facts, asked: Activity) -> list[Active]:
    levels = active_users(_present(facts, asked, "day"), WIDTHS)
    known_from = facts.campaign.local(facts.tables.data_from).date()
    gaps = gap_days(facts)
    first, last = days_looked_at(facts, asked)
    found = []
    for i in range((last - first).days + 1):
        day, values, reason = first + timedelta(days=i), [], ""
        for width in WIDTHS:
            opens = day - timedelta(days=width - 1)
            defect = "data_begin" if opens < known_from else "gap" if any(opens <= gap <= day for gap in gaps) else ""
            values.append(math.nan if defect else float(_level(levels[width], number_of(day, "day"))))
            reason = reason or defect
        found.append(Active(day, *values, reason=reason))
    return found


def _level(levels: dict[int, int], day: int) -> int:
    """The level that stood on a day, from the days on which it changed."""
    days = list(levels)
    place = bisect_right(days, day)
    return levels[days[place - 1]] if place else 0


def _stickiness(facts: Facts, asked: Activity) -> list[Stickiness]:
    first, last = (number_of(begin(day, asked.every, asked.week_start), asked.every, asked.week_start)
                   for day in days_looked_at(facts, asked))
    counts = periods_active(_present(facts, asked, asked.every), first, last)
    n_users = sum(counts.values())
    exactly = [counts.get(n, 0) for n in range(1, last - first + 2)]
    return [Stickiness(part.start + 1, part.stop, sum(exactly[part.start:part.stop]),
                       more := sum(exactly[part.start:]), more / n_users)
            for part in put_together(exactly, facts.campaign.min_cell_size)] if n_users else []
