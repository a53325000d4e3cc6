"""Open one source of files as it is: CSV as text, Parquet and DuckDB tables with their own types."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from textwrap import shorten
from typing import IO

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
    except (duckdb.Error, OSError, csv.Error) as error:
        said = reason(error)
        for path in paths:   # without the folders of this machine
            said = re.sub(rf"[^\s'\"]*/{re.escape(path.name)}", path.name, said)
        raise Unreadable(f"'{source.path}' cannot be read as {kind}: {said}") from None


ROWS = (   # what DuckDB says of a row of a CSV file, and we
    (r"Expected Number of Columns: (\d+) Found: (\d+)", "has {1} values, and the header has {0} columns"),
    (r"unterminated quote", "has a quote (\") that does not close where the value ends"),
    (r"Maximum line size of (\d+)", "is longer than {0} bytes; is a quote (\") not closed?"),
    (r"", "is no row of such a table"))


def reason(error: Exception) -> str:
    """What the engine says, without its advice and without rows, which tell of people."""
    said = str(error).strip()
    if isinstance(error, UnicodeDecodeError):   # DuckDB cuts what it quotes of a row in the middle of a character
        return "a row of it does not end; is a quote (\") not closed?"
    if "unicode" in said.lower():
        return f"it {NOT_UTF_8}"
    if line := re.search(r"CSV Error on Line: (\d+)", said):
        return next(f"line {line[1]} {words.format(*found.groups())}" for pattern, words in ROWS
                    if (found := re.search(pattern, said)))
    return shorten(" ".join(re.split(r"\n\s*(?:\n|Possible|Potential)", said)[0].split()), 300)


def refuse_damaged(paths: Sequence[Path]) -> None:
    """Raises Unreadable for a .gz file that is cut off or changed: DuckDB takes what it gets from it for the whole."""
    for path in paths:
        if path.name.lower().endswith(".gz"):
            with _unpacked(path) as file:
                while file.read(1_000_000):
                    pass


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            yield file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unreadable(
            f"'{path.name}' cannot be read as CSV: {error}: it is damaged, cut off or no gzip file") from None


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
    with _unpacked(path) as file:
        head = file.readline(1_000_000)
    try:
        line = head.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise Unreadable(f"'{path.name}' {NOT_UTF_8}") from None
    if "\0" in line:   # every other byte of UTF-16
        raise Unreadable(f"'{path.name}' {NOT_UTF_8}")
    if odd := next((c for c in line if ord(c) < 32 and c != "\t"), ""):
        raise Unreadable(f"'{path.name}' is not a CSV file: its first line holds the byte {ord(odd):#x}; separate "
                         "columns by comma, semicolon, tab or |")
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
