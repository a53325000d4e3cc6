"""Regression adjustment and post-stratification: against least squares, and against the formulas they contain."""

import math
from dataclasses import asdict, replace
from importlib import import_module

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from analysis.stats.adjust import adjust, adjust_shuffled, compare_adjusted, pair_of, reduction
from analysis.stats.means import compare_means
from analysis.stats.moments import JointMoments
from analysis.stats.pairs import margin_pvalue
from analysis.stats.ratios import compare_ratios
from analysis.stats.shuffles import shuffled


def joint(**columns):
    values = np.array(list(columns.values()), dtype=float)
    return JointMoments(values.shape[1], tuple(columns), values.mean(1), np.atleast_2d(np.cov(values)))


def users(seed, n, lift=1.0):
    """Columns of one arm: orders and money now, and money before."""
    generator = np.random.default_rng(seed)
    taste = generator.gamma(2, 1, n)
    orders = 1.0 + generator.poisson(taste)
    return {"money": lift * orders * 20 * generator.gamma(4, 0.25, n), "orders": orders,
            "before": taste * 20 * generator.gamma(4, 0.25, n), "visits": generator.poisson(3 * taste).astype(float)}


def arms(n_treatment=300, n_control=200, lift=1.1, seed=1):
    raw = {"t": users(seed, n_treatment, lift), "c": users(seed + 1, n_control)}
    return raw, {arm: joint(**columns) for arm, columns in raw.items()}


def same(found, expected, rel=1e-9):
    for key, value in asdict(expected).items():
        assert asdict(found)[key] == (pytest.approx(value, rel=rel, nan_ok=True) if isinstance(value, float) else value)


def test_with_nothing_known_before_it_is_welch_and_the_delta_method():
    _, own = arms()
    same(compare_adjusted(adjust([own], ["money"]), "t", "c"),
         compare_means(own["t"].metric("money"), own["c"].metric("money")))
    same(compare_adjusted(adjust([own], ["money", "orders"]), "t", "c"),
         compare_ratios(own["t"].ratio("money", "orders"), own["c"].ratio("money", "orders")))


def stacked(raw, *names):
    is_treated = np.repeat([1.0, 0.0], [len(raw["t"]["money"]), len(raw["c"]["money"])])
    columns = [np.concatenate([raw["t"][name], raw["c"][name]]) for name in names]
    return is_treated, columns


@pytest.mark.parametrize("covariates", [("before",), ("before", "visits")])
def test_the_difference_is_least_squares(covariates):
    raw, own = arms()
    is_treated, (y, *x) = stacked(raw, "money", *covariates)
    theirs = OLS(y, np.column_stack([np.ones_like(y), is_treated, *x])).fit()
    found = compare_adjusted(adjust([own], ["money"], covariates), "t", "c")
    assert found.diff == pytest.approx(theirs.params[1], rel=1e-10)


def test_two_arms_of_equal_spread_give_the_analysis_of_covariance_to_the_last_digit():
    """The second arm mirrors the first, so that both have the same residual variance."""
    first = users(5, 12)
    second = {name: 100 - column for name, column in first.items()}
    raw = {"t": first, "c": second}
    is_treated, (y, x) = stacked(raw, "money", "before")
    theirs = OLS(y, np.column_stack([np.ones_like(y), is_treated, x])).fit()
    found = pair_of(adjust([{arm: joint(**own) for arm, own in raw.items()}], ["money"], ["before"]), "t", "c")
    assert found.diff == pytest.approx(theirs.params[1], rel=1e-10)
    assert found.error == pytest.approx(theirs.bse[1], rel=1e-10)
    assert found.df == pytest.approx(theirs.df_resid, rel=1e-10)


def test_strata_are_weighted_by_their_share_of_all_users():
    parts = [arms(60, 40, seed=1)[1], arms(30, 90, seed=7)[1], arms(50, 50, seed=9)[1]]
    found = pair_of(adjust(parts, ["money"]), "t", "c")
    weight = np.array([100, 120, 100]) / 320
    effect = np.array([own["t"].mean[0] - own["c"].mean[0] for own in parts])
    var = np.array([own["t"].cov[0, 0] / own["t"].n + own["c"].cov[0, 0] / own["c"].n for own in parts])
    assert found.diff == pytest.approx(weight @ effect, rel=1e-12)
    assert found.error**2 == pytest.approx(
        weight**2 @ var + weight @ (effect - weight @ effect) ** 2 / 320, rel=1e-10)


def test_a_ratio_takes_what_was_known_before_as_a_mean_does():
    """By users: influence values of each arm, then least squares."""
    raw, own = arms(400, 400)
    values = {}
    for arm, columns in raw.items():
        ratio = columns["money"].sum() / columns["orders"].sum()
        values[arm] = {**columns, "money": ratio + (columns["money"] - ratio * columns["orders"])
                       / columns["orders"].mean()}
    by_users = adjust([{arm: joint(**columns) for arm, columns in values.items()}], ["money"], ["before", "visits"])
    found = adjust([own], ["money", "orders"], ["before", "visits"])
    same(compare_adjusted(found, "t", "c"), replace(compare_adjusted(by_users, "t", "c"), kind="ratio"), rel=1e-8)


