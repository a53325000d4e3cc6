"""Text of large files taken for types once: kept as Parquet in the user's cache, under what it was made from.

The name of an entry is the hash of the files' content and of the query that types it, so a changed file, column or
version gives a new entry. The folder is the user's, not the data's: data may lie where nobody may write, and what is
copied here stays out of folders that are synchronised or shared.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import ibis.expr.operations as ops
from ibis.expr.types import Table
from platformdirs import user_cache_path

from analysis.data.files import refuse_damaged
from analysis.params.paths import digest

WORTH = 16_000_000   # bytes: below, reading the text again takes less than half a second
UNUSED = 30 * 24 * 3600   # seconds after which an entry is removed


def kept(table: Table, paths: Sequence[Path], check: Callable[[Table], None]) -> Table:
    """The same rows, made once: in the engine, or where the files are large in the cache, for other runs too.

    paths   the files that the rows come from
    check   raises what is wrong with the rows; those of an entry were checked when it was made
    """
    if sum(path.stat().st_size for path in paths) >= WORTH and _is_ready(folder()):
        return _entry(table, folder() / f"{_key(table, paths)}.parquet", paths, check)
    refuse_damaged(paths)
    made = table.cache()
    check(made)
    return made


def folder() -> Path:
    """Where entries lie: CAMPAIGN_CACHE, or campaign-analysis in the user's folder for such; delete it at will."""
    said = os.environ.get("CAMPAIGN_CACHE")
    return Path(said) if said else user_cache_path("campaign-analysis", appauthor=False)


def _is_ready(where: Path) -> bool:
    with suppress(OSError):
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.access(where, os.W_OK)
    return False


def _key(table: Table, paths: Sequence[Path]) -> str:
    """What decides the rows: the content, and the query without the names that it gives to files."""
    engine = table.get_backend()
    query = engine.compile(table)
    for i, view in enumerate(table.op().find(ops.DatabaseTable)):
        query = query.replace(view.name, f"file_{i}")
    parts = [duckdb.__version__, query, *(digest(path) for path in paths)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _entry(table: Table, path: Path, paths: Sequence[Path], check: Callable[[Table], None]) -> Table:
    engine = table.get_backend()
    with suppress(duckdb.Error):  # what cannot be read is made again
        found = engine.read_parquet(path)
        os.utime(path)
        return found
    _remove_unused(path.parent)
    refuse_damaged(paths)
    with _whole_or_nothing(path) as part:
        table.to_parquet(part, compression="zstd")
        check(engine.read_parquet(part))
    return engine.read_parquet(path)


@contextmanager
def _whole_or_nothing(path: Path) -> Iterator[Path]:
    """A file of another name, that takes its place when all went well."""
    part = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _remove_unused(where: Path) -> None:
    for path in where.iterdir():
        with suppress(OSError):
            if path.suffix in (".parquet", ".part") and time.time() - path.stat().st_mtime > UNUSED:
                path.unlink()
