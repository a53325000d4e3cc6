"""Sources -> tables with exact names and types, and an account of every row that was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import ibis
from ibis.backends.duckdb import Backend
from ibis.expr.types import Column, Table

from analysis.data.columns import COLUMNS, REQUIRED, ROW_ID, TIME
from analysis.data.files import Unreadable, open_source
from analysis.data.rows import Rows, account
from analysis.data.zone import utc, wall
from analysis.params.model import Campaign, Source, suggest
from analysis.params.problem import CampaignError, Problem

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
WITH_ZONE = r":\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"


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
    tables = {name: _table(connection, campaign, name, problems) for name in COLUMNS}
    if not problems:
        problems = list(_unknown_names(campaign, tables))
    if problems:
        raise CampaignError(problems)
    data_from, data_until = _covered(campaign, tables)
    counted = [account(campaign, name, table, ROW_ID.get(name)) for name, table in tables.items() if table is not None]
    clean = {name: None if t is None else _clean(t, name) for name, t in tables.items()}
    return Tables(connection, **clean, rows=counted, data_from=data_from, data_until=data_until)


def _table(connection: Backend, campaign: Campaign, name: str, problems: list[Problem]) -> Table | None:
    sources = getattr(campaign.sources, name)
    if sources is None:
        return None
    parts = []
    for i, source in enumerate(sources):
        where = ("sources", name, i) if len(sources) > 1 else ("sources", name)
        try:
            parts.append(_typed(connection, campaign, name, source))
        except Unreadable as error:
            problems += [campaign.problem(where, str(reason)) for reason in error.args]
    if len(parts) < len(sources):
        return None
    return reduce(_stack, parts)


def _stack(first: Table, second: Table) -> Table:
    """Rows of both; a column that one of them lacks is null there."""
    schema = {**second.schema(), **first.schema()}
    filled = [t.select(**{c: t[c].cast(kind) if c in t.columns else ibis.null(kind) for c, kind in schema.items()})
              for t in (first, second)]
    return filled[0].union(filled[1])


def _typed(connection: Backend, campaign: Campaign, name: str, source: Source) -> Table:
    """One source under our names and types, materialised if it came as text. Raises Unreadable, one arg per reason."""
    raw = open_source(connection, campaign, source)
    is_text = all(kind.is_string() for kind in raw.schema().values())
    missing = [
        f"'{source.path}' has no column '{column}'{suggest(column, raw.columns)}"
        for column in (*source.where, *source.columns.values()) if column not in raw.columns]
    if missing:
        raise Unreadable(*missing)
    for column, values in source.where.items():
        raw = raw.filter(raw[column].cast("string").isin(values))
    renamed = raw.rename({ours: theirs for ours, theirs in source.columns.items() if ours != theirs})
    renamed = renamed.mutate(**{ours: ibis.literal(value) for ours, value in source.values.items()})
    lacking = [
        f"'{source.path}' has no column '{column}'{suggest(column, raw.columns)}; "
        f"name the one that holds it: `columns: {{{column}: ...}}`"
        for column in REQUIRED[name] if column not in renamed.columns]
    if lacking:
        raise Unreadable(*lacking)
    types = {**COLUMNS[name], **_numbers(campaign, name)}
    if name == "users" and campaign.population.consent:
        types[campaign.population.consent] = "boolean"
    zone = source.time_zone or campaign.time_zone
    casts = {c: _cast(renamed[c], kind, zone) for c, kind in types.items() if c in renamed.columns}
    _refuse_bad_values(source, renamed, casts, types)
    typed = renamed.mutate(**casts)
    return typed.cache() if is_text else typed


def _numbers(campaign: Campaign, name: str) -> dict[str, str]:
    """Columns that metrics sum."""
    sums = [metric.sum.split(".") for metric in campaign.metrics.values() if metric.sum]
    return {column: "float64" for table, column in sums if table == name}


def _cast(column: Column, kind: str, zone: str) -> Column:
    """To our type; null where it cannot be done."""
    is_string = column.type().is_string()
    if kind == "string":
        return column.cast("string")
    if kind == "float64":
        return column.try_cast("float64") if is_string else column.cast("float64") if column.type().is_numeric() else (
            ibis.null("float64"))
    if kind == "boolean":
        text = column.cast("string").lower()
        return ibis.cases((text.isin(TRUE), True), (text.isin(FALSE), False), else_=ibis.null("boolean"))
    if is_string:
        aware = column.try_cast("timestamp('UTC')").cast("timestamp")
        return ibis.ifelse(column.re_search(WITH_ZONE), aware, utc(column.try_cast("timestamp"), zone))
    if column.type().is_date() or (column.type().is_timestamp() and not column.type().timezone):
        return utc(column.cast("timestamp"), zone)
    return column.cast("timestamp") if column.type().is_timestamp() else ibis.null("timestamp")


WORDS = {"timestamp": "a time like 2025-11-11 20:00:00", "float64": "a number", "boolean": "true or false",
         "string": "a text"}


def _refuse_bad_values(source: Source, table: Table, casts: dict[str, Column], types: dict[str, str]) -> None:
    """Raises Unreadable when a value is there but is not of its column's type."""
    bad = {c: table[c].notnull() & cast.isnull() for c, cast in casts.items() if types[c] != "string"}
    if not bad:
        return
    counts = table.aggregate(
        **{f"{c}_bad": flag.sum().coalesce(0) for c, flag in bad.items()},
        **{f"{c}_first": table[c].cast("string").min(where=flag) for c, flag in bad.items()},
        n=table.count()).to_pyarrow().to_pylist()[0]
    reasons = [
        f"'{source.path}' column '{source.columns.get(c, c)}': {counts[f'{c}_bad']:,} of {counts['n']:,} values are not "
        f"{WORDS[types[c]]}, such as '{counts[f'{c}_first']}' (its type is {table[c].type()})"
        for c in bad if counts[f"{c}_bad"]]
    if reasons:
        raise Unreadable(*reasons)