def test_control_has_one_level_whatever_it_is_compared_with():
    _, own = arms()
    three = {**own, "second": joint(**users(11, 250, 1.2))}
    found = adjust([three], ["money"], ["before"])
    first, second = (compare_adjusted(found, arm, "c") for arm in ("t", "second"))
    assert first.value_control == second.value_control
    assert first.value_treatment - first.value_control == pytest.approx(first.diff, rel=1e-12)


def test_covariances_of_the_levels_by_the_jackknife():
    raw, own = arms(80, 60)
    found = adjust([own], ["money"], ["before"])

    def levels(arm, i):
        left = {a: {k: np.delete(v, i) if a == arm else v for k, v in columns.items()} for a, columns in raw.items()}
        return adjust([{a: joint(**columns) for a, columns in left.items()}], ["money"], ["before"]).level

    cov = np.zeros((2, 2))
    for arm, n in (("t", 80), ("c", 60)):
        left_out = np.array([levels(arm, i) for i in range(n)])
        apart = left_out - left_out.mean(0)
        cov += (n - 1) / n * apart.T @ apart
    assert found.cov == pytest.approx(cov, rel=0.12, abs=0.02 * cov.max())


def test_the_share_of_variance_taken_away():
    raw, own = arms(3000, 3000)
    is_treated, (y, x) = stacked(raw, "money", "before")
    r2 = OLS(y, np.column_stack([np.ones_like(y), is_treated, x])).fit().ssr / OLS(
        y, np.column_stack([np.ones_like(y), is_treated])).fit().ssr
    assert reduction(adjust([own], ["money"], ["before"]), "t", "c") == pytest.approx(1 - r2, abs=2e-3)
    noise = {arm: joint(money=columns["money"], before=np.random.default_rng(1).normal(0, 1, 3000))
             for arm, columns in raw.items()}
    assert abs(reduction(adjust([noise], ["money"], ["before"]), "t", "c")) < 2e-3


def test_covariates_that_say_nothing_more_are_left_out():
    raw, own = arms()
    more = {arm: joint(**columns, twice=2 * columns["before"], one=np.ones(len(columns["before"])))
            for arm, columns in raw.items()}
    found = adjust([more], ["money"], ["before", "twice", "one"])
    assert found.rank == 1
    same(compare_adjusted(found, "t", "c"), compare_adjusted(adjust([own], ["money"], ["before"]), "t", "c"), rel=1e-7)


