"""Every look: Welch on the moments, less what was known before, and a p that looking at any time allows."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.results.experiments.looks import compare, looks
from analysis.stats.always_valid import always_valid
from tests.experiments import BEFORE, PARAMS, given
from tests.experiments import looks as rows_of

TWO = rows_of("a", ("control", 2, 10, 1.0, 2.0), ("new", 2, 10, 2.0, 2.0), ("control", 4, 20, 1.0, 2.0),
              ("new", 4, 20, 2.5, 3.0))


def test_each_look_has_its_p_its_place_in_the_run_and_the_days_that_users_were_watched(tmp_path):
    found = looks(given(tmp_path, TWO))
    assert found[["at", "progress", "clock"]].to_numpy().tolist() == [[2, 0.5, 20], [4, 1.0, 80]]
    assert found["pvalue"].tolist() == pytest.approx([
        stats.ttest_ind_from_stats(2, 2**0.5, 10, 1, 2**0.5, 10, equal_var=False).pvalue,
        stats.ttest_ind_from_stats(2.5, 3**0.5, 20, 1, 2**0.5, 20, equal_var=False).pvalue])


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_p_that_allows_looking_is_sharpest_where_the_params_say(tmp_path, share):
    found = looks(given(tmp_path, TWO, PARAMS + f"tightest_at: {share}\n"))
    wanted = [always_valid(p, clock, share * 80).pvalue for p, clock in zip(found["pvalue"], (20, 80), strict=True)]
    assert found["pvalue_any_time"].tolist() == pytest.approx(wanted)
    assert (found["pvalue_any_time"] > found["pvalue"]).all()


def test_treatments_share_a_control_and_are_watched_apart(tmp_path):
    rows = [*TWO, *rows_of("a", ("newer", 4, 30, 2.0, 1.0)),
            *rows_of("b", ("control", 1, 5, 1, 1), ("new", 1, 5, 1, 1))]
    found = looks(given(tmp_path, rows, PARAMS.replace("new: 50%", "new: 50%, newer: 50%")))
    assert found[["experiment", "arm", "at", "clock"]].to_numpy().tolist() == [
        ["a", "new", 2, 20], ["a", "new", 4, 80], ["a", "newer", 4, 100], ["b", "new", 1, 5]]


@pytest.mark.parametrize(("control", "new", "reason"), [
    ((1, 10, 1.0, ""), (1, 10, 2.0, 1.0), "no_variance"), ((1, 10, 1.0, 1.0), (1, 10, 2.0, ""), "no_variance"),
    ((1, 1, 1.0, 0.0), (1, 10, 2.0, 1.0), "too_few_users"), ((1, 0, "", ""), (1, 10, 2.0, 1.0), "too_few_users"),
    ((1, 10, 1.0, 0), (1, 10, 2.0, 0), "zero_variance")])
def test_what_cannot_be_tested_says_why_and_is_never_below_a_level(tmp_path, control, new, reason):
    found = looks(given(tmp_path, rows_of("a", ("control", *control), ("new", *new))))
    assert found[["pvalue", "pvalue_any_time"]].isna().all(axis=None)
    assert compare(found.to_dict("records")[0], 0.05).reason == reason


def test_a_control_of_zero_leaves_the_difference(tmp_path):
    found = compare(looks(given(tmp_path, rows_of("a", ("control", 1, 10, 0, 1), ("new", 1, 10, 2.0, 1.0)))).to_dict(
        "records")[0], 0.05)
    assert (found.reason, found.rel_reason, found.diff) == ("", "zero_control", 2.0) and found.pvalue < 0.05


# --- with the time before ---

def users(seed: int, n: int, effect: float) -> tuple[np.ndarray, np.ndarray]:
    """What users did, and what they did before."""
    draw = np.random.default_rng(seed)
    before = draw.gamma(2, 2, n)
    return effect + 0.8 * before + draw.normal(0, 1, n), before


def moments(now: np.ndarray, before: np.ndarray) -> tuple[float, ...]:
    cov = np.cov(now, before)
    return len(now), now.mean(), cov[0, 0], before.mean(), cov[1, 1], cov[0, 1]


def test_what_is_known_of_before_takes_noise_away_as_the_analysis_of_covariance_does(tmp_path):
    control, new = users(1, 400, 0.0), users(2, 400, 0.2)
    rows = rows_of("a", ("control", 1, *moments(*control)), ("new", 1, *moments(*new)))
    found = looks(given(tmp_path, rows, head=BEFORE)).to_dict("records")[0]
    arm = np.repeat([0.0, 1.0], 400)
    fit = sm.OLS(np.concatenate([control[0], new[0]]), np.column_stack([
        np.ones(800), arm, np.concatenate([control[1], new[1]])])).fit()
    compared = compare(found, 0.05)
    assert compared.diff == pytest.approx(fit.params[1], rel=2e-3)
    assert found["pvalue"] == pytest.approx(fit.pvalues[1], rel=0.05)
    bare = stats.ttest_ind(new[0], control[0], equal_var=False)
    width = compared.diff_upper - compared.diff_lower
    assert width < 0.7 * (bare.confidence_interval().high - bare.confidence_interval().low)


def test_where_one_arm_is_not_known_from_before_nothing_is_taken_off(tmp_path):
    rows = rows_of("a", ("control", 1, 10, 1, 2, 1, 1, 0.5), ("new", 1, 10, 2, 2, "", "", ""))
    found = looks(given(tmp_path, rows, head=BEFORE)).to_dict("records")[0]
    assert found["pvalue"] == pytest.approx(
        stats.ttest_ind_from_stats(2, 2**0.5, 10, 1, 2**0.5, 10, equal_var=False).pvalue)
    assert not math.isnan(found["pvalue_any_time"])
