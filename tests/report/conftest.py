"""The sample campaigns as the command makes them, once for all tests that look at the pages."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from analysis.report.place import locked

ROOT = Path(__file__).parents[2]
MAIN = "from analysis.report.cli import main; main()"
LANGUAGES = {name: ["--set", "languages=[zh, en]"] for name in (
    "double11-2025", "double11-2025.plan", "double11-2025.monitor", "grocer")}
EDITIONS = {"grocer-18": ["grocer-08"], "grocer": ["grocer-08", "grocer-18"]}   # that a report looks at
ANSWERS = {"monitor": (0, 10, 20)}   # exit codes that are no failures


def campaign(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command `campaign`, in a process of its own."""
    return subprocess.run([sys.executable, "-c", MAIN, *map(str, words)], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | environment, timeout=300)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """name of a sample's params file -> folder of its report; double11-2025 in Chinese and in English.

    A command other than `run` stands behind the name, as it does in the folder's.
    """
    own = tmp_path_factory.getbasetemp()   # each worker's lies in one folder, where what one has built is there for all
    out = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "reports"

    @cache
    def build(name: str) -> Path:
        for edition in EDITIONS.get(name, ()):
            build(edition)
        params, _, command = name.partition(".")
        with locked(out / f".{name}.building", wait_s=300):
            done = campaign(command or "run", f"params/{params}.yml", "--out", out, *LANGUAGES.get(name, ()))
        assert done.returncode in ANSWERS.get(command, (0,)), done.stderr
        return out / name

    return build
