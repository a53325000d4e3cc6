"""`campaign render`: the report of a notebook that something else has run, and what it refuses."""

import json
import os
import re
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from papermill.exceptions import PapermillExecutionError

from analysis.report import run
from analysis.report.execute import notebook_path
from analysis.report.place import locked
from tests.experiments import looks, write
from tests.report.sample_notebook import html, sample
from tests.report.small_campaign import contents, write_campaign
from tests.report.test_cli import campaign, spoil

RECORDS = Path(__file__).parents[2].joinpath("docs/results.md").read_text("utf-8").split("## run.json")[1].split("In `")
TOLD = [{*re.findall(r"\w+", " ".join(re.findall(r"^\| (`.*?) \|", text, re.M)))} for text in RECORDS]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with one campaign; pages are made in this process."""
    write_campaign(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "apart", lambda work, tell, limits, stopping: work(tell=tell))
    return tmp_path


def executed(name="out.ipynb", language="en", said="params/spring.yml", **changed):
    """A notebook as papermill leaves it."""
    notebook = sample(language, **changed)
    (cell,) = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.tags]
    cell.source = f"# Parameters\nparams_file = {said!r}\noverrides = {{'languages': [{language!r}]}}\n"
    notebook.metadata["papermill"] = {"input_path": "notebooks/review.ipynb", "exception": None}
    Path(name).parent.mkdir(exist_ok=True)
    nbformat.write(notebook, name)
    return notebook


def again(notebook, name="out.ipynb"):
    nbformat.write(notebook, name)


def test_a_finished_notebook_becomes_the_report_of_its_campaign(here):
    executed()
    code, said = campaign("render", "out.ipynb")
    assert code == 0 and "spring: It works · reports/spring/report.html" in said
    assert {path.name for path in (here / "reports").iterdir()} == {"spring", "index.html", "index.json"}
    left = contents(here / "reports/spring")
    assert {"report.html", "results.json", "run.json", "notebook.ipynb", "tables/goals.csv"} < {*left}
    assert str(here).encode() not in b"".join(left.values())
    assert b"../../params/spring.yml" in left["notebook.ipynb"] and b"/home/ann" not in left["notebook.ipynb"]
    record = json.loads(left["run.json"])
    assert (record["status"], record["inputs"], record["cells_s"]) == ("ok", {}, 0)   # so that a run will make it anew
    assert {*record} == TOLD[0]


def test_each_notebook_is_a_language_and_the_first_or_the_first_asked_for_is_the_main_one(here):
    executed("en.ipynb")
    executed("zh.ipynb", "zh")
    assert campaign("render", "en.ipynb", "zh.ipynb")[0] == 0
    place = here / "reports/spring"
    assert 'lang="en"' in (place / "report.html").read_text("utf-8")
    assert 'lang="zh' in (place / "report.zh.html").read_text("utf-8")
    assert campaign("render", "en.ipynb", "zh.ipynb", "--lang", "zh,en")[0] == 0
    assert {path.name for path in place.glob("*.html")} == {"report.html", "report.en.html"}
    assert json.loads((place / "results.json").read_text("utf-8"))["campaign"]["language"] == "zh"


def test_another_folder_gets_the_report_and_no_list_unless_it_has_one(here):
    executed()
    assert campaign("render", "out.ipynb", "--to", "site/of-spring")[0] == 0
    assert {path.name for path in (here / "site").iterdir()} == {"of-spring"}
    (here / "site/index.json").write_text("", "utf-8")
    assert campaign("render", "out.ipynb", "--to", "site/of-spring")[0] == 0
    assert "of-spring/report.html" in (here / "site/index.html").read_text("utf-8")


def test_a_notebook_run_by_hand_names_its_params_from_where_it_lies(here):
    notebook = executed("notebooks/mine.ipynb", said="../params/spring.yml")
    del notebook.metadata["papermill"]
    (cell,) = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.tags]
    cell.metadata.tags = ["parameters"]
    again(notebook, "notebooks/mine.ipynb")
    assert campaign("render", "notebooks/mine.ipynb")[0] == 0
    assert "../../params/spring.yml" in (here / "reports/spring/notebook.ipynb").read_text("utf-8")


def failing(notebook):
    cell = next(cell for cell in notebook.cells if cell.source == "review.checks()")
    cell.outputs = [new_output("error", ename="ValueError", evalue="no such luck", traceback=[])]


def stopped(notebook):
    at = next(i for i, cell in enumerate(notebook.cells) if cell.source == "review.funnel.figure()")
    for cell in notebook.cells[at + 1:]:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def never_run(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def telling(notebook):
    notebook.cells[-2].outputs = [html("<p>ask ann.lee@example.com</p>")]


UNFINISHED = {   # what is wrong -> what is said
    failing: "in cell 5 of 11 (Can the numbers be trusted?): ValueError: no such luck",
    stopped: "in cell 6 of 11 (Steps): the last cell did not hand over the results",
    never_run: "before the first cell: the last cell did not hand over the results",
    telling: "an e-mail address",
}


@pytest.mark.parametrize("fault", UNFINISHED)
def test_what_is_not_whole_or_tells_too_much_is_refused_and_the_last_good_report_stays(here, fault):
    notebook = executed()
    assert campaign("render", "out.ipynb")[0] == 0
    before = contents(here / "reports/spring")
    fault(notebook)
    again(notebook)
    code, said = campaign("render", "out.ipynb")
    assert code == 3 and said.count("FAILED") == 1 and UNFINISHED[fault] in said
    assert "the last good report is unchanged" in said
    assert contents(here / "reports/spring") == before
    told = here / "reports/spring.failed"
    record = json.loads((told / "run.json").read_text("utf-8"))
    assert record["code"] == 3 and {*record} == TOLD[1]
    assert "ann.lee" not in "".join(path.read_text("utf-8") for path in told.iterdir())
    executed()
    assert campaign("render", "out.ipynb")[0] == 0 and not told.exists()


def test_a_report_that_another_run_makes_is_left_to_it(here):
    executed()
    with locked(here / "reports/.spring.lock"):
        code, said = campaign("render", "out.ipynb")
    assert code == 75 and "another run makes this report now" in said and not (here / "reports/spring").exists()


def test_what_cannot_be_a_report_is_told_without_making_anything(here):
    executed()
    executed("zh.ipynb", "zh")
    executed("lost.ipynb", said="nowhere.yml")
    Path("text.ipynb").write_text("hello", "utf-8")
    again(new_notebook(cells=[new_code_cell("1")]), "other.ipynb")
    (here / "params/autumn.yml").write_bytes((here / "params/spring.yml").read_bytes())
    executed("autumn.ipynb", said="params/autumn.yml")
    for words, message in (
            (["gone.ipynb"], "gone.ipynb: no such file"),
            (["text.ipynb"], "text.ipynb: is no notebook that can be read"),
            (["other.ipynb"], "other.ipynb: is no notebook of a campaign: no cell with the tag `parameters`"),
            (["lost.ipynb"], "lost.ipynb: was run for 'nowhere.yml', which is neither here nor beside it"),
            (["out.ipynb", "autumn.ipynb"], "autumn.ipynb: was run for another report than out.ipynb"),
            (["out.ipynb", "out.ipynb"], "there are two notebooks in one language"),
            (["out.ipynb", "--lang", "zh"], "out.ipynb: was run in en, and --lang says zh; papermill -y '{overrides: "
                                            "{languages: [zh]}}' runs it in another")):
        code, said = campaign("render", *words)
        assert code == 2 and message in said, said
        assert said.count("\n") == 1
    spoil(here / "params/spring.yml", "owner:", "ownr:")
    assert campaign("render", "out.ipynb")[0] == 2 and not (here / "reports").exists()


# --- as Airflow's operator calls papermill ---

def operated(notebook, output, params):
    """PapermillOperator.execute, of the provider for Airflow 3."""
    return papermill.execute_notebook(str(notebook), str(output), parameters={"params_file": params},
                                      progress_bar=False, report_mode=True, log_output=False, kernel_name=None,
                                      language=None, engine_name=None)


def test_the_notebook_that_the_operator_leaves_becomes_the_report_of_a_run(tmp_path, monkeypatch):
    write(tmp_path, looks("a", ("control", 1, 100, 2.0, 4.0), ("new", 1, 100, 3.0, 4.0)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764028800")
    operated(notebook_path("experiments"), "out.ipynb", "tests.yml")
    assert campaign("render", "out.ipynb", "--to", "rendered/tests")[0] == 0
    assert campaign("run", "tests.yml", "--out", "made")[0] == 0
    rendered, made = ({name: content for name, content in contents(tmp_path / folder / "tests").items()
                       if name != "run.json"} for folder in ("rendered", "made"))
    assert rendered == made and "report.html" in made


def test_the_notebook_that_failed_under_the_operator_is_refused(here):
    nbformat.write(new_notebook(cells=[
        new_code_cell('params_file = ""\noverrides = {}', metadata={"tags": ["parameters"]}),
        new_markdown_cell("## Where it breaks", metadata={"tags": ["en"]}),
        new_code_cell("raise ValueError('no such luck')"), new_code_cell("2")],
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}), "n.ipynb")
    with pytest.raises(PapermillExecutionError):
        operated("n.ipynb", "out.ipynb", "params/spring.yml")
    code, said = campaign("render", "out.ipynb")
    assert (code, said.splitlines()[0]) == (
        3, "spring: FAILED: in cell 3 of 4 (Where it breaks): ValueError: no such luck")
    assert sorted(os.listdir("reports")) == ["index.html", "index.json", "spring.failed"]
    page = Path("reports/spring.failed/report.html").read_text("utf-8")
    assert "Where it breaks" in page and "ValueError: no such luck" in page and "ValueError: ValueError" not in page
