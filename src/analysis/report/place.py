"""The folder of a report: one run at a time works beside it, and takes its place when all of it is there."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from analysis.report.outcome import Failed

try:
    import fcntl
except ImportError:   # Windows: two runs of one campaign at a time are not kept apart there
    fcntl = None  # type: ignore[assignment]

OLD = "old"   # what was in the place, for the moment between two renames


@contextmanager
def claimed(out: Path, folder: str) -> Iterator[Path]:
    """An empty folder to work in, while no other run works on this report. Raises Failed when one does, OSError.

    What a killed run left there goes; the report that it had put aside comes back.
    """
    work = out / f".{folder}.work"
    with locked(out / f".{folder}.lock"):
        restore(work, out / folder)
        work.mkdir(parents=True)
        try:
            yield work
        finally:
            restore(work, out / folder)


def restore(work: Path, place: Path) -> None:
    """Leave no work behind, and a report in its place if there ever was one."""
    if (work / OLD).exists() and not place.exists():
        os.replace(work / OLD, place)
    shutil.rmtree(work, ignore_errors=True)


def swap(new: Path, place: Path, work: Path) -> None:
    """Put a whole folder in the place of another; at no moment is half of one there."""
    if place.exists():
        os.replace(place, work / OLD)
    try:
        os.replace(new, place)
    except OSError:
        if (work / OLD).exists():
            os.replace(work / OLD, place)
        raise


@contextmanager
def locked(path: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a file's lock, which the system lets go when the process ends, however it ends. Raises Failed, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait_s
    while (file := _held(path)) is None:
        if time.monotonic() > until:
            raise Failed("busy", "another run makes this report now")
        time.sleep(0.05)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()   # while it is held: who waits for it sees that it is gone, and makes a new one
        file.close()


def _held(path: Path) -> IO[str] | None:
    """The file with its lock; None while another has it, or had it and took the file away."""
    file = path.open("a", encoding="utf-8")
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(path).st_ino == os.fstat(file.fileno()).st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None
