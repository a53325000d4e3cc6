"""The notebooks: thin, in both languages; the review's answers for a tiny campaign stay what they were."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from analysis.params.model import Campaign
from analysis.report.render import render
from tests.campaigns import write_bare
from tests.experiments import looks, write
from tests.golden.make import golden

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden"
NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
REVIEW = NOTEBOOKS["review"]
SECTIONS = {  # the English headings, in the order of a reviewer's questions
    "review": [
        "Can the numbers be trusted?", "What changed since the last edition?", "How close to the goals?",
        "What did the campaign cause?",
        "Does the answer hang on the method?", "For whom did it work?", "Before, during and after", "What did it cost?",
        "Where did users drop?", "Did they stay?",
        "How active are they?",
        "What should I not believe?", "Definitions", "Where the numbers come from"],
    "plan": [
        "May the past be believed?", "Are the goals good ones?", "What will be seen, and after how many days?",
        "How many users to hold out?", "What should I not believe?", "Definitions", "Where the numbers come from"],
    "monitor": [
        "Is the data arriving?", "Is the split right?", "Do the guardrails hold?", "Is it decided?",
        "Did anything break suddenly?", "What would stopping now mean?", "Definitions", "Where the numbers come from"],
    "experiments": [
        "Can the numbers be trusted?", "What did the treatments do?", "What would looking early have claimed?",
        "How many claims are chance?",
        "What should I not believe?", "Definitions", "Where the numbers come from"],
    "compare": [
        "How did the editions go?", "How did the primary metric go?", "Did the effect last?", "Where did users drop?",
        "What is not compared?", "What should I not believe?", "Definitions", "Where the numbers come from"],
    "methods": [  # of no campaign, opened by hand
        "Two arms", "Taking noise off", "Several metrics, guardrails, levels", "Before any effect", "Looking early",
        "Does the answer hang on the method?", "For whom, and for how long", "What a prior makes of it",
        "Before a campaign", "While it runs"],
}
SETTING_UP = {"methods": 1}   # code cells before the first that shows something; 3 where there are params
BLOCKS = {"review": set(Campaign.model_fields) | {"phases", "segments", "quantiles"}, "experiments": {"looks"},
          "plan": {"goals", "holdout"}, "monitor": {"guardrails"},
          "compare": {"effects", "funnels"}}  # what `needs-` may ask for
every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def code(name: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]


def prose(name: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "markdown"]


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", ()))


# --- how it is written ---

@every_notebook
def test_no_output_and_no_count_is_committed(name):
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(name))


@pytest.mark.parametrize("cell", [
    pytest.param(cell, id=f"{name}-{cell.id}") for name in NOTEBOOKS for cell in code(name)])
def test_a_code_cell_is_thin(cell):
    tree = ast.parse(cell.source)
    is_setting_up = any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body)
    assert len(tree.body) <= 5 or is_setting_up
    assert len(cell.source.splitlines()) <= (9 if is_setting_up else 7)
    banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Lambda,
              ast.comprehension)
    assert not [node for node in ast.walk(tree) if isinstance(node, banned)]
    called = {getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & {"print", "display", "open", "exec", "eval"}
    if "parameters" not in tags(cell):
        texts = [str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert not [text for text in texts if "/" in text or "\\" in text]


@every_notebook
def test_a_code_cell_of_a_section_ends_in_what_it_shows(name):
    shown = [ast.parse(cell.source).body[-1] for cell in code(name)[SETTING_UP.get(name, 3):]]
    assert all(isinstance(last, ast.Expr) for last in shown)


@every_notebook
def test_ids_are_unique_and_prose_comes_in_pairs(name):
    ids = [cell.id for cell in NOTEBOOKS[name].cells]
    assert len(set(ids)) == len(ids)
    for first, second in zip(prose(name)[::2], prose(name)[1::2], strict=True):
        assert "en" in tags(first) and "zh" in tags(second)
        assert tags(first) - {"en"} == tags(second) - {"zh"}
        assert len(re.findall(r"^#", first.source, re.M)) == len(re.findall(r"^#", second.source, re.M))
        assert re.search(r"[\u4e00-\u9fff]", second.source) and not re.search(r"[\u4e00-\u9fff]", first.source)


@every_notebook
def test_prose_finds_nothing_by_itself(name):
    """Every number comes from code; 100 % is the axis of a figure, and methods have formulas."""
    for cell in prose(name):
        formulas = r"`[^`]*`" if name == "methods" else "100%"
        assert not re.findall(r"\d", re.sub(formulas, "", cell.source)), cell.id
        assert "significant" not in cell.source


@every_notebook
def test_sections_stand_in_the_order_of_a_reviewers_questions(name):
    headings = [line.removeprefix("## ") for cell in prose(name) if "en" in tags(cell)
                for line in cell.source.splitlines() if line.startswith("## ")]
    assert headings == SECTIONS[name]


@every_notebook
def test_what_a_section_needs_is_a_block_that_there_is(name):
    needs = {tag.removeprefix("needs-") for cell in NOTEBOOKS[name].cells for tag in tags(cell)
             if tag.startswith("needs-")}
    assert needs <= BLOCKS.get(name, set()) and bool(needs) == (name in BLOCKS)


# --- opened by hand ---

def test_a_block_that_is_absent_says_so_in_one_line_when_opened_by_hand(tmp_path):
    params = write_bare(tmp_path)
    notebook = nbformat.from_dict(json.loads(json.dumps(REVIEW)))
    next(cell for cell in notebook.cells if "parameters" in tags(cell)).source = (
        f"params_file = {str(params)!r}\noverrides = {{}}")
    NotebookClient(notebook, resources={"metadata": {"path": str(ROOT / "notebooks")}}).execute()
    said = {"goals": "no goals", "arms": "no arms", "phases": "no time before or after", "costs": "no costs",
            "funnels": "no funnels", "retention": "not ask for retention", "activity": "not ask for activity",
            "segments": "no segments of effects", "quantiles": "no quantiles of rows",
            "series": "No earlier edition"}
    for block, words in said.items():
        cells = [cell for cell in notebook.cells if cell.cell_type == "code" and f"needs-{block}" in tags(cell)]
        assert cells
        for cell in cells:
            assert [output.data["text/plain"].count("\n") for output in cell.outputs] == [0]
            assert words in cell.outputs[0].data["text/plain"]


def test_a_plan_without_goals_says_so_in_one_line_when_opened_by_hand(tmp_path):
    params = write_bare(tmp_path)
    notebook = nbformat.from_dict(json.loads(json.dumps(NOTEBOOKS["plan"])))
    later = {"period": {"start": "2025-03-04", "end": "2025-03-04"}}
    next(cell for cell in notebook.cells if "parameters" in tags(cell)).source = (
        f"params_file = {str(params)!r}\noverrides = {later!r}")
    NotebookClient(notebook, resources={"metadata": {"path": str(ROOT / "notebooks")}}).execute()
    cell, = [cell for cell in notebook.cells if cell.cell_type == "code" and "needs-goals" in tags(cell)]
    assert [output.data["text/plain"] for output in cell.outputs] == ["The params state no goals."]


def test_experiments_that_were_looked_at_once_say_so_in_one_line_when_opened_by_hand(tmp_path):
    params = write(tmp_path, looks("a", ("control", 1, 100, 2.0, 4.0), ("new", 1, 100, 3.0, 4.0)))
    notebook = nbformat.from_dict(json.loads(json.dumps(NOTEBOOKS["experiments"])))
    next(cell for cell in notebook.cells if "parameters" in tags(cell)).source = (
        f"params_file = {str(params)!r}\noverrides = {{}}")
    NotebookClient(notebook, resources={"metadata": {"path": str(ROOT / "notebooks")}}).execute()
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and "needs-looks" in tags(cell)]
    assert [output.data["text/plain"] for output in cell.outputs] == [
        "Every experiment was looked at once: there was nothing to peek at."]
    html = render(notebook).html
    assert "looking early" not in html.lower() and "again and again" not in html
    assert "How many claims are chance?" in html


def test_papermill_runs_it_from_the_root_of_the_working_copy(tmp_path):
    out = tmp_path / "out.ipynb"
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/review.ipynb", str(out), "-p", "params_file",
         "params/checkout.yml"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Checkout before and after 19 May" in render(out).html


# --- the golden notebook ---

def nbval(notebook: Path, seconds_per_cell: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout",
         str(seconds_per_cell), "--nbval-sanitize-with", str(GOLDEN / "sanitize.cfg"), "-p", "no:cacheprovider",
         "-o", "addopts=", str(notebook)], cwd=ROOT, capture_output=True, text=True, timeout=300)


def beside(folder: Path, text: str) -> Path:
    """A copy of the golden notebook that finds its data."""
    for name in ("tiny.yml", "data"):
        (folder / name).symlink_to(GOLDEN / name)
    (folder / "review.ipynb").write_text(text, encoding="utf-8")
    return folder / "review.ipynb"


def test_the_golden_notebook_is_the_review_notebook():
    kept = nbformat.read(GOLDEN / "review.ipynb", as_version=4)
    assert [cell.source for cell in kept.cells] == [cell.source for cell in golden().cells], (
        "python tests/golden/make.py, then read the difference")
    assert any(output.get("data", {}).get("application/vnd.campaign.results+json") for output in kept.cells[-1].outputs)


def test_the_golden_answers_are_still_given():
    done = nbval(GOLDEN / "review.ipynb")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("name", ["methods", "compare"])
def test_a_golden_notebook_is_the_one_that_is_shipped_and_still_gives_these_numbers(name):
    kept = nbformat.read(GOLDEN / f"{name}.ipynb", as_version=4)
    assert [cell.source for cell in kept.cells] == [cell.source for cell in golden(name).cells], (
        f"python tests/golden/make.py {name}, then read the difference")
    done = nbval(GOLDEN / f"{name}.ipynb")
    assert done.returncode == 0, done.stdout[-3000:]


def test_methods_give_the_number_that_another_route_gives():
    """A cell tagged `same` or `nearly` takes another route to the number of the cell before it."""
    def numbers(cell: nbformat.NotebookNode) -> np.ndarray:
        return np.atleast_1d(ast.literal_eval(cell.outputs[-1].data["text/plain"])).astype(float)

    cells = [cell for cell in nbformat.read(GOLDEN / "methods.ipynb", as_version=4).cells if cell.cell_type == "code"]
    routes = [(own, other) for own, other in pairwise(cells) if tags(other)]
    assert len(routes) > 50
    for own, other in routes:
        closeness = {"same": 2e-6, "nearly": 0.03}[tags(other).pop()]
        assert numbers(other) == pytest.approx(numbers(own), rel=closeness), other.id


def test_every_method_of_the_handbook_is_shown_by_example():
    handbook = (ROOT / "docs/methods.md").read_text("utf-8").split("### By method")[1].split("\n### ")[0]
    used = {node.id for cell in code("methods") for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Name)}
    assert set(re.findall(r"^\| .*? \| `(\w+)\(", handbook, re.M)) - used == set()


def test_a_changed_number_is_noticed(tmp_path):
    notebook = nbformat.read(GOLDEN / "review.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.source.startswith("reached = "))
    table = cell.outputs[0].data["application/vnd.campaign.table+json"]
    table["rows"][0][table["columns"].index("observed")] += 0.01
    done = nbval(beside(tmp_path, nbformat.writes(notebook)))
    assert done.returncode != 0 and "mismatch" in done.stdout and " 1 failed" in done.stdout


def test_a_kernel_that_dies_is_noticed(tmp_path):
    notebook = nbformat.read(GOLDEN / "review.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.source.startswith("sections.trust"))
    n = [one.id for one in notebook.cells if one.cell_type == "code"].index(cell.id)
    cell.source = "import os\nos.kill(os.getpid(), 9)"
    done = nbval(beside(tmp_path, nbformat.writes(notebook)), seconds_per_cell=20)  # nbval waits for the dead
    assert done.returncode != 0 and f"Cell {n}" in done.stdout


# --- the same inputs, the same bytes ---

def test_the_same_campaign_gives_the_same_bytes(tmp_path):
    def files(run: str) -> dict[str, bytes]:
        done = subprocess.run(
            [sys.executable, "-c", "from analysis.report.cli import main; main()", "run", str(GOLDEN / "tiny.yml"),
             "--out", str(tmp_path / run), "--set", "languages=[zh]"],
            cwd=ROOT, capture_output=True, text=True, timeout=300,
            env=os.environ | {"SOURCE_DATE_EPOCH": "1760000000"})
        assert done.returncode == 0, done.stderr
        folder = tmp_path / run / "tiny"
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
                if path.suffix in (".html", ".csv") or path.name == "results.json"}

    first, second = files("one"), files("two")
    assert {name for name in first if first[name] != second.get(name)} == set()
    assert {"report.html", "results.json", "tables/goals.csv"} <= set(first)
    assert "2025年10月9日 10:53" in first["report.html"].decode()
