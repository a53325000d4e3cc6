"""`campaign monitor`: as of which day, whom it refuses, what a scheduler is told, and that later rows do not count."""

import csv
import json
import os
import re
from io import StringIO

import nbformat
import pytest
from click.testing import CliRunner

from analysis.params import load
from analysis.report import execute as runner
from analysis.report.cli import main
from analysis.report.monitor import latest
from analysis.report.render import FORMULA
from tests.browser import axe, open_page
from tests.campaigns import HOSTILE, write_bare, write_hostile
from tests.experiments import looks, write
from tests.report.conftest import campaign
from tests.report.stand_in import finished, without_process
from tests.report.test_pages import Text
from tests.running import tables, write_running


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with one campaign that has run for nine days."""
    write_running(tmp_path, days=9, n=200)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def answer(monkeypatch):
    """The answer that every report gives, and the runs: (params file, overrides). No kernel starts."""
    told = {"answer": "go_on", "runs": []}

    def execute(params, output, overrides, tell, timing, notebook, *_):
        made = finished(params, output, overrides, notebook)
        told["runs"].append((params.name, overrides, notebook.stem))
        record = made.cells[-1].outputs[0].data["application/vnd.campaign.results+json"]
        record["verdict"]["answer"] = told["answer"]
        nbformat.write(made, output)

    without_process(monkeypatch, execute)
    return told


def monitor(*words, now=None):
    """Exit code and what was said; `now` in UTC."""
    from datetime import UTC, datetime

    env = {"SOURCE_DATE_EPOCH": str(int(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()))} if now else {}
    done = CliRunner().invoke(main, ["monitor", *map(str, words)], env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.output


# --- as of which day ---

@pytest.mark.parametrize(("now", "until"), [
    ("2024-03-13 00:00", "2024-03-12"), ("2024-03-13 23:59", "2024-03-12"), ("2024-03-17 12:00", "2024-03-16"),
    ("2024-03-18 00:00", "2024-03-17"), ("2025-01-01 00:00", "2024-03-17")])
def test_the_last_day_that_is_over_and_never_beyond_the_period(here, answer, now, until):
    assert monitor("fortnight.yml", now=now)[0] == 0
    assert answer["runs"] == [("fortnight.yml", {"data_until": until, "languages": ["en"]}, "monitor")]


def test_a_day_that_is_said_goes_before_the_clock_and_a_day_of_the_params_is_kept(here, answer):
    monitor("fortnight.yml", "--as-of", "2024-03-08", now="2024-03-13 00:00")
    monitor("fortnight.yml", "--set", "data_until=2024-03-07", now="2024-03-13 00:00")
    assert [overrides["data_until"] for _, overrides, _ in answer["runs"]] == ["2024-03-08", "2024-03-07"]


@pytest.mark.parametrize(("period", "zone", "now", "until"), [
    ("{start: 2024-03-04, end: 2024-03-04}", "Asia/Shanghai", "2024-03-04 06:40", "2024-03-04 14:00:00"),
    ("{start: 2024-03-04 20:30, end: 2024-03-05 12:00}", "UTC", "2024-03-04 22:45", "2024-03-04 22:30:00"),
    ("{start: 2024-03-04, end: 2024-03-04}", "Asia/Shanghai", "2024-03-09 00:00", "2024-03-05 00:00:00"),
    ("{start: 2024-03-04, end: 2024-03-10 12:00}", "UTC", "2024-03-11 00:00", "2024-03-10 12:00:00"),
    ("{start: 2024-03-04, end: 2024-03-10}", "America/New_York", "2024-03-06 04:59", "2024-03-04")])
def test_hours_of_a_short_campaign_and_zones(here, monkeypatch, period, zone, now, until):
    from datetime import UTC, datetime

    own = load(here / "fortnight.yml", {"period": period, "time_zone": zone, "baseline": "null"})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp())))
    assert str(latest(own)) == until


def test_before_the_campaign_begins_there_is_nothing_to_watch(here, answer):
    assert monitor("fortnight.yml", now="2024-03-04 12:00") == (
        0, "fortnight: begins on 2024-03-04; there is nothing to watch yet\n")
    assert monitor("fortnight.yml", "--as-of", "2024-02-20")[0] == 0 and not answer["runs"]


# --- whom it refuses ---

def test_a_campaign_without_arms_is_refused_in_one_message(tmp_path, monkeypatch, answer):
    write_bare(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, said = monitor("bare.yml")
    assert (code, said.count("\n"), answer["runs"]) == (2, 1, [])
    assert said == ("bare.yml:6: no_control_group: monitoring needs arms drawn by chance (`arms:`), and this campaign "
                    "has none; `campaign run` describes it\n")


def test_summaries_of_experiments_are_refused(tmp_path, monkeypatch, answer):
    params = write(tmp_path, looks("a", ("control", 1, 100, 2.0, 4.0), ("new", 1, 100, 3.0, 4.0)))
    monkeypatch.chdir(tmp_path)
    code, said = monitor(params.name)
    assert code == 2 and "summaries of experiments cannot be watched" in said and said.count("\n") == 1


@pytest.mark.parametrize(("words", "said"), [
    (["fortnight.yml", "--as-of", "tomorrow"], "Invalid value for '--as-of': 'tomorrow' is not a day like 2025-11-11"),
    (["fortnight.yml", "--as-of", "2026-13-01"], "Invalid value for '--as-of': '2026-13-01' is not on the calendar"),
    (["nowhere.yml"], "nowhere.yml: no such file"), (["fortnight.yml", "--asof", "x"], "No such option"),
    (["fortnight.yml", "--set", "arms.control=x"], "'x' is not among the shares"), ([], "Missing argument")])
def test_a_wrong_call_is_told_and_is_code_2(here, answer, words, said):
    code, found = monitor(*words)
    assert (code, answer["runs"]) == (2, []) and said in found


def test_a_running_campaign_is_not_refused_for_what_has_not_come_yet(here, answer):
    """One day of it, no order yet, an arm whose users come later."""
    arms = (here / "assignments.csv").read_text("utf-8").splitlines()
    late = [f"{line},2024-03-0{'4' if line.endswith('stay') else '9'}" for line in arms[1:]]
    (here / "assignments.csv").write_text("\n".join([arms[0] + ",assigned_at", *late]), "utf-8")
    orders = (here / "orders.csv").read_text("utf-8").splitlines()
    (here / "orders.csv").write_text("\n".join([orders[0], *(line for line in orders[1:] if "2024-03" not in line)]))
    assert monitor("fortnight.yml", "--as-of", "2024-03-04")[0] == 0


# --- what a scheduler is told ---

@pytest.mark.parametrize(("said", "code"), [("go_on", 0), ("stop", 10), ("over", 10), ("broken", 20)])
def test_the_answer_is_the_exit_code(here, answer, said, code):
    answer["answer"] = said
    found, told = monitor("fortnight.yml", "--as-of", "2024-03-12", "--out", "watched")
    assert found == code and "watched/fortnight.monitor/report.html" in told
    assert (here / "watched/index.html").exists()


def test_of_several_campaigns_the_worst_counts_and_a_failure_before_all(here, answer, monkeypatch):
    (here / "second.yml").write_text((here / "fortnight.yml").read_text("utf-8"), "utf-8")
    answers = iter(["broken", "go_on", "go_on", "stop"])
    execute = runner.execute

    def next_answer(*words):
        answer["answer"] = next(answers)
        execute(*words)

    monkeypatch.setattr(runner, "execute", next_answer)
    assert monitor("fortnight.yml", "second.yml", "--as-of", "2024-03-12")[0] == 20
    assert monitor("fortnight.yml", "second.yml", "--as-of", "2024-03-12", "--force")[0] == 10
    write_bare(here)
    answers = iter(["broken"])
    assert monitor("bare.yml", "fortnight.yml", "--as-of", "2024-03-12")[0] == 2


# --- real runs ---

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A campaign with a drop of one half on its ninth day, and its report in English; the same as of the eighth in
    Chinese, from the whole log and from one that ends then."""
    folder = tmp_path_factory.mktemp("running")
    path = write_running(folder, n=500, days=9, change={9: 0.5})
    codes = {}
    for name, words in {"ninth": ["--as-of", "2024-03-12"],
                        "eighth": ["--as-of", "2024-03-11", "--set", "languages=[zh]"]}.items():
        codes[name] = campaign("monitor", path, *words, "--out", folder / name)
    for name, frame in tables(n=500, days=9, change={9: 0.5}).items():
        at = {"events": "occurred_at", "orders": "ordered_at"}.get(name)
        (frame[frame[at] < "2024-03-12"] if at else frame).to_csv(folder / f"{name}.csv", index=False)
    codes["cut"] = campaign("monitor", path, "--as-of", "2024-03-11", "--set", "languages=[zh]", "--out",
                            folder / "cut")
    return folder, codes


