"""Brunner and Munzel's test against scipy and a published table, and its interval by the law."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.ranks import compare_ranks


def arms(seed, draw=None):
    generator = np.random.default_rng(seed)
    n = generator.integers(4, 60, 2)
    shift = generator.normal(0, 0.5)
    if draw == "counts":
        return generator.poisson(math.exp(shift), n[0]), generator.poisson(1.0, n[1])
    return generator.normal(shift, generator.uniform(0.3, 3), n[0]), generator.normal(0, 1, n[1])


def test_as_published():
    """Pain scores of Brunner & Munzel (2000) by R's lawstat: .788961, interval (.5952169, .9827052), p .005786."""
    x = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1]
    y = [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]
    found = compare_ranks(y, x)
    assert found.superiority == pytest.approx(0.788961, abs=5e-7)
    assert (found.superiority_lower, found.superiority_upper) == pytest.approx((0.5952169, 0.9827052), abs=5e-8)
    assert found.pvalue == pytest.approx(0.005786, abs=5e-7)


@pytest.mark.parametrize("draw", ["normal", "counts"])
def test_as_scipy(draw):
    for seed in range(50):
        treatment, control = arms(seed, draw)
        found = compare_ranks(treatment, control)
        if not found.is_separated:
            assert found.pvalue == pytest.approx(stats.brunnermunzel(treatment, control).pvalue, rel=1e-9)
            assert found.superiority == pytest.approx(
                stats.mannwhitneyu(treatment, control).statistic / (len(treatment) * len(control)))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_p_and_interval_agree(alpha):
    n_significant = 0
    for seed in range(1_500):
        found = compare_ranks(*arms(seed, ("normal", "counts")[seed % 2]), alpha)
        is_significant = found.pvalue < alpha
        n_significant += is_significant
        assert (found.superiority_lower > 0.5 or found.superiority_upper < 0.5) == is_significant
        assert 0 <= found.superiority_lower <= found.superiority <= found.superiority_upper <= 1
    assert 150 < n_significant < 1_300


def test_only_the_order_of_the_values_matters():
    treatment, control = arms(3)
    assert compare_ranks(np.exp(treatment), np.exp(control)) == compare_ranks(treatment[::-1], control)


def test_swapped_arms_turn_the_superiority_around():
    treatment, control = arms(4)
    here, there = compare_ranks(treatment, control), compare_ranks(control, treatment)
    assert there.superiority == pytest.approx(1 - here.superiority)
    assert there.superiority_lower == pytest.approx(1 - here.superiority_upper)
    assert there.pvalue == pytest.approx(here.pvalue)


@pytest.mark.parametrize(("n_treatment", "n_control"), [(2, 2), (3, 500), (4, 4), (10, 20), (400, 900)])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_arms_that_do_not_overlap_have_bounds_and_a_p_all_the_same(n_treatment, n_control, alpha):
    """The largest variance that there can be: z is the root of the smaller arm, and the bounds are Wilson's."""
    high, low = np.arange(n_treatment) + n_control, np.arange(n_control)
    found, smaller = compare_ranks(high, low, alpha), min(n_treatment, n_control)
    assert found.is_separated and found.superiority == found.superiority_upper == 1 and not found.reason
    assert found.pvalue == pytest.approx(2 * stats.norm.sf(math.sqrt(smaller)))
    assert found.superiority_lower == pytest.approx(smaller / (smaller + stats.norm.isf(alpha / 2) ** 2))
    assert (found.superiority_lower > 0.5) == (found.pvalue < alpha)
    other = compare_ranks(low, high, alpha)
    assert (other.superiority, other.superiority_lower) == (0, 0)
    assert other.superiority_upper == pytest.approx(1 - found.superiority_lower)


@pytest.mark.parametrize(("n", "exact"), [((4, 4), 2 / 70), ((5, 9), 2 / 2_002), ((10, 10), 2 / 184_756)])
def test_without_overlap_the_p_is_above_that_of_all_relabellings(n, exact):
    assert compare_ranks(np.arange(n[0]) + 100.0, np.arange(n[1])).pvalue > exact


def test_one_constant_arm_can_be_compared():
    found = compare_ranks([5, 5, 5, 5, 5], [1, 3, 8, 2, 5, 4, 9, 4])
    assert found.pvalue == pytest.approx(
        stats.brunnermunzel([5, 5, 5, 5, 5], [1, 3, 8, 2, 5, 4, 9, 4]).pvalue)


@pytest.mark.parametrize(("treatment", "control", "reason"), [
    ([], [1.0, 2.0], "too_few_users"),
    ([1.0, 2.0], [1.0], "too_few_users"),
    ([1.0, math.nan], [1.0, 3.0], "bad_moments"),
    ([1.0, 2.0], [-math.inf, 3.0], "bad_moments"),
    ([0.0, 0.0, 0.0], [0.0, 0.0], "zero_variance"),
])
def test_what_cannot_be_estimated_is_nan_with_its_reason(treatment, control, reason):
    found = compare_ranks(treatment, control)
    assert found.reason == reason and not found.is_separated
    assert math.isnan(found.pvalue) and math.isnan(found.superiority_lower) and math.isnan(found.superiority_upper)


@pytest.mark.parametrize("control", [[0.0, 2.0, 4.0], [-2.0, -1.0]])
def test_alpha_that_cannot_be_is_refused(control):
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare_ranks([1.0, 3.0, 5.0], control, alpha=1.0)
