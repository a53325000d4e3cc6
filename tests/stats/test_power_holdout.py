"""Hold-outs of a whole base: the smallest that shows an effect, and the table over shares."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.power import mde, power
from analysis.stats.power_baseline import clustered, cuped, mean_baseline, ratio_baseline, share_baseline
from analysis.stats.power_chance import fewest_users
from analysis.stats.power_holdout import holdout, mde_by_share

REVENUE = mean_baseline(Moments(1000, 20.0, 800.0))


def test_many_users_by_the_normal_formula():
    """h (1 - h) = (1.96 + .8416)^2 var / (n effect^2), a quadratic in h."""
    rest = (1.9599640 + 0.8416212) ** 2 * 800 / (1e6 * 0.2**2)
    assert holdout(REVENUE, 1e6, rel_effect=0.01).share == pytest.approx((1 - math.sqrt(1 - 4 * rest)) / 2, rel=1e-3)


@given(st.sampled_from([REVENUE, share_baseline(0.05), share_baseline(0.6), clustered(REVENUE, 30, 0.02)]),
       st.floats(3, 8), st.floats(0.005, 0.6), st.booleans(), st.sampled_from([0.8, 0.9]))
def test_the_smallest_hold_out_shows_the_effect_and_a_smaller_one_does_not(baseline, size, rel, is_up, wished):
    n, rel = 10**size, rel if is_up else -rel
    found = holdout(baseline, n, rel_effect=rel, power=wished)
    if found.reason:
        assert found.reason == "base_too_small" and found.share == 0.5 and found.power < wished
        assert math.isnan(found.mde) or abs(found.mde) > abs(found.effect) * (1 - 1e-9)
        for share in np.linspace(0.3, 0.5, 15):
            assert power(baseline, n, rel_effect=rel, share=1 - share).power < wished
    elif found.n_control > fewest_users(baseline, 0.5) / 2 * (1 + 1e-6):  # not held up by the fewest that can be tested
        assert found.power == pytest.approx(wished, abs=1e-6)
        assert found.mde == pytest.approx(found.effect, rel=1e-6)
        smaller = power(baseline, n, rel_effect=rel, share=1 - 0.98 * found.share)
        assert smaller.power < wished or smaller.reason
    assert found.n_treatment + found.n_control == pytest.approx(n)
    assert found.forgone == pytest.approx(found.effect * found.n_control)


@pytest.mark.parametrize(("baseline", "effect", "n"), [
    (cuped(share_baseline(0.1), 0.0), 0.1, 400), (share_baseline(0.07), -0.05, 500), (share_baseline(0.6), 0.3, 80)])
def test_a_hold_out_below_the_half_may_show_what_the_half_does_not(baseline, effect, n):
    """Arms of a share spread differently, so power may be largest before the half, where it is lower again."""
    best = max(power(baseline, n, effect=effect, share=1 - share).power for share in np.linspace(0.3, 0.5, 400))
    half = power(baseline, n, effect=effect).power
    found = holdout(baseline, n, effect=effect, power=(best + half) / 2)
    assert best > half and not found.reason
    assert 0.3 < found.share < 0.48 and found.power == pytest.approx((best + half) / 2)


def test_the_table_is_the_plans_at_each_share():
    rows = mde_by_share(REVENUE, 200_000, rel_effect=0.03)
    assert [row.share for row in rows] == [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5]
    for row in rows:
        assert row.mde == pytest.approx(mde(REVENUE, 200_000, share=1 - row.share).effect)
        assert row.power == pytest.approx(power(REVENUE, 200_000, rel_effect=0.03, share=1 - row.share).power)
        assert row.forgone == pytest.approx(0.03 * 20 * 200_000 * row.share)
        assert row.rel_mde == pytest.approx(row.mde / 20)
    assert all(one.mde > other.mde for one, other in pairwise(rows))


def test_a_ratio_forgoes_its_effect_times_its_denominators():
    """3 more revenue per order, 2 orders a user, 1,000 users held out."""
    baseline = ratio_baseline(RatioMoments(1000, 40.0, 2.0, 900.0, 3.0, 30.0))
    [row] = mde_by_share(baseline, 10_000, effect=3.0, shares=[0.1])
    assert row.forgone == pytest.approx(3 * 2 * 1000)


def test_a_metric_that_should_fall_has_a_negative_effect_and_sum():
    [row] = mde_by_share(share_baseline(0.2), 10_000, rel_effect=-0.1, shares=[0.1])
    assert row.mde < 0 and row.forgone == pytest.approx(-0.02 * 1000)
    assert holdout(share_baseline(0.2), 100_000, rel_effect=-0.1).mde == pytest.approx(-0.02)


def test_a_base_that_is_too_small_shows_the_best_that_it_can():
    found = holdout(REVENUE, 10_000, rel_effect=0.02)
    assert (found.reason, found.share, found.n_control) == ("base_too_small", 0.5, 5000)
    assert found.mde == pytest.approx(mde(REVENUE, 10_000).effect) and found.power < 0.8


@pytest.mark.parametrize(("baseline", "n", "reason"), [
    (mean_baseline(Moments(9, 2.0, 0.0)), 900, "zero_variance"),
    (mean_baseline(Moments(9, -2.0, 1.0)), 900, "negative_control"),
    (REVENUE, 3, "too_few_users"),
    (REVENUE, 0, "too_few_users"),
    (clustered(REVENUE, 300, 0.1), 900, "too_few_clusters"),
])
def test_no_hold_out_and_why(baseline, n, reason):
    found = holdout(baseline, n, rel_effect=0.1)
    assert found.reason == reason and math.isnan(found.power) and math.isnan(found.mde)


def test_rows_without_an_mde_say_why():
    rows = mde_by_share(share_baseline(0.9), 60, rel_effect=0.05, shares=[0.01, 0.3])
    assert [row.reason for row in rows] == ["too_few_users", "out_of_reach"]
    assert math.isnan(rows[0].power) and rows[1].power > 0


@pytest.mark.parametrize(("call", "message"), [
    (lambda: holdout(REVENUE, 900, effect=0.0), "wished effect is 0"),
    (lambda: holdout(REVENUE, 900), "give one of them"),
    (lambda: holdout(REVENUE, math.inf, effect=1.0), "n is inf"),
    (lambda: holdout(REVENUE, 900, effect=1.0, power=0.01), "power is 0.01"),
    (lambda: mde_by_share(REVENUE, 900, effect=1.0, shares=[0.1, 0.0, 1.5]), "hold-out shares are 0.0, 1.5; each must"),
])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
