"""One source under our names and types; a value that is not of its column's type is a mistake, said with its column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import ibis
from ibis.expr.types import BooleanColumn, Column, StringColumn, Table, TimestampColumn

from analysis.data.columns import COLUMNS, REQUIRED
from analysis.data.converted import kept
from analysis.data.files import BadValues, Opened
from analysis.data.zone import Range, engine, naive, utc
from analysis.params.model import Campaign
from analysis.params.part import suggest
from analysis.params.paths import Unreadable
from analysis.params.sources import Source

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
WALL = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?)?$"
AWARE = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T]\d{1,2}:\d{2}:\d{2}([.]\d+)?\s*(Z|UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?)$"
NUMBER = r"^\s*[+-]?(\d+[.]?\d*|[.]\d+)([eE][+-]?\d+)?\s*$|^\s*[+-]?([nN]a[nN]|[iI]nf(inity)?)\s*$"
FIRST, LAST = "1900-01-01", "2200-01-01"   # beyond them lie epochs in the wrong unit, and infinity
WRITTEN = "as written: "   # before the name of a column that was given a type
WORDS = {"timestamp": "a time like 2025-11-11 20:00:00", "float64": "a number", "boolean": "true or false"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table is to look like."""

    types: dict[str, str]        # column -> type; every other column is text
    required: Collection[str]    # columns that must be there
    zone: str                    # of times that are written without one

    @classmethod
    def of(cls, campaign: Campaign, name: str) -> Shape:
        """One of a campaign's tables."""
        sums = [metric.sum.split(".") for metric in campaign.metrics.values() if metric.sum]
        sums += [asked.of.split(".") for asked in campaign.quantiles.values()]
        types = {column: "float64" for table, column in sums if table == name} | COLUMNS[name]
        if name == "users" and campaign.population.consent:
            types[campaign.population.consent] = "boolean"
        return cls(types, REQUIRED[name], campaign.time_zone)


def typed(opened: Opened, shape: Shape, source: Source) -> Table:
    """The rows of a source: our columns, and as text what else it holds; text of files is taken for types only once.

    Raises Unreadable, one arg per reason.
    """
    table = _renamed(_filtered(opened.table, source), shape.required, source)
    types = {column: shape.types.get(column, "string") for column in table.columns}
    zone = source.time_zone or shape.zone
    casts = {column: _id(table[column]) if column == "user_id" else _cast(table[column], kind, zone)
             for column, kind in types.items()}
    typed_ones = [column for column, kind in types.items() if kind != "string"]
    made = table.mutate(**{f"{WRITTEN}{column}": table[column] for column in typed_ones}, **casts)
    was_text = opened.is_text or any(table[column].type().is_string() for column in typed_ones)
    if was_text and not opened.is_server:
        made = kept(made, opened.paths, lambda table: _refuse_bad_values(source, table, types))
    else:
        _refuse_bad_values(source, made, types)
    return made.select(*types)


def _filtered(raw: Table, source: Source) -> Table:
    missing = [
        f"'{source.shown}' has no column '{column}'{suggest(column, raw.columns)}"
        for column in dict.fromkeys((*source.where, *source.columns.values())) if column not in raw.columns]
    if missing:
        raise Unreadable(*missing)
    for column, values in source.where.items():
        raw = raw.filter(as_text(raw[column]).isin(values))
    return raw


def _renamed(raw: Table, required: Collection[str], source: Source) -> Table:
    """A constant comes before a new name, and that before the file's own; engines do not tell User_ID from user_id."""
    given = {ours: raw[theirs] for ours, theirs in source.columns.items()}
    given |= {ours: ibis.literal(value) for ours, value in source.values.items()}
    taken = {ours.lower() for ours in given}
    found = {column: raw[column] for column in raw.columns if column.lower() not in taken} | given
    lacking = [
        f"'{source.shown}' has no column '{column}'{suggest(column, raw.columns)}; "
        f"name the one that holds it: `columns: {{{column}: ...}}`"
        for column in required if column not in found]
    if len(raw.columns) == 1 and any(column in raw.columns[0] for column in required if column not in found):
        raise Unreadable(f"'{source.shown}' has one column, '{raw.columns[0]}'; separate columns by comma, semicolon, "
                         "tab or |")
    if lacking:
        raise Unreadable(*lacking)
    return raw.select(**found)


def _cast(column: Column, kind: str, zone: str) -> Column:
    """To our type; null where it cannot be done."""
    if kind == "string":
        return as_text(column).nullif("")       # to files without types it is the same
    if kind == "timestamp":
        return _time(column, zone)
    if kind == "boolean":
        text = as_text(column).strip().lower()
        return ibis.cases((text.isin(TRUE), True), (text.isin(FALSE), False), else_=ibis.null("boolean"))
    if column.type().is_string():
        return _number(column)
    return column.cast("float64") if column.type().is_numeric() else ibis.null("float64")


def _id(column: Column) -> Column:
    """Whole numbers stay what they are: engines join and group them in half the time of text."""
    is_whole = column.type().is_integer() and not column.type().is_unsigned_integer()
    return column.cast("int64") if is_whole else as_text(column)


