"""Open one source as it is: CSV as text, Parquet and DuckDB tables with their own types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ibis.backends.duckdb import Backend
from ibis.expr.types import Table

from analysis.params.model import Campaign, Source, suggest

CSV, PARQUET, DUCKDB = (".csv", ".csv.gz"), (".parquet",), (".duckdb", ".ddb")


class Unreadable(Exception):
    """Why a source cannot be opened, for the one who wrote its path."""


def open_source(connection: Backend, campaign: Campaign, source: Source) -> Table:
    """The rows of one source, columns under the file's own names. Raises Unreadable."""
    paths = find(campaign, source)
    kind = paths[0].name.lower()
    try:
        if kind.endswith(CSV):
            return connection.read_csv([str(p) for p in paths], all_varchar=True, header=True)
        if kind.endswith(PARQUET):
            return connection.read_parquet([str(p) for p in paths])
        return _database(connection, paths[0], source.table)
    except Unreadable:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise Unreadable(f"'{source.path}' cannot be read as {_format(kind)}: {reason}") from None


def find(campaign: Campaign, source: Source) -> list[Path]:
    """The files that a source names, sorted. Raises Unreadable when there is none."""
    folder = campaign.path.parent
    pattern = str(source.path)
    if any(c in pattern for c in "*?["):
        root = Path(pattern).anchor
        paths = sorted((Path(root) if root else folder).glob(pattern[len(root):]))
    else:
        paths = [folder / pattern]
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise Unreadable(f"no file '{source.path}' (relative to the folder of {campaign.path.name}){_near(folder, pattern)}")
    known = (*CSV, *PARQUET, *DUCKDB)
    if not all(path.name.lower().endswith(known) for path in paths):
        raise Unreadable(f"'{source.path}' is not one of {', '.join(known)}")
    if len({_format(path.name.lower()) for path in paths}) > 1:
        raise Unreadable(f"'{source.path}' mixes kinds of files; name them as two sources")
    return paths


def _near(folder: Path, pattern: str) -> str:
    parent = (folder / pattern).parent
    names = [path.name for path in parent.glob("*")] if parent.is_dir() else []
    return suggest(Path(pattern).name, names) if names else "; its folder does not exist or is empty"


def _format(name: str) -> str:
    return "CSV" if name.endswith(CSV) else "Parquet" if name.endswith(PARQUET) else "DuckDB"


def _database(connection: Backend, path: Path, table: str) -> Table:
    if not table:
        raise Unreadable(f"'{path.name}' is a database: say `table:` too")
    schema = f"db_{abs(hash(str(path))):x}"
    if schema not in connection.list_catalogs():
        connection.attach(path, schema, read_only=True)
    tables = connection.list_tables(database=(schema, "main"))
    if table not in tables:
        raise Unreadable(f"'{path.name}' has no table '{table}'{suggest(table, tables)}")
    return connection.table(table, database=(schema, "main"))


def hashed(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each file."""
    import hashlib

    for path in paths:
        with path.open("rb") as file:
            yield path.name, hashlib.file_digest(file, "sha256").hexdigest()
