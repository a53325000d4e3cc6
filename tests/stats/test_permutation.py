"""The permutation test: all relabellings of few users, scipy, and the law that p and intervals agree."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.levels import mean_level, ratio_level
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.pairs import Pair, compare_pair, independent
from analysis.stats.permutation import compare_permuted, permutation_critical, permutation_pvalue
from analysis.stats.shuffles import shuffled, statistics

TREATMENT, CONTROL = np.array([3.0, 14, 15, 9, 26]), np.array([2.0, 7, 1, 8, 2, 8])


def welch_t(treatment, control):
    return stats.ttest_ind(treatment, control, equal_var=False).statistic


def pair_of(*arms):
    return independent(*(mean_level(Moments(len(arm), arm.mean(), arm.var(ddof=1))) for arm in arms))


def all_relabellings():
    """Welch's t of every way to choose the treatment."""
    pooled = np.concatenate([TREATMENT, CONTROL])
    for chosen in itertools.combinations(range(len(pooled)), len(TREATMENT)):
        yield welch_t(pooled[list(chosen)], np.delete(pooled, chosen))


def test_as_all_relabellings_of_few_users():
    """Scipy lists the 462; 20,000 shuffles come as near as their error."""
    pooled = np.concatenate([TREATMENT, CONTROL])
    theirs = stats.permutation_test(
        (TREATMENT, CONTROL), lambda t, c: abs(welch_t(t, c)), alternative="greater", n_resamples=np.inf)
    observed = welch_t(TREATMENT, CONTROL)
    t = statistics(shuffled({"x": pooled}, {"t": 5, "c": 6}, 20_000, seed=1), "t", "c", "x")
    assert permutation_pvalue(t, observed) == pytest.approx(
        theirs.pvalue, abs=4 * math.sqrt(theirs.pvalue * (1 - theirs.pvalue) / 20_000))


def test_every_shuffle_of_few_users_is_one_of_all_relabellings():
    listed = np.sort(list(all_relabellings()))
    pooled = np.concatenate([TREATMENT, CONTROL])
    t = statistics(shuffled({"x": pooled}, {"t": 5, "c": 6}, 500), "t", "c", "x")
    places = np.clip(np.searchsorted(listed, t), 1, len(listed) - 1)
    assert np.minimum(np.abs(listed[places] - t), np.abs(listed[places - 1] - t)).max() < 1e-9


def test_statistics_as_far_out_count_despite_rounding():
    assert permutation_pvalue(np.array([1.0, -2.0, 2.0 * (1 - 1e-12), 3.0]), 2.0) == 4 / 5


def test_a_shuffle_without_statistic_counts_as_far_out():
    assert permutation_pvalue(np.array([math.nan, math.inf, 0.0]), 5.0) == 3 / 4
    assert math.isnan(permutation_pvalue(np.array([1.0]), math.nan))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("runs", [199, 999, 1000])
def test_p_is_below_alpha_exactly_beyond_the_critical_value(alpha, runs):
    generator = np.random.default_rng(runs)
    t = np.round(generator.normal(0, 1, runs), 2)  # with ties
    critical = permutation_critical(t, alpha)
    for observed in [*generator.normal(0, 2.5, 300), *t[np.abs(t) > 1.3]]:
        assert (permutation_pvalue(t, observed) < alpha) == (abs(observed) > critical)


def test_p_and_every_interval_agree():
    generator = np.random.default_rng(2)
    t = statistics(shuffled({"x": generator.gamma(0.5, 40, 400)}, {"t": 40, "c": 360}, 999), "t", "c", "x")
    n_significant = n_unbounded = 0
    for shift in generator.normal(0, 2.5, 3_000):
        control = Moments(360, generator.uniform(1, 20), 800.0)
        error = math.sqrt(800 / 40 + 800 / 360)
        pair = independent(mean_level(Moments(40, control.mean + shift * error, 800.0)), mean_level(control))
        found = compare_permuted(pair, t)
        is_significant = found.pvalue < found.alpha
        n_significant += is_significant
        n_unbounded += found.rel_reason == "unbounded"
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        if not found.rel_reason:
            assert (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant
    assert 500 < n_significant < 2_500 and 100 < n_unbounded < 2_900


def test_on_plain_data_it_says_what_welch_says():
    generator = np.random.default_rng(3)
    treatment, control = generator.normal(10.3, 2, 500), generator.normal(10, 2, 700)
    t = statistics(shuffled({"x": np.concatenate([treatment, control])}, {"t": 500, "c": 700}, 3_999), "t", "c", "x")
    pair = pair_of(treatment, control)
    ours, welch = compare_permuted(pair, t), compare_pair("mean", pair, 0.05)
    assert ours.kind == "permutation"
    assert ours.pvalue == pytest.approx(welch.pvalue, abs=0.015)
    for field in ("diff_lower", "diff_upper", "rel_diff_lower", "rel_diff_upper", "detectable"):
        assert getattr(ours, field) == pytest.approx(getattr(welch, field), abs=0.03 * welch.detectable)


def test_ratios_are_permuted_by_their_own_statistic():
    generator = np.random.default_rng(4)
    orders = generator.poisson(2, 300) + 1.0
    revenue = orders * generator.gamma(2, 10, 300)
    found = shuffled({"revenue": revenue, "orders": orders}, {"t": 100, "c": 200}, 999)
    arms = [np.cov(revenue[own], orders[own]) for own in (slice(100), slice(100, None))]
    pair = independent(*(
        ratio_level(RatioMoments(len(revenue[own]), revenue[own].mean(), orders[own].mean(), cov[0, 0], cov[1, 1],
                                 cov[0, 1])) for own, cov in zip((slice(100), slice(100, None)), arms, strict=True)))
    ours = compare_permuted(pair, statistics(found, "t", "c", "revenue", "orders"))
    assert ours.pvalue == pytest.approx(compare_pair("ratio", pair, 0.05).pvalue, abs=0.05)


def test_two_users_per_arm_are_too_few():
    """Of six relabellings of 0, 0, 1, 1 two leave both arms without spread."""
    t = statistics(shuffled({"x": np.array([0.0, 0, 1, 1])}, {"t": 2, "c": 2}, 999), "t", "c", "x")
    found = compare_permuted(Pair(2, 2, 0.5, 0.4, 0.1, 0.1, 0.0, 2.0), t)
    assert found.reason == found.rel_reason == "too_few_users"
    assert math.isnan(found.pvalue) and math.isnan(found.diff_lower) and math.isnan(found.detectable)


def test_arms_that_cannot_be_tested_keep_their_reason():
    found = compare_permuted(pair_of(np.ones(9), np.ones(9)), np.zeros(999))
    assert found.reason == "zero_variance" and math.isnan(found.pvalue) and math.isnan(found.diff_upper)


@pytest.mark.parametrize(("runs", "alpha"), [(19, 0.05), (99, 0.001), (99, 0.0), (99, math.nan)])
def test_too_few_shuffles_for_alpha_are_refused(runs, alpha):
    with pytest.raises(ValueError, match=f"{runs} shuffles cannot reject"):
        permutation_critical(np.zeros(runs), alpha)
