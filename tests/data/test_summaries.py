"""Tables of summaries: renamed, typed and checked; every mistake at once; what is left out is counted."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from analysis.data import summaries
from analysis.data.summaries import SummaryRows
from analysis.params import load
from tests.experiments import BEFORE, HEAD, PARAMS, given, looks, mistakes

ROOT = Path(__file__).parents[2]
GOOD = looks("a", ("control", 1, 10, 2.0, 1.0), ("new", 1, 12, 3.0, 1.5))


def test_rows_come_sorted_under_the_names_of_the_params(tmp_path):
    rows = [["b", "new", "am", 2, 5, 1.5, 0.5], ["b", "control", "am", 2, 6, 1, ""], ["b", "new", "am", 1, 4, 1, 0.5],
            ["b", "control", "am", 1, 5, 1, 0.5]]
    found = given(tmp_path, rows, PARAMS.replace("role: primary", "role: primary, key: am"))
    assert found.frame.drop(columns="variance").to_numpy().tolist() == [
        ["b", "control", "amount", 1.0, 5, 1.0], ["b", "control", "amount", 2.0, 6, 1.0],
        ["b", "new", "amount", 1.0, 4, 1.0], ["b", "new", "amount", 2.0, 5, 1.5]]
    assert found.frame["variance"].isna().tolist() == [False, True, False, False]
    assert found.rows == SummaryRows(4, 0, 0, 1, 0, 0) and not found.has_before


def test_columns_may_have_other_names_and_times_may_be_said_once(tmp_path):
    params = PARAMS.replace("{path: looks.csv}", "{path: looks.csv, columns: {n: users}, values: {at: 1}}")
    head = ["experiment", "arm", "metric", "users", "mean", "variance"]
    found = given(tmp_path, [["a", "control", "amount", 10, 2, 1], ["a", "new", "amount", 12, 3, 1]], params, head)
    assert found.frame[["at", "n"]].to_numpy().tolist() == [[1, 10], [1, 12]]


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_other_kinds_of_files_give_the_same(tmp_path, kind):
    frame = pd.DataFrame(GOOD, columns=HEAD)
    if kind == "parquet":
        frame.to_parquet(tmp_path / "looks.parquet")
        source = "{path: looks.parquet}"
    else:
        with duckdb.connect(str(tmp_path / "looks.duckdb")) as connection:
            connection.execute("create table looks as select * from frame")
        source = "{path: looks.duckdb, table: looks}"
    (tmp_path / "tests.yml").write_text(PARAMS.replace("{path: looks.csv}", source), "utf-8")
    found = summaries.read(load(tmp_path / "tests.yml"))
    pd.testing.assert_frame_equal(found.frame, given(tmp_path, GOOD).frame)


def test_what_is_left_out_or_cannot_be_tested_is_counted(tmp_path):
    rows = [*GOOD, *looks("a", ("new", 2, 13, 3.0, 1.0)), *looks("a", ("new", 1, 9, 9, 9), metric="other"),
            *looks("b", ("control", 1, 1, 2.0, ""), ("new", 1, 3, 2.0, "inf"), ("control", 2, 0, "", ""),
                   ("new", 2, 2, 2.0, 1.0))]
    found = given(tmp_path, rows)
    assert found.rows == SummaryRows(n_read=8, n_other_metrics=1, n_unpaired=1, n_without_variance=3, n_too_few=2,
                                     n_shrunk=2)
    assert len(found.frame) == 6 and ("a", "new", 2.0) not in found.frame[["experiment", "arm", "at"]].itertuples(
        index=False, name=None)


def test_every_mistake_is_said_at_once(tmp_path):
    rows = [*GOOD, ["a", "new", "amount", 1, 12, 3.0, 1.5], ["a", "", "amount", 2, 5, 1, 1],
            ["c", "new", "amount", 0, 10, 1, 1], ["c", "new", "amount", 3, 10.5, 1, 1],
            ["c", "new", "amount", 4, -3, 1, 1], ["c", "new", "amount", 5, 10, "", 1],
            ["c", "new", "amount", 6, 10, 1, -2], ["c", "odd", "amount", 6, 10, 1, 2],
            ["d", "control", "amount", 1, 10, 1, 1]]
    params = PARAMS.replace("new: 50%", "nwe: 50%") + "  orders: {key: amuont}\n"
    assert mistakes(tmp_path, rows, params) == [
        "tests.yml:4: experiments: 1 of 11 rows have no arm",
        "tests.yml:4: experiments: 1 of 11 rows have an `at` of 0 or less: it counts days since the start, such as 0",
        "tests.yml:4: experiments: 2 of 11 rows have an `n` that is no number of users, such as 10.5",
        "tests.yml:4: experiments: 1 of 11 rows have users and no mean",
        "tests.yml:4: experiments: 1 of 11 rows have a variance below 0, such as -2",
        "tests.yml:4: experiments: 2 of 11 rows share experiment, arm, metric and `at` with another, such as 'a', "
        "'new', 'amount', 1: one row per look",
        "tests.yml:9: metrics.orders.key: no row has the metric 'amuont' (did you mean 'amount'?)",
        "tests.yml:6: shares.nwe: no row has the arm 'nwe' (did you mean 'new'?)",
        "tests.yml:6: shares: the data has the arm 'new', which has no planned share",
        "tests.yml:6: shares: the data has the arm 'odd', which has no planned share",
        "tests.yml:5: control: 1 of 3 experiments have no control 'control', such as 'c'",
        "tests.yml:5: control: 1 of 3 experiments have no arm beside the control 'control', such as 'd'"]


@pytest.mark.parametrize(("rows", "params", "head", "said"), [
    ([], PARAMS, HEAD, "experiments: has no row"),
    (GOOD, PARAMS, ["experiment", "arm", "metric", "day", "users", "mean", "variance"],
     "experiments: 'looks.csv' has no column 'at'"),
    (GOOD, PARAMS, ["experiment", "arm", "metric", "day", "users", "mean", "variance"],
     "experiments: 'looks.csv' has no column 'n'"),
    ([["a", "control", "amount", 1, "many", 2, 1]], PARAMS, HEAD,
     "experiments: 'looks.csv' column 'n': 1 of 1 values are not a number, such as 'many'"),
    (GOOD, PARAMS.replace("control: control", "control: contrl").replace("{control: 50%", "{contrl: 50%"), HEAD,
     "control: no row has the arm 'contrl' (did you mean 'control'?)"),
    (GOOD, PARAMS.replace("unit: money", "kind: share"), HEAD,
     "metrics.amount.kind: is a share, and 2 of 2 means are not between 0 and 1, such as 2; a mean of another number "
     "is `kind: mean`"),
    (GOOD, PARAMS.replace("looks.csv", "lokos.csv"), HEAD,
     "experiments: no file 'lokos.csv' (relative to the folder of tests.yml) (did you mean 'looks.csv'?)"),
    ([[*row, 1, 1] for row in GOOD], PARAMS, [*HEAD, "pre_mean", "covariance"],
     "experiments: has pre_mean, covariance and no pre_variance: the three go together"),
    ([[*row, 1, -1, 0] for row in GOOD], PARAMS, BEFORE,
     "experiments: 2 of 2 rows have a pre_variance below 0, such as -1"),
    ([[*row, 1, 1, 1.3] for row in GOOD], PARAMS, BEFORE,
     "experiments: 2 of 2 rows have a covariance that is larger than variance and pre_variance allow, such as 1.3"),
])
def test_a_mistake_says_what_was_found_and_where(tmp_path, rows, params, head, said):
    assert said in "\n".join(mistakes(tmp_path, rows, params, head))


def test_a_covariance_may_be_as_large_as_the_variances_allow(tmp_path):
    assert given(tmp_path, [[*row, 1, row[6], row[6]] for row in GOOD], head=BEFORE).has_before


def test_the_sample_is_read_whole():
    found = summaries.read(load(ROOT / "params/asos.yml"))
    assert found.rows == SummaryRows(n_read=43_250, n_other_metrics=0, n_unpaired=0, n_without_variance=1_378,
                                     n_too_few=12, n_shrunk=8)
    assert len(found.frame) == 43_250 and found.frame["experiment"].nunique() == 78
