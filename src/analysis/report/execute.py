"""Run the notebook of a campaign in a kernel of its own, by papermill, and say how it goes."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# `import nbformat` costs a second for a grammar that nothing here uses
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import analysis  # noqa: E402

Tell = Callable[[int, int, str], None]   # code cell, code cells, the heading that it stands under


class NotebookFailed(Exception):
    """A cell failed or the kernel died: which cell, under which heading, and why."""


@dataclass
class Timing:
    """Seconds of wall clock, by part of a run."""

    started: float = field(default_factory=time.perf_counter)
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
    params: Path, output: Path, overrides: dict[str, Any], tell: Tell, timing: Timing, notebook: str = "review"
) -> None:
    """Execute a notebook for one campaign; the executed one goes to `output`. Raises NotebookFailed."""
    began = time.perf_counter()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    _register()
    timing.import_s += time.perf_counter() - began
    at = ["before the first cell"]

    def telling(cell: int, cells: int, heading: str) -> None:
        at[:] = [f"in cell {cell} of {cells}" + (f" ({heading})" if heading else "")]
        tell(cell, cells, heading)

    try:
        with TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True) as sockets:
            papermill.execute_notebook(
                notebook_path(notebook), output, engine_name="campaign", progress_bar=False, tell=telling,
                parameters={"params_file": str(params.resolve()), "overrides": overrides}, timing=timing,
                words_in=overrides["languages"][0], config=_transport(sockets))
    except PapermillExecutionError as error:
        raise NotebookFailed(f"{at[0]}: {error.ename}: {error.evalue}") from None
    except Exception as error:
        raise NotebookFailed(f"the kernel stopped {at[0]}: {error or type(error).__name__}") from error


def _transport(folder: str) -> Any:
    """Sockets in the file system where there are such: ports can collide when many kernels start at once.

    folder   of this kernel alone; by default all kernels started from one folder would look for the same names there
    """
    from traitlets.config import Config

    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/k"}} if os.name == "posix" else {})


def _register() -> None:
    from papermill.engines import NBClientEngine, papermill_engines

    class Watched(NBClientEngine):
        """papermill's own engine, telling each cell as it begins."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, tell: Tell, timing: Timing, words_in: str,
                                     **rest: Any) -> Any:
            start, headings = nb_man.cell_start, _headings(nb_man.nb.cells, words_in)
            began, marks = time.perf_counter(), []

            def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
                if cell.cell_type == "code":
                    tell(len(marks) + 1, len(headings), headings[len(marks)])
                    marks.append(time.perf_counter())
                start(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **rest)
            finally:
                marks = marks or [time.perf_counter()]
                timing.kernel_s += marks[0] - began
                timing.cells_s += time.perf_counter() - marks[0]
                timing.by_cell += [b - a for a, b in zip(marks, [*marks[1:], time.perf_counter()], strict=True)]

    papermill_engines.register("campaign", Watched)


def _headings(cells: list[Any], language: str) -> list[str]:
    """For each code cell the nearest heading above it in the reader's language."""
    found, current = [], ""
    for cell in cells:
        if cell.cell_type == "code":
            found.append(current)
        elif cell.source.startswith("#") and language in cell.metadata.get("tags", []):
            current = cell.source.splitlines()[0].lstrip("# ")
    return found
