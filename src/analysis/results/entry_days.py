"""Conversion by day of entry; days that are still open are shown and not compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.facts.calendar import periods
from analysis.facts.population import Facts
from analysis.facts.step_facts import daily_step_facts, entry_days, has_reached, users_of
from analysis.results.funnel import share
from analysis.results.small_groups import shown


@dataclass(frozen=True, slots=True)
class EntryDay:
    """Units that entered on one local day; one that entered on two days counts on both, each with that day's best."""

    funnel: str
    day: date
    n_entered: int
    n_converted: int       # so far, where the day is open
    rate: float            # n_converted / n_entered
    rate_lower: float      # Wilson
    rate_upper: float
    is_open: bool          # the window of its last entry may end after the data do
    reason: str = ""       # why the rate is nan: "no_entries", "all_open"


def by_entry_day(facts: Facts, name: str) -> list[EntryDay]:
    """Every local day of entry that the data reach, but those of few users; nothing where all entered on one day."""
    asked = facts.campaign.funnels[name]
    first, last = entry_days(facts, asked)
    until = facts.tables.data_until
    days = [day for day in periods(first, last, "day") if facts.campaign.instant(day) < until]
    if len(days) < 2:
        return []
    units = users_of(facts, asked, daily_step_facts(facts, asked))
    found = units.group_by("day").aggregate(
        n=units.count(), done=has_reached(units, len(asked.steps)).sum(), users=units.user.nunique())
    rows = {row["day"]: row for row in found.to_pyarrow().to_pylist()}
    if len(rows) < 2:
        return []
    counts = {day: (row["n"], row["done"]) for day, row in rows.items()}
    days = shown(facts, "days", {day: [rows[day]["users"] if day in rows else 0] for day in days}, name)
    return [_day(name, day, *counts.get(day, (0, 0)),
                 is_open=asked.window is not None
                 and facts.campaign.instant(day + timedelta(days=1)) + asked.window > until) for day in days]


def _day(name: str, day: date, entered: int, converted: int, is_open: bool) -> EntryDay:
    rate = (math.nan,) * 3 if is_open else share(converted, entered)
    reason = "all_open" if is_open and entered else "" if entered else "no_entries"
    return EntryDay(name, day, entered, converted, *rate, is_open, reason)
