"""Real kernels: what a run leaves, that it can be run again, and that no way of dying leaves half a report."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.report import execute as runner
from analysis.report.cli import main
from analysis.report.execute import Timing, execute, notebook_path
from analysis.report.template.layout import RESULTS
from tests.report.small_campaign import contents, write_campaign

HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The working folder after a run of a small campaign in Chinese, and what the command said."""
    folder = tmp_path_factory.mktemp("team")
    write_campaign(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(main, ["run", "params/spring.yml", "--set", "languages=[zh]"])
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_a_run_leaves_pages_numbers_tables_notebook_and_record(ran):
    folder, _ = ran
    left = set(contents(folder / "reports"))
    assert {"index.html", "index.json", "spring/report.html", "spring/results.json", "spring/run.json",
            "spring/notebook.ipynb", "spring/tables/goals.csv", "spring/tables/funnel_purchase.csv"} < left
    assert not [name for name in left if name.startswith(".") or "failed" in name or "old" in name]
    record = json.loads((folder / "reports/spring/run.json").read_text("utf-8"))
    assert record["status"] == "ok" and record["overrides"] == {"languages": "[zh]"}
    assert record["seconds"] > record["kernel_s"] > 0 and len(record["by_cell"]) > 10


def test_progress_names_every_cell_under_its_heading_in_the_readers_language(ran):
    folder, said = ran
    assert re.search(r"spring: cell 1 of (\d+)", said)
    assert re.search(r"^spring: [A-Z][a-z ]+ · reports/spring/report.html \(\d", said, re.M)   # the answer, for a mail
    assert "用户在哪里流失？" in said and "Where did users drop?" not in said
    assert "春季促销" in (folder / "reports/spring/report.html").read_text("utf-8")


def test_no_published_file_names_this_machine(ran):
    folder, _ = ran
    traces = [str(folder), str(Path.home()) + "/", str(HERE), str(Path(runner.__file__).parent)]
    for name, content in contents(folder / "reports").items():
        for trace in traces:
            assert trace.encode() not in content, (name, trace)
        assert not re.search(rb"/(tmp|home|Users)/\w|ipykernel_\d+", content), name


def test_the_published_notebook_runs_again_from_where_it_lies(ran):
    folder, _ = ran
    place = folder / "reports/spring"
    notebook = nbformat.read(place / "notebook.ipynb", as_version=4)
    said = 'params_file = "../../params/spring.yml"\noverrides = {\'languages\': \'[zh]\'}'
    assert said in [cell.source for cell in notebook.cells]
    NotebookClient(notebook, resources={"metadata": {"path": str(place)}}, timeout=120).execute()
    again = next(output.data[RESULTS] for output in notebook.cells[-1].outputs if RESULTS in output.get("data", {}))
    assert again == json.loads((place / "results.json").read_text("utf-8"))


def test_the_notebook_as_it_is_shipped_runs_without_a_parameter(tmp_path):
    """Its default campaign, by papermill's own command and no engine of ours."""
    shipped = nbformat.read(notebook_path("review"), as_version=4)
    (cell,) = [cell for cell in shipped.cells if "parameters" in cell.metadata.get("tags", [])]
    assert cell.source == 'params_file = "../params/checkout.yml"\noverrides = {}'
    assert not any(cell.get("outputs") for cell in shipped.cells)


DEATHS = {
    "error": ("raise ValueError('no such luck')", "in cell 3 of 4 (Where it breaks): ValueError: no such luck"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "in cell 3 of 4 (Where it breaks)"),
    "exit": ("import sys\nsys.exit(0)", ""),
    "no results": ("1", ""),
}


@pytest.mark.parametrize("death", DEATHS)
def test_however_the_notebook_dies_the_last_good_report_is_unchanged(ran, tmp_path, monkeypatch, death):
    folder, _ = ran
    source, said = DEATHS[death]
    nbformat.write(new_notebook(cells=[
        new_code_cell('params_file = ""\noverrides = {}', metadata={"tags": ["parameters"]}),
        new_markdown_cell("## Where it breaks", metadata={"tags": ["en"]}), new_code_cell(source), new_code_cell("2"),
    ], metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}),
    tmp_path / "n.ipynb")
    monkeypatch.setattr(runner, "notebook_path", lambda name: tmp_path / "n.ipynb")
    monkeypatch.chdir(folder)
    before = contents(folder / "reports" / "spring")
    done = CliRunner().invoke(main, ["run", "params/spring.yml"])
    assert done.exit_code == 3, done.output
    assert "spring: FAILED: " in done.output and said in done.output
    assert "the last good report is unchanged" in done.output and "Traceback" not in done.output
    assert contents(folder / "reports" / "spring") == before
    assert {path.name for path in (folder / "reports").iterdir()} <= {
        "index.html", "index.json", "spring", "spring.failed.ipynb"}


def test_a_notebook_that_is_nowhere_is_said():
    with pytest.raises(FileNotFoundError,
                       match=r"nowhere\.ipynb is neither in the working copy nor in the installed package"):
        notebook_path("nowhere")


def test_cells_are_timed_and_told_as_they_begin(tmp_path, monkeypatch):
    nbformat.write(new_notebook(cells=[
        new_code_cell("params_file, overrides = '', {}", metadata={"tags": ["parameters"]}),
        new_markdown_cell("## Zwei\n\nText", metadata={"tags": ["zh"]}),
        new_markdown_cell("## Two", metadata={"tags": ["en"]}),
        new_code_cell("import time; time.sleep(0.5)"),
    ], metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}),
    tmp_path / "n.ipynb")
    monkeypatch.setattr(runner, "notebook_path", lambda name: tmp_path / "n.ipynb")
    told, timing = [], Timing()
    execute(tmp_path / "x.yml", tmp_path / "out.ipynb", {"languages": ["en"]}, lambda *cell: told.append(cell), timing)
    assert told == [(1, 3, ""), (2, 3, ""), (3, 3, "Two")]
    assert len(timing.by_cell) == 3 and timing.by_cell[2] > 0.5 and timing.kernel_s > 0
