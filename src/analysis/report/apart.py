"""Work in a process of its own: told of cell by cell, ended when it takes too long, mourned when it dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from analysis.report.outcome import Failed, failure_of

Tell = Callable[[int, int, str], None]   # code cell, code cells, the heading that it stands under
PAUSE = 0.2   # seconds between two looks at the clock
SOLO = {      # of the process that all others are forked from: threads do not outlive a fork
    "JE_ARROW_MALLOC_CONF": "background_thread:false", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a cell, and all of them together, may take."""

    cell: float = 1800.0
    run: float = 3600.0


STARTING = threading.Lock()
OWN: list[int] = []   # the process whose children are forked from a warm one


def may_fork() -> bool:
    """Whether this process may have others. Workers of a cluster may not, nor copies of a process that has some: they
    make reports themselves, in kernels."""
    return not multiprocessing.current_process().daemon and OWN in ([], [os.getpid()])


def has_others() -> bool:
    """Whether this process has had others: one more costs next to nothing then, and has its imports."""
    return [os.getpid()] == OWN


def _warm() -> Any:
    """How new processes are made: forked from one that has imported what reports need, where there are such."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    OWN[:] = [os.getpid()]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["analysis.report.warm"])
    before = {name: os.environ.get(name) for name in SOLO}
    os.environ.update(SOLO)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return context


def apart(work: Callable[..., Any], tell: Tell, limits: Limits, stopping: threading.Event) -> Any:
    """What `work(tell=...)` returns; it and what it returns must be picklable. Raises Failed.

    stopping   set when the batch is to end: the work is killed
    """
    if not may_fork():
        return work(tell=tell)
    context = _warm()
    here, there = context.Pipe()
    child = context.Process(target=_inside, args=(work, dict(os.environ), os.getcwd(), there), daemon=True)
    with _without_main():
        child.start()
    there.close()
    try:
        return _watched(child, here, tell, limits, stopping)
    finally:
        child.kill()
        child.join()
        here.close()


@contextmanager
def _without_main() -> Iterator[None]:
    """A new process would run the caller's program once more, but for what stands under `if __name__ == "__main__"`. It
    needs nothing of it."""
    with STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _watched(child: Any, here: Connection, tell: Tell, limits: Limits, stopping: threading.Event) -> Any:
    began = since = time.monotonic()
    at: dict[str, Any] = {}
    while True:
        try:
            kind, what = here.recv() if here.poll(PAUSE) else ("", None)
        except EOFError:
            child.join()
            raise Failed("ended", _death(child.exitcode), **at) from None
        now = time.monotonic()
        if kind == "made":
            return what
        if kind == "failed":
            raise Failed(**what)
        if kind == "cell":
            since, at = now, dict(zip(("cell", "cells", "heading"), what, strict=True))
            tell(*what)
        if stopping.is_set():
            raise Failed("stopped", "the run was told to stop", **at)
        for limit, first, words in ((limits.cell, since, "the cell"), (limits.run, began, "the run")):
            if now - first > limit:
                raise Failed("time_out", f"{words} took more than {limit:g} seconds", "TimeoutError", **at)


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        hint = "; often the machine had no memory left" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{hint}"
    return f"the process ended by itself with code {code}"


def _inside(work: Callable[..., Any], environ: dict[str, str], folder: str, there: Connection) -> None:
    """In the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # Ctrl-C is for the parent, which then ends this
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    threading.Thread(target=_end_with_parent, args=(there,), daemon=True).start()
    try:
        there.send(("made", work(tell=lambda *cell: there.send(("cell", cell)))))
    except Exception as error:
        there.send(("failed", asdict(failure_of(error))))


def _end_with_parent(there: Connection) -> None:
    with suppress(EOFError, OSError):
        there.recv()   # the parent never sends: this returns when it is gone
    os._exit(1)
