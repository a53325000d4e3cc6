"""How an engine's rows come to a fold: by unit, whatever the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa
from ibis.expr.types import BooleanValue, IntegerColumn, StringColumn, Table, TimestampColumn

from analysis.data.zone import micros
from analysis.facts.fold.gather import gathered
from analysis.facts.fold.spread import N_PARTS
from analysis.facts.fold.whole import Fold, fold_sorted

BATCH = 200_000          # rows: a batch stays in the cache while it is spread
Route = Callable[[Table, list[str], Fold, str], Iterator[pa.RecordBatch]]


def through(rows: Table, order: list[str], fold: Fold, made: str) -> Iterator[pa.RecordBatch]:
    """What a fold makes of the rows, unit by unit.

    rows    unit, and the columns of `order`, by which each unit's rows are sorted: all of them, so that what an answer
            says never depends on the order in which rows came
    made    columns of the fold's batches, in Spark's words; `unit` without a type takes that of the rows
    """
    return ROUTES.get(rows.get_backend().name, by_sorting)(rows, order, fold, made)


def by_sorting(rows: Table, order: list[str], fold: Fold, made: str) -> Iterator[pa.RecordBatch]:
    """The engine sorts, and hands over batches."""
    engine = rows.get_backend()
    rows = rows.order_by(["unit", *order])
    if engine.name == "duckdb":
        return fold_sorted(fold, engine.con.sql(engine.compile(rows)).to_arrow_reader(BATCH))
    return fold_sorted(fold, rows.to_pyarrow_batches(chunk_size=BATCH))


def by_gathering(rows: Table, order: list[str], fold: Fold, made: str) -> Iterator[pa.RecordBatch]:
    """Nobody sorts: the engine hands over batches as they come, and the rows of a unit are put together here."""
    engine = rows.get_backend()
    part = (_hash(rows.unit) % N_PARTS).cast("uint16")
    rows = rows.select("unit", *order, part=part)
    return fold(gathered(engine.con.sql(engine.compile(rows)).to_arrow_reader(BATCH), order))


def in_executors(rows: Table, order: list[str], fold: Fold, made: str) -> Iterator[pa.RecordBatch]:
    """The fold goes to the rows, and only what it made comes back."""
    engine = rows.get_backend()
    frame = engine._session.sql(engine.compile(rows))
    sorted_rows = frame.repartition("unit").sortWithinPartitions("unit", *order)
    schema = made.replace("unit,", f"unit {sorted_rows.schema['unit'].dataType.simpleString()},")
    return iter(sorted_rows.mapInArrow(partial(fold_sorted, fold), schema).toArrow().to_batches())


ROUTES: dict[str, Route] = {"duckdb": by_gathering, "pyspark": in_executors}


def is_any_of(event: StringColumn, names: list[str]) -> BooleanValue:
    """Whether an event has one of the names."""
    return position(event, names) > 0 if event.get_backend().name == "duckdb" else event.isin(names)


def position(event: StringColumn, names: list[str]) -> IntegerColumn:
    """Which of the names an event has, from 1; DuckDB looks once at each entry of a column's dictionary for it."""
    if event.get_backend().name == "duckdb":
        return _position(names, event).cast("uint8")
    return ibis.cases(*[(event == name, i) for i, name in enumerate(names, 1)], else_=0)


def between(events: Table, since: int, until: int) -> Table:
    """Events from an instant to another, exclusive: microseconds since 1970; open where no calendar goes so far."""
    start, end = _moment(since), _moment(until)
    asked = [] if start is None else [events.at >= ibis.timestamp(start)]
    asked += [] if end is None else [events.at < ibis.timestamp(end)]
    return events.filter(asked) if asked else events


def _moment(instant: int) -> datetime | None:
    try:
        return datetime(1970, 1, 1) + timedelta(microseconds=instant)
    except OverflowError:
        return None


def instants(at: TimestampColumn) -> TimestampColumn | IntegerColumn:
    """Microseconds since 1970, or what Arrow holds as such: DuckDB need not calculate."""
    return at.cast("timestamp(6)") if at.get_backend().name == "duckdb" else micros(at)


@ibis.udf.scalar.builtin(name="hash")
def _hash(value) -> dt.UInt64():  # type: ignore[valid-type,no-untyped-def,empty-body]
    ...


@ibis.udf.scalar.builtin(name="list_position")
def _position(values: dt.Array(dt.String()), value: dt.String()) -> dt.Int64():  # type: ignore[valid-type,empty-body]
    ...
