"""Days, weeks and months of a zone as instants: engines compare numbers and need to know no calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def periods(first: date, last: date, every: str, week_start: str = "monday") -> list[date]:
    """First days of the periods from the one that `first` lies in to the one that `last` lies in."""
    begun = [begin(first, every, week_start)]
    while (following := _next(begun[-1], every)) <= last:
        begun.append(following)
    return begun


def begin(day: date, every: str, week_start: str = "monday") -> date:
    """First day of the period that a day lies in."""
    if every == "month":
        return day.replace(day=1)
    since = (day.weekday() + (week_start == "sunday")) % 7 if every == "week" else 0
    return day - timedelta(days=since)


def _next(day: date, every: str) -> date:
    if every == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if every == "week" else 1)


def edges(days: list[date], every: str, zone: str) -> list[datetime]:
    """Instants, UTC, at which the periods begin, and the end of the last."""
    begun = [*days, _next(days[-1], every)]
    return [datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for d in begun]
