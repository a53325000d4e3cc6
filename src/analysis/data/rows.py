"""Every row that came in is accounted for: used, or left out for a reason that the report prints."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import BooleanColumn, Table, TimestampColumn

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


def clean(table: Table, name: str) -> Table:
    """Rows with a key and a time, one row per row id (then kept in the engine); numbers that are not finite are null.

    Of rows with the same id and different content the first in the order of their values stays, on every engine.
    """
    table = table.filter([table[c].notnull() for c in KEYS[name]])
    numbers = [c for c, kind in table.schema().items() if kind.is_floating()]
    table = table.mutate(**{
        c: ibis.ifelse(table[c].isnan() | table[c].isinf(), ibis.null("float64"), table[c]) for c in numbers})
    return _one_per_id(table, ROW_ID[name]).cache() if ROW_ID.get(name) in table.columns else table


def _one_per_id(table: Table, row_id: str) -> Table:
    """Only ids that stand twice are sorted: they are few."""
    ids = table.group_by(row_id).having(table.count() > 1).agg()
    copies = table.semi_join(ids, row_id)
    window = ibis.window(group_by=row_id, order_by=[c for c in sorted(table.columns) if c != row_id])
    firsts = copies.mutate(copy=ibis.row_number().over(window)).filter(lambda t: t.copy == 0).drop("copy")
    return table.anti_join(ids, row_id).union(firsts)


def account(campaign: Campaign, name: str, table: Table, kept: Table) -> Rows:
    """Counts of one table as it was read, and of what is kept of it."""
    with_key = ibis.and_(*[table[c].notnull() for c in KEYS[name]])
    read = _counted(table, {"n_read": table.count(), "with_key": with_key.sum()})
    wanted = {"n_kept": kept.count()}
    if "amount" in COLUMNS[name]:
        wanted["n_missing_amount"] = kept.amount.isnull().sum()
    if name in ("events", "orders"):
        phases = {f"n_{phase}": _within(kept[TIME[name]], campaign, phase) for phase in PHASES if campaign.phase(phase)}
        wanted |= {phase: flag.sum() for phase, flag in phases.items()}
        wanted["n_outside"] = (~ibis.or_(*phases.values())).sum()
    has_ids = ROW_ID.get(name) in kept.columns
    if name in ROW_ID and not has_ids:
        wanted["n_alike"] = kept.count() - kept.nunique()
    found = _counted(kept, wanted)
    return Rows(name, has_ids=has_ids, n_read=read["n_read"], n_without_key=read["n_read"] - read["with_key"],
                n_duplicate=read["with_key"] - found.pop("n_kept"), **found)


def _counted(table: Table, wanted: dict[str, ibis.expr.types.IntegerScalar]) -> dict[str, int]:
    row = table.aggregate(**{name: value.coalesce(0) for name, value in wanted.items()}).to_pyarrow().to_pylist()[0]
    return {name: int(value) for name, value in row.items()}


def _within(at: TimestampColumn, campaign: Campaign, phase: str) -> BooleanColumn:
    start, end = (ibis.timestamp(moment.replace(tzinfo=None))
                  for moment in campaign.phase(phase).interval(campaign.time_zone))
    return (at >= start) & (at < end)
