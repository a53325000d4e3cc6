"""Sources -> tables with exact names and types, and an account of every row that was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce

import duckdb
import ibis
from ibis.backends.duckdb import Backend
from ibis.expr.types import Table

from analysis.data.columns import COLUMNS, TIME
from analysis.data.files import Unreadable, reason
from analysis.data.names import is_wanted, unknown_names
from analysis.data.rows import Rows, account, clean
from analysis.data.typed import typed
from analysis.data.zone import wall
from analysis.params.model import Campaign
from analysis.params.problem import CampaignError, Problem


@dataclass(frozen=True, slots=True)
class Tables:
    """The campaign's tables; None where the params name no source. Times are UTC without a zone mark."""

    connection: Backend
    users: Table | None           # one row per user
    assignments: Table | None     # one row per user and variant
    events: Table | None          # one row per event
    orders: Table | None          # one row per order
    costs: Table | None           # one row per payment
    rows: list[Rows] = field(default_factory=list)   # one per table: what was read, dropped and used
    data_from: datetime | None = None    # UTC: start of the first local day with an event or order
    data_until: datetime | None = None   # UTC: end of the last local day with one, or as the params say

    def get(self, name: str) -> Table | None:
        return getattr(self, name)


def read(campaign: Campaign) -> Tables:
    """Open, rename and type-check every source. Raises CampaignError with all that is wrong."""
    connection = ibis.duckdb.connect()
    problems: list[Problem] = []
    wanted = [name for name in COLUMNS if getattr(campaign.sources, name) is not None]
    opened = {name: _table(connection, campaign, name, problems) for name in wanted}
    found = {name: table for name, table in opened.items() if table is not None}
    problems += unknown_names(campaign, found, opened.keys() - found.keys())
    if problems:
        raise CampaignError(problems)
    kept = {name: clean(_wanted(campaign, name, table), name) for name, table in found.items()}
    rows = [account(campaign, name, table, kept[name]) for name, table in found.items()]
    data_from, last = _covered(campaign, kept)
    tables = Tables(connection, **{name: kept.get(name) for name in COLUMNS}, rows=rows, data_from=data_from,
                    data_until=last if campaign.data_until is None else campaign.end_of_data)
    if nothing := list(_nothing_to_count(campaign, tables)):
        raise CampaignError(nothing)
    return tables


def _table(connection: Backend, campaign: Campaign, name: str, problems: list[Problem]) -> Table | None:
    """All sources of one table; None when one of them cannot be read, and then the problems say why."""
    sources = getattr(campaign.sources, name)
    parts = []
    for i, source in enumerate(sources):
        where = ("sources", name, i) if len(sources) > 1 else ("sources", name)
        try:
            parts.append(typed(connection, campaign, name, source))
        except Unreadable as error:
            problems += [campaign.problem(where, message) for message in error.args]
        except duckdb.Error as error:  # rows are read when they are first counted
            problems.append(campaign.problem(where, f"'{source.path}' cannot be read: {reason(error)}"))
    return reduce(_stack, parts) if len(parts) == len(sources) else None


def _stack(first: Table, second: Table) -> Table:
    """Rows of both; a column that one of them lacks is null there."""
    kinds = {**second.schema(), **first.schema()}
    filled = [t.select(**{c: t[c].cast(kind) if c in t.columns else ibis.null(kind) for c, kind in kinds.items()})
              for t in (first, second)]
    return filled[0].union(filled[1])


def _wanted(campaign: Campaign, name: str, table: Table) -> Table:
    return table.select([column for column in table.columns if is_wanted(campaign, name, column)])


def _covered(campaign: Campaign, tables: dict[str, Table]) -> tuple[datetime | None, datetime | None]:
    """From the start of the first to the end of the last local day with an event or order, UTC."""
    bounds = []
    for table, time in ((tables[name], TIME[name]) for name in ("events", "orders") if name in tables):
        at = wall(table[time], campaign.time_zone)
        found = table.aggregate(first=at.min(), last=at.max()).to_pyarrow().to_pylist()[0]
        bounds += [moment for moment in found.values() if moment is not None]
    if not bounds:
        return None, None
    day = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    first, last = min(bounds).replace(**day), max(bounds).replace(**day) + timedelta(days=1)
    return campaign.instant(first), campaign.instant(last)


def _nothing_to_count(campaign: Campaign, tables: Tables) -> Iterator[Problem]:
    """A table of users without a user, no event or order at all, or all of them at another time."""
    for row in tables.rows:
        if row.table in ("users", "assignments") and row.n_read == row.n_without_key:
            yield campaign.problem(("sources", row.table), f"has no row with a user; {row.n_read:,} were read")
    start, end = tables.data_from, tables.data_until
    if start is None:
        n_read = sum(row.n_read for row in tables.rows if row.table in ("events", "orders"))
        yield campaign.problem(("sources",), f"no event or order has a user and a time; {n_read:,} were read")
        return
    asked = [campaign.period, campaign.baseline, campaign.after, *(f.period for f in campaign.funnels.values()),
             campaign.retention and campaign.retention.cohorts]
    times = [period.interval(campaign.time_zone) for period in asked if period]
    if not any(opens < end and start < closes for opens, closes in times):
        first, last = (campaign.local(moment).date() for moment in (start, end - timedelta(microseconds=1)))
        yield campaign.problem(("period",), f"no event or order falls into it; the data run from {first} to {last}")
