"""The files that a source names, and what they hold as one hash. Light: nothing is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from analysis.params.part import suggest
from analysis.params.report_file import ReportFile
from analysis.params.sources import Source

CSV, PARQUET, DUCKDB = (".csv", ".csv.gz"), (".parquet",), (".duckdb", ".ddb")


class Unreadable(Exception):
    """Why a source cannot be opened, for the one who wrote its path."""


class NoSuchFile(Unreadable):
    """There is nothing where the path leads."""


def find(params: ReportFile, source: Source) -> list[Path]:
    """The files that a source names, sorted; none for a server. Raises Unreadable when there is none."""
    folder, pattern = params.path.parent, source.path
    if source.address:
        return [] if source.address.is_server else [_only(folder / source.address.database, source)]
    try:
        paths = sorted(path for path in _named(folder, pattern) if path.is_file())
        if not paths:
            raise NoSuchFile(
                f"no file '{pattern}' (relative to the folder of {params.path.name}){_near(folder, pattern)}")
    except (OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"'{pattern}' is not a path: {error}") from None
    kinds = {kind_of(path) for path in paths}
    if "" in kinds:
        raise Unreadable(f"'{pattern}' is not one of {', '.join((*CSV, *PARQUET, *DUCKDB))}")
    if len(kinds) > 1 or (kinds == {"DuckDB"} and len(paths) > 1):
        raise Unreadable(f"'{pattern}' is {len(paths)} files that cannot be read as one; name each as a source")
    return paths


def _only(path: Path, source: Source) -> Path:
    """The file of a duckdb:// address."""
    written = source.address.database
    if path.is_file():
        return path
    raise Unreadable(f"no file '{written}'{_near(path.parent, path.name)}; an address like duckdb://shop.duckdb is "
                     "relative to the params file, one like duckdb:///data/shop.duckdb is not")


def _named(folder: Path, pattern: str) -> Iterable[Path]:
    if not any(c in pattern for c in "*?["):
        path = folder / pattern
        return path.rglob("*.parquet") if pattern and path.is_dir() and path != folder else [path]
    root = Path(pattern).anchor
    return (Path(root) if root else folder).glob(pattern[len(root):])


def kind_of(path: Path) -> str:
    name = path.name.lower()
    kinds = {"CSV": CSV, "Parquet": PARQUET, "DuckDB": DUCKDB}
    return next((kind for kind, endings in kinds.items() if name.endswith(endings)), "")


def _near(folder: Path, pattern: str) -> str:
    parent = (folder / pattern).parent
    names = [path.name for path in parent.glob("*")] if parent.is_dir() else []
    return suggest(Path(pattern).name, names) if names else "; its folder does not exist or is empty"


def origins(params: ReportFile, source: Source) -> dict[str, str]:
    """What the rows of a source come from -> its SHA-256; empty for what lives on a server and may change."""
    paths = find(params, source)
    if not paths:
        return {source.shown: ""}
    folder = params.path.parent / source.path
    if source.address or not folder.is_dir():
        return {path.name: digest(path) for path in paths}
    parts = [f"{path.relative_to(folder).as_posix()} {digest(path)}\n" for path in paths]
    return {f"{folder.name}/": hashlib.sha256("".join(parts).encode()).hexdigest()}


def digest(path: Path) -> str:
    """SHA-256 of a file, computed once while it does not change."""
    return _digest(path, *stamp(path))


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of the last change (ns): while both are the same, so is the file. A copy can bring an old time of
    its content along, but not of itself."""
    stat = path.stat()
    return stat.st_size, max(stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=100_000)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