def _clean(table: Table, name: str) -> Table:
    """Rows without a key or time left out; one row per row id."""
    keys = [c for c in REQUIRED[name] if c != "amount"]
    table = table.filter([table[c].notnull() for c in keys])
    row_id = ROW_ID.get(name)
    if row_id in table.columns:
        rest = [c for c in table.columns if c != row_id]
        window = ibis.window(group_by=row_id, order_by=rest)
        first = ibis.row_number().over(window) == 0
        table = table.filter(table[row_id].isnull() | first).cache()  # sorted once, not for every question
    return table


def _covered(campaign: Campaign, tables: dict[str, Table | None]) -> tuple[datetime | None, datetime | None]:
    """From the first to the last local day with an event or order; the params' word for the end comes first."""
    bounds = []
    for name in ("events", "orders"):
        table = tables[name]
        if table is None:
            continue
        at = wall(table[TIME[name]], campaign.time_zone)
        found = table.aggregate(first=at.min(), last=at.max()).to_pyarrow().to_pylist()[0]
        bounds += [moment for moment in found.values() if moment is not None]
    if not bounds:
        return None, None
    day = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    first, last = min(bounds).replace(**day), max(bounds).replace(**day) + timedelta(days=1)
    return campaign.instant(first), campaign.instant(last) if campaign.data_until is None else campaign.end_of_data


def _unknown_names(campaign: Campaign, tables: dict[str, Table | None]) -> Iterator[Problem]:
    """Columns, arms and events that the params name and the data do not know."""
    for where, table, column in _columns_named(campaign):
        known = [c for name in table for c in (tables[name].columns if tables[name] is not None else ())]
        if column not in known:
            yield campaign.problem(where, f"{' or '.join(table)} has no column '{column}'{suggest(column, known)}")
    if campaign.arms and tables["assignments"] is not None:
        found = _distinct(tables["assignments"].variant)
        for arm in campaign.arms.shares:
            if arm not in found:
                yield campaign.problem(("arms", "shares", arm), f"'{arm}' is not a variant; the data has {_quoted(found)}")
        for arm in found:
            if arm not in campaign.arms.shares:
                yield campaign.problem(("arms", "shares"), f"the data has the variant '{arm}', which has no planned share")
    named = [(("funnels", name, "steps", i), step) for name, f in campaign.funnels.items() for i, step in enumerate(f.steps)]
    if campaign.retention:
        named += [(("retention", key), getattr(campaign.retention, key)) for key in ("start", "returning")]
    wanted = [(where, event) for where, event in named if event]
    if wanted and tables["events"] is not None:
        found = _distinct(tables["events"].event)
        for where, event in wanted:
            if event not in found:
                yield campaign.problem(where, f"no event is called '{event}'{suggest(event, found)}")


def _columns_named(campaign: Campaign) -> Iterator[tuple[tuple, list[str], str]]:
    """Where, in which tables, and which column."""
    for name, metric in campaign.metrics.items():
        if metric.sum:
            yield ("metrics", name, "sum"), [metric.table], metric.sum.split(".")[1]
        for column in metric.where:
            yield ("metrics", name, "where", column), [metric.table], column
        if metric.table == "users":
            yield ("metrics", name, metric.kind), ["users"], "registered_at"
    for column in (campaign.population.consent, *campaign.population.where):
        if column:
            yield ("population",), ["users"], column
    for name, funnel in campaign.funnels.items():
        for column in funnel.by:
            yield ("funnels", name, "by"), ["events", "users"], column
        if funnel.unit != "user":
            yield ("funnels", name, "unit"), ["events"], funnel.unit


def _distinct(column: Column) -> list[Any]:
    values = column.as_table().distinct().to_pyarrow().column(0).to_pylist()
    return sorted(value for value in values if value is not None)


def _quoted(words: list[Any]) -> str:
    return ", ".join(f"'{word}'" for word in words)
