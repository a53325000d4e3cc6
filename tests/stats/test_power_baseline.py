"""What a plan starts from: the variance per user, and what clusters and the time before make of it."""

import math

import numpy as np
import pytest

from analysis.stats.moments import Moments, PairedMoments, RatioMoments
from analysis.stats.power_baseline import (
    clustered,
    cuped,
    mean_baseline,
    r_squared,
    ratio_baseline,
    share_baseline,
)

REVENUE = mean_baseline(Moments(1000, 20.0, 800.0))


def test_mean_and_share_keep_their_variance():
    assert (REVENUE.value, REVENUE.var, REVENUE.reason) == (20.0, pytest.approx(800.0), "")
    share = share_baseline(0.04)
    assert (share.value, share.var, share.is_score) == (0.04, pytest.approx(0.0384), True)


def test_ratio_has_the_variance_that_the_jackknife_finds():
    generator = np.random.default_rng(1)
    orders = 1.0 + generator.poisson(2, 400)
    revenue = orders * generator.gamma(2, 10, 400)
    own = RatioMoments(
        400, revenue.mean(), orders.mean(), revenue.var(ddof=1), orders.var(ddof=1), np.cov(revenue, orders)[0, 1])
    left_out = (revenue.sum() - revenue) / (orders.sum() - orders)
    found = ratio_baseline(own)
    assert (found.value, found.denominator) == pytest.approx((revenue.sum() / orders.sum(), orders.mean()))
    assert found.var / 400 == pytest.approx(399 / 400 * ((left_out - left_out.mean()) ** 2).sum(), rel=0.01)


def test_ratio_to_a_constant_is_the_mean():
    ratio = ratio_baseline(RatioMoments(90, 11.0, 1.0, 60.0, 0.0, 0.0))
    mean = mean_baseline(Moments(90, 11.0, 60.0))
    assert (ratio.value, ratio.var, ratio.denominator) == (mean.value, mean.var, mean.denominator)


def test_cuped_leaves_what_the_time_before_does_not_explain():
    generator = np.random.default_rng(2)
    before = generator.gamma(2, 10, 500)
    during = 0.6 * before + generator.normal(0, 8, 500)
    cov = np.cov(during, before)
    pair = PairedMoments(500, during.mean(), before.mean(), cov[0, 0], cov[1, 1], cov[0, 1])
    left = during - np.polyval(np.polyfit(before, during, 1), before)
    assert r_squared(pair) == pytest.approx(np.corrcoef(during, before)[0, 1] ** 2)
    assert cov[0, 0] * cuped(REVENUE, r_squared(pair)).factor == pytest.approx(left.var(ddof=1))


@pytest.mark.parametrize(("pair", "value"), [
    (PairedMoments(9, 1.0, 1.0, 0.0, 2.0, 0.0), 0.0),
    (PairedMoments(9, 1.0, 1.0, 2.0, 0.0, 0.0), 0.0),
    (PairedMoments(9, 1.0, 1.0, math.nan, 2.0, 0.0), 0.0),
    (PairedMoments(9, 1.0, 1.0, 2.0, 2.0, 2.0), 1.0),
    (PairedMoments(9, 1.0, 1.0, 0.1, 0.3, math.sqrt(0.03) * (1 + 1e-15)), 1.0),
])
def test_a_phase_without_spread_explains_nothing(pair, value):
    assert r_squared(pair) == pytest.approx(value)
    assert r_squared(pair) <= 1


def test_design_effect_is_the_variance_of_the_clusters_sums():
    """By its definition: users of a cluster share a part of their variance, and the mean is over all users."""
    sizes, icc = np.array([10, 40, 25, 90, 5, 60]), 0.07
    of_sums = sizes * (1 - icc) + sizes**2 * icc
    wanted = of_sums.sum() / sizes.sum()
    found = clustered(REVENUE, sizes.mean(), icc, sizes.std() / sizes.mean())
    assert found.factor == pytest.approx(wanted)
    assert clustered(REVENUE, 50, 0.02).factor == pytest.approx(1 + 49 * 0.02)


def test_clusters_of_one_user_and_r_squared_of_0_change_nothing():
    assert cuped(clustered(REVENUE, 1, 0.3), 0.0) == REVENUE
    assert clustered(cuped(REVENUE, 0.4), 20, 0.1).factor == pytest.approx(0.6 * 2.9)


def test_an_adjusted_or_clustered_share_is_tested_by_t():
    assert not cuped(share_baseline(0.1), 0.2).is_score and not clustered(share_baseline(0.1), 9, 0.1).is_score


@pytest.mark.parametrize(("baseline", "reason", "rel_reason"), [
    (mean_baseline(Moments(9, 2.0, 0.0)), "zero_variance", "zero_variance"),
    (mean_baseline(Moments(9, 0.1, 1e-34)), "zero_variance", "zero_variance"),
    (mean_baseline(Moments(1, 2.0, math.nan)), "too_few_users", "too_few_users"),
    (mean_baseline(Moments(9, 2.0, math.nan)), "bad_moments", "bad_moments"),
    (mean_baseline(Moments(9, 0.0, 1.0)), "", "zero_control"),
    (mean_baseline(Moments(9, -1.0, 1.0)), "", "negative_control"),
    (ratio_baseline(RatioMoments(9, 2.0, 0.0, 1.0, 0.0, 0.0)), "zero_denominator", "zero_denominator"),
    (ratio_baseline(RatioMoments(9, 2.0, 1.0, 4.0, 1.0, 2.0)), "zero_variance", "zero_variance"),
    (share_baseline(0.0), "zero_variance", "zero_variance"),
    (share_baseline(1), "zero_variance", "zero_variance"),
])
def test_a_past_that_cannot_be_planned_with_has_its_reason(baseline, reason, rel_reason):
    assert (baseline.reason, baseline.rel_reason) == (reason, rel_reason)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: share_baseline(1.2), "share is 1.2"),
    (lambda: share_baseline(math.nan), "share is nan"),
    (lambda: cuped(REVENUE, 1.0), r"R\^2 is 1.0"),
    (lambda: cuped(REVENUE, -0.1), r"R\^2 is -0.1"),
    (lambda: clustered(REVENUE, 0.5, 0.1), "0.5 users"),
    (lambda: clustered(REVENUE, math.inf, 0.1), "inf users"),
    (lambda: clustered(REVENUE, 9, -0.1), "below 0: say 0"),
    (lambda: clustered(REVENUE, 9, 1.1), "correlation is 1.1"),
    (lambda: clustered(REVENUE, 0, 2, -1), "0 users.*correlation is 2.*variation is -1"),
])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
