"""The bootstrap against scipy's, against all resamples of few users, and the law that p and intervals agree."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.bootstrap import bootstrap_means, bootstrap_ratios
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.ratios import compare_ratios

BOUNDS = ("diff_lower", "diff_upper", "rel_diff_lower", "rel_diff_upper")


def moments(values):
    return Moments(len(values), float(np.mean(values)), float(np.var(values, ddof=1)))


def near_arms(count, seed):
    """Pairs of arms of skewed revenue, some with few buyers, whose p-values fall on both sides of .05."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        n = generator.integers(5, 60, 2)
        arms = [generator.gamma(generator.choice([0.5, 3]), 40, size) * (generator.random(size) < generator.choice(
            [0.2, 1])) for size in n]
        yield arms[0] * generator.lognormal(0, 0.7), arms[1]


def test_quantiles_are_those_of_all_resamples_of_few_users():
    """Two of three users drawn per arm: 81 resamples, all as likely."""
    treatment, control = np.array([3.0, 8, 12]), np.array([2.0, 3, 9])
    means = [[sum(drawn) / 2 for drawn in itertools.product(arm, repeat=2)] for arm in (treatment, control)]
    exact = np.array([t - c for t, c in itertools.product(*means)])
    relative = np.array([(t - c) / c for t, c in itertools.product(*means)])
    found = bootstrap_means(treatment, control, alpha=0.2)
    assert found.pvalue == pytest.approx(2 * (exact <= 0).mean(), abs=0.04)
    assert (found.diff_lower, found.diff_upper) == tuple(np.quantile(exact, [0.1, 0.9], method="inverted_cdf"))
    assert (found.rel_diff_lower, found.rel_diff_upper) == pytest.approx(
        np.quantile(relative, [0.1, 0.9], method="inverted_cdf"))


def test_as_scipy_with_many_users():
    generator = np.random.default_rng(1)
    treatment, control = generator.gamma(0.5, 44, 900), generator.gamma(0.5, 40, 700)
    ours, options = bootstrap_means(treatment, control), {
        "method": "percentile", "vectorized": True, "n_resamples": 9_999, "rng": np.random.default_rng(2)}
    diff = stats.bootstrap((treatment, control), lambda t, c, axis: t.mean(axis) - c.mean(axis), **options)
    relative = stats.bootstrap((treatment, control), lambda t, c, axis: t.mean(axis) / c.mean(axis) - 1, **options)
    theirs = (*diff.confidence_interval, *relative.confidence_interval)
    for field, bound, error in zip(BOUNDS, theirs, [diff.standard_error] * 2 + [relative.standard_error] * 2,
                                   strict=True):
        assert getattr(ours, field) == pytest.approx(bound, abs=0.12 * error)


