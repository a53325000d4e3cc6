"""Writes the golden notebooks anew: `python tests/golden/make.py [review methods compare]`, then read the difference
before it is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
KEPT = {"review": "tiny.yml", "methods": "", "compare": "editions.yml"}   # notebook -> its params file


def golden(name: str = "review") -> nbformat.NotebookNode:
    """A notebook as it is kept, not yet run, with params and data of this folder."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    if KEPT[name]:
        cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
        cell.source = f'params_file = "{KEPT[name]}"\noverrides = {{}}'
        # nbval sanitises text only, and the results hold the versions of this machine; tables' numbers are compared
        notebook.cells[-1].metadata.tags = ["nbval-ignore-output"]
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:] or KEPT:
        made = golden(name)
        NotebookClient(made, resources={"metadata": {"path": str(HERE)}}, record_timing=False).execute()
        nbformat.write(made, HERE / f"{name}.ipynb")
