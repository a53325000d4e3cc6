"""Every row that came in is accounted for: used, or left out for a reason that the report prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
from ibis.expr.types import BooleanColumn, BooleanValue, Scalar, Table, TimestampColumn

from analysis.data.columns import COLUMNS, KEYS, ROW_ID, TIME
from analysis.params.model import Campaign

PHASES = ("before", "during", "after")


@dataclass(frozen=True, slots=True)
class Rows:
    """What became of the rows of one table.

    Of events and orders every row is in exactly one of: without key, duplicate, before, during, after, outside.
    """

    table: str
    n_read: int
    n_without_key: int = 0       # left out: no user, name or time
    n_duplicate: int = 0         # left out: a row id seen before
    n_alike: int = 0             # kept rows that equal another, in a table without row ids: copies or repeats
    has_ids: bool = False        # whether the table has row ids
    n_missing_amount: int = 0    # kept rows whose amount is null or not finite; it counts as zero
    n_before: int = 0            # kept rows by phase; 0 where the table has no time
    n_during: int = 0
    n_after: int = 0
    n_outside: int = 0           # kept rows in none of the phases


@dataclass(frozen=True, slots=True)
class Account:
    """The rows of one table, and between which moments they lie (UTC without a mark; None without a time or row)."""

    rows: Rows
    first_at: datetime | None = None
    last_at: datetime | None = None


LARGEST = 1e100


def finite(table: Table) -> Table:
    """The same rows; numbers that are not finite, or so large that their squares are not, are null."""
    numbers = [c for c, kind in table.schema().items() if kind.is_floating()]  # to engines nan is above every number
    return table.mutate(**{
        c: ibis.ifelse(table[c].abs() <= LARGEST, table[c], ibis.null("float64")) for c in numbers})


def clean(table: Table, name: str) -> Table:
    """Rows with a key and a time, one row per row id.

    Of rows with the same id and different content the first in the order of their values stays, on every engine.
    """
    keyed = _keyed(table, name)
    return _one_per_id(keyed, ROW_ID[name]) if ROW_ID.get(name) in table.columns else keyed


def _keyed(table: Table, name: str) -> Table:
    return table.filter([table[c].notnull() for c in KEYS[name]])


def _one_per_id(table: Table, row_id: str) -> Table:
    """Only ids that stand twice are kept and sorted, in the engine: they are few, and the log is not copied."""
    ids = table.group_by(row_id).having(table.count() > 1).agg()
    ids = ids.filter(ids[row_id].notnull()).cache()
    if not ids.count().execute():
        return table
    copies = table.semi_join(ids, row_id)
    window = ibis.window(group_by=row_id, order_by=[c for c in sorted(table.columns) if c != row_id])
    firsts = copies.mutate(copy=ibis.row_number().over(window)).filter(lambda t: t.copy == 0).drop("copy")
    return table.anti_join(ids, row_id).union(firsts.cache().cast(table.schema()))


def account(campaign: Campaign, name: str, table: Table, kept: Table) -> Account:
    """Counts of one table as it was read, and of what is kept of it; one pass where no row came twice."""
    with_key = ibis.and_(*[table[c].notnull() for c in KEYS[name]])
    wanted = {"n_read": table.count(), "with_key": with_key.sum()}
    if kept.equals(_keyed(table, name)):
        found = _counted(table, wanted | _of_kept(campaign, name, table, with_key))
    else:
        found = _counted(table, wanted) | _counted(kept, _of_kept(campaign, name, kept, ibis.literal(True)))
    n_read, n_with_key, n_kept = (found.pop(key) for key in ("n_read", "with_key", "n_kept"))
    bounds = [found.pop(key, None) for key in ("first_at", "last_at")]
    has_ids = ROW_ID.get(name) in kept.columns
    if name in ROW_ID and not has_ids:
        found["n_alike"] = n_kept - int(kept.distinct().count().execute())
    return Account(Rows(name, has_ids=has_ids, n_read=n_read, n_without_key=n_read - n_with_key,
                        n_duplicate=n_with_key - n_kept, **found), *bounds)


def _of_kept(campaign: Campaign, name: str, table: Table, kept: BooleanValue) -> dict[str, Scalar]:
    """What is asked of the rows of a table that are kept."""
    wanted: dict[str, Scalar] = {"n_kept": table.count(where=kept)}
    if "amount" in COLUMNS[name]:
        wanted["n_missing_amount"] = table.count(where=kept & table.amount.isnull())
    if name in ("events", "orders"):
        at = table[TIME[name]]
        phases = {f"n_{phase}": _within(at, campaign, phase) for phase in PHASES if campaign.phase(phase)}
        wanted |= {phase: table.count(where=kept & flag) for phase, flag in phases.items()}
        wanted["n_outside"] = table.count(where=kept & ~ibis.or_(*phases.values()))
        wanted |= {"first_at": at.min(where=kept), "last_at": at.max(where=kept)}
    return wanted


def _counted(table: Table, wanted: dict[str, Scalar]) -> dict[str, Any]:
    row = table.aggregate(**wanted).to_pyarrow().to_pylist()[0]
    return {name: _plain(value) if name.endswith("_at") else int(value or 0) for name, value in row.items()}


def _plain(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=None)


def _within(at: TimestampColumn, campaign: Campaign, phase: str) -> BooleanColumn:
    start, end = (ibis.timestamp(moment.replace(tzinfo=None))
                  for moment in campaign.phase(phase).interval(campaign.time_zone))
    return (at >= start) & (at < end)
