"""When users were active: counts by period, made in the engine from one row per user and period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import ibis
from ibis.expr.types import Table

from analysis.data.zone import micros
from analysis.facts.calendar import numbers
from analysis.facts.fold.feed import matches
from analysis.facts.fold.rules import ALWAYS
from analysis.facts.reach import micros as micros_at
from analysis.params.counting import Match

STATES = ("n_new", "n_current", "n_resurrected", "n_dormant")


def presence(events: Table, active: Match, every: str, zone: str, week_start: str = "monday",
             until: datetime | None = None) -> Table:
    """One row per user and local day, week or month in which the user was active.

    events    user_id, event, at (UTC, naive), and properties; on any engine
    until     end of the data, UTC; None for all of them
    Returns   user_id, period (`calendar.number_of`), before and next_one: the user's periods on either side, or null
    """
    rows = events.filter(events.user_id.notnull(), events.at.notnull(), matches(events, active),
                         micros(events.at) < micros_at(until, ALWAYS))
    rows = rows.select("user_id", period=numbers(rows.at, every, zone, week_start)).distinct()
    order = ibis.window(group_by=rows.user_id, order_by=rows.period)
    return rows.mutate(before=rows.period.lag().over(order), next_one=rows.period.lead().over(order))


def lifecycle_counts(present: Table) -> dict[int, dict[str, int]]:
    """Period -> how many users were new (active for the first time in the data), current (also in the period before),
    resurrected (back after a pause) and dormant (gone since the period before: the first one without activity)."""
    came = present.group_by("period").aggregate(
        n_new=present.count(where=present.before.isnull()),
        n_current=present.count(where=(present.before == present.period - 1).fill_null(False)),
        n_resurrected=present.count(where=(present.before < present.period - 1).fill_null(False)))
    gone = present.filter(present.next_one.isnull() | (present.next_one > present.period + 1))
    gone = gone.group_by(period=gone.period + 1).aggregate(n_dormant=gone.count())
    found: dict[int, dict[str, int]] = {}
    for row in [*came.to_pyarrow().to_pylist(), *gone.to_pyarrow().to_pylist()]:
        found.setdefault(row.pop("period"), dict.fromkeys(STATES, 0)).update(row)
    return found


def active_users(days: Table, widths: Sequence[int]) -> dict[int, dict[int, int]]:
    """Width -> number of the day -> users active on that day or in the width - 1 days before; days with a change only.

    days    `presence` by day. A user counts from an active day until the window has passed it or the next one begins.
    """
    found = {}
    for width in widths:
        leaves = ibis.least(days.period + width, days.next_one.fill_null(2**60))
        moves = days.select(day=days.period, move=ibis.literal(1, "int64")).union(
            days.select(day=leaves, move=ibis.literal(-1, "int64")))
        moves = moves.group_by("day").aggregate(move=moves.move.sum().cast("int64")).order_by("day")
        level, found[width] = 0, {}
        for row in moves.to_pyarrow().to_pylist():
            level += row["move"]
            found[width][row["day"]] = level
    return found


def periods_active(present: Table, first: int, last: int) -> dict[int, int]:
    """Number of periods between two (both included) in which a user was active -> users with that number."""
    inside = present.filter(present.period.between(first, last))
    users = inside.group_by("user_id").aggregate(n_periods=inside.count())
    counts = users.group_by("n_periods").aggregate(n_users=users.count()).order_by("n_periods")
    return {row["n_periods"]: row["n_users"] for row in counts.to_pyarrow().to_pylist()}
