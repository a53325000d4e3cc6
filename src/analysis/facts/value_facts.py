"""What users were worth in the time after their start: one row per cohort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ibis.expr.types import Table

from analysis.data.zone import local_day, micros
from analysis.facts.fold.feed import matches
from analysis.facts.reach import micros as micros_at
from analysis.params.counting import Match

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CohortValue:
    """Value of the users who started on one local day, over the first days of each."""

    cohort: date
    n_users: int
    value: float           # sum over the users
    observed_days: int     # whole days that are over for the last of them, at most those asked for
    is_mature: bool        # whether all the days asked for are over for every user


def cohort_values(events: Table, start: Match, paid: Match, column: str, n_days: int, until: datetime,
                  zone: str) -> list[CohortValue]:
    """Cohorts by the local day of each user's first start in history.

    events   user_id, event, at (UTC, naive), and properties; `column` is summed over rows that match `paid` within
             n_days times 24 hours of the user's start
    until    end of the data, UTC
    """
    events = events.filter(events.user_id.notnull(), micros(events.at) < micros_at(until, 0))
    starts = events.filter(matches(events, start))
    starts = starts.group_by("user_id").aggregate(first=starts.at.min())
    starts = starts.mutate(begun=micros(starts["first"]), cohort=local_day(starts["first"], zone))
    payments = events.filter(matches(events, paid)).inner_join(starts, "user_id")
    since = micros(payments.at) - payments.begun
    payments = payments.filter((since >= 0) & (since < n_days * (DAY // timedelta(microseconds=1))))
    worth = payments.group_by("user_id").aggregate(value=payments[column].cast("float64").sum())
    users = starts.left_join(worth, "user_id").drop("user_id_right")
    found = users.group_by("cohort").aggregate(
        n_users=users.count(), value=users.value.fill_null(0.0).sum(), last=users.begun.max()).order_by("cohort")
    return [_cohort(row, n_days, micros_at(until, 0)) for row in found.to_pyarrow().to_pylist()]


def _cohort(row: dict, n_days: int, until: int) -> CohortValue:
    observed = min(n_days, (until - row["last"]) // (DAY // timedelta(microseconds=1)))
    return CohortValue(row["cohort"], row["n_users"], row["value"], observed, observed == n_days)
