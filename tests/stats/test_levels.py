"""From moments to levels: what is a number, what is rounding, what is missing."""

import math

import numpy as np
import pytest

from analysis.stats.levels import mean_level, ratio_level
from analysis.stats.moments import Moments, RatioMoments


def ratio_moments(numerator, denominator):
    cov = np.cov(numerator, denominator, ddof=1)
    return RatioMoments(
        len(numerator), numerator.mean(), denominator.mean(), cov[0, 0], cov[1, 1], cov[0, 1])


def test_ratio_variance_is_that_of_its_influence_values():
    generator = np.random.default_rng(3)
    views = generator.poisson(5, 400) + 1.0
    clicks = generator.binomial(views.astype(int), 0.2).astype(float)
    ratio = clicks.sum() / views.sum()
    influence = (clicks - ratio * views) / views.mean()
    level = ratio_level(ratio_moments(clicks, views))
    assert level.value == pytest.approx(ratio)
    assert level.var == pytest.approx(influence.var(ddof=1) / 400)


def test_ratio_variance_against_the_jackknife():
    generator = np.random.default_rng(4)
    orders = generator.poisson(3, 2000) + 1.0
    revenue = orders * generator.gamma(2, 10, 2000)
    left_out = (revenue.sum() - revenue) / (orders.sum() - orders)
    jackknife = 1999 / 2000 * ((left_out - left_out.mean()) ** 2).sum()
    assert ratio_level(ratio_moments(revenue, orders)).var == pytest.approx(jackknife, rel=0.01)


def test_ratio_to_a_constant_is_a_mean():
    assert ratio_level(RatioMoments(50, 12.0, 1.0, 9.0, 0.0, 0.0)) == mean_level(Moments(50, 12.0, 9.0))


def test_proportional_sums_have_no_variance():
    orders = np.array([0.0, 1.0, 2.0, 7.0, 3.0])
    assert ratio_level(ratio_moments(orders * 19.99, orders)).var == 0


def test_spread_of_rounding_is_no_variance():
    assert mean_level(Moments(1000, 0.1, 2e-34)).var == 0


@pytest.mark.parametrize(("n", "values"), [
    (5, [10000001 + step for step in (0.0, 0.1, 0.2, 0.3, 0.4)]),
    (4, [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]),
])
def test_true_spread_on_a_large_mean_is_kept(n, values):
    assert mean_level(Moments(n, float(np.mean(values)), float(np.var(values, ddof=1)))).var > 0


@pytest.mark.parametrize(("own", "reason"), [
    (Moments(0, math.nan, math.nan), "too_few_users"),
    (Moments(1, 3.0, math.nan), "too_few_users"),
    (Moments(9, math.nan, 1.0), "bad_moments"),
    (Moments(9, 1.0, math.inf), "bad_moments"),
    (Moments(9, 1.0, -1e-9), "bad_moments"),
    (Moments(9, 1.0, 2.0), ""),
])
def test_reason_of_a_mean(own, reason):
    assert mean_level(own).reason == reason


@pytest.mark.parametrize(("own", "reason"), [
    (RatioMoments(0, *[math.nan] * 5), "too_few_users"),
    (RatioMoments(1, 2.0, 1.0, *[math.nan] * 3), "too_few_users"),
    (RatioMoments(9, 0.0, 0.0, 0.0, 0.0, 0.0), "zero_denominator"),
    (RatioMoments(9, 1.0, 2.0, 1.0, 1.0, math.nan), "bad_moments"),
    (RatioMoments(9, math.inf, 2.0, 1.0, 1.0, 0.0), "bad_moments"),
    (RatioMoments(9, 1.0, 2.0, 1.0, 1.0, 0.5), ""),
])
def test_reason_of_a_ratio(own, reason):
    assert ratio_level(own).reason == reason
