"""Sources -> tables with exact names and types, and an account of every row that was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce

import ibis
from ibis.backends.sql import SQLBackend
from ibis.expr.types import Table

from analysis.data.columns import COLUMNS, TIME
from analysis.data.engine import Engine
from analysis.data.files import BadValues
from analysis.data.names import is_wanted, typed_by, unknown_names
from analysis.data.rows import Account, Rows, account, clean, finite
from analysis.data.zone import Range
from analysis.params.model import Campaign
from analysis.params.paths import NoSuchFile, Unreadable
from analysis.params.problem import CampaignError, Problem
from analysis.params.report_file import near
from analysis.params.sources import Source


@dataclass(frozen=True, slots=True)
class Tables:
    """The campaign's tables; None where the params name no source. Times are UTC without a zone mark."""

    connection: SQLBackend        # the engine that all of them live in: DuckDB, PostgreSQL or Spark
    users: Table | None           # one row per user
    assignments: Table | None     # one row per user and variant
    events: Table | None          # one row per event
    orders: Table | None          # one row per order
    costs: Table | None           # one row per payment
    rows: list[Rows] = field(default_factory=list)   # one per table: what was read, dropped and used
    data_from: datetime | None = None    # UTC: start of the first local day with an event or order
    data_until: datetime | None = None   # UTC: end of the last local day with one, or as the params say
    within: Range | None = None          # UTC without a mark: the first and the last event or order

    def get(self, name: str) -> Table | None:
        return getattr(self, name)


def read(campaign: Campaign) -> Tables:
    """Open, rename and type-check every source. Raises CampaignError with all that is wrong."""
    engine = _engine(campaign)
    problems: list[Problem] = []
    wanted = [name for name in COLUMNS if getattr(campaign.sources, name) is not None]
    opened = {name: _table(engine, campaign, name, problems) for name in wanted}
    found = {name: table for name, table in opened.items() if table is not None}
    problems += unknown_names(campaign, found, opened.keys() - found.keys())
    if problems:
        raise CampaignError(problems)
    known = {name: _known_by_then(campaign, name, table) for name, table in _one_kind_of_ids(found).items()}
    whole = {name: finite(_wanted(campaign, name, table)) for name, table in known.items()}
    kept = {name: clean(table, name) for name, table in whole.items()}
    accounts = {name: account(campaign, name, table, kept[name]) for name, table in whole.items()}
    within = _within([accounts[name] for name in ("events", "orders") if name in accounts])
    data_from, last = _covered(campaign, within)
    tables = Tables(engine.connection, **{name: kept.get(name) for name in COLUMNS},
                    rows=[made.rows for made in accounts.values()], data_from=data_from, within=within,
                    data_until=last if campaign.data_until is None else campaign.end_of_data)
    if nothing := list(_nothing_to_count(campaign, tables)):
        raise CampaignError(nothing)
    return tables


def _engine(campaign: Campaign) -> Engine:
    try:
        return Engine.of(campaign.sources.server)
    except Unreadable as error:
        where = next(where for where, source in _places(campaign) if source == campaign.sources.server)
        raise CampaignError([campaign.problem(where, message) for message in error.args]) from None


def _places(campaign: Campaign) -> Iterator[tuple[tuple, Source]]:
    """Every source and where it stands in the params."""
    for name in COLUMNS:
        sources = getattr(campaign.sources, name) or []
        for i, source in enumerate(sources):
            yield ("sources", name, i) if len(sources) > 1 else ("sources", name), source


def _table(engine: Engine, campaign: Campaign, name: str, problems: list[Problem]) -> Table | None:
    """All sources of one table; None when one of them cannot be read, and then the problems say why."""
    places = [(where, source) for where, source in _places(campaign) if where[1] == name]
    parts = []
    for where, source in places:
        try:
            parts.append(engine.table(campaign, name, source))
        except BadValues as error:
            for column, message in zip(error.columns, error.args, strict=True):
                asked = typed_by(campaign, name, column)
                problems.append(campaign.problem(asked, f"{message}; mend them, or name another column") if asked else
                                campaign.problem(where, message))
        except Unreadable as error:
            to_draw = _not_drawn(campaign, source) if isinstance(error, NoSuchFile) and name == "assignments" else ""
            problems += [campaign.problem(where, f"{message}{to_draw}") for message in error.args]
    return reduce(_stack, parts) if len(parts) == len(places) else None


