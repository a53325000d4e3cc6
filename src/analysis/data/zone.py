"""Between UTC and the campaign's wall clock.

Ibis's own zone casts do nothing on DuckDB, so the engine's function is named.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import DateColumn, TimestampColumn


@ibis.udf.scalar.builtin(name="timezone")
def _to_wall(zone: str, at: dt.Timestamp("UTC")) -> dt.Timestamp():  # type: ignore[valid-type,empty-body]
    ...


@ibis.udf.scalar.builtin(name="timezone")
def _from_wall(zone: str, at: dt.Timestamp()) -> dt.Timestamp("UTC"):  # type: ignore[valid-type,empty-body]
    ...


@ibis.udf.scalar.builtin(name="from_utc_timestamp")
def _to_wall_on_spark(at: dt.Timestamp(), zone: str) -> dt.Timestamp():  # type: ignore[valid-type,empty-body]
    ...


def wall(at: TimestampColumn, zone: str) -> TimestampColumn:
    """UTC (naive column) -> naive wall-clock time in the zone."""
    if at.get_backend().name == "pyspark":
        return _to_wall_on_spark(at, zone)
    return _to_wall(zone, at.cast("timestamp('UTC')"))


def local_day(at: TimestampColumn, zone: str) -> DateColumn:
    """UTC (naive column) -> calendar day in the zone."""
    return wall(at, zone).date()


def utc(at: TimestampColumn, zone: str) -> TimestampColumn:
    """Naive wall-clock time in the zone -> UTC (naive column)."""
    return _from_wall(zone, at.cast("timestamp")).cast("timestamp")


def micros(at: TimestampColumn) -> ibis.expr.types.IntegerColumn:
    """Microseconds since 1970, equal on every engine; `epoch_seconds` is fractional on one, truncated on another."""
    return at.cast("timestamp").delta(ibis.timestamp("1970-01-01"), unit="microsecond")
