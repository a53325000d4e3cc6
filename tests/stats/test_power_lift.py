"""A lift in proportion: the spread of treatment grows with it, and so does what it takes to see it."""

import math

import pytest

from analysis.stats.moments import Moments
from analysis.stats.power import mde, power, users
from analysis.stats.power_baseline import cuped, mean_baseline, share_baseline
from analysis.stats.power_holdout import holdout
from analysis.stats.power_lift import (
    holdout_row,
    lift_holdout,
    lift_power,
    lift_users,
    lifted,
    smallest_lift,
)

REVENUE = mean_baseline(Moments(1000, 20.0, 800.0))
SHARE = share_baseline(0.04)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_error_is_that_of_two_arms_of_unequal_spread(share):
    wider, n = lifted(REVENUE, 0.3, share), 1000
    error = wider.factor * wider.var * (1 / (share * n) + 1 / ((1 - share) * n))
    assert error == pytest.approx(800 * 1.3**2 / (share * n) + 800 / ((1 - share) * n))


def test_shares_keep_their_variance_and_a_control_of_zero_has_no_lift():
    zero = mean_baseline(Moments(9, 0.0, 4.0))
    assert lifted(SHARE, 0.3, 0.5) is SHARE and lifted(zero, 0.3, 0.5) is zero
    assert smallest_lift(zero, 100).effect == mde(zero, 100).effect
    assert smallest_lift(SHARE, 5000) == mde(SHARE, 5000)


@pytest.mark.parametrize("baseline", [REVENUE, SHARE, cuped(REVENUE, 0.4)])
@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_chance_users_and_smallest_effect_are_inverses(baseline, better, share):
    n = 40_000
    least = smallest_lift(baseline, n, share=share, better=better)
    assert math.copysign(1, least.rel_effect) == (1 if better == "higher" else -1)
    assert lift_power(baseline, n, least.rel_effect, share=share).power == pytest.approx(0.8)
    assert lift_users(baseline, least.rel_effect, share=share).n == pytest.approx(n, rel=1e-6)


def test_without_the_growing_spread_it_is_the_plain_plan():
    """Where nobody is treated to speak of, or the effect is small, both agree."""
    assert smallest_lift(REVENUE, 1e9).rel_effect == pytest.approx(mde(REVENUE, 1e9).rel_effect, rel=1e-3)
    assert lift_users(REVENUE, 0.1).n > users(REVENUE, rel_effect=0.1).n
    assert lift_power(REVENUE, 3000, 0.1).power < power(REVENUE, 3000, rel_effect=0.1).power


def test_where_the_spread_grows_as_fast_as_the_effect_none_is_seen():
    assert smallest_lift(REVENUE, 10).reason == "out_of_reach"
    assert smallest_lift(REVENUE, 3).reason == "too_few_users"


def test_a_share_beyond_one_is_out_of_reach():
    plans = lift_power(share_baseline(0.6), 1000, 0.8), lift_users(share_baseline(0.6), 0.8)
    assert [one.reason for one in plans] == ["out_of_reach"] * 2
    assert lift_holdout(share_baseline(0.6), 1000, 0.8) is None


def test_the_smallest_hold_out_shows_the_effect_just_so():
    found = lift_holdout(REVENUE, 50_000, 0.2)
    assert lift_power(REVENUE, 50_000, 0.2, share=1 - found.share).power == pytest.approx(0.8, abs=1e-6)
    assert found.share > holdout(REVENUE, 50_000, rel_effect=0.2).share
    less = found.share * 0.99
    assert lift_power(REVENUE, 50_000, 0.2, share=1 - less).power < 0.8


def test_a_base_that_is_too_small_is_told():
    assert lift_holdout(REVENUE, 500, 0.2).reason == "base_too_small"


def test_a_row_holds_what_is_shown_and_what_it_costs():
    row = holdout_row(REVENUE, 50_000, 0.1, rel_effect=0.2)
    assert row.forgone == pytest.approx(0.2 * 20 * 5000)
    assert row.power == lift_power(REVENUE, 50_000, 0.2, share=0.9).power
    assert row.rel_mde == smallest_lift(REVENUE, 50_000, share=0.9).rel_effect
    bare = holdout_row(REVENUE, 50_000, 0.1)
    assert bare.rel_mde == row.rel_mde and math.isnan(bare.forgone) and math.isnan(bare.power) and not bare.reason


def test_nothing_depends_on_the_unit():
    cents = mean_baseline(Moments(1000, 2000.0, 8e6))
    assert smallest_lift(cents, 5000).rel_effect == pytest.approx(smallest_lift(REVENUE, 5000).rel_effect)
    assert lift_holdout(cents, 50_000, 0.2).share == pytest.approx(lift_holdout(REVENUE, 50_000, 0.2).share)
