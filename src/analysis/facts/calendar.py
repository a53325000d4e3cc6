"""Days, weeks and months of a zone: as instants, since engines compare numbers and need to know no calendar, and as
numbers, since a period's number tells how far it lies from another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ibis.expr.types import IntegerColumn, TimestampColumn

from analysis.data.zone import micros, wall

FIRST = date(1970, 1, 1)                      # a Thursday
LEAD = {"monday": 3, "sunday": 4}             # days of its week before it
DAY = 86_400_000_000                          # microseconds


def periods(first: date, last: date, every: str, week_start: str = "monday") -> list[date]:
    """First days of the periods from the one that `first` lies in to the one that `last` lies in."""
    numbers = range(number_of(first, every, week_start), number_of(last, every, week_start) + 1)
    return [first_day(number, every, week_start) for number in numbers] or [begin(first, every, week_start)]


def begin(day: date, every: str, week_start: str = "monday") -> date:
    """First day of the period that a day lies in."""
    return first_day(number_of(day, every, week_start), every, week_start)


def number_of(day: date, every: str, week_start: str = "monday") -> int:
    """Number of the day, week or month that a day lies in; 0 holds 1 January 1970."""
    if every == "month":
        return (day.year - 1970) * 12 + day.month - 1
    days = (day - FIRST).days
    return days if every == "day" else (days + LEAD[week_start]) // 7


def first_day(number: int, every: str, week_start: str = "monday") -> date:
    """First day of the period with a number."""
    if every == "month":
        return date(1970 + number // 12, number % 12 + 1, 1)
    return FIRST + timedelta(days=number if every == "day" else number * 7 - LEAD[week_start])


def numbers(at: TimestampColumn, every: str, zone: str, week_start: str = "monday") -> IntegerColumn:
    """`number_of` the local day of each time (UTC, naive), in the engine."""
    local = wall(at, zone)
    if every == "month":
        return ((local.year() - 1970) * 12 + local.month() - 1).cast("int64")
    days = micros(local) // DAY
    return (days if every == "day" else (days + LEAD[week_start]) // 7).cast("int64")


def edges(days: list[date], every: str, zone: str) -> list[datetime]:
    """Instants, UTC, at which the periods begin, and the end of the last."""
    beyond = days[-1] + timedelta(days=7) if every == "week" else first_day(number_of(days[-1], every) + 1, every)
    return [midnight(day, zone) for day in (*days, beyond)]


def midnight(day: date, zone: str) -> datetime:
    """First instant of a local day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