def as_text(column: Column) -> StringColumn:
    """Whole numbers without a point: pandas makes 1.0 of an id 1 when another is missing."""
    if not column.type().is_floating():
        return column.cast("string")
    is_whole = (column.abs() < 2.0 ** 63) & (column == column.floor())
    whole = ibis.ifelse(is_whole, column, ibis.null("float64")).cast("int64")
    return ibis.ifelse(is_whole, whole.cast("string"), column.cast("string"))


def _time(column: Column, zone: str) -> TimestampColumn:
    """UTC; what is written without a zone is on the wall clock of `zone`. Null where it is no time of this age."""
    kind = column.type()
    if kind.is_string():
        return _known(_time_of_text(column.strip(), zone))
    if kind.is_date() or (kind.is_timestamp() and not kind.timezone):
        at = column.cast("timestamp")
        bounds = _bounds(at.name("at").as_table())  # of Parquet files these are known without reading them
        return utc(at, zone, bounds) if _are_known(bounds) else _known(utc(at, zone, _range(at)))
    return _known(naive(column)) if kind.is_timestamp() else ibis.null("timestamp")


def _known(at: TimestampColumn) -> TimestampColumn:
    return ibis.ifelse(_is_known(at), at.cast("timestamp"), ibis.null("timestamp"))


def _range(at: TimestampColumn) -> Range | None:
    """First and last moment that is one of this age; None when there is none."""
    rows = at.name("at").as_table()
    bounds = _bounds(rows.filter(_is_known(rows.at)))
    return bounds if _are_known(bounds) else None


def _are_known(bounds: Range) -> bool:
    first, last = bounds
    return first is not None and FIRST <= str(first) <= str(last) < LAST


def _bounds(rows: Table) -> Range:
    """The first and the last moment of a column `at`; None and None without any."""
    found = rows.aggregate(first=rows.at.min(), last=rows.at.max())
    try:
        moments = [column[0].as_py() for column in found.to_pyarrow().columns]
    except (ValueError, OverflowError):  # beyond the years that Python has
        return datetime.min, datetime.max
    first, last = (moment and moment.replace(tzinfo=None) for moment in moments)
    return first, last


def _is_known(at: TimestampColumn) -> BooleanColumn:
    return (at >= ibis.timestamp(FIRST)) & (at < ibis.timestamp(LAST))


def _time_of_text(text: StringColumn, zone: str) -> TimestampColumn:
    has_zone, is_wall = text.re_search(AWARE), text.re_search(WALL)
    if engine(text) == "duckdb":
        aware, local = naive(text.try_cast("timestamp('UTC')")), text.try_cast("timestamp")
        return ibis.cases((has_zone, aware), (is_wall, utc(local, zone)))
    dashes = text.replace("/", "-")
    if engine(text) == "postgres":  # it cannot try: it refuses the table, and says at which value
        aware = ibis.ifelse(has_zone, dashes, ibis.null("string")).cast("timestamp('UTC')").cast("timestamp")
        local = ibis.ifelse(is_wall, dashes, ibis.null("string")).cast("timestamp")
        return ibis.coalesce(aware, utc(local, zone))
    aware = ibis.ifelse(has_zone, _in_full(dashes), ibis.null("string")).try_cast("timestamp")
    local = ibis.ifelse(is_wall, _in_full(dashes), ibis.null("string")).try_cast("timestamp")
    return ibis.coalesce(aware, utc(local, zone, _range(local)))


def _in_full(text: StringColumn) -> StringColumn:
    """As Spark wants it: with seconds, and zones as Z or +08:00."""
    text = text.re_replace(r"\s*(Z|UTC)$", "Z").re_replace(r"(:\d{2}([.]\d+)?)\s*([+-]\d{2})$", "$1$3:00")
    text = text.re_replace(r"(:\d{2}([.]\d+)?)\s*([+-]\d{2}):?(\d{2})$", "$1$3:$4")
    return text.re_replace(r"([ T]\d{1,2}:\d{2})$", "$1:00")


def _number(text: StringColumn) -> Column:
    if engine(text) != "postgres":
        return text.try_cast("float64")
    return ibis.ifelse(text.re_search(NUMBER), text, ibis.null("string")).cast("float64")


def _refuse_bad_values(source: Source, table: Table, types: dict[str, str]) -> None:
    """Raises BadValues when a value was written but is not of its column's type."""
    written = {c: table[f"{WRITTEN}{c}"] for c, kind in types.items() if kind != "string"}
    bad: dict[str, BooleanColumn] = {c: text.notnull() & _is_missing(table[c]) for c, text in written.items()}
    if not bad:
        return
    counts = table.aggregate(
        **{f"{c}_bad": flag.sum().coalesce(0) for c, flag in bad.items()},
        **{f"{c}_first": written[c].cast("string").min(where=flag) for c, flag in bad.items()},
        n=table.count()).to_pyarrow().to_pylist()[0]
    reasons = {
        c: f"'{source.shown}' column '{source.columns.get(c, c)}': {counts[f'{c}_bad']:,} of {counts['n']:,} values "
           f"are not {WORDS[types[c]]}, such as '{counts[f'{c}_first']}' (its type is {written[c].type()})"
        for c in bad if counts[f"{c}_bad"]}
    if reasons:
        raise BadValues(reasons)


def _is_missing(column: Column) -> BooleanColumn:
    """Whether it is null; to Spark what is not a number is null too."""
    return column.isnull() & ~column.isnan().fill_null(False) if column.type().is_floating() else column.isnull()
