"""Which experiments got their users, and what bars one."""

import pytest
from scipy import stats

from analysis.results.experiments.checks import checks, verdict
from analysis.results.experiments.splits import distrusted, splits
from tests.experiments import PARAMS, given, looks

THREE = PARAMS.replace("shares: {control: 50%, new: 50%}", "shares: {control: 50%, new: 50%, newer: 25%}")


def sized(experiment, **users):
    return looks(experiment, *((arm, 1, n, 1.0, 1.0) for arm, n in users.items()))


def test_each_treatment_is_held_against_its_control_in_the_planned_proportion(tmp_path):
    found = splits(given(tmp_path, sized("a", control=1000, new=1100, newer=500), THREE))
    assert [(s.experiment, s.arm, s.n_treatment, s.n_control) for s in found] == [
        ("a", "new", 1100, 1000), ("a", "newer", 500, 1000)]
    assert [s.planned_share for s in found] == pytest.approx([0.5, 1 / 3])
    assert [s.share for s in found] == pytest.approx([1100 / 2100, 1 / 3])
    assert [s.pvalue for s in found] == pytest.approx([stats.chisquare([1100, 1000]).pvalue, 1.0])


def test_few_users_are_tested_exactly(tmp_path):
    found = splits(given(tmp_path, sized("a", control=40, new=15)))
    assert found[0].pvalue == pytest.approx(stats.binomtest(15, 55).pvalue)


@pytest.mark.parametrize(("n", "state"), [(10_000, "ok"), (10_400, "warn"), (10_600, "fail")])
def test_two_levels_tell_noted_from_barred(tmp_path, n, state):
    found = splits(given(tmp_path, sized("a", control=10_000, new=n)))
    assert found[0].state == state
    p = found[0].pvalue
    assert {"ok": p >= 0.01, "warn": 0.001 <= p < 0.01, "fail": p < 0.001}[state]


def test_the_last_look_counts_and_the_primary_metric_before_others(tmp_path):
    rows = [*looks("a", ("control", 1, 100, 1, 1), ("new", 1, 500, 1, 1), ("control", 2, 600, 1, 1),
                   ("new", 2, 610, 1, 1)), *looks("a", ("control", 2, 5, 1, 1), ("new", 2, 50, 1, 1), metric="aside"),
            *looks("b", ("control", 2, 7, 1, 1), ("new", 2, 8, 1, 1), metric="aside")]
    found = splits(given(tmp_path, rows, PARAMS.replace("  amount", "  aside: {unit: x}\n  amount")))
    assert [(s.experiment, s.n_treatment, s.n_control) for s in found] == [("a", 610, 600), ("b", 8, 7)]


def test_one_failed_arm_bars_its_whole_experiment_and_no_other(tmp_path):
    rows = [*sized("a", control=10_000, new=10_000, newer=9_000), *sized("b", control=10_000, new=10_050)]
    summaries = given(tmp_path, rows, THREE)
    found = splits(summaries)
    assert [s.state for s in found] == ["ok", "fail", "ok"] and distrusted(found) == {"a"}
    answer = verdict(summaries, found)
    assert (answer.answer, answer.reasons, answer.metric) == ("compared", ("split",), "amount")
    assert (answer.n_experiments, answer.n_trusted, answer.n_treatments, answer.n_trusted_treatments) == (2, 1, 3, 1)
    assert (answer.n_split_noted, answer.n_split_failed, answer.most_looks) == (1, 1, 1)
    assert (answer.n_barred, answer.n_barred_treatments) == (1, 2) and answer.n_split_by_chance == pytest.approx(0.03)
    worst = checks(summaries, found)[0]
    assert (worst.name, worst.state, worst.found, worst.n) == ("split", "warn", 1, 2)


def test_where_every_experiment_is_barred_nothing_is_to_be_trusted(tmp_path):
    summaries = given(tmp_path, sized("a", control=10_000, new=5_000))
    answer, (worst, *rest) = verdict(summaries, splits(summaries)), checks(summaries, splits(summaries))
    assert (answer.answer, worst.state) == ("do_not_trust", "fail") and {check.state for check in rest} == {"ok"}


def test_an_experiment_without_users_has_no_p_and_a_reason(tmp_path):
    rows = looks("a", ("control", 1, 0, "", ""), ("new", 1, 0, "", ""))
    found = splits(given(tmp_path, [*rows, *sized("b", control=5, new=5)]))
    assert (found[0].reason, found[0].state, found[1].reason) == ("no_users", "ok", "")
    assert found[0].pvalue != found[0].pvalue
