"""Small tables of summaries and the params files that compare them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from analysis.data import summaries
from analysis.data.summaries import Summaries
from analysis.params import CampaignError, load

HEAD = ["experiment", "arm", "metric", "at", "n", "mean", "variance"]
BEFORE = [*HEAD, "pre_mean", "pre_variance", "covariance"]
PARAMS = """\
title: Tests
question: Which helped?
owner: team
experiments: {path: looks.csv}
control: control
shares: {control: 50%, new: 50%}
metrics:
  amount: {role: primary, unit: money}
"""


def write(folder: Path, rows: list[list[Any]], params: str = PARAMS, head: list[str] | None = None) -> Path:
    """The params file beside its data; None is a missing value."""
    with (folder / "looks.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head or HEAD, *rows])
    path = folder / "tests.yml"
    path.write_text(params, encoding="utf-8")
    return path


def given(folder: Path, rows: list[list[Any]], params: str = PARAMS, head: list[str] | None = None) -> Summaries:
    return summaries.read(load(write(folder, rows, params, head)))


def mistakes(folder: Path, rows: list[list[Any]], params: str = PARAMS, head: list[str] | None = None) -> list[str]:
    """Each mistake without the folder before it: `tests.yml:6: where: message`."""
    try:
        given(folder, rows, params, head)
    except CampaignError as error:
        return [str(problem).removeprefix(f"{folder}/") for problem in error.problems]
    return []


def looks(experiment: str, *arms: tuple[Any, ...], metric: str = "amount") -> list[list[Any]]:
    """Rows of one experiment: (arm, at, n, mean, variance, ...)."""
    return [[experiment, arm, metric, *rest] for arm, *rest in arms]
