"""Stretches of time on a campaign's clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from pydantic import model_validator

from analysis.params.part import Part, suggest
from analysis.params.values import Moment


class Period(Part):
    """Local days, both inclusive; or local times, the end exclusive."""

    start: Moment
    """first day (2025-11-11) or first instant (2025-11-11 20:00)"""
    end: Moment
    """last day, included; or the instant after the last"""

    @model_validator(mode="after")
    def _forward(self) -> Period:
        if self.length <= timedelta():
            raise ValueError(f"the end {self.end} is not after the start {self.start}")
        return self

    def interval(self, zone: str) -> tuple[datetime, datetime]:
        """First instant and the one after the last, both UTC."""
        return instant(self.start, zone), end_of(self.end, zone)

    @property
    def length(self) -> timedelta:
        """Wall-clock length, so that a day with a change of clocks is one day."""
        start, end = self.interval("UTC")
        return end - start


def instant(moment: date | datetime, zone: str) -> datetime:
    """A day's first instant, or the time itself, in UTC."""
    local = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def end_of(moment: date | datetime, zone: str) -> datetime:
    """The instant after a day, or the time itself, in UTC."""
    return instant(moment if isinstance(moment, datetime) else moment + timedelta(days=1), zone)


def known_zone(zone: str) -> str:
    """The name of a time zone, unchanged. Raises ValueError."""
    if zone not in available_timezones():
        places = [known for known in available_timezones() if "/" in known and not known.startswith("Etc/")]
        raise ValueError(f"'{zone}' is not a time zone like Asia/Shanghai{suggest(zone, places)}")
    return zone
