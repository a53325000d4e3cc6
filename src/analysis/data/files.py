"""Open one source of files as it is: CSV as text, Parquet and DuckDB tables with their own types."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from textwrap import shorten

import duckdb
from ibis.backends.duckdb import Backend
from ibis.expr.types import Table

from analysis.params.load import Params
from analysis.params.part import suggest
from analysis.params.paths import Unreadable, find, kind_of
from analysis.params.sources import Source

NOT_UTF_8 = "is not UTF-8 (Excel saves CSV in the language of Windows, such as GBK): save it as 'CSV UTF-8'"


class BadValues(Unreadable):
    """Values that are not of their column's type; `columns` has ours of each arg."""

    def __init__(self, reasons: dict[str, str]):
        super().__init__(*reasons.values())
        self.columns = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source under its own names and types."""

    table: Table
    paths: tuple[Path, ...] = ()   # of the files whose content the rows are; none for a database
    is_text: bool = False          # whether every value is text, and read anew by every question
    is_server: bool = False        # whether the rows lie on a server, and stay there


def open_files(connection: Backend, params: Params, source: Source) -> Opened:
    """The rows of one source, columns under the file's own names. Raises Unreadable."""
    paths = find(params, source)
    kind = kind_of(paths[0]) if source.address is None else "DuckDB"
    try:
        if kind == "CSV":
            return Opened(_csv(connection, paths), tuple(paths), is_text=True)
        if kind == "Parquet":
            return Opened(connection.read_parquet([str(p) for p in paths]), tuple(paths))
        return Opened(_database(connection, paths[0], source.table))
    except (duckdb.Error, OSError, EOFError, zlib.error, csv.Error) as error:
        raise Unreadable(f"'{source.path}' cannot be read as {kind}: {reason(error)}") from None


def reason(error: Exception) -> str:
    """What the engine says, without its advice."""
    if "unicode" in str(error).lower():
        return f"it {NOT_UTF_8}"
    said = re.split(r"\n\s*(?:\n|Possible|Potential)", str(error).strip())[0]
    return shorten(" ".join(said.split()), 300)


def _csv(connection: Backend, paths: list[Path]) -> Table:
    """Every value as text. Nothing is guessed from the rows; files of one glob have the same columns, in any order."""
    first, *_ = heads = [_header(path) for path in paths]
    parts = []
    for head in dict.fromkeys(heads):
        alike = [path for path, other in zip(paths, heads, strict=True) if other == head]
        delimiter, names = head
        if other := set(names) ^ set(first[1]):
            raise Unreadable(f"'{alike[0].name}' has not the columns of '{paths[0].name}': {', '.join(sorted(other))} "
                             "in only one of them; name them as two sources")
        parts.append(connection.read_csv(
            [str(path) for path in alike], columns=dict.fromkeys(names, "string"), header=True, delim=delimiter,
            quote='"', escape='"'))
    return reduce(Table.union, parts)


def _header(path: Path) -> tuple[str, tuple[str, ...]]:
    """The separator that the first line has most of, and the names of the columns."""
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        head = file.readline(1_000_000)
    try:
        line = head.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise Unreadable(f"'{path.name}' {NOT_UTF_8}") from None
    if not line.strip():
        raise Unreadable(f"'{path.name}' has no header line")
    delimiter = max(",;\t|", key=line.count)
    names: list[str] = []
    for i, name in enumerate(next(csv.reader([line], delimiter=delimiter))):
        if name in names:
            raise Unreadable(f"'{path.name}' has two columns '{name}'")
        while not name or name.lower() in (known.lower() for known in names):  # User_ID beside user_id: one to engines
            name = f"{name}_{i + 1}"
        names.append(name)
    return delimiter, tuple(names)


def _database(connection: Backend, path: Path, table: str) -> Table:
    if not table:
        raise Unreadable(f"'{path.name}' is a database: say `table:` too")
    catalog = f"db_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    quoted = str(path).replace("'", "''")
    connection.raw_sql(f"attach if not exists '{quoted}' as {catalog} (read_only)")
    found = connection.con.execute(
        "select table_name from information_schema.tables where table_catalog = ? and table_schema = 'main'", [catalog])
    tables = [name for name, in found.fetchall()]
    if table not in tables:
        raise Unreadable(f"'{path.name}' has no table '{table}'{suggest(table, tables)}")
    return connection.table(table, database=(catalog, "main"))