def test_p_and_every_interval_agree():
    n_significant = n_unbounded = 0
    for seed, (treatment, control) in enumerate(near_arms(2_000, seed=3)):
        found = bootstrap_means(treatment, control, resamples=199, seed=seed)
        is_significant = found.pvalue < found.alpha
        n_significant += is_significant
        n_unbounded += found.rel_reason == "unbounded"
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        if not found.rel_reason:
            assert (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant
    assert 300 < n_significant < 1_700 and n_unbounded > 50


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_the_law_holds_at_every_level(alpha):
    for seed, (treatment, control) in enumerate(near_arms(100, seed=4)):
        found = bootstrap_means(treatment, control, alpha, resamples=2_499, seed=seed)
        assert (found.diff_lower > 0 or found.diff_upper < 0) == (found.pvalue < alpha)


def test_buckets_say_what_users_say():
    """Above 4,096 users buckets are drawn; Welch knows what to expect, as 60,000 users are plenty for the skew."""
    generator = np.random.default_rng(5)
    treatment, control = generator.gamma(0.3, 102, 60_001), generator.gamma(0.3, 100, 40_007)
    welch = compare_means(moments(treatment), moments(control))
    found = bootstrap_means(treatment, control, resamples=3_999)
    for field in BOUNDS:
        width = welch.rel_diff_upper - welch.rel_diff_lower if "rel" in field else welch.diff_upper - welch.diff_lower
        assert getattr(found, field) == pytest.approx(getattr(welch, field), abs=0.03 * width)
    assert found.detectable == pytest.approx(welch.detectable, rel=0.04)


def test_buckets_keep_the_skew():
    """Five huge orders among 5,000 in treatment: the upper bound is further out, one by one (below 4,096) or not."""
    def asymmetry(n):
        treatment, control = np.zeros(n), np.zeros(n)
        treatment[:5], control[:5] = 1.0, 1e-3
        found = bootstrap_means(treatment, control, resamples=3_999)
        return (found.diff_upper - found.diff) / (found.diff - found.diff_lower)

    assert asymmetry(4_000) == pytest.approx(5 / 4, abs=0.01)  # 10 drawn at the upper place and 1 at the lower
    assert asymmetry(9_000) == pytest.approx(5 / 4, abs=0.01)


def test_ratios_resample_both_sums_of_a_user_together():
    generator = np.random.default_rng(6)
    arms = []
    for lift in (1.1, 1.0):
        orders = 1.0 + generator.poisson(2, 800)
        arms.append((lift * orders * 20 * generator.gamma(4, 0.25, 800), orders))
    covs = [np.cov(*arm) for arm in arms]
    delta = compare_ratios(*(RatioMoments(800, arm[0].mean(), arm[1].mean(), c[0, 0], c[1, 1], c[0, 1])
                             for arm, c in zip(arms, covs, strict=True)))
    found = bootstrap_ratios(*arms)
    assert found.diff == pytest.approx(delta.diff) and found.kind == "bootstrap"
    for field in BOUNDS:
        width = delta.rel_diff_upper - delta.rel_diff_lower if "rel" in field else delta.diff_upper - delta.diff_lower
        assert getattr(found, field) == pytest.approx(getattr(delta, field), abs=0.03 * width)


def test_levels_far_from_zero_lose_no_digits():
    generator = np.random.default_rng(7)
    treatment, control = generator.gamma(1, 1, 90), generator.gamma(1, 1, 80)
    near, far = (bootstrap_means(treatment + level, control + level, resamples=999) for level in (0, 1e9))
    assert (far.diff_lower, far.diff_upper) == pytest.approx((near.diff_lower, near.diff_upper), rel=1e-5)
    assert far.pvalue == near.pvalue


@pytest.mark.parametrize("unit", [2.0**-20, 1024.0])
def test_unit_of_the_metric_does_not_matter(unit):
    treatment, control = np.random.default_rng(8).gamma(2, 10, (2, 30))
    here, there = bootstrap_means(treatment, control), bootstrap_means(unit * treatment, unit * control)
    assert there.pvalue == here.pvalue
    assert there.diff_upper == pytest.approx(unit * here.diff_upper)
    assert there.rel_diff_upper == pytest.approx(here.rel_diff_upper)


def test_the_same_data_and_seed_give_the_same_numbers_and_another_seed_others():
    treatment, control = next(near_arms(1, seed=9))
    assert bootstrap_means(treatment, control) == bootstrap_means(treatment, control)
    assert bootstrap_means(treatment, control) != bootstrap_means(treatment, control, seed=1)


def test_resamples_without_any_buyer_are_ties():
    """One buyer per arm, drawn 39 times of 40: resamples without both count on both sides."""
    treatment, control = np.zeros(40), np.zeros(40)
    treatment[0], control[0] = 0.3, 0.1
    found = bootstrap_means(treatment, control)
    times = stats.binom(39, 1 / 40).pmf(range(9))
    not_above = sum(t * c for (i, t), (j, c) in itertools.product(enumerate(times), repeat=2) if 3 * i <= j)
    assert found.pvalue == pytest.approx(2 * not_above, abs=0.04) and found.rel_reason == "unbounded"
    assert found.diff_lower < 0 < found.diff_upper


@pytest.mark.parametrize(("treatment", "control", "reason", "rel_reason"), [
    ([], [1.0, 2.0], "too_few_users", "too_few_users"),
    ([1.0], [1.0, 2.0], "too_few_users", "too_few_users"),
    ([2.0, 2.0], [1.0, 1.0], "zero_variance", "zero_variance"),
    ([math.inf, 2.0], [1.0, 4.0], "bad_moments", "bad_moments"),
    ([math.nan, 2.0], [1.0, 4.0], "bad_moments", "bad_moments"),
    ([1.0, 2.0, 5.0], [0.0, 0.0, 0.0], "", "zero_control"),
    ([1.0, 2.0, 5.0], [-2.0, -1.0, -1.0], "", "negative_control"),
    ([1.0, 2.0, 5.0], [0.0, 0.0, 1.0], "", "unbounded"),
])
def test_what_cannot_be_estimated_is_nan_with_its_reason(treatment, control, reason, rel_reason):
    found = bootstrap_means(np.array(treatment), np.array(control), resamples=199)
    assert (found.reason, found.rel_reason) == (reason, rel_reason)
    assert math.isnan(found.pvalue) == math.isnan(found.diff_lower) == math.isnan(found.detectable) == bool(reason)
    assert math.isnan(found.rel_diff_lower) and math.isnan(found.rel_diff_upper)


@pytest.mark.parametrize("orders", [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
def test_a_ratio_without_denominator_says_so(orders):
    control = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0])
    found = bootstrap_ratios((np.array([0.0, 0.0, 5.0]), np.array(orders)), control, resamples=199)
    assert found.reason == found.rel_reason == "zero_denominator" and math.isnan(found.pvalue)


@pytest.mark.parametrize(("resamples", "alpha"), [(39, 0.05), (9_999, 0.0002), (9_999, 0.0), (9_999, math.nan)])
def test_too_few_resamples_for_alpha_are_refused(resamples, alpha):
    with pytest.raises(ValueError, match=f"{resamples} resamples cannot reject"):
        bootstrap_means(np.arange(9.0), np.arange(8.0), alpha, resamples)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="each unit has one of both"):
        bootstrap_ratios((np.ones(3), np.ones(2)), (np.ones(3), np.ones(3)))
