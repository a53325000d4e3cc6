"""What a report is made from, as hashes: where none has changed there is nothing to make."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import analysis
from analysis.params import Campaign, Experiments, Params
from analysis.params.paths import Unreadable, digest, find, stamp


def inputs(params: Params, overrides: dict[str, Any], notebook: Path, known: dict[str, Any] | None) -> dict[str, Any]:
    """params, overrides, notebook, code and environment -> SHA-256; `files` of data -> size, time of change, SHA-256.

    known   of an earlier run: the hash of a file is taken from there while its size and time of change are the same
    Empty where it cannot be said: rows on a server may change, files may be gone.
    """
    files = _files(params)
    if files is None:
        return {}
    before = (known or {}).get("files", {})
    return {
        "params": _sha(*(path.read_bytes() for path in params.files)),
        "overrides": _sha(json.dumps(overrides, sort_keys=True, default=str).encode()),
        "notebook": _sha(notebook.read_bytes()), "code": _code(), "environment": _environment(),
        "files": {key: _file(path, before.get(key)) for key, path in sorted(files.items())}}


def is_same(one: dict[str, Any], other: dict[str, Any] | None) -> bool:
    """Whether two reports would be made from the same; times of change do not count."""
    return bool(one) and bool(other) and _contents(one) == _contents(other)


def _contents(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"files": {key: file["sha256"] for key, file in found["files"].items()}}


def _files(params: Params) -> dict[str, Path] | None:
    """Hash of a path -> the path: a published file says nothing of folders."""
    sources = [params.experiments] if isinstance(params, Experiments) else (
        params.sources.all() if isinstance(params, Campaign) else [])
    try:
        found = [path for source in sources for path in find(params, source)]
    except Unreadable:
        return None
    if any(source.address and source.address.is_server for source in sources):
        return None
    return {_sha(str(path.absolute()).encode())[:16]: path for path in found}


def _file(path: Path, known: dict[str, Any] | None) -> dict[str, Any]:
    size, changed = stamp(path)
    if known and (known["size"], known["changed_ns"]) == (size, changed):
        return known
    return {"size": size, "changed_ns": changed, "sha256": digest(path)}


@cache
def _code() -> str:
    """Every source of the package, pages and catalogues too."""
    root = Path(analysis.__file__).parent
    paths = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return _sha(*(part for path in paths for part in (path.relative_to(root).as_posix().encode(), path.read_bytes())))


@cache
def _environment() -> str:
    """Python and the libraries that the package asks for."""
    names = sorted({Requirement(line).name for line in requires("campaign-analysis") or () if "extra ==" not in line})
    said = [platform.python_version(), platform.machine(), *(_version(name) for name in names)]
    return _sha(json.dumps(said).encode())


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def _sha(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()