def test_p_and_every_interval_agree_near_the_border():
    generator = np.random.default_rng(4)
    n_significant = 0
    for seed in range(1500):
        raw, _ = arms(int(generator.integers(8, 200)), int(generator.integers(8, 200)), 1.0, seed)
        shift = generator.normal(0, 12)
        raw["t"]["money"] = raw["t"]["money"] + shift
        found = compare_adjusted(adjust([{a: joint(**c) for a, c in raw.items()}], ["money"], ["before"]), "t", "c")
        is_significant = found.pvalue < found.alpha
        n_significant += is_significant
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        if not found.rel_reason:
            assert (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant
    assert 300 < n_significant < 1200


def test_the_margin_is_passed_exactly_when_the_interval_lies_inside_it():
    n_passed = 0
    for seed in range(400):
        _, own = arms(300, 300, 0.97, seed)
        found = adjust([own], ["money"], ["before"])
        shown = compare_adjusted(found, "t", "c")
        p = margin_pvalue(pair_of(found, "t", "c"), 0.9, "higher", 0.05)
        assert (p < 0.025) == (shown.rel_diff_lower > -0.1)
        n_passed += p < 0.025
    assert 40 < n_passed < 360


def test_units_and_order_of_arms_do_not_matter():
    raw, own = arms()
    here = compare_adjusted(adjust([own], ["money"], ["before", "visits"]), "t", "c")
    scaled = {arm: joint(**{**columns, "money": 1e6 * columns["money"], "before": 1e-6 * columns["before"]})
              for arm, columns in list(raw.items())[::-1]}
    there = compare_adjusted(adjust([scaled], ["money"], ["visits", "before"]), "t", "c")
    assert there.pvalue == pytest.approx(here.pvalue, rel=1e-8)
    assert there.diff_lower == pytest.approx(1e6 * here.diff_lower, rel=1e-8)
    back = compare_adjusted(adjust([own], ["money"], ["before", "visits"]), "c", "t")
    assert back.diff == -here.diff and back.pvalue == here.pvalue


@pytest.mark.parametrize("parts", [["money"], ["money", "orders"]])
@pytest.mark.parametrize("n_strata", [1, 3])
def test_what_the_covariates_tell_wholly_leaves_nothing_to_test(parts, n_strata):
    """What is left is rounding; a rest of a millionth is none."""
    strata = []
    for rest in (0.0, 1e-6):
        raw = [{arm: users(10 * i + j, 40) for j, arm in enumerate("tc")} for i in range(n_strata)]
        strata.append([{arm: joint(**columns | {"money": 0.3 * columns["before"] + 7.1 + rest * columns["money"],
                                                "orders": np.ones(40)})
                        for arm, columns in own.items()} for own in raw])
    nothing, little = (compare_adjusted(adjust(own, parts, ["before"]), "t", "c") for own in strata)
    assert nothing.reason == "zero_variance" and math.isnan(nothing.pvalue) and math.isnan(nothing.diff_upper)
    assert little.reason == "" and 0 < little.pvalue < 1 and abs(little.diff) < 1e-3
    assert reduction(adjust(strata[0], parts, ["before"]), "t", "c") == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("columns", "parts", "reason"), [
    ({"money": [1.0], "orders": [1.0], "before": [1.0]}, ["money"], "too_few_users"),
    ({"money": [1.0, math.inf, 2], "orders": [1.0, 1, 1], "before": [1.0, 2, 3]}, ["money"], "bad_moments"),
    ({"money": [1.0, 2, 3], "orders": [0.0, 0, 0], "before": [1.0, 2, 3]}, ["money", "orders"], "zero_denominator"),
    ({"money": [2.0, 2, 2], "orders": [1.0, 1, 1], "before": [1.0, 2, 3]}, ["money"], "zero_variance"),
    ({"money": [2.0, 3], "orders": [1.0, 1], "before": [1.0, 2]}, ["money"], "zero_variance")])
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_what_cannot_be_estimated_has_its_reason(columns, parts, reason):
    own = joint(**columns) if len(columns["money"]) > 1 else JointMoments(
        1, tuple(columns), np.ones(3), np.full((3, 3), math.nan))
    found = compare_adjusted(adjust([{"t": own, "c": own}], parts, ["before"]), "t", "c")
    assert found.reason == reason and math.isnan(found.pvalue) and math.isnan(found.diff_lower)


def dealt(*sizes, runs=50, change=None):
    """Strata of users whose labels were shuffled within each."""
    strata = []
    for seed, own in enumerate(sizes):
        columns = users(seed, sum(own.values()))
        strata.append(shuffled({**columns, **(change(columns) if change else {})}, own, runs, seed))
    return strata


def alone(strata, run, *asked):
    return adjust([stratum.run(run) for stratum in strata], *asked)


@pytest.mark.parametrize("covariates", [(), ("before",), ("before", "visits"), ("before", "twice", "one")])
@pytest.mark.parametrize("parts", [["money"], ["money", "orders"]])
@pytest.mark.parametrize("at_once", [1, 500, 10**6])
def test_all_shuffles_at_once_are_each_alone(parts, covariates, at_once, monkeypatch):
    """Unequal arms, in another order in each stratum; two covariates that say nothing more."""
    monkeypatch.setattr(import_module("analysis.stats.adjust"), "AT_ONCE", at_once)
    strata = dealt({"c": 40, "t": 8, "s": 15}, {"t": 2, "s": 30, "c": 9}, {"s": 5, "c": 25, "t": 60}, runs=13,
                   change=lambda own: {"twice": 2 * own["before"], "one": np.ones(len(own["before"]))})
    found = adjust_shuffled(strata, parts, covariates)
    assert len(found) == 13 and len({own.level[0] for own in found}) == 13
    for run, own in enumerate(found):
        expected = alone(strata, run, parts, covariates)
        assert (own.n, own.rank, own.n_free) == (expected.n, expected.rank, expected.n_free)
        assert own.rank == len({*covariates} - {"twice", "one"})
        for arm in ("t", "s"):
            same(compare_adjusted(own, arm, "c"), compare_adjusted(expected, arm, "c"))
            assert reduction(own, arm, "c") == pytest.approx(reduction(expected, arm, "c"), rel=1e-9)


def test_a_shuffle_that_cannot_be_estimated_leaves_the_others_theirs():
    """Two users have all the orders: where both are in one arm, the other has nothing to divide by."""
    rare = dealt({"c": 3, "t": 3}, runs=40, change=lambda own: {"orders": np.arange(6) * (np.arange(6) > 3.0)})
    reasons = [own.reason for own in adjust_shuffled(rare, ["money", "orders"], ["before"])]
    assert reasons == [alone(rare, run, ["money", "orders"], ["before"]).reason for run in range(40)]
    assert {*reasons} == {"", "zero_denominator"}
    lonely = dealt({"c": 5, "t": 5}, {"c": 5, "t": 1}, runs=3)
    assert [own.reason for own in adjust_shuffled(lonely, ["money"])] == ["too_few_users"] * 3
