"""Sources on Spark, a cluster or this machine, directly or by Spark Connect: rows are counted where they are."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.expr.types import Table
from ibis.util import gen_name

from analysis.data.files import Opened
from analysis.params.address import Address
from analysis.params.part import suggest
from analysis.params.paths import Unreadable
from analysis.params.sources import Source

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": str(os.cpu_count())}
ARROW = "spark.sql.execution.arrow.pyspark.enabled"


def connected(place: Address, password: str | None, patience: int) -> Backend:
    """A session of our own: time zone and temporary views of another one in this process stay as they are."""
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)  # rows come as Arrow
    from pyspark.sql import SparkSession

    if place.scheme == "sc":
        options = [*place.options, *([("token", password)] if password else [])]
        tail = "".join(f";{name}={value}" for name, value in options)
        session = SparkSession.builder.remote(f"sc://{place.host}:{place.port}/{tail}").create()
    else:
        session = _classic(place).newSession()
    session.conf.set(ARROW, "true")
    return ibis.pyspark.connect(session)


def _classic(place: Address) -> SparkSession:
    """The session that is open in this process, if it is on the right cluster, or a new one."""
    from pyspark.sql import SparkSession

    master = "local[*]" if place.is_local else f"spark://{place.host}:{place.port}"
    if session := SparkSession.getActiveSession():
        if not place.is_local and session.sparkContext.master != master:
            raise ValueError(f"Spark is open on {session.sparkContext.master} in this process, not there")
        return session
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)   # executors run this package
    builder = SparkSession.builder.appName("campaign-analysis").master(master)
    for key, value in (LOCAL if place.is_local else {}).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def opened(connection: Backend, source: Source) -> Opened:
    """The rows of a table, or of Parquet files where Spark finds them. Raises Unreadable."""
    session = connection._session
    if "/" in source.table:
        rows = session.read.parquet(source.table)
    elif session.catalog.tableExists(source.table):
        rows = session.table(source.table)
    else:
        database, _, table = source.table.rpartition(".")
        names = [found.name for found in session.catalog.listTables(database or None)]
        raise Unreadable(f"'{source.address.shown}' has no table '{source.table}'{suggest(table, names)}")
    name = gen_name("source")
    rows.createOrReplaceTempView(name)
    instants = {field.name for field in rows.schema if field.dataType.typeName() == "timestamp"}
    table = connection.table(name)
    marked = {column: table[column].cast("timestamp('UTC')") for column in instants}
    return Opened(table.mutate(**marked) if marked else table, is_server=True)


def errors() -> tuple[type[Exception], ...]:
    """What Spark raises when a question cannot be answered."""
    from pyspark.errors import PySparkException

    return (PySparkException,)


def brought(connection: Backend, table: Table) -> Table:
    """A table of files as a temporary view of the session, by way of Arrow."""
    name, rows = gen_name("brought"), table.to_pyarrow()
    marked = [field.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(field.type) else field
              for field in rows.schema]  # in a session in UTC these are UTC without a mark
    connection._session.createDataFrame(rows.cast(pa.schema(marked))).createOrReplaceTempView(name)
    return connection.table(name)
