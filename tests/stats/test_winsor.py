"""Winsorised means against scipy's, and the cap that is the same for both arms."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.moments import Moments
from analysis.stats.winsor import compare_capped, compare_winsorised, winsor_cap


def revenue(seed=1):
    generator = np.random.default_rng(seed)
    return generator.lognormal(3, 1.5, 600), generator.lognormal(3, 1.5, 400)


def test_as_welch_on_scipys_winsorised_values():
    treatment, control = revenue()
    pooled = np.asarray(stats.mstats.winsorize(np.concatenate([treatment, control]), (0, 0.01)))
    theirs = stats.ttest_ind(pooled[:600], pooled[600:], equal_var=False)
    found = compare_winsorised(treatment, control)
    assert found.pvalue == pytest.approx(theirs.pvalue) and found.kind == "winsorised"
    assert (found.diff_lower, found.diff_upper) == pytest.approx(tuple(theirs.confidence_interval()))
    assert (found.cap, found.n_capped_treatment + found.n_capped_control) == (pooled.max(), 10)


def test_the_cap_is_the_smallest_size_that_99_percent_do_not_exceed():
    assert winsor_cap(np.arange(1.0, 101), np.arange(101.0, 201)) == 198
    assert winsor_cap(np.arange(1.0, 11), np.array([]), share=0.5) == 5


def test_refunds_are_pulled_in_like_orders():
    treatment, control = np.array([-500.0, -3, 0, 4, 9]), np.array([900.0, -1, 0, 2, 9])
    found = compare_winsorised(treatment, control, share=0.8)
    assert (found.cap, found.n_capped_treatment, found.n_capped_control) == (9, 1, 1)
    assert (found.value_treatment, found.value_control) == pytest.approx((1 / 5, 19 / 5))
    mirrored = compare_winsorised(-treatment, -control, share=0.8)
    assert mirrored.diff == pytest.approx(-found.diff) and mirrored.pvalue == pytest.approx(found.pvalue)


def test_a_cap_that_nobody_exceeds_changes_nothing():
    found = compare_winsorised(np.array([1.0, 2, 3]), np.array([2.0, 2, 5]))
    assert (found.cap, found.n_capped_treatment, found.n_capped_control) == (5, 0, 0)
    assert found.pvalue == pytest.approx(stats.ttest_ind([1, 2, 3], [2, 2, 5], equal_var=False).pvalue)


def test_an_engines_moments_give_the_same():
    treatment, control = revenue()
    cap = winsor_cap(treatment, control)
    moments = [Moments(len(arm), np.minimum(arm, cap).mean(), np.minimum(arm, cap).var(ddof=1))
               for arm in (treatment, control)]
    found = compare_winsorised(treatment, control)
    assert compare_capped(*moments, cap, found.n_capped_treatment, found.n_capped_control) == found


def test_the_order_of_the_arms_and_the_unit_do_not_matter():
    treatment, control = revenue()
    here, there = compare_winsorised(treatment, control), compare_winsorised(100 * control, 100 * treatment)
    assert there.diff == pytest.approx(-100 * here.diff) and there.pvalue == pytest.approx(here.pvalue)
    assert there.cap == pytest.approx(100 * here.cap)


def test_p_and_every_interval_agree():
    n_significant = 0
    for seed in range(1_000):
        treatment, control = (values[:80] for values in revenue(seed))
        found = compare_winsorised(treatment * 1.5, control, share=0.95)
        is_significant = found.pvalue < found.alpha
        n_significant += is_significant
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        assert found.rel_reason or (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant
    assert 100 < n_significant < 900


@pytest.mark.parametrize(("treatment", "control", "reason"), [
    ([0.0] * 99 + [7.0], [0.0] * 99 + [3.0], "zero_cap"),
    ([0.0] * 9, [0.0] * 9, "zero_variance"),
    ([4.0] * 9, [4.0] * 9, "zero_variance"),
    ([1.0, math.inf], [1.0, 3.0], "bad_moments"),
    ([1.0, 2.0], [math.nan, 3.0], "bad_moments"),
    ([], [], "too_few_users"),
    ([], [1.0, 3.0], "too_few_users"),
])
def test_what_cannot_be_estimated_is_nan_with_its_reason(treatment, control, reason):
    found = compare_winsorised(np.array(treatment), np.array(control))
    assert found.reason == found.rel_reason == reason
    assert math.isnan(found.pvalue) and math.isnan(found.diff_lower)


@pytest.mark.parametrize("share", [0.0, 1.0, 99, math.nan])
def test_a_share_that_cannot_be_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        winsor_cap(np.ones(3), np.ones(3), share)
