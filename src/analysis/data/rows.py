"""Every row that came in is accounted for: used, or left out for a reason that the report prints."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import Table

from analysis.data.columns import REQUIRED, TIME
from analysis.params.model import Campaign

PHASES = ("before", "during", "after")


@dataclass(frozen=True, slots=True)
class Rows:
    """What became of the rows of one table."""

    table: str
    n_read: int
    n_without_key: int       # left out: no user, name or time
    n_duplicate: int         # left out: a row id seen before
    n_missing_amount: int    # an amount that is null or not finite; counts as zero
    n_before: int            # kept rows by phase; 0 where the table has no time
    n_during: int
    n_after: int
    n_outside: int           # in none of the phases


def account(campaign: Campaign, name: str, table: Table, row_id: str | None) -> Rows:
    """Counts of one table, in one pass."""
    keys = [c for c in REQUIRED[name] if c != "amount"]
    without_key = ~ibis.and_(*[table[c].notnull() for c in keys])
    counts = {"n_read": table.count(), "n_without_key": without_key.sum()}
    if row_id in table.columns:
        usable = ~without_key & table[row_id].notnull()
        counts["n_duplicate"] = usable.sum() - table[row_id].nunique(where=usable)
    if "amount" in table.columns:
        counts["n_missing_amount"] = (table.amount.isnull() | table.amount.isnan() | table.amount.isinf()).sum()
    at = table[TIME[name]] if TIME.get(name) in table.columns and name in ("events", "orders") else None
    if at is not None:
        phases = {phase: _within(at, campaign, phase) for phase in PHASES if campaign.phase(phase)}
        counts |= {f"n_{phase}": flag.sum() for phase, flag in phases.items()}
        counts["n_outside"] = (at.notnull() & ~ibis.or_(*phases.values())).sum()
    found = table.aggregate(**{c: value.coalesce(0) for c, value in counts.items()}).to_pyarrow().to_pylist()[0]
    rest = dict.fromkeys(("n_duplicate", "n_missing_amount", "n_before", "n_during", "n_after", "n_outside"), 0)
    return Rows(name, **{**rest, **{c: int(value) for c, value in found.items()}})


def _within(at: ibis.expr.types.TimestampColumn, campaign: Campaign, phase: str) -> ibis.expr.types.BooleanColumn:
    start, end = (ibis.timestamp(moment.replace(tzinfo=None))
                  for moment in campaign.phase(phase).interval(campaign.time_zone))
    return (at >= start) & (at < end)
