"""Is the data arriving? Rows of every day (hour) against what the ones before lead to expect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from analysis.facts.population import Facts
from analysis.facts.tick_facts import last_row_at, rows_in, rows_per_tick
from analysis.facts.ticks import Tick, is_hourly, ticks
from analysis.results.trust import ALPHA
from analysis.stats.breaks import Day, Departure, departures

TABLES = ("events", "orders")
HOURS = 24
BEFORE = 3      # days (of the same hour: days before) that have to be known for an empty one to mean something
SAME_HOURS = 7  # days before whose same hour says what to expect


@dataclass(frozen=True, slots=True)
class Arrival:
    """Rows of one table on one tick."""

    table: str
    tick: int
    n_rows: int
    expected: float = math.nan
    lower: float = math.nan      # bounds that chance rarely leaves
    upper: float = math.nan
    state: str = "ok"            # "ok", "none" (no row, and chance does not explain it), "few", "many"
    reason: str = ""             # "cut_off": too early a last row; or why nothing is expected: "hours" (only empty
    #                              ones are judged), "too_few_days", ...


@dataclass(frozen=True, slots=True)
class Last:
    """The last row of one table."""

    table: str
    last_at: datetime | None     # UTC without a mark
    age_seconds: float           # at the end of the data; nan without a row
    reason: str = ""             # "nothing_seen"


def arrivals(facts: Facts, alpha: float) -> list[Arrival]:
    """Every table of rows, tick by tick.

    alpha   chance of a false alarm of one table on one day
    """
    tables = [name for name in TABLES if facts.tables.get(name) is not None]
    if not ticks(facts):
        return []
    judge = _hours if is_hourly(facts.campaign) else _days
    return [one for name in tables for one in judge(facts, name, rows_per_tick(facts, name), alpha)]


def last_rows(facts: Facts) -> list[Last]:
    """How old the last row of every table is."""
    found = [(name, last_row_at(facts, name)) for name in TABLES if facts.tables.get(name) is not None]
    until = facts.tables.data_until.replace(tzinfo=None)
    return [Last(name, at, math.nan if at is None else (until - at).total_seconds(), "" if at else "nothing_seen")
            for name, at in found]


def _days(facts: Facts, name: str, counts: Mapping[int, int], alpha: float) -> list[Arrival]:
    seen = ticks(facts)
    judged = expected_rows(facts, counts, alpha)
    found = [_arrival(name, tick, counts, one, tick.day in facts.campaign.closed, _before(counts, tick.number))
             for tick, one in zip(seen, judged, strict=True)]
    is_open = found[-1].n_rows and seen[-1].day not in facts.campaign.closed
    if found[-1].state == "ok" and is_open and _is_cut_off(facts, name, seen[-1]):
        found[-1] = replace(found[-1], state="few", reason="cut_off")
    return found


def _is_cut_off(facts: Facts, name: str, tick: Tick) -> bool:
    """Whether the day's last row came so early that on the days before as long an end of the day was never empty."""
    rest = tick.ends - last_row_at(facts, name).replace(tzinfo=UTC)
    ends = [tick.ends - timedelta(days=i) for i in range(1, SAME_HOURS + 1)]
    known = [(end - rest, end) for end in ends if end - timedelta(days=1) >= facts.tables.data_from]
    return rest > timedelta(0) and len(known) >= BEFORE and _is_surely_missing(rows_in(facts, name, known))


def expected_rows(facts: Facts, counts: Mapping[int, int], alpha: float) -> list[Departure]:
    """Each day of the campaign against those before it.

    The first days begin a level of their own: they are held against the days before the campaign, but only for being
    lower.
    """
    first = min([*counts, 1])
    days = [_day(facts, counts, number) for number in range(first, len(ticks(facts)) + 1)]
    before, during = days[:1 - first], days[1 - first:]
    return [_opening(before, day, alpha) if one.reason == "new_level" and before else one
            for day, one in zip(during, departures(days, alpha)[1 - first:], strict=True)]


def _opening(before: Sequence[Day], day: Day, alpha: float) -> Departure:
    one = departures([*before, replace(day, level=0)], alpha)[-1]
    return one if one.reason else replace(one, upper=math.inf, is_break=one.value < one.lower)


def _day(facts: Facts, counts: Mapping[int, int], number: int) -> Day:
    day = facts.campaign.first_day + timedelta(days=number - 1)
    n, is_seen = counts.get(number, 0), day not in facts.campaign.closed and not (
        number == len(ticks(facts)) and not ticks(facts)[-1].is_whole)
    return Day(float(n) if is_seen else math.nan, 1 / math.sqrt(n) if n else math.inf, int(number > 0), day.weekday())


def _before(counts: Mapping[int, int], number: int) -> list[int]:
    return [n for tick, n in counts.items() if tick < number]


def _arrival(
    name: str, tick: Tick, counts: Mapping[int, int], one: Departure, is_closed: bool, before: Sequence[int]
) -> Arrival:
    n = counts.get(tick.number, 0)
    state = "ok"
    if not n and not is_closed and (one.is_break or _is_surely_missing(before)):
        state = "none"
    elif one.is_break:
        state = "few" if n < one.expected else "many"
    return Arrival(name, tick.number, n, one.expected, one.lower, one.upper, state, one.reason)


def _is_surely_missing(before: Sequence[int]) -> bool:
    """Whether chance leaves none where the fewest before were so many (Poisson, P(0) = exp(-mean))."""
    return len(before) >= BEFORE and math.exp(-min(before)) < ALPHA


def _hours(facts: Facts, name: str, counts: Mapping[int, int], alpha: float) -> list[Arrival]:
    """Hours of a short campaign are held against the same hours of the days before, and only if they are empty: on such
    a day the hours have a shape of their own."""
    found = []
    for tick in ticks(facts):
        before = [counts.get(tick.number - HOURS * i, 0) for i in range(1, SAME_HOURS + 1)
                  if tick.number - HOURS * i >= min(counts, default=1)]
        expected = sorted(before)[len(before) // 2] if len(before) >= BEFORE else math.nan
        is_missing = not counts.get(tick.number) and tick.day not in facts.campaign.closed
        found.append(Arrival(name, tick.number, counts.get(tick.number, 0), float(expected), reason="hours",
                             state="none" if is_missing and _is_surely_missing(before) else "ok"))
    return found
