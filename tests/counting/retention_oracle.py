"""Retention by plain search through lists, written apart from the fold: for each user, cohort and cell, look."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from analysis.params.counting import Retention

LENGTH = {"day": 1, "week": 7, "month": 30}


def table(log: list[tuple], asked: Retention, first: date, last: date, zone: str, until: datetime) -> dict:
    """(cohort, cell) -> (users, on, on or after, streak, again), for cells that have begun.

    log    (user, event, instant with a zone) in any order
    """
    begins = days_that_begin(asked, first, last)
    spans = brackets(asked)
    found: dict[tuple, list] = {}
    by_user: dict[str, list] = {}
    for user, event, at in log:
        by_user.setdefault(user, []).append((event, at))
    for user in by_user:
        own = sorted((at, event) for event, at in by_user[user] if at < until)
        for start in starts(own, asked, begins, first, last, zone):
            cohort = cohort_of(start, begins, zone)
            flags = []
            for low, high in spans:
                flags.append(any(enough(own, asked, start, cohort, p, zone) for p in range(low, high)))
            beyond, p = False, spans[-1][1]
            while opened(asked, start, cohort, p, zone) < until:
                beyond, p = beyond or enough(own, asked, start, cohort, p, zone), p + 1
            for cell in range(len(flags) + 1):
                one = found.setdefault((cohort, cell), [0] * 5)
                one[0] += 1
                if cell:
                    one[1] += flags[cell - 1]
                    one[2] += any(flags[cell - 1:]) or beyond
                    one[3] += all(flags[:cell])
                    one[4] += flags[cell - 1] and (cell == 1 or flags[cell - 2])
                else:
                    one[1:] = [one[0]] * 4
    return {key: tuple(value) for key, value in found.items()
            if begun(asked, key[0], key[1], spans, zone) < until}


def local(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


@cache
def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def days_that_begin(asked: Retention, first: date, last: date) -> list[date]:
    """First days of the periods of the range, found by walking from day to day."""
    day, found = first, []
    while not is_first(asked.every, asked.week_start, day):
        day -= timedelta(days=1)
    while day <= last:
        if is_first(asked.every, asked.week_start, day):
            found.append(day)
        day += timedelta(days=1)
    return found


def is_first(every: str, week_start: str, day: date) -> bool:
    if every == "month":
        return day.day == 1
    return every == "day" or day.isoweekday() == (1 if week_start == "monday" else 7)


@cache
def after(every: str, week_start: str, day: date, periods: int) -> date:
    """The first day of the period that many later."""
    if not periods:
        return day
    day = after(every, week_start, day, periods - 1) + timedelta(days=1)
    while not is_first(every, week_start, day):
        day += timedelta(days=1)
    return day


def cohort_of(at: datetime, begins: list[date], zone: str) -> date:
    return begins[bisect_right(begins, local(at, zone)) - 1]


def starts(
    own: list[tuple], asked: Retention, begins: list[date], first: date, last: date, zone: str,
) -> list[datetime]:
    """The start that counts in each cohort of a user."""
    matching = [at for at, event in own if asked.start.event in ("", event)]
    if asked.who != "recurring":
        return [at for at in matching[:1] if first <= local(at, zone) <= last]
    chosen: dict[date, datetime] = {}
    for at in matching:
        if first <= local(at, zone) <= last:
            chosen.setdefault(cohort_of(at, begins, zone), at)
    return list(chosen.values())


def opened(asked: Retention, start: datetime, cohort: date, period: int, zone: str) -> datetime:
    """When a period begins for one user."""
    if asked.clock == "24h":
        return start + timedelta(days=LENGTH[asked.every] * period)
    return midnight(after(asked.every, asked.week_start, cohort, period), zone)


def enough(own: list[tuple], asked: Retention, start: datetime, cohort: date, period: int, zone: str) -> bool:
    low, high = (opened(asked, start, cohort, p, zone) for p in (period, period + 1))
    times = [at for at, event in own if asked.returning.event in ("", event) and low <= at < high]
    return len(times) >= asked.min_occurrences


def brackets(asked: Retention) -> list[tuple[int, int]]:
    if not asked.brackets:
        return [(p, p + 1) for p in range(1, asked.n_periods + 1)]
    low, found = 1, []
    for length in asked.brackets:
        found.append((low, low + length))
        low += length
    return found


def begun(asked: Retention, cohort: date, cell: int, spans: list, zone: str) -> datetime:
    """When a cell begins for the first that can be in the cohort."""
    low = spans[cell - 1][0] if cell else 0
    return opened(asked, midnight(cohort, zone), cohort, low, zone)
