"""Compiled functions and where their machine code is kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numba

HERE = Path(__file__).parent


def _folder() -> Path:
    """A folder named after the sources: numba looks only at a function's own file, not at those it calls."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")))).hexdigest()[:16]
    beside = HERE / "__pycache__"
    is_ours = os.access(beside if beside.is_dir() else HERE, os.W_OK)
    return (beside if is_ours else Path(tempfile.gettempdir()) / f"campaign-analysis-{os.getuid()}") / digest


FOLDER = _folder()


def compiled(function: Callable) -> Callable:
    """The function as machine code that needs no interpreter lock, kept between runs."""
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(FOLDER)
    try:
        return numba.njit(nogil=True, cache=True)(function)
    finally:
        numba.config.CACHE_DIR = before
