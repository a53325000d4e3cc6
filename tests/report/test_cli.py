"""The command: what it refuses, what it leaves alone, what it says and how it exits. No kernel runs here."""

import json
import os
import shutil

import nbformat
import pytest
from click.testing import CliRunner

from analysis.report.cli import main
from analysis.report.outcome import Failed
from tests.experiments import PARAMS, looks, write
from tests.report.sample_notebook import sample
from tests.report.small_campaign import contents, write_campaign
from tests.report.stand_in import finished, without_process


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with one campaign."""
    write_campaign(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def kernels(monkeypatch):
    """The runs that would have started a kernel: (params file, overrides); each leaves a finished notebook."""
    started = []

    def execute(params, output, overrides, tell, timing, notebook, *_):
        finished(params, output, overrides, notebook)
        started.append((params.name, overrides))

    without_process(monkeypatch, execute)
    return started


def campaign(*words):
    """Exit code and what was said; a traceback fails the test."""
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert "Traceback" not in done.output
    return done.exit_code, done.output


def spoil(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_run_leaves_the_report_and_nothing_else(here, kernels):
    code, said = campaign("run", "params/spring.yml")
    assert code == 0 and "reports: reports/index.html" in said
    assert [overrides["languages"] for _, overrides in kernels] == [["en"], ["zh"]]
    assert {"spring/report.html", "spring/report.zh.html", "spring/results.json", "spring/run.json",
            "spring/notebook.ipynb",
            "index.html", "index.json"} < set(contents(here / "reports"))
    assert sorted(path.name for path in (here / "reports").iterdir()) == ["index.html", "index.json", "spring"]
    assert os.stat(here / "reports" / "spring").st_mode & 0o055 == 0o055


def test_bad_params_start_no_kernel_and_leave_the_last_good_report(here, kernels):
    campaign("run", "params/spring.yml")
    before = contents(here / "reports/spring")
    kernels.clear()
    spoil(here / "params/spring.yml", "currency: CNY", "curency: CNY")
    spoil(here / "params/spring.yml", "window: 1 day", "window: 1 fortnight")
    code, said = campaign("run", "params/spring.yml")
    assert code == 2 and not kernels
    assert said.splitlines()[:3] == [
        "spring: refused", "params/spring.yml:5: curency: unknown key (did you mean 'currency'?)",
        "params/spring.yml:21: funnels.purchase.window: '1 fortnight' is not a duration "
        "like 7 days, 24 hours or 30 minutes"]
    assert contents(here / "reports/spring") == before


@pytest.mark.parametrize(("file", "old", "new", "said"), [
    ("params/spring.yml", "events.csv", "evnts.csv", "sources.events: no file '../data/evnts.csv'"),
    ("params/spring.yml", "orders.amount", "orders.amuont", "metrics.amount.sum: orders has no column 'amuont'"),
    ("data/events.csv", "2025-11-11 10:00:00", "soon", "are not a time like"),
    ("data/arms.csv", "holdout", "held", "arms.shares.holdout: 'holdout' is not a variant"),
    ("data/orders.csv", "user_id", "uid", "sources.orders: '../data/orders.csv' has no column 'user_id'"),
    ("data/events.csv", "2025-11", "2024-11", None),
])
def test_bad_data_start_no_kernel_and_leave_the_last_good_report(here, kernels, file, old, new, said):
    campaign("run", "params/spring.yml")
    before = contents(here / "reports/spring")
    kernels.clear()
    spoil(here / file, old, new)
    if said is None:  # every table at another time
        spoil(here / "data/orders.csv", old, new)
        said = "params/spring.yml:7: period: no event or order falls into it; the data run from 2024-11-04 to"
    code, found = campaign("run", "params/spring.yml")
    assert (code, len(kernels)) == (2, 0) and said in found
    assert found.startswith("spring: refused\nparams/spring.yml:")
    assert contents(here / "reports/spring") == before


def test_a_refused_campaign_does_not_keep_the_others_from_running(here, kernels):
    shutil.copy(here / "params/spring.yml", here / "params/autumn.yml")
    spoil(here / "params/autumn.yml", "owner:", "ownr:")
    code, said = campaign("run", "params")
    assert code == 2 and {name for name, _ in kernels} == {"spring.yml"}
    assert "params/autumn.yml:3: ownr: unknown key" in said and "spring: It works · reports/spring/report.html" in said


def test_a_refusal_is_told_on_a_page_too(here, kernels):
    spoil(here / "params/spring.yml", "owner:", "ownr:")
    assert campaign("run", "params")[0] == 2 and not kernels
    assert {path.name for path in (here / "reports").iterdir()} == {"spring.failed", "index.html", "index.json"}
    assert "ownr: unknown key" in (here / "reports/spring.failed/report.html").read_text("utf-8")


@pytest.mark.parametrize("failure", ["cell", "nothing written", "unfinished", "page"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_fails_leaves_the_last_good_report_and_keeps_the_notebook(here, kernels, monkeypatch, failure,
                                                                             language):
    campaign("run", "params/spring.yml")
    before = contents(here / "reports")

    def execute(params, output, overrides, tell, timing, notebook, *_):
        notebook = sample(overrides["languages"][0])
        if overrides["languages"] == [language]:
            notebook.cells[0].source = f"up to here in {language}"
            if failure == "nothing written":
                raise Failed("ended", "the kernel stopped")
            if failure == "unfinished":
                notebook.cells.pop()
            if failure == "page":
                figures = [cell for cell in notebook.cells if cell.source == "review.funnel.figure()"]
                figures[0].outputs[-1].metadata = {}  # a figure without words
        nbformat.write(notebook, output)
        if failure == "cell" and overrides["languages"] == [language]:
            raise Failed("cell", "ValueError: no", "ValueError", 3, 9, "Where users were lost")

    without_process(monkeypatch, execute)
    code, said = campaign("run", "params/spring.yml", "--force")
    told = here / "reports" / "spring.failed"
    assert code == (75 if failure == "nothing written" else 3)
    assert "spring: FAILED: " in said and "the last good report is unchanged" in said
    kept = told / "notebook.ipynb"
    assert kept.exists() == (failure != "nothing written")
    if kept.exists():
        assert f"up to here in {language}" in kept.read_text("utf-8")
    record = json.loads((told / "run.json").read_text("utf-8"))
    assert record["code"] == code and record["campaign"]["title"] == "Spring sale"
    page = (told / "report.html").read_text("utf-8")
    assert "../spring/report.html" in page and (failure != "cell" or "Where users were lost" in page)
    after = contents(here / "reports")
    assert {name: text for name, text in after.items() if "index" not in name and ".failed/" not in name} == {
        name: text for name, text in before.items() if "index" not in name}
    kernels_again(monkeypatch)
    assert campaign("run", "params/spring.yml", "--only", "failed")[0] == 0 and not told.exists()
    assert campaign("run", "params/spring.yml", "--only", "failed") == (
        0, "nothing failed in reports, and no report is missing\n")


def test_what_a_killed_run_did_not_begin_is_made_with_what_failed(here, kernels):
    (here / "params/autumn.yml").write_bytes((here / "params/spring.yml").read_bytes())
    assert campaign("run", "params/spring.yml")[0] == 0
    kernels.clear()
    code, said = campaign("run", "params", "--only", "failed")
    assert code == 0 and "autumn: " in said and {name for name, _ in kernels} == {"autumn.yml"}
    assert (here / "reports/autumn/report.html").is_file()


def test_a_mistake_of_the_command_line_is_not_held_against_the_campaign(here, kernels):
    campaign("run", "params/spring.yml")
    before = contents(here / "reports")
    code, said = campaign("run", "params/spring.yml", "--set", "foo=1")
    assert code == 2 and "--set foo: " in said and not (here / "reports/spring.failed").exists()
    assert contents(here / "reports") == before


@pytest.mark.parametrize("key", ["title", "owner"])
def test_a_secret_in_the_params_is_in_no_file(here, monkeypatch, key):
    def execute(*_):
        raise Failed("cell", "ValueError: no", "ValueError", 3, 9, "Where users were lost")

    without_process(monkeypatch, execute)
    secret, path = "ghp_" + "a1B2" * 9, here / "params/spring.yml"
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith(f"{key}:")]
    path.write_text("\n".join([f"{key}: sale {secret}", *lines]), "utf-8")
    assert campaign("run", "params/spring.yml")[0] == 3
    assert "Where users were lost" in (here / "reports/spring.failed/report.html").read_text("utf-8")
    assert not [name for name, text in contents(here / "reports").items() if secret.encode() in text]


def kernels_again(monkeypatch):
    without_process(monkeypatch, lambda params, output, overrides, tell, timing, notebook, *_: finished(
        params, output, overrides, notebook))


def test_when_the_new_report_cannot_take_its_place_the_old_one_is_put_back(here, kernels, monkeypatch):
    campaign("run", "params/spring.yml")
    before = contents(here / "reports")
    replace = os.replace

    def full(source, target):
        if os.path.basename(source) == "new":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    code, said = campaign("run", "params/spring.yml", "--force")
    assert code == 75 and "spring: FAILED: before the first cell: " in said and "No space left on device" in said
    after = contents(here / "reports")
    assert {name for name in after if name not in before} == {"spring.failed/report.html", "spring.failed/run.json"}
    assert all(after[name] == before[name] for name in before if "index" not in name)


def test_settings_reach_the_notebook_and_the_record(here, kernels):
    code, _ = campaign("run", "params/spring.yml", "--set", "languages=[zh]", "--set", "owner=a=b")
    assert code == 0
    assert kernels == [("spring.yml", {"languages": ["zh"], "owner": "a=b"})]
    assert '"owner": "a=b"' in (here / "reports/spring/run.json").read_text("utf-8")


def test_settings_are_checked_like_the_file(here, kernels):
    code, said = campaign("run", "params/spring.yml", "--set", "period.end=2025-11-1x", "--set", "goals.1.metric=x")
    assert code == 2 and not kernels and "--set goals.1.metric: leads into a value that has no keys" in said
    code, said = campaign("validate", "params/spring.yml", "--set", "period.ends=2025-11-12")
    assert code == 2 and "params/spring.yml: --set period.ends: unknown key (did you mean 'end'?)" in said


def test_folders_of_this_machine_stay_out_of_what_is_published(here, kernels):
    campaign("run", "params/spring.yml", "--set", f"sources.events.path={here}/data/events.csv")
    for name, content in contents(here / "reports").items():
        assert str(here).encode() not in content, name
    assert "…/events.csv" in (here / "reports/spring/run.json").read_text("utf-8")


@pytest.mark.parametrize(("words", "said"), [
    (["run"], "Missing argument 'PARAMS...'"), (["run", "params", "--otu", "x"], "No such option"),
    (["run", "params", "--set", "period.end"], "'period.end' is not KEY=VALUE"),
    (["validate", "params", "--set", "=1"], "'=1' is not KEY=VALUE"), (["rnu"], "No such command"),
    (["run", "params", "--out", "data/arms.csv"], "is a file"), (["new"], "Missing argument 'NAME'"),
    (["run", "params/nowhere.yml"], "params/nowhere.yml: no such file"), (["run", "data"], "data: has no .yml file"),
    (["run", "params", "--out", "data/arms.csv/reports"], "data/arms.csv/reports: cannot be written: Not a directory"),
    (["run", "params", "copy/spring.yml"], "copy/spring.yml: has the same name as"),
    (["new", "spring"], "params/spring.yml: exists already"), (["new", "a/b"], "letters, digits"),
    (["new", "x", "--dir", "data/arms.csv/params"], "cannot be written: Not a directory"),
    (["validate", "data/arms.csv"], "data/arms.csv"), (["validate", "params/nowhere.yml"], "no such file"),
])
def test_a_wrong_call_is_one_message_and_code_2(here, kernels, words, said):
    (here / "copy").mkdir()
    shutil.copy(here / "params/spring.yml", here / "copy/spring.yml")
    code, found = campaign(*words)
    assert (code, len(kernels)) == (2, 0) and said in found, found


def test_the_same_file_twice_runs_once(here, kernels):
    assert campaign("run", "params", "params/spring.yml", "--set", "languages=[en]")[0] == 0
    assert len(kernels) == 1


def test_validate_says_fine_or_all_that_is_wrong_and_makes_nothing(here, kernels):
    assert campaign("validate", "params") == (0, "params/spring.yml: fine\n")
    shutil.copy(here / "params/spring.yml", here / "params/autumn.yml")
    spoil(here / "params/autumn.yml", "+10%", "more")
    code, said = campaign("validate", "params")
    assert code == 2 and "autumn.yml:19: goals.1.target: 'more' is not a change" in said and "spring.yml: fine" in said
    assert not kernels and not (here / "reports").exists()


# --- files that compare experiments ---

GOOD = looks("a", ("control", 1, 100, 2.0, 4.0), ("new", 1, 100, 3.0, 4.0))


@pytest.fixture
def notebooks(monkeypatch):
    """The notebooks that would have been run: (params file, notebook)."""
    started = []

    def execute(params, output, overrides, tell, timing, notebook, *_):
        finished(params, output, overrides, notebook)
        started.append((params.name, notebook.stem))

    without_process(monkeypatch, execute)
    return started


def test_each_kind_of_file_has_its_own_notebook_and_the_folder_of_its_name(here, notebooks):
    write(here / "params", GOOD)
    assert campaign("validate", "params") == (0, "params/spring.yml: fine\nparams/tests.yml: fine\n")
    code, _ = campaign("run", "params", "--set", "languages=[en]")
    assert code == 0 and notebooks == [("spring.yml", "review"), ("tests.yml", "experiments")]
    assert {path.name for path in (here / "reports").iterdir()} == {"spring", "tests", "index.html", "index.json"}


def test_wrong_summaries_start_no_kernel_and_are_told_with_their_place(here, notebooks):
    write(here / "params", [*GOOD, *GOOD], PARAMS.replace("control: control", "control: old"))
    code, said = campaign("run", "params/tests.yml")
    assert (code, notebooks) == (2, [])
    assert said.splitlines()[:-1] == [
        "tests: refused", "params/tests.yml:5: control: 'old' is not among the shares; there is control, new"]
    write(here / "params", [*GOOD, *GOOD])
    code, said = campaign("validate", "params/tests.yml")
    assert code == 2 and said.startswith("params/tests.yml:4: experiments: 4 of 4 rows share experiment, arm, metric")


def test_a_notebook_about_campaigns_leaves_experiments_out(here, notebooks):
    write(here / "params", GOOD)
    code, said = campaign("plan", "params", "--lang", "en")
    assert code == 0 and notebooks == [("spring.yml", "plan")]
    assert (here / "reports/spring.plan").is_dir() and "tests.yml: left out: the notebook plan is not for" in said
    assert campaign("plan", "params/tests.yml")[0] == 2 and len(notebooks) == 1


def test_new_writes_a_file_that_only_lacks_data(here):
    code, said = campaign("new", "summer")
    assert code == 0 and "params/summer.yml: fill it in" in said
    code, said = campaign("validate", "params/summer.yml")
    assert code == 2 and said.count("\n") == 1 and "'../data/events.csv' has no column 'timestamp'" in said
    spoil(here / "params/summer.yml", "occurred_at: timestamp", "occurred_at: occurred_at")
    assert campaign("validate", "params/summer.yml") == (0, "params/summer.yml: fine\n")


def test_a_plan_needs_no_assignments_and_a_review_does(here, kernels):
    spoil(here / "params/spring.yml", "  assignments: {path: ../data/arms.csv}\n", "")
    code, said = campaign("plan", "params/spring.yml", "--set", "languages=[en]")
    assert code == 0 and len(kernels) == 1, said
    assert "spring: It works · reports/spring.plan/report.html" in said
    for command in ("run", "validate"):
        code, said = campaign(command, "params/spring.yml")
        assert code == 2 and "`campaign assign` draws one" in said and len(kernels) == 1


def test_a_plan_leaves_the_review_as_it_is_and_looks_at_the_past_alone(here, kernels):
    campaign("run", "params/spring.yml")
    before = contents(here / "reports" / "spring")
    assert campaign("plan", "params/spring.yml")[0] == 0
    assert contents(here / "reports" / "spring") == before
    spoil(here / "params/spring.yml", "start: 2025-11-11, end: 2025-11-17", "start: 2025-10-11, end: 2025-10-17")
    spoil(here / "params/spring.yml", "start: 2025-11-04, end: 2025-11-10", "start: 2025-10-04, end: 2025-10-10")
    code, said = campaign("plan", "params/spring.yml")
    assert code == 2 and "no event or order has a user and a time before 2025-10-11 00:00" in said


def test_help_and_version():
    assert "PARAMS are files, or folders of them" in campaign("run", "-h")[1]
    assert campaign("--version")[0] == 0