def results(folder, name):
    return json.loads((folder / name / "fortnight.monitor/results.json").read_text("utf-8"))


def test_a_run_ends_with_the_code_of_its_answer(made):
    folder, codes = made
    assert {name: done.returncode for name, done in codes.items()} == {"ninth": 20, "eighth": 0, "cut": 0}, codes
    assert [results(folder, name)["verdict"]["answer"] for name in codes] == ["broken", "go_on", "go_on"]


def test_the_pages_say_so_in_both_languages(made):
    folder, _ = made
    english = (folder / "ninth/fortnight.monitor/report.html").read_text("utf-8")
    chinese = (folder / "eighth/fortnight.monitor/report.html").read_text("utf-8")
    assert "Something is broken" in english and "As of the end of 12 Mar 2024, day 9 of 14." in english
    assert "继续进行" in chinese and "截至 2024年3月11日 结束：活动第 8 天，共 14 天。" in chinese
    assert not re.search(r"Traceback|(?<!&#x27;)\bnan\b", english + chinese)


def test_a_report_as_of_a_day_is_the_one_of_a_log_that_ends_then(made):
    folder, _ = made
    whole, cut = results(folder, "eighth"), results(folder, "cut")
    whole.pop("provenance"), cut.pop("provenance")
    assert whole == cut


