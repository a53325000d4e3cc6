"""When each user came back: one row per user with the cohort and the periods of return (rules R1-R6)."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import DateColumn, IntegerColumn, Table

from analysis.data.zone import local_day
from analysis.facts.population import Facts, rows_of
from analysis.params.model import Retention


def cohort_facts(facts: Facts, retention: Retention) -> Table:
    """One row per user whose first start in history lies in the range of cohorts: user_id, cohort.

    cohort   first day of the period that the start lies in
    """
    campaign = facts.campaign
    events = _until_the_end(facts)
    starts = events.filter(events.event == retention.start) if retention.start else events
    firsts = starts.group_by("user_id").aggregate(first=starts.at.min())
    opens, closes = (retention.cohorts or campaign.period).interval(campaign.time_zone)
    inside = (firsts["first"] >= _naive(opens)) & (firsts["first"] < _naive(closes))
    day = local_day(firsts["first"], campaign.time_zone)
    return firsts.filter(inside).select("user_id", cohort=begin(day, retention.every))


def return_facts(facts: Facts, retention: Retention) -> Table:
    """One row per user of a cohort and period of return: user_id, cohort, period (1, 2, ...)."""
    events = _until_the_end(facts)
    returns = events.filter(events.event == retention.returning) if retention.returning else events
    returns = returns.select("user_id", day=begin(local_day(returns.at, facts.campaign.time_zone), retention.every))
    joined = returns.distinct().inner_join(cohort_facts(facts, retention), "user_id")
    periods = joined.select("user_id", "cohort", period=_periods(joined.cohort, joined.day, retention.every))
    return periods.filter(periods.period >= 1)


def begin(day: DateColumn, every: str) -> DateColumn:
    """First day of the period that a day lies in; weeks begin on Monday."""
    return day.truncate({"day": "D", "week": "W", "month": "M"}[every]).cast("date")


def _periods(first: DateColumn, later: DateColumn, every: str) -> IntegerColumn:
    if every == "month":
        return (later.year() - first.year()) * 12 + later.month() - first.month()
    return later.delta(first, unit="day") // (7 if every == "week" else 1)


def is_over(cohort: date, period: int, every: str, until: date) -> bool:
    """Whether a period of a cohort lies wholly before the first day without data (rule R5)."""
    from dateutil.relativedelta import relativedelta

    return cohort + relativedelta(**{every + "s": period + 1}) <= until


def _until_the_end(facts: Facts) -> Table:
    events = rows_of(facts, "events")
    return events.filter(events.at < _naive(facts.tables.data_until))


def _naive(at: object) -> ibis.expr.types.TimestampScalar:
    return ibis.timestamp(at.replace(tzinfo=None))  # type: ignore[attr-defined]
