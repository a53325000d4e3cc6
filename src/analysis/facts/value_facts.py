"""What users were worth in the time after their start: one row per cohort and length of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ibis.expr.types import IntegerColumn, Table

from analysis.data.zone import micros
from analysis.facts.calendar import DAY, first_day, number_of, numbers
from analysis.facts.fold.feed import matches
from analysis.facts.fold.rules import ALWAYS, NEVER
from analysis.facts.reach import micros as micros_at
from analysis.params.counting import Match


@dataclass(frozen=True, slots=True)
class CohortValue:
    """Value of the users who started in one period, over the first days of each."""

    cohort: date           # first day of the period
    n_days: int            # how many days of each user are looked at
    n_users: int
    n_payers: int          # of them, who paid in those days
    value: float           # sum over the users
    observed_days: int     # whole days that are over for the last of them, at most n_days
    is_mature: bool        # whether all n_days are over for every user


@dataclass(frozen=True, slots=True)
class Worth:
    """Which value is looked at."""

    lengths: Sequence[int]      # days after the start
    opens: datetime | None      # users who start in this time, the end exclusive; None where it is open
    closes: datetime | None
    until: datetime             # end of the data, UTC
    zone: str
    every: str = "day"          # period of the start that makes a cohort
    week_start: str = "monday"
    clock: str = "24h"          # a day is 24 hours from the user's own start; "calendar": a local day


def cohort_values(starts: Table, payments: Table, worth: Worth) -> list[CohortValue]:
    """Cohorts by the period of each user's first start in history; by cohort and length.

    starts      user_id, at (UTC, naive): rows that start a user's clock; on any engine
    payments    user_id, at, value: what counts from the start on
    """
    until = micros_at(worth.until, 0)
    starts = starts.filter(starts.user_id.notnull(), micros(starts.at) < until)
    starts = starts.group_by("user_id").aggregate(at=starts.at.min())
    begun = micros(starts.at)
    starts = starts.filter(begun >= micros_at(worth.opens, NEVER), begun < micros_at(worth.closes, ALWAYS))
    starts = starts.select("user_id", cohort=numbers(starts.at, worth.every, worth.zone, worth.week_start),
                           begun=_clock(starts, worth), since=micros(starts.at))
    payments = payments.filter(micros(payments.at) < until).select(
        "user_id", paid=_clock(payments, worth), at=micros(payments.at), value=payments.value.cast("float64"))
    payments = payments.inner_join(starts, "user_id")
    payments = payments.filter(payments.at >= payments.since)
    since = payments.paid - payments.begun
    spent = payments.group_by("user_id").aggregate(**{
        f"value_{n}": payments.value.sum(where=since < n * _unit(worth)) for n in worth.lengths})
    users = starts.left_join(spent, "user_id").drop("user_id_right")
    values = {n: users[f"value_{n}"].fill_null(0.0) for n in worth.lengths}
    found = users.group_by("cohort").aggregate(
        n_users=users.count(), latest=users.begun.max(), **{f"value_{n}": value.sum() for n, value in values.items()},
        **{f"payers_{n}": users.count(where=value > 0) for n, value in values.items()}).order_by("cohort")
    now = _end(worth)
    return [_cohort(row, n, now, worth) for row in found.to_pyarrow().to_pylist() for n in worth.lengths]


def starts_of(events: Table, start: Match, who: str) -> Table:
    """Rows that start a user's clock: user_id, at.

    who    first_matching, or first_time: only users whose first event of that name is one of them
    """
    named, own = events.filter(matches(events, Match(event=start.event))), matches(events, start)
    if who == "first_matching" or not start.columns:
        return events.filter(own).select("user_id", "at")
    first = named.group_by("user_id").aggregate(at=named.at.min(), own=named.at.min(where=matches(named, start)))
    return first.filter(first.at == first.own).select("user_id", "at")


def _unit(worth: Worth) -> int:
    return DAY if worth.clock == "24h" else 1


def _clock(rows: Table, worth: Worth) -> IntegerColumn:
    """Where the hand stands: microseconds, or the number of the local day."""
    return micros(rows.at) if worth.clock == "24h" else numbers(rows.at, "day", worth.zone)


def _end(worth: Worth) -> int:
    """Where the hand stands at the end of the data."""
    if worth.clock == "24h":
        return micros_at(worth.until, 0)
    return number_of(worth.until.astimezone(ZoneInfo(worth.zone)).date(), "day")


def _cohort(row: dict, n_days: int, now: int, worth: Worth) -> CohortValue:
    observed = min(n_days, (now - row["latest"]) // _unit(worth))
    return CohortValue(first_day(row["cohort"], worth.every, worth.week_start), n_days, row["n_users"],
                       row[f"payers_{n_days}"], row[f"value_{n_days}"], observed, observed == n_days)
