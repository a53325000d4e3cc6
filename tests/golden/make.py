"""Writes review.ipynb anew: `python tests/golden/make.py`, then read the difference before it is committed."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
REVIEW = HERE.parents[1] / "notebooks" / "review.ipynb"


def golden() -> nbformat.NotebookNode:
    """The review of the tiny campaign, not yet run."""
    notebook = nbformat.read(REVIEW, as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    cell.source = 'params_file = "tiny.yml"\noverrides = {}'
    # nbval sanitises text only, and the results hold the versions of this machine; every table's numbers are compared
    notebook.cells[-1].metadata.tags = ["nbval-ignore-output"]
    return notebook


if __name__ == "__main__":
    made = golden()
    NotebookClient(made, resources={"metadata": {"path": str(HERE)}}, record_timing=False).execute()
    nbformat.write(made, HERE / "review.ipynb")