def _not_drawn(campaign: Campaign, source: Source) -> str:
    """What to do where arms are planned and their file is not there yet."""
    is_plain = len(campaign.sources.assignments) == 1 and not (source.where or source.values)
    if campaign.arms is None or not is_plain or set("*?[") & set(source.path):
        return ""
    return f"; if the arms are not drawn yet: `campaign assign {near(campaign.path)}` draws them and writes it"


def _one_kind_of_ids(tables: dict[str, Table]) -> dict[str, Table]:
    """User ids as text in all tables where they are text in one; else they are whole numbers in all."""
    having = {name: table for name, table in tables.items() if "user_id" in table.columns}
    if not any(table.user_id.type().is_string() for table in having.values()):
        return tables
    return tables | {name: table.mutate(user_id=table.user_id.cast("string")) for name, table in having.items()}


def _stack(first: Table, second: Table) -> Table:
    """Rows of both; a column that one of them lacks is null there, one that is text in one of them is text."""
    kinds = {**second.schema(), **first.schema()}
    kinds |= {c: t[c].type() for t in (first, second) for c in t.columns if t[c].type().is_string()}
    filled = [t.select(**{c: t[c].cast(kind) if c in t.columns else ibis.null(kind) for c, kind in kinds.items()})
              for t in (first, second)]
    return filled[0].union(filled[1])


def _known_by_then(campaign: Campaign, name: str, table: Table) -> Table:
    """Without what came after `data_until`: a report as of a day is the one that was made on that day's data."""
    if campaign.data_until is None or TIME.get(name) not in table.columns:
        return table
    at = table[TIME[name]]
    return table.filter((at < ibis.timestamp(campaign.end_of_data.replace(tzinfo=None))) | at.isnull())


def _wanted(campaign: Campaign, name: str, table: Table) -> Table:
    return table.select([column for column in table.columns if is_wanted(campaign, name, column)])


def _within(accounts: list[Account]) -> Range | None:
    """The first and the last event or order."""
    known = [made for made in accounts if made.first_at is not None]
    return (min(made.first_at for made in known), max(made.last_at for made in known)) if known else None


def _covered(campaign: Campaign, within: Range | None) -> tuple[datetime | None, datetime | None]:
    """From the start of the first to the end of the last local day with an event or order, UTC."""
    if within is None:
        return None, None
    first, last = (campaign.local(moment.replace(tzinfo=UTC)).date() for moment in within)
    return campaign.instant(first), campaign.end_of(last)


def _no_user_in_common(campaign: Campaign, tables: Tables) -> Iterator[Problem]:
    """Assignments of which not one is of a user that is known."""
    if tables.users is None or tables.assignments is None:
        return
    assigned = tables.assignments.select("user_id").distinct()
    n = int(assigned.count().to_pyarrow().as_py())
    if n and not int(assigned.semi_join(tables.users, "user_id").count().to_pyarrow().as_py()):
        yield campaign.problem(("sources", "assignments"), (
            f"none of its {n:,} users is in `users:`; ids have to be written alike in both tables"))


def _nothing_to_count(campaign: Campaign, tables: Tables) -> Iterator[Problem]:
    """A table of users without a user, no event or order at all, or all of them at another time."""
    when = f" before {campaign.local(campaign.end_of_data):%Y-%m-%d %H:%M}" if campaign.data_until else ""
    for row in tables.rows:
        if row.table in ("users", "assignments") and row.n_read == row.n_without_key:
            yield campaign.problem(("sources", row.table), f"has no row with a user{when}; {row.n_read:,} were read")
    yield from _no_user_in_common(campaign, tables)
    start, end = tables.data_from, tables.data_until
    if start is None:
        n_read = sum(row.n_read for row in tables.rows if row.table in ("events", "orders"))
        yield campaign.problem(("sources",), f"no event or order has a user and a time{when}; {n_read:,} were read")
        return
    asked = [campaign.period, campaign.baseline, campaign.after, *(f.period for f in campaign.funnels.values()),
             campaign.retention and campaign.retention.cohorts]
    times = [period.interval(campaign.time_zone) for period in asked if period]
    if not any(opens < end and start < closes for opens, closes in times):
        first, last = (campaign.local(moment).date() for moment in (start, end - timedelta(microseconds=1)))
        yield campaign.problem(("period",), f"no event or order falls into it; the data run from {first} to {last}")
