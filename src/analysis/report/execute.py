"""Run the notebook of a campaign by papermill, here or in a kernel of its own, and say how it goes."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# `import nbformat` costs a second for a grammar that nothing here uses
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import analysis  # noqa: E402
from analysis.report.apart import Limits, Tell  # noqa: E402
from analysis.report.outcome import Failed  # noqa: E402

SAVED_EVERY = 1.0   # seconds, so much at most of a notebook is lost with a process that dies
KINDS = {"CampaignError": "refused", "Unreachable": "unreachable"}   # an exception of a cell -> how the run failed


@dataclass
class Timing:
    """Seconds of wall clock, by part of a run."""

    import_s: float = 0.0
    kernel_s: float = 0.0     # until the first cell begins
    cells_s: float = 0.0
    render_s: float = 0.0
    by_cell: list[float] = field(default_factory=list)


def notebook_path(name: str) -> Path:
    """The notebook in the working copy, or the one that was installed with the package."""
    package = Path(analysis.__file__).parent
    for folder in (package.parents[1] / "notebooks", package / "notebooks"):
        if (folder / f"{name}.ipynb").is_file():
            return folder / f"{name}.ipynb"
    raise FileNotFoundError(f"{name}.ipynb is neither in the working copy nor in the installed package")


def execute(
    params: Path, output: Path, overrides: dict[str, Any], tell: Tell, timing: Timing, notebook: Path,
    engine: str = "kernel", limits: Limits | None = None,
) -> None:
    """Execute a notebook for one campaign; the executed one, as far as it got, goes to `output`. Raises Failed.

    engine   "kernel", a Jupyter kernel; or "process", the one that calls, for its first notebook only
    limits   that the kernel itself keeps, where nobody watches this process
    """
    began = time.perf_counter()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    _register()
    timing.import_s += time.perf_counter() - began
    at: dict[str, Any] = {}

    def telling(*cell: Any) -> None:
        at.update(zip(("cell", "cells", "heading"), cell, strict=True))
        tell(*cell)

    try:
        with TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True) as sockets:
            papermill.execute_notebook(
                notebook, output, engine_name=f"campaign-{engine}", progress_bar=False, tell=telling,
                parameters={"params_file": str(params.resolve()), "overrides": overrides}, timing=timing,
                words_in=overrides["languages"][0], config=_transport(sockets),
                **({"timeout_func": _left(limits)} if limits else {}))
    except PapermillExecutionError as error:
        raise _failed(error.ename, error.evalue, at) from None
    except TimeoutError:   # of nbclient; an OSError to Python
        raise Failed("time_out", "the cell or the run took more time than it may", "TimeoutError", **at) from None
    except OSError:
        raise
    except Exception as error:
        raise Failed("ended", f"the kernel stopped: {error or type(error).__name__}", type(error).__name__,
                     **at) from error


def _left(limits: Limits) -> Callable[[Any], int]:
    """Seconds that the next cell may take, for nbclient: whole ones, at least one."""
    ends = time.monotonic() + limits.run
    return lambda _: max(math.ceil(min(limits.cell, ends - time.monotonic())), 1)


def _failed(name: str, value: str, at: dict[str, Any]) -> Failed:
    kind = KINDS.get(name, "disk_full" if "No space left on device" in value else "cell")
    return Failed(kind, value if kind in KINDS.values() else f"{name}: {value}", name, **at)


def _transport(folder: str) -> Any:
    """Sockets in the file system where there are such: ports can collide when many kernels start at once.

    folder   of this kernel alone; by default all kernels started from one folder would look for the same names there
    """
    from traitlets.config import Config

    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/k"}} if os.name == "posix" else {})


def _register() -> None:
    from papermill.engines import Engine, NBClientEngine, papermill_engines

    class InKernel(NBClientEngine):
        """papermill's own engine, telling each cell as it begins."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, tell: Tell, timing: Timing, words_in: str,
                                     **rest: Any) -> Any:
            with watched(nb_man, tell, timing, words_in):
                return super().execute_managed_notebook(nb_man, kernel_name, **rest)

    class InProcess(Engine):
        """The same without a kernel."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, tell: Tell, timing: Timing, words_in: str,
                                     **_: Any) -> None:
            from analysis.report.here import run_cells

            with watched(nb_man, tell, timing, words_in):
                run_cells(nb_man)

    papermill_engines.register("campaign-kernel", InKernel)
    papermill_engines.register("campaign-process", InProcess)


@contextmanager
def watched(nb_man: Any, tell: Tell, timing: Timing, words_in: str) -> Iterator[None]:
    """Tell each cell as papermill's execution manager begins it, and time it. Twice a cell it would save the notebook,
    which takes longer than many a cell."""
    start, save, headings = nb_man.cell_start, nb_man.save, _headings(nb_man.nb.cells, words_in)
    began = time.perf_counter()
    saved = began
    marks: list[float] = []

    def save_some(**more: Any) -> None:
        nonlocal saved
        if time.perf_counter() - saved > SAVED_EVERY:
            save(**more)
            saved = time.perf_counter()

    def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
        if cell.cell_type == "code":
            tell(len(marks) + 1, len(headings), headings[len(marks)])
            marks.append(time.perf_counter())
        start(cell, cell_index, **more)

    nb_man.cell_start, nb_man.save = cell_start, save_some
    try:
        yield
    finally:
        nb_man.save = save
        marks = marks or [time.perf_counter()]
        timing.kernel_s += marks[0] - began
        timing.cells_s += time.perf_counter() - marks[0]
        timing.by_cell += [b - a for a, b in zip(marks, [*marks[1:], time.perf_counter()], strict=True)]


def _headings(cells: list[Any], language: str) -> list[str]:
    """For each code cell the nearest heading above it in the reader's language."""
    found, current = [], ""
    for cell in cells:
        if cell.cell_type == "code":
            found.append(current)
        elif cell.source.startswith("#") and language in cell.metadata.get("tags", []):
            current = cell.source.splitlines()[0].lstrip("# ")
    return found
