"""Levels of one arm and paired changes, against scipy, statsmodels and rows."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.stats.fieller import fieller
from analysis.stats.intervals import mean_interval, paired_change, ratio_interval, wilson
from analysis.stats.moments import Moments, PairedMoments, RatioMoments


def paired(during, before):
    cov = np.cov(during, before, ddof=1)
    return PairedMoments(len(during), during.mean(), before.mean(), cov[0, 0], cov[1, 1], cov[0, 1])


def users(count, lift, seed):
    generator = np.random.default_rng(seed)
    taste = generator.gamma(2, 5, count)
    return lift * taste + generator.normal(0, 3, count), taste + generator.normal(0, 3, count)


@pytest.mark.parametrize(("x", "n"), [(0, 10), (10, 10), (3, 10), (1, 1), (120, 1000), (2, 3_000_000)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_wilson_as_statsmodels(x, n, alpha):
    assert wilson(x, n, alpha) == pytest.approx(proportion_confint(x, n, alpha, method="wilson"), rel=1e-9, abs=1e-12)


def test_wilson_ends_exactly_at_none_and_all():
    assert wilson(0, 7)[0] == 0 and wilson(7, 7)[1] == 1


def test_wilson_of_nobody_is_nan():
    assert all(math.isnan(bound) for bound in wilson(0, 0))


def test_wilson_refuses_more_than_all():
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(8, 7)


def test_mean_interval_as_scipy():
    values = [3.0, 4.0, 9.0, 1.0, 5.5]
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(Moments(5, np.mean(values), np.var(values, ddof=1))) == pytest.approx(tuple(theirs))


@pytest.mark.parametrize("own", [Moments(1, 3.0, math.nan), Moments(9, 0.0, 0.0), Moments(9, math.inf, 1.0)])
def test_mean_interval_without_spread_is_nan(own):
    assert all(math.isnan(bound) for bound in mean_interval(own))


def test_ratio_to_a_constant_has_the_interval_of_its_mean():
    ratio = RatioMoments(50, 12.0, 4.0, 9.0, 0.0, 0.0)
    assert ratio_interval(ratio) == pytest.approx(tuple(b / 4 for b in mean_interval(Moments(50, 12.0, 9.0))))


def test_ratio_without_denominator_is_nan():
    assert all(math.isnan(bound) for bound in ratio_interval(RatioMoments(50, 0.0, 0.0, 0.0, 0.0, 0.0)))


def test_paired_change_leaves_out_0_when_the_paired_t_test_does():
    verdicts = []
    for seed in range(400):
        during, before = users(40, lift=1.15, seed=seed)
        change = paired_change(paired(during, before))
        is_significant = stats.ttest_rel(during, before).pvalue < 0.05
        verdicts.append(is_significant)
        assert (change.lower > 0 or change.upper < 0) == is_significant
    assert 100 < sum(verdicts) < 300


def test_paired_change_inverts_the_paired_test():
    """By brute force: the factors on a fine grid at which during - factor * before has a mean that may be 0."""
    during, before = users(30, lift=1.3, seed=2)
    change = paired_change(paired(during, before))
    factors = np.linspace(0.5, 3, 20_001)
    gaps = during[:, None] - factors * before[:, None]
    t = gaps.mean(axis=0) / (gaps.std(axis=0, ddof=1) / math.sqrt(30))
    kept = factors[np.abs(t) <= stats.t.isf(0.025, 29)] - 1
    assert (change.lower, change.upper) == pytest.approx((kept[0], kept[-1]), abs=2e-4)
    assert change.value == pytest.approx(during.sum() / before.sum() - 1)


@pytest.mark.parametrize(("pair", "reason"), [
    (PairedMoments(1, 2.0, 1.0, math.nan, math.nan, math.nan), "too_few_users"),
    (PairedMoments(9, 2.0, 0.0, 1.0, 0.0, 0.0), "zero_baseline"),
    (PairedMoments(9, 2.0, -1.0, 1.0, 1.0, 0.0), "negative_baseline"),
    (PairedMoments(9, 2.0, 1.0, 1.0, 1.0, 1.0), "zero_variance"),
    (PairedMoments(9, 2.0, 1.0, 1.0, 1.0, math.nan), "bad_moments"),
    (PairedMoments(9, 2.0, 0.1, 1.0, 1.0, 0.2), "unbounded"),
])
def test_change_without_bounds_says_why(pair, reason):
    change = paired_change(pair)
    assert change.reason == reason
    assert math.isnan(change.lower) and math.isnan(change.upper)


def test_fieller_as_published():
    """Worked by hand from the quadratic of Fieller (1954): 10 / 5, variances 1 and .25, covariance .1, critical 2.

    (10 - 5 r)^2 = 4 (1 - .2 r + .25 r^2)  <=>  24 r^2 - 99.2 r + 96 = 0
    """
    root = math.sqrt(99.2**2 - 4 * 24 * 96)
    assert fieller(10, 5, 1, 0.25, 0.1, 2) == pytest.approx(((99.2 - root) / 48, (99.2 + root) / 48))


@pytest.mark.parametrize("sign", [1, -1])
def test_fieller_turns_with_the_test_to_the_last_digit(sign):
    """Standard error 1: an estimate just beyond the critical value is significant, one just below is not."""
    for critical in np.linspace(1.5, 4, 101).tolist():
        for size, is_significant in ((math.nextafter(critical, 9), True), (math.nextafter(critical, 0), False)):
            lower, upper = fieller(sign * size, 8.0, 1, 0.25, -0.25, critical)
            assert (lower > 0 or upper < 0) == is_significant


def test_fieller_of_a_loss_mirrors_that_of_a_gain_to_the_last_digit():
    for size in np.linspace(1.9999, 2.0001, 101).tolist():
        lower, upper = fieller(size, 8.0, 1, 0.25, -0.25, 2.0)
        assert fieller(-size, 8.0, 1, 0.25, 0.25, 2.0) == (-upper, -lower)


def test_fieller_is_wide_but_bounded_when_the_denominator_is_barely_not_0():
    """Solutions of (2 - 1.05 r)^2 = 1 + .25 r^2 * 4, from .1025 r^2 - 4.2 r + 3 = 0."""
    root = math.sqrt(4.2**2 - 4 * 0.1025 * 3)
    assert fieller(2, 1.05, 0.25, 0.25, 0, 2) == pytest.approx(((4.2 - root) / 0.205, (4.2 + root) / 0.205))


def test_fieller_has_no_interval_when_the_denominator_may_be_0():
    assert fieller(10, 1, 1, 0.25, 0, 2) is None
    assert fieller(10, 0, 1, 0.25, 0, 2) is None
