"""Many campaigns at once: what is skipped, what is tried again, what is left when the batch itself is ended."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from analysis.report import batch, run
from analysis.report import execute as runner
from analysis.report.batch import attempt_all, in_turn, run_batch
from analysis.report.cli import main
from analysis.report.outcome import Failed, worst
from analysis.report.place import claimed, locked
from analysis.report.run import Job
from tests.report.conftest import MAIN
from tests.report.small_campaign import contents, write_campaign
from tests.report.stand_in import finished, without_process

N = 4
LEFT_OUT = ["retention: {every: day, n_periods: 5}\n", "activity: {every: day, recency: [1, 7]}\n"]


def team(folder, n=N):
    """A folder with campaigns c1 to cn, each with orders of its own."""
    for i in range(1, n + 1):
        path = write_campaign(folder, f"c{i}")
        text = path.read_text("utf-8").replace("[en, zh]", "[en]").replace("../data/orders", f"../data/orders{i}")
        for part in LEFT_OUT:
            text = text.replace(part, "")
        path.write_text(text + "effects: {relabel: 0}\n", "utf-8")
        shutil.copy(folder / "data/orders.csv", folder / f"data/orders{i}.csv")
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(team(tmp_path))
    return tmp_path


@pytest.fixture
def made(monkeypatch):
    """Names of the reports that were made, in order; no notebook runs."""
    names = []

    def execute(params, output, overrides, tell, timing, notebook, *_):
        names.append(params.stem)
        tell(1, 1, "all")
        finished(params, output, overrides, notebook)

    without_process(monkeypatch, execute)
    return names


def campaign(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.output


def pages(folder):
    """Path -> bytes of what is published, without records of how long it took."""
    return {name: text for name, text in contents(folder).items() if not name.endswith("run.json")}


def append(path, text):
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def put_back(path, old, new):
    """Other rows of the same size, with the time of change that the file had: as a copy out of an archive comes."""
    before = path.stat()
    assert len(old) == len(new) and old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


# --- what is made, and what is not ---

def test_what_has_not_changed_is_not_made_again(here, made):
    assert campaign("run", "params")[0] == 0 and made == ["c1", "c2", "c3", "c4"]
    made.clear()
    code, said = campaign("run", "params")
    assert (code, made) == (0, []) and said.count(": unchanged") == N and f"\n{N} unchanged\nreports: " in said
    os.utime(here / "data/orders1.csv")   # another time, the same rows
    assert campaign("run", "params")[0] == 0 and made == []


@pytest.mark.parametrize(("change", "again"), [
    (lambda here: append(here / "data/orders2.csv", "u1,2025-11-12 10:00:00,9\n"), ["c2"]),
    (lambda here: append(here / "data/arms.csv", "u99,holdout\n"), ["c1", "c2", "c3", "c4"]),
    (lambda here: append(here / "params/c3.yml", "# another word\n"), ["c3"]),
    (lambda here: (here / "reports/c4/report.html").unlink(), ["c4"]),
    (lambda here: (here / "reports/c1/run.json").write_text("{"), ["c1"]),
    (lambda here: (here / "reports/c2.failed").mkdir(), ["c2"]),
    (lambda here: put_back(here / "data/orders3.csv", b"2025-11-11", b"2025-11-10"), ["c3"]),
    (lambda here: None, [])])
def test_only_what_has_changed_is_made_again(here, made, change, again):
    campaign("run", "params")
    made.clear()
    change(here)
    assert campaign("run", "params")[0] == 0 and sorted(made) == again


def test_other_settings_languages_or_force_make_anew(here, made, monkeypatch):
    campaign("run", "params/c1.yml")
    for words, n in [(["--set", "owner=else"], 2), (["--set", "owner=else"], 2), (["--lang", "zh,en"], 4),
                     (["--force"], 5), (["--force"], 6), ([], 6)]:
        campaign("run", "params/c1.yml", *words)
        assert len(made) == n, words
    monkeypatch.setattr("analysis.report.inputs._code", lambda: "another version")
    campaign("run", "params/c1.yml")
    assert len(made) == 7
    assert {"report.html", "results.json"} < {path.name for path in (here / "reports/c1").iterdir()}


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_shards_make_each_campaign_once(here, made, n):
    for i in range(1, n + 1):
        assert campaign("run", "params", "--shard", f"{i}/{n}")[0] == 0
    assert sorted(made) == ["c1", "c2", "c3", "c4"]


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_shard_that_is_none(here, made, shard):
    code, said = campaign("run", "params", "--shard", shard)
    assert (code, made) == (2, []) and "is not I/N with I from 1 to N" in said


def test_editions_of_a_series_are_made_oldest_first_by_one_worker(here):
    for i, month in ((1, 10), (2, 9), (4, 8)):
        path = here / f"params/c{i}.yml"
        path.write_text(path.read_text("utf-8").replace("2025-11", f"2025-{month:02d}")
                        + f"series: {{name: monthly, edition: {i}}}\n", "utf-8")
    jobs = [Job(here / f"params/c{i}.yml", here / "reports") for i in (1, 2, 3, 4)]
    assert [[job.params.stem for job in part] for part in in_turn(jobs)] == [["c4", "c2", "c1"], ["c3"]]


# --- what fails ---

@pytest.mark.parametrize(("kind", "tries", "code"), [
    ("ended", 2, 75), ("unreachable", 2, 75), ("disk_full", 1, 75), ("cell", 1, 3), ("time_out", 1, 3),
    ("unfinished", 1, 3), ("refused", 1, 2)])
def test_what_may_be_gone_is_tried_once_more_and_what_lasts_is_not(here, monkeypatch, kind, tries, code):
    tried = []

    def execute(params, *_):
        tried.append(params.stem)
        raise Failed(kind, "no")

    without_process(monkeypatch, execute)
    assert campaign("run", "params/c1.yml")[0] == code and len(tried) == tries


def test_a_second_try_may_go_well(here, made, monkeypatch):
    execute, tries = runner.execute, iter([True, False])

    def sometimes(*words):
        if next(tries):
            raise Failed("ended", "the process was ended by SIGKILL", cell=1, cells=2)
        execute(*words)

    without_process(monkeypatch, sometimes)
    assert campaign("run", "params/c1.yml")[0] == 0 and not (here / "reports/c1.failed").exists()


def test_one_that_fails_or_breaks_us_does_not_keep_the_others_from_running(here, made, monkeypatch):
    execute = runner.execute

    def sometimes(params, *words):
        if params.stem == "c2":
            raise RuntimeError("a mistake of ours")
        execute(params, *words)

    without_process(monkeypatch, sometimes)
    code, said = campaign("run", "params", "--jobs", "3")
    assert code == 3 and "c2: FAILED: before the first cell: RuntimeError: a mistake of ours" in said
    assert sorted(made) == ["c1", "c3", "c4"] and "Traceback" not in said


@pytest.mark.parametrize(("codes", "code"), [([], 0), ([0, 0], 0), ([0, 75], 75), ([75, 2], 2), ([2, 3, 75], 3)])
def test_what_lasts_counts_before_what_may_be_gone(codes, code):
    assert worst(codes) == code


# --- one at a time, and nothing half-written ---

def test_a_report_that_another_run_makes_is_left_to_it(here, made):
    with locked(here / "reports/.c1.lock"):
        code, said = campaign("run", "params")
    assert code == 75 and "c1: FAILED: another run makes this report now" in said
    assert sorted(made) == ["c2", "c3", "c4"] and not (here / "reports/c1.failed").exists()
    assert campaign("run", "params")[0] == 0 and made[-1] == "c1"
    assert not [path for path in (here / "reports").iterdir() if path.name.startswith(".")]


def test_a_list_that_another_run_holds_is_told_and_temporary(here, made, monkeypatch):
    monkeypatch.setattr(batch, "LIST_WAIT", 0.1)
    with locked(here / "reports/.index.lock"):
        code, said = campaign("run", "params/c1.yml")
    assert code == 75 and "Traceback" not in said and made == ["c1"]
    assert campaign("run", "params/c1.yml")[0] == 0 and (here / "reports/index.html").exists()


def test_a_list_that_is_older_than_a_report_is_made_anew(here, made):
    campaign("run", "params")
    index = here / "reports/index.html"
    whole = index.read_text("utf-8")
    index.write_text("of a run before the last", "utf-8")   # which was killed before it wrote the list
    os.utime(index, (0, 0))
    made.clear()
    assert campaign("run", "params")[0] == 0 and made == [] and index.read_text("utf-8") == whole


def test_what_a_killed_run_left_goes_and_the_report_it_had_put_aside_comes_back(here):
    out = here / "reports"
    (out / ".c1.work/old").mkdir(parents=True)
    (out / ".c1.work/old/report.html").write_text("the last good one")
    (out / ".c1.work/new").mkdir()
    with claimed(out, "c1") as work:
        assert list(work.iterdir()) == []
        assert (out / "c1/report.html").read_text() == "the last good one"
    assert [path.name for path in out.iterdir()] == ["c1"]


SHORTEST = """\
params_file = ""; overrides = {}
---
import time
from pathlib import Path
Path(f"begun-{Path(params_file).stem}").touch()
time.sleep(SECONDS)
---
from analysis.data.read import read
from analysis.facts import observe
from analysis.params import load
from analysis.report.results import publish
from analysis.results import trust, uplift, verdict
from analysis.showing import Reader
facts = observe(campaign := load(params_file, overrides), read(campaign))
checks, effects = trust.checks(facts), uplift.uplifts(facts)
publish(facts, Reader.of(campaign), verdict.verdict(facts, checks, effects), checks)
"""


@pytest.fixture
def slow(here):
    """Starts the command on two campaigns, by a copy of the program whose notebook takes its time."""
    home = here / "program"
    shutil.copytree(Path(runner.__file__).parents[1], home / "src/analysis", ignore=shutil.ignore_patterns("*.pyc"))
    (home / "notebooks").mkdir()
    for i in range(3, N + 1):
        (here / f"params/c{i}.yml").unlink()

    def start(*words, seconds=60.0):
        first, *rest = SHORTEST.replace("SECONDS", str(seconds)).split("---\n")
        notebook = new_notebook(cells=[new_code_cell(first, metadata={"tags": ["parameters"]}),
                                       *map(new_code_cell, rest)], metadata={"kernelspec": {
            "name": "python3", "language": "python", "display_name": "Python 3"}})
        nbformat.write(notebook, home / "notebooks/review.ipynb")
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, "run", "params", *words], cwd=here, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(home / "src"), "PYTHONDONTWRITEBYTECODE": "1"})

    return start


def until(is_so, seconds=300.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def finished_by(command):
    _, said = command.communicate(timeout=300)
    assert command.returncode == 0, said


def both_begun(here):
    """Whether two notebooks are in their slow cell."""
    return len(list(here.glob("begun-*"))) == 2


def processes(here):
    """Of the command and its children: those that have the working folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(path / "cwd") == str(here) and int(path.name) != os.getpid():
                found.append(int(path.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at processes as Linux has them")
@pytest.mark.long
@pytest.mark.parametrize("engine", ["process"])
def test_killed_in_the_middle_nothing_is_half_written_and_the_same_command_finishes_the_rest(here, slow, engine):
    finished_by(slow("--engine", engine, seconds=0.0))
    before = pages(here / "reports")
    for path in here.glob("begun-*"):
        path.unlink()
    running = slow("--jobs", "2", "--force", "--engine", engine)
    until(lambda: both_begun(here))
    running.kill()
    running.communicate()
    until(lambda: not processes(here))   # children do not outlive it
    assert {name: text for name, text in pages(here / "reports").items() if not name.startswith(".")} == before
    finished_by(slow("--jobs", "2", "--engine", engine, seconds=0.1))
    assert pages(here / "reports").keys() == before.keys()


@pytest.mark.long
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_what_runs_and_says_so_on_pages(here, slow, sent):
    running = slow("--jobs", "2")
    until(lambda: both_begun(here))
    running.send_signal(sent)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 75 and "Traceback" not in said, said
    assert said.count("the run was told to stop") == 2
    assert {path.name for path in (here / "reports").iterdir()} == {
        "c1.failed", "c2.failed", "index.html", "index.json"}
    record = json.loads((here / "reports/c1.failed/run.json").read_text("utf-8"))
    assert (record["status"], record["code"], record["cell"]) == ("temporary", 75, 3)


# --- any executor ---

def jobs(here, out):
    return [Job(here / f"params/c{i}.yml", here / out) for i in (1, 2)]


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory):
    """Pages of two campaigns as the threads of one process make them."""
    folder = team(tmp_path_factory.mktemp("threads"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1764028800")
        outcomes = run_batch(jobs(folder, "reports"), n_jobs=2)
    assert [(outcome.name, outcome.code) for outcome in outcomes] == [("c1", 0), ("c2", 0)], outcomes
    return pages(folder / "reports")


@pytest.mark.long
def test_processes_make_the_same_bytes(here, by_threads, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764028800")
    with ProcessPoolExecutor(2) as executor:
        outcomes = run_batch(jobs(here, "reports"), executor)
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    assert pages(here / "reports") == by_threads


@pytest.mark.long
def test_a_dask_cluster_makes_the_same_bytes(here, by_threads, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764028800")
    with (distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
          distributed.Client(cluster) as client):
        outcomes = run_batch(jobs(here, "reports"), client.get_executor(pure=False))
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    assert pages(here / "reports") == by_threads


def test_a_worker_needs_nothing_but_the_jobs(here, made):
    assert [outcome.name for outcome in attempt_all(jobs(here, "reports"))] == ["c1", "c2"]
    assert batch.in_turn([]) == [] and run.folder_of("a", "plan") == "a.plan"