def test_the_record_is_what_the_rows_say(made):
    """By pandas and scipy, from the tables."""
    from scipy import stats

    from analysis.stats.always_valid import always_valid

    folder, _ = made
    own, found = tables(n=500, days=9, change={9: 0.5}), results(folder, "ninth")
    orders = own["orders"]
    orders = orders[(orders["ordered_at"] >= "2024-03-04") & (orders["ordered_at"] < "2024-03-12")]
    people = own["assignments"].set_index("user_id")
    people["orders"] = orders.groupby("user_id").size().reindex(people.index).fillna(0)
    buyers = people.groupby("variant")["orders"].agg(lambda t: (t > 0).sum())
    n = people["variant"].value_counts()
    row = next(row for row in found["course"] if (row["metric"], row["tick"]) == ("buyers", 8))
    assert row["value_treatment"] == pytest.approx(buyers["go"] / n["go"])
    assert row["value_control"] == pytest.approx(buyers["stay"] / n["stay"])
    pooled = buyers.sum() / n.sum()
    z = (buyers["go"] / n["go"] - buyers["stay"] / n["stay"]) / (
        pooled * (1 - pooled) * (1 / n["go"] + 1 / n["stay"]) * 500 / 499) ** 0.5
    assert row["pvalue"] == pytest.approx(2 * stats.norm.sf(abs(z)))
    family = [next(r for r in found["course"] if (r["metric"], r["tick"]) == (name, 8))["pvalue"]
              for name in ("buyers", "basket", "orders")]
    looked = sorted(always_valid(p, 8 * 500, 14 * 500).pvalue for p in family)
    own_p = always_valid(row["pvalue"], 8 * 500, 14 * 500).pvalue
    holm = max(min(1, (3 - i) * p) for i, p in enumerate(looked) if p <= own_p)
    assert row["pvalue_adjusted"] == pytest.approx(holm)
    day = own["orders"]["ordered_at"].dt.strftime("%Y-%m-%d").value_counts()
    assert [r["n_rows"] for r in found["arrivals"] if r["table"] == "orders"] == [
        day[f"2024-03-{3 + tick:02d}"] for tick in range(1, 10)]
    assert {r["metric"] for r in found["breaks"] if r["is_break"] and r["tick"] == 9} >= {"money", "orders", "visits"}


@pytest.mark.browser
@pytest.mark.parametrize("settings", [{}, {"dark": True}, {"width": 320}, {"width": 320, "dark": True}], ids=str)
@pytest.mark.parametrize(("name", "lang"), [("ninth", "en"), ("eighth", "zh")])
def test_everybody_can_read_the_page(made, name, lang, settings):
    folder, _ = made
    with open_page(folder / name / "fortnight.monitor/report.html", lang=lang, **settings) as opened:
        assert (opened.messages, opened.requests, opened.scrolls_sideways, axe(opened)) == ([], [], False, [])


def test_nothing_published_names_a_folder_or_a_user(made):
    folder, _ = made
    for path in (folder / "ninth/fortnight.monitor").rglob("*"):
        if path.is_file():
            assert os.fsencode(str(folder)) not in path.read_bytes() and b"u00001" not in path.read_bytes(), path.name


def test_hostile_text_comes_out_as_text(tmp_path):
    done = campaign("monitor", write_hostile(tmp_path), "--out", tmp_path / "out")
    assert done.returncode in (0, 10, 20), done.stderr
    folder = tmp_path / "out/hostile.monitor"
    page = Text((folder / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags and HOSTILE[3] in "".join(page.seen)
    for path in (folder / "tables").iterdir():
        for row in csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))):
            for cell in row:
                assert not cell.startswith(FORMULA) or re.fullmatch(r"-?\d[\d.e-]*( (-?\d[\d.e-]*|inf))?", cell), cell
