"""Reports without a notebook: what stands in for the process and for papermill where a test is about all the rest."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from analysis.report import execute as runner
from analysis.report import run
from analysis.report.batch import check
from tests.report.sample_notebook import sample


def without_process(monkeypatch: pytest.MonkeyPatch, execute: Any) -> None:
    """Pages are made in this process, and `execute` stands in for the notebook's run."""
    monkeypatch.setattr(run, "apart", lambda work, tell, limits, stopping: work(tell=tell))
    monkeypatch.setattr(runner, "execute", execute)


def finished(params: Any, output: Any, overrides: dict, notebook: Any) -> nbformat.NotebookNode:
    """Read the data as the notebook would, and leave one that ran to its end."""
    check(params, overrides, notebook.stem)
    made = sample(overrides["languages"][0])
    nbformat.write(made, output)
    return made
