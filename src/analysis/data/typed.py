"""One source under our names and types; a value that is not of its column's type is a mistake, said with its column."""

from __future__ import annotations

import ibis
from ibis.backends.duckdb import Backend
from ibis.expr.types import BooleanColumn, Column, StringColumn, Table, TimestampColumn

from analysis.data.columns import COLUMNS, REQUIRED
from analysis.data.files import Unreadable, open_source
from analysis.data.zone import utc
from analysis.params.model import Campaign
from analysis.params.part import suggest
from analysis.params.sources import Source

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
WALL = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?)?"
ZONE = r"\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)"
FIRST, LAST = "1900-01-01", "2200-01-01"   # beyond them lie epochs in the wrong unit, and infinity
WRITTEN = "as written: "   # before the name of a column that was given a type
WORDS = {"timestamp": "a time like 2025-11-11 20:00:00", "float64": "a number", "boolean": "true or false"}


def typed(connection: Backend, campaign: Campaign, name: str, source: Source) -> Table:
    """The rows of a source: our columns, and as text what else it holds; kept in the engine if it came as text.

    Raises Unreadable, one arg per reason.
    """
    raw = open_source(connection, campaign, source)
    table = _renamed(_filtered(raw, source), name, source)
    types = {column: _types(campaign, name).get(column, "string") for column in table.columns}
    zone = source.time_zone or campaign.time_zone
    casts = {column: _cast(table[column], kind, zone) for column, kind in types.items()}
    written = {f"{WRITTEN}{column}": table[column] for column, kind in types.items() if kind != "string"}
    made = table.mutate(**written, **casts)
    if all(kind.is_string() for kind in raw.schema().values()):
        made = made.cache()  # text is read once, what was written beside what it was taken for
    _refuse_bad_values(source, made, types)
    return made.drop(*written)


def _filtered(raw: Table, source: Source) -> Table:
    missing = [
        f"'{source.path}' has no column '{column}'{suggest(column, raw.columns)}"
        for column in dict.fromkeys((*source.where, *source.columns.values())) if column not in raw.columns]
    if missing:
        raise Unreadable(*missing)
    for column, values in source.where.items():
        raw = raw.filter(as_text(raw[column]).isin(values))
    return raw


def _renamed(raw: Table, name: str, source: Source) -> Table:
    """A constant comes before a new name, and that before the file's own; engines do not tell User_ID from user_id."""
    given = {ours: raw[theirs] for ours, theirs in source.columns.items()}
    given |= {ours: ibis.literal(value) for ours, value in source.values.items()}
    taken = {ours.lower() for ours in given}
    found = {column: raw[column] for column in raw.columns if column.lower() not in taken} | given
    lacking = [
        f"'{source.path}' has no column '{column}'{suggest(column, raw.columns)}; "
        f"name the one that holds it: `columns: {{{column}: ...}}`"
        for column in REQUIRED[name] if column not in found]
    if lacking:
        raise Unreadable(*lacking)
    return raw.select(**found)


def _types(campaign: Campaign, name: str) -> dict[str, str]:
    sums = [metric.sum.split(".") for metric in campaign.metrics.values() if metric.sum]
    types = {column: "float64" for table, column in sums if table == name} | COLUMNS[name]
    if name == "users" and campaign.population.consent:
        types[campaign.population.consent] = "boolean"
    return types


def _cast(column: Column, kind: str, zone: str) -> Column:
    """To our type; null where it cannot be done."""
    if kind == "string":
        return as_text(column)
    if kind == "timestamp":
        at = _time(column, zone)
        is_known = (at >= ibis.timestamp(FIRST)) & (at < ibis.timestamp(LAST))
        return ibis.ifelse(is_known, at.cast("timestamp"), ibis.null("timestamp"))
    if kind == "boolean":
        text = as_text(column).strip().lower()
        return ibis.cases((text.isin(TRUE), True), (text.isin(FALSE), False), else_=ibis.null("boolean"))
    if column.type().is_string():
        return column.try_cast("float64")
    return column.cast("float64") if column.type().is_numeric() else ibis.null("float64")


def as_text(column: Column) -> StringColumn:
    """Whole numbers without a point: pandas makes 1.0 of an id 1 when another is missing."""
    if not column.type().is_floating():
        return column.cast("string")
    whole = column.try_cast("int64")
    return ibis.ifelse(column == whole, whole.cast("string"), column.cast("string"))


def _time(column: Column, zone: str) -> TimestampColumn:
    """UTC; what is written without a zone is on the wall clock of `zone`."""
    if column.type().is_string():
        column = column.strip()
        aware = column.try_cast("timestamp('UTC')").cast("timestamp")
        local = utc(column.try_cast("timestamp"), zone)
        return ibis.cases((column.re_search(f"{WALL}{ZONE}$"), aware), (column.re_search(f"{WALL}$"), local))
    if column.type().is_date() or (column.type().is_timestamp() and not column.type().timezone):
        return utc(column.cast("timestamp"), zone)
    return column.cast("timestamp") if column.type().is_timestamp() else ibis.null("timestamp")


def _refuse_bad_values(source: Source, table: Table, types: dict[str, str]) -> None:
    """Raises Unreadable when a value was written but is not of its column's type."""
    written = {c: table[f"{WRITTEN}{c}"] for c, kind in types.items() if kind != "string"}
    bad: dict[str, BooleanColumn] = {c: text.notnull() & table[c].isnull() for c, text in written.items()}
    if not bad:
        return
    counts = table.aggregate(
        **{f"{c}_bad": flag.sum().coalesce(0) for c, flag in bad.items()},
        **{f"{c}_first": written[c].cast("string").min(where=flag) for c, flag in bad.items()},
        n=table.count()).to_pyarrow().to_pylist()[0]
    reasons = [
        f"'{source.path}' column '{source.columns.get(c, c)}': {counts[f'{c}_bad']:,} of {counts['n']:,} values "
        f"are not {WORDS[types[c]]}, such as '{counts[f'{c}_first']}' (its type is {written[c].type()})"
        for c in bad if counts[f"{c}_bad"]]
    if reasons:
        raise Unreadable(*reasons)
