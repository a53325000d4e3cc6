"""The engines that count, started once per test run: DuckDB in memory, a PostgreSQL server and a Spark of our own."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

ENGINES = ("duckdb", "postgres", "spark")


class Absent(Exception):
    """What this machine lacks for an engine."""


def connected_or_skipped(name: str):
    """The engine, or a skip with the reason; in CI every engine must be there."""
    try:
        return connected(name)
    except Absent as lacking:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{name}: {lacking}")


@cache
def connected(name: str):
    return {"duckdb": ibis.duckdb.connect, "postgres": _postgres, "spark": _spark}[name]()


def loaded(connection, name: str, table: pa.Table):
    """A table of the engine with these rows, replacing one of that name."""
    if connection.name == "pyspark":
        connection._session.createDataFrame(table).createOrReplaceTempView(name)
        return connection.table(name)
    return connection.create_table(name, table, overwrite=True)


def _postgres():
    server = _binary("postgres") or _binary("initdb")
    if server is None:
        raise Absent("no PostgreSQL server (Debian: apt-get install postgresql)")
    if importlib.util.find_spec("psycopg") is None:
        raise Absent("no psycopg (pip install 'campaign-analysis[postgres]')")
    folder, port = Path(tempfile.mkdtemp(prefix="pg")), _free_port()
    as_owner = []
    if os.geteuid() == 0:                       # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    programs = server.parent
    subprocess.run([*as_owner, programs / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8"],
                   check=True, capture_output=True, cwd="/")
    control = [*as_owner, programs / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-l", folder / "log", "-o", f"-p {port} -k {folder} -c fsync=off", "start"],
                   check=True, capture_output=True, cwd="/")
    atexit.register(subprocess.run, [*control, "-m", "immediate", "stop"], capture_output=True, cwd="/")
    return ibis.postgres.connect(host="127.0.0.1", port=port, user="tests", database="postgres")


def _binary(name: str) -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) if Path("/usr/lib/postgresql").exists() else []
    on_path = shutil.which(name)
    return found[-1] if found else Path(on_path) if on_path else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _spark():
    if shutil.which("java") is None:
        raise Absent("no Java (Debian: apt-get install default-jre-headless)")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise Absent("no pyspark (pip install 'campaign-analysis[spark]')") from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)     # executors run this package
    session = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
               .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
               .config("spark.sql.execution.arrow.pyspark.enabled", "true").getOrCreate())
    session.sparkContext.setLogLevel("ERROR")
    return ibis.pyspark.connect(session)
