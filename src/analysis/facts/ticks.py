"""When a running campaign is looked at: at the end of each of its local days, or of its hours where it is short."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import ibis
from ibis.expr.types import FloatingColumn, IntegerColumn, TimestampColumn

from analysis.data.zone import micros, wall
from analysis.facts.calendar import DAY, FIRST
from analysis.facts.population import Facts
from analysis.params.model import Campaign

SHORT = timedelta(days=2)   # a campaign no longer than this is watched by the hour
HOUR = timedelta(hours=1)
ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """One day of the campaign, or one hour of a short one; the campaign is looked at when it is over."""

    number: int        # from 1
    begins: datetime   # UTC
    ends: datetime     # UTC, exclusive
    day: date          # local, on which it begins
    is_whole: bool     # not cut by the campaign's begin or end


def is_hourly(campaign: Campaign) -> bool:
    """Whether the ticks are hours."""
    return campaign.period.length <= SHORT


def planned_ticks(campaign: Campaign) -> list[Tick]:
    """All of the period: whole ones but for the first and the last, which begin and end with it."""
    opens, closes = campaign.period.interval(campaign.time_zone)
    found, at = [], opens
    while at < closes:
        day = campaign.local(at).date()
        begins, ends = (at, at + HOUR) if is_hourly(campaign) else (campaign.instant(day), campaign.instant(day + ONE))
        found.append(Tick(len(found) + 1, at, min(ends, closes), day, is_whole=begins == at and ends <= closes))
        at = ends
    return found


def ticks(facts: Facts) -> list[Tick]:
    """Those that are over at the end of the data."""
    until = facts.tables.data_until
    return [tick for tick in planned_ticks(facts.campaign) if until is not None and tick.ends <= until]


def tick_of(campaign: Campaign, at: TimestampColumn, since: datetime, until: datetime) -> IntegerColumn:
    """Number of the tick that each time (UTC, naive) lies in; days before the campaign are 0, -1, ...

    since, until   between which all of them lie
    """
    if is_hourly(campaign):
        opens = campaign.period.interval(campaign.time_zone)[0]
        return (at.delta(_plain(opens), unit="microsecond") // (HOUR // timedelta(microseconds=1)) + 1).cast("int64")
    days = micros(wall(at, campaign.time_zone, (_naive(since), _naive(until)))) // DAY
    return (days - (campaign.first_day - FIRST).days + 1).cast("int64")


def days_since(campaign: Campaign, entered: TimestampColumn, tick: IntegerColumn) -> FloatingColumn:
    """Days on the clock from each entry (UTC, naive, in the period) to the end of a tick."""
    opens, closes = campaign.period.interval(campaign.time_zone)
    if is_hourly(campaign):
        origin, length, since = opens, HOUR, entered
        last = closes
    else:
        origin, length = datetime.combine(campaign.first_day, time()), ONE
        since = wall(entered, campaign.time_zone, (_naive(opens), _naive(closes)))
        last = campaign.local(closes)
    step, room = (span // timedelta(microseconds=1) for span in (length, last - origin))
    ends = ibis.least(tick * step, ibis.literal(room, "int64"))
    return (ends - since.delta(_plain(origin), unit="microsecond")).cast("float64") / DAY


def _naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def _plain(at: datetime) -> ibis.expr.types.TimestampScalar:
    return ibis.timestamp(_naive(at))
