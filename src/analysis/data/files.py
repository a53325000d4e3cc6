"""Open one source as it is: CSV as text, Parquet and DuckDB tables with their own types."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from textwrap import shorten

import duckdb
from ibis.backends.duckdb import Backend
from ibis.expr.types import Table

from analysis.params.model import Campaign
from analysis.params.part import suggest
from analysis.params.sources import Source

CSV, PARQUET, DUCKDB = (".csv", ".csv.gz"), (".parquet",), (".duckdb", ".ddb")


NOT_UTF_8 = "is not UTF-8 (Excel saves CSV in the language of Windows, such as GBK): save it as 'CSV UTF-8'"


class Unreadable(Exception):
    """Why a source cannot be opened, for the one who wrote its path."""


def open_source(connection: Backend, campaign: Campaign, source: Source) -> Table:
    """The rows of one source, columns under the file's own names. Raises Unreadable."""
    paths = find(campaign, source)
    kind = _kind(paths[0])
    try:
        if kind == "CSV":
            return _csv(connection, paths)
        if kind == "Parquet":
            return connection.read_parquet([str(p) for p in paths])
        return _database(connection, paths[0], source.table)
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


def find(campaign: Campaign, source: Source) -> list[Path]:
    """The files that a source names, sorted. Raises Unreadable when there is none."""
    folder, pattern = campaign.path.parent, source.path
    try:
        paths = sorted(path for path in _named(folder, pattern) if path.is_file())
        if not paths:
            raise Unreadable(
                f"no file '{pattern}' (relative to the folder of {campaign.path.name}){_near(folder, pattern)}")
    except (OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"'{pattern}' is not a path: {error}") from None
    kinds = {_kind(path) for path in paths}
    if "" in kinds:
        raise Unreadable(f"'{pattern}' is not one of {', '.join((*CSV, *PARQUET, *DUCKDB))}")
    if len(kinds) > 1 or (kinds == {"DuckDB"} and len(paths) > 1):
        raise Unreadable(f"'{pattern}' is {len(paths)} files that cannot be read as one; name each as a source")
    return paths


def _named(folder: Path, pattern: str) -> Iterable[Path]:
    if not any(c in pattern for c in "*?["):
        return [folder / pattern]
    root = Path(pattern).anchor
    return (Path(root) if root else folder).glob(pattern[len(root):])


def _kind(path: Path) -> str:
    name = path.name.lower()
    kinds = {"CSV": CSV, "Parquet": PARQUET, "DuckDB": DUCKDB}
    return next((kind for kind, endings in kinds.items() if name.endswith(endings)), "")


def _near(folder: Path, pattern: str) -> str:
    parent = (folder / pattern).parent
    names = [path.name for path in parent.glob("*")] if parent.is_dir() else []
    return suggest(Path(pattern).name, names) if names else "; its folder does not exist or is empty"


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


def hashed(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each file."""
    for path in paths:
        with path.open("rb") as file:
            yield path.name, hashlib.file_digest(file, "sha256").hexdigest()
