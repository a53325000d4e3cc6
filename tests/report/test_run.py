"""Real kernels: what a run leaves, that it can be run again, and that no way of dying leaves half a report."""

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Event

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.report import execute as runner
from analysis.report import progress
from analysis.report.apart import Limits, apart
from analysis.report.cli import main
from analysis.report.execute import Timing, execute, notebook_path
from analysis.report.outcome import Failed
from analysis.report.published import streams_together
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
        patch.setattr(progress, "QUIET", 0.0)   # every cell has its line
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


DEATHS = {   # what the cell does -> exit code, what is said
    "error": ("raise ValueError('no such luck')", 3, "in cell 3 of 4 (Where it breaks): ValueError: no such luck"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 75, "in cell 3 of 4 (Where it breaks)"),
    "exit": ("import sys\nsys.exit(0)", 3, "(Where it breaks): "),
    "os exit": ("import os\nos._exit(0)", 75, "in cell 3 of 4 (Where it breaks)"),
    "no results": ("1", 3, "in cell 4 of 4 (Where it breaks): the last cell did not hand over the results"),
    "too long": ("import time\ntime.sleep(60)", 3, "(Where it breaks): the cell took more than 2 seconds"),
    "disk full": ("import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", 75,
                  "No space left on device"),
    "bad data": ("from analysis.params import CampaignError, Problem\n"
                 "raise CampaignError([Problem('x.yml', 3, 'period', 'is over')])", 2, "x.yml:3: period: is over"),
}
KERNEL = {"metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}}


@pytest.fixture
def breaking(tmp_path, monkeypatch):
    """A notebook of four code cells, the third of which is given."""

    def write(source):
        nbformat.write(new_notebook(cells=[
            new_code_cell('params_file = ""\noverrides = {}', metadata={"tags": ["parameters"]}),
            new_markdown_cell("## Where it breaks", metadata={"tags": ["en"]}), new_code_cell(source),
            new_code_cell("2")], **KERNEL), tmp_path / "n.ipynb")
        monkeypatch.setattr(runner, "notebook_path", lambda name: tmp_path / "n.ipynb")

    return write


@pytest.mark.parametrize(("death", "engine"), [
    *((death, "process") for death in DEATHS),
    *(pytest.param(death, "kernel", marks=pytest.mark.long) for death in ("error", "killed", "exit"))])
def test_however_the_notebook_dies_the_last_good_report_is_unchanged(ran, breaking, monkeypatch, death, engine):
    folder, _ = ran
    source, code, said = DEATHS[death]
    breaking(source)
    monkeypatch.chdir(folder)
    before = contents(folder / "reports" / "spring")
    words = ["--engine", engine, *(["--cell-timeout", "2"] if death == "too long" else [])]
    done = CliRunner().invoke(main, ["run", "params/spring.yml", "--lang", "en", *words])
    assert done.exit_code == code, done.output
    assert said in done.output and "Traceback" not in done.output
    assert contents(folder / "reports" / "spring") == before
    assert {path.name for path in (folder / "reports").iterdir()} == {
        "index.html", "index.json", "spring", "spring.failed"}
    record = json.loads((folder / "reports/spring.failed/run.json").read_text("utf-8"))
    assert record["code"] == code and record["message"] in said + record["message"]
    page = (folder / "reports/spring.failed/report.html").read_text("utf-8")
    assert "../spring/report.html" in page and str(folder) not in page
    assert ("Where it breaks" in page) == (code != 2)


@pytest.mark.parametrize(("engine", "shell"), [("process", "Shell"), ("kernel", "ZMQInteractiveShell")])
def test_the_engine_asked_for_is_the_one_that_runs(ran, breaking, monkeypatch, engine, shell):
    breaking("raise ValueError(f'in a {type(get_ipython()).__name__}.')")
    monkeypatch.chdir(ran[0])
    done = CliRunner().invoke(main, ["run", "params/spring.yml", "--lang", "en", "--engine", engine])
    assert f"ValueError: in a {shell}." in done.output


PROGRAM = """
from pathlib import Path
from analysis.report.batch import run_batch
from analysis.report.run import Job
print("begun")
print(run_batch([Job(Path("params/spring.yml"), Path("by_program"))])[0].message)
"""


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_a_program_that_makes_reports_is_run_once(ran, source):
    """It may lack `if __name__ == "__main__"`, as programs in a cell or a scheduler's step do."""
    folder, _ = ran
    (folder / "program.py").write_text(PROGRAM, "utf-8")
    done = subprocess.run([sys.executable, "program.py" if source == "file" else "-"], cwd=folder, text=True,
                          input="" if source == "file" else PROGRAM, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr, done.stdout.count("begun")) == (0, "", 1)
    assert "by_program/spring/report.html" in done.stdout or "unchanged" in done.stdout


def test_a_notebook_that_is_nowhere_is_said():
    with pytest.raises(FileNotFoundError,
                       match=r"nowhere\.ipynb is neither in the working copy nor in the installed package"):
        notebook_path("nowhere")


@pytest.mark.parametrize("engine", ["kernel"])
def test_cells_are_timed_and_told_as_they_begin(tmp_path, engine):
    nbformat.write(new_notebook(cells=[
        new_code_cell("params_file, overrides = '', {}", metadata={"tags": ["parameters"]}),
        new_markdown_cell("## Zwei\n\nText", metadata={"tags": ["zh"]}),
        new_markdown_cell("## Two", metadata={"tags": ["en"]}),
        new_code_cell("import time; time.sleep(0.5)"),
    ], **KERNEL), tmp_path / "n.ipynb")
    told, timing = [], Timing()
    execute(tmp_path / "x.yml", tmp_path / "out.ipynb", {"languages": ["en"]}, lambda *cell: told.append(cell), timing,
            tmp_path / "n.ipynb", engine)
    assert told == [(1, 3, ""), (2, 3, ""), (3, 3, "Two")]
    assert timing.by_cell[2] > 0.4 and len(timing.by_cell) == 3


def test_where_nobody_watches_the_kernel_keeps_the_time(tmp_path):
    nbformat.write(new_notebook(cells=[
        new_code_cell("params_file, overrides = '', {}", metadata={"tags": ["parameters"]}),
        new_code_cell("import time; time.sleep(60)")], **KERNEL), tmp_path / "n.ipynb")
    with pytest.raises(Failed) as failed:
        execute(tmp_path / "x.yml", tmp_path / "out.ipynb", {"languages": ["en"]}, lambda *cell: None, Timing(),
                tmp_path / "n.ipynb", "kernel", Limits(cell=100, run=2))
    assert (failed.value.kind, failed.value.cell, failed.value.cells) == ("time_out", 3, 3)


OUTPUTS = """\
import sys, warnings
print("one"); print("two", file=sys.stderr); print("three")
warnings.warn("mind this")
---
from IPython.display import HTML, display
display(HTML("<b>shown</b>")); print("after")
41 + 1
---
import matplotlib.pyplot as plt
fig, ax = plt.subplots(figsize=(1, 1))
ax.plot([1, 2]);
---
import pandas as pd
pd.DataFrame({"a": [1.5, 2.5]})
---
"done";
---
_ + 1 if isinstance(_, int) else type(_).__name__
"""


def test_both_engines_leave_the_same_outputs(tmp_path):
    """Streams in their order, displays, figures that nobody showed, results and their numbers."""
    nbformat.write(new_notebook(cells=[
        new_code_cell("params_file = ''\noverrides = {}", metadata={"tags": ["parameters"]}),
        *(new_code_cell(source) for source in OUTPUTS.split("---\n"))], **KERNEL), tmp_path / "n.ipynb")
    made = {}
    for engine in ("process", "kernel"):
        out = tmp_path / f"{engine}.ipynb"
        apart(partial(execute, tmp_path / "x.yml", out, {"languages": ["en"]}, timing=Timing(),
                      notebook=tmp_path / "n.ipynb", engine=engine), lambda *_: None, Limits(), Event())
        made[engine] = [(cell.get("execution_count"), [
            json.dumps(output) for output in streams_together(cell.outputs)])
            for cell in nbformat.read(out, as_version=4).cells if cell.cell_type == "code"]
    assert len(made["process"]) == 8 and made["process"] == made["kernel"]
    assert sum("image/png" in output for _, outputs in made["process"] for output in outputs) == 1


@pytest.mark.long
def test_both_engines_leave_the_same_report(ran, tmp_path, monkeypatch):
    folder, _ = ran
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764028800")
    for engine in ("process", "kernel", "process again"):
        done = CliRunner().invoke(main, ["run", "params/spring.yml", "--engine", engine.split()[0], "--lang", "en",
                                         "--out", str(tmp_path / engine / "reports")])
        assert done.exit_code == 0, done.output
    one, *others = ({name: text for name, text in contents(tmp_path / engine / "reports/spring").items()
                     if name != "run.json"} for engine in ("process", "kernel", "process again"))
    assert all(one == other for other in others)
