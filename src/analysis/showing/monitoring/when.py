"""The days (hours) of a running campaign, as a reader names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel.dates import format_date, format_datetime, get_timezone

from analysis.facts.ticks import Tick
from analysis.showing.reader import Reader


@dataclass(frozen=True)
class When:
    """The ticks that were planned, for one reader."""

    ticks: Sequence[Tick]
    every: str            # "day" or "hour"
    reader: Reader

    def at(self, number: int) -> str:
        """A day; or the time at which an hour was over."""
        tick = self.ticks[number - 1]
        if self.every == "day":
            return self.reader.day(tick.day)
        return f"{self.reader.day(tick.day)} {self.short(number)}" if self._is_long else self.short(number)

    def short(self, number: int) -> str:
        """For an axis: without the year."""
        tick, reader = self.ticks[number - 1], self.reader
        if self.every == "day":
            return format_date(tick.day, "M月d日" if reader.language == "zh" else "d MMM", locale=reader.locale)
        clock = format_datetime(tick.ends, "HH:mm", tzinfo=get_timezone(reader.time_zone), locale=reader.locale)
        return "24:00" if clock == "00:00" else clock   # the end of a day, not the begin of the next

    def several(self, n: int) -> str:
        """So many of them."""
        if self.every == "day":
            return self.reader.say("{n} day" if n == 1 else "{n} days", n=self.reader.count(n))
        return self.reader.say("{n} hour" if n == 1 else "{n} hours", n=self.reader.count(n))

    @property
    def span(self) -> str:
        """From the first to the last, for the label of an axis."""
        reader, last = self.reader, self.ticks[-1]
        first_day, last_day = reader.day(self.ticks[0].day), reader.day(last.day)
        return first_day if first_day == last_day else reader.interval(first_day, last_day)

    @property
    def _is_long(self) -> bool:
        return self.ticks[0].day != self.ticks[-1].day
