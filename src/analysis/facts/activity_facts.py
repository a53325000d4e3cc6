"""Who came back: users by cohort and period (rules R1-R7, R9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from analysis.facts.calendar import edges, midnight, periods
from analysis.facts.fold.feed import matches
from analysis.facts.fold.returns import FLAVOURS, NAMED, RETURN, START, Clock, cohort_counts
from analysis.facts.fold.route import between, instants, through
from analysis.facts.fold.rules import ALWAYS, NEVER
from analysis.facts.loaded import gap_days
from analysis.facts.population import Facts, rows_of
from analysis.facts.reach import micros
from analysis.params.counting import Match, Retention

ONE = timedelta(days=1)
DAYS = {"day": 1, "week": 7, "month": 30}     # of a period on the 24 h clock


@dataclass(frozen=True, slots=True)
class CohortCell:
    """One cohort in one cell (a period, or a bracket of them); absent while the cell has not begun."""

    segment: str | None    # value of the breakdown at the start
    cohort: date           # first day of the cohort's period
    cell: int              # 0 is the cohort's own period
    n_users: int           # users of the cohort
    n_on: int              # who came back in the cell
    n_on_or_after: int     # who came back in it or later
    n_streak: int          # who came back in it and in every cell before
    n_again: int           # who came back in it and in the cell before
    is_over: bool          # for every user of the cohort
    has_gap: bool = False  # whether a day of it lacks data

    @property
    def is_complete(self) -> bool:
        return self.is_over and not self.has_gap


@dataclass(frozen=True, slots=True)
class Look:
    """Which time a retention table looks at."""

    first: date            # local days on which users start, both included
    last: date
    zone: str
    until: datetime        # end of the data, UTC
    gaps: tuple[date, ...] = ()   # local days that lack data


def cohort_cells(facts: Facts, asked: Retention, by: str = "") -> list[CohortCell]:
    """Cells of the campaign's users, by segment, cohort and cell.

    by    column of events or users (such as the variant) to split by; the value at the start counts
    """
    campaign = facts.campaign
    start, end = (asked.cohorts or campaign.period).interval(campaign.time_zone)
    last = campaign.local(end - timedelta(microseconds=1)).date()
    events = rows_of(facts, "events")
    if by and by not in events.columns:
        events = events.left_join(facts.population.select("user_id", by), "user_id").drop("user_id_right")
    asked = asked.model_copy(update={"by": by})
    return counted(events, asked, Look(
        campaign.local(start).date(), last, campaign.time_zone, facts.tables.data_until, gap_days(facts)))


def counted(events: Table, asked: Retention, look: Look) -> list[CohortCell]:
    """Cells by segment, cohort and cell.

    events   user_id, event, at (UTC, naive), and properties; on any engine
    """
    cohorts = periods(look.first, look.last, asked.every, asked.week_start)
    clock = _clock(asked, look, cohorts)
    rows = _rows(events, asked, clock)
    order = [c for c in rows.columns if c != "unit"]
    batches = list(through(rows, order, partial(cohort_counts, clock), SCHEMA))
    if not batches:
        return []
    partial_counts = pa.Table.from_batches(batches).group_by(["segment", "cohort", "cell"]).aggregate(
        [(name, "sum") for name in FLAVOURS]).to_pylist()
    found = {(r["segment"], r["cohort"], r["cell"]): [r[f"{name}_sum"] for name in FLAVOURS] for r in partial_counts}
    segments = sorted({segment for segment, _, _ in found}, key=lambda s: (s is None, s or ""))
    return [cell for segment in segments for cell in _cells(asked, look, cohorts, clock, segment, found)]


SCHEMA = "segment string, cohort bigint, cell bigint, " + ", ".join(f"{name} bigint" for name in FLAVOURS)


def _rows(events: Table, asked: Retention, clock: Clock) -> Table:
    """unit, at, mask (unless every event is a start and a return), and segment if there is a breakdown."""
    events = between(events.filter(events.user_id.notnull(), events.at.notnull()), NEVER, clock.rows_until)
    segment = {"segment": events[asked.by].cast("string")} if asked.by else {}
    if asked.start == asked.returning == Match():
        return events.select(unit=events.user_id, at=instants(events.at), **segment)
    flags = {START: matches(events, asked.start), RETURN: matches(events, asked.returning)}
    if clock.first == NAMED:
        flags[NAMED] = matches(events, Match(event=asked.start.event))
    mask = sum((ibis.ifelse(flag, ibis.literal(bit, "int64"), ibis.literal(0, "int64")) for bit, flag in flags.items()),
               ibis.literal(0, "int64"))
    rows = events.select(unit=events.user_id, at=instants(events.at), mask=mask, **segment)
    return rows.filter(rows.mask > 0)


def _clock(asked: Retention, look: Look, cohorts: list[date]) -> Clock:
    cells = _cell_of_period(asked)
    follow = cohorts[-1] + timedelta(days=len(cells) * {"day": 1, "week": 7, "month": 31}[asked.every])
    follow = max(follow, look.until.astimezone(ZoneInfo(look.zone)).date())
    days = periods(cohorts[0], follow, asked.every, asked.week_start)
    since, end = (_instant(day, look.zone) for day in (look.first, look.last + ONE))
    until = micros(look.until, ALWAYS)
    is_in_range = asked.ranges == "events"
    return Clock(
        edges=np.array([micros(at, 0) for at in edges(days, asked.every, look.zone)], np.int64),
        cells=np.array(cells, np.int64), n_cohorts=len(cohorts),
        length=0 if asked.clock == "calendar" else DAYS[asked.every] * 86_400_000_000,
        is_recurring=asked.who == "recurring", first=START if asked.who != "first_time" else NAMED,
        min_occurrences=asked.min_occurrences, cohort_from=since, cohort_until=end,
        rows_from=since if is_in_range else NEVER, rows_until=min(end, until) if is_in_range else until)


def _cell_of_period(asked: Retention) -> list[int]:
    if not asked.brackets:
        return list(range(asked.n_periods + 1))
    return [0, *(cell for cell, length in enumerate(asked.brackets, 1) for _ in range(length))]


def _instant(day: date, zone: str) -> int:
    return micros(midnight(day, zone), 0)


def _cells(asked: Retention, look: Look, cohorts: list[date], clock: Clock, segment: str | None,
           found: dict) -> Iterator[CohortCell]:
    until = min(clock.rows_until, micros(look.until, ALWAYS))
    gaps = [(_instant(day, look.zone), _instant(day + ONE, look.zone)) for day in look.gaps]
    for c, cohort in enumerate(cohorts):
        size = found.get((segment, c, 0), [0])[0]
        for cell in range(int(clock.cells.max()) + 1):
            begins, ends = _bounds(clock, c, cell)
            if begins < until:
                has_gap = any(opens < ends and begins < closes for opens, closes in gaps)
                yield CohortCell(segment, cohort, cell, size, *found.get((segment, c, cell), [0] * len(FLAVOURS)),
                                 is_over=ends <= until, has_gap=has_gap)


def _bounds(clock: Clock, cohort: int, cell: int) -> tuple[int, int]:
    """When a cell begins for the first user of a cohort that can be in it, and is over for the last."""
    own = np.flatnonzero(clock.cells == cell)
    if clock.length:
        begins, ends = clock.edges[cohort], clock.edges[cohort + 1]
        return int(begins + own[0] * clock.length), int(ends + (own[-1] + 1) * clock.length)
    return int(clock.edges[cohort + own[0]]), int(clock.edges[cohort + own[-1] + 1])
