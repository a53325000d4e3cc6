"""Means and ratios of two arms: Welch, Fieller, and the law that they never contradict each other."""

import math
from dataclasses import asdict, dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.comparison import Comparison
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.ratios import compare_ratios

ARM = st.builds(
    Moments, st.integers(2, 10**7), st.floats(0.001, 1e6), st.floats(1e-6, 1e9))


def moments(values):
    return Moments(len(values), float(np.mean(values)), float(np.var(values, ddof=1)))


def near_arms(count, seed):
    """Pairs of arms whose p-values fall on both sides of .05, many of them near it."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        n = [int(2 + 10 ** generator.uniform(0, 6)) for _ in range(2)]
        mean, spread = 10 ** generator.uniform(-3, 6), 10 ** generator.uniform(-2, 1.5)
        var = [(mean * spread * generator.uniform(0.5, 2)) ** 2 for _ in range(2)]
        error = math.sqrt(var[0] / n[0] + var[1] / n[1])
        yield Moments(n[0], mean + generator.normal(0, 2) * error, var[0]), Moments(n[1], mean, var[1])


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_as_scipy_welch(alpha):
    generator = np.random.default_rng(1)
    treatment, control = generator.gamma(2, 12, 40), generator.gamma(2, 10, 25)
    theirs = stats.ttest_ind(treatment, control, equal_var=False)
    interval = theirs.confidence_interval(1 - alpha)
    found = compare_means(moments(treatment), moments(control), alpha)
    assert found.pvalue == pytest.approx(theirs.pvalue, rel=1e-10)
    assert (found.diff_lower, found.diff_upper) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_p_and_every_interval_agree():
    n_significant = n_unbounded = 0
    for treatment, control in near_arms(5000, seed=7):
        found = compare_means(treatment, control)
        is_significant = found.pvalue < found.alpha
        n_significant += is_significant
        n_unbounded += found.rel_reason == "unbounded"
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        if not found.rel_reason:
            assert (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant
    assert 500 < n_significant < 4500 and 100 < n_unbounded < 4000


def test_relative_interval_inverts_the_test():
    """By brute force: the ratios on a fine grid that the t test of treatment - ratio * control does not reject."""
    treatment, control = Moments(60, 11.0, 60.0), Moments(45, 9.0, 50.0)
    found = compare_means(treatment, control)
    t = 60.0 / 60, 50.0 / 45
    df = (t[0] + t[1]) ** 2 / (t[0] ** 2 / 59 + t[1] ** 2 / 44)
    ratios = np.linspace(0, 4, 400_001)
    kept = ratios[np.abs(11 - ratios * 9) <= stats.t.isf(0.025, df) * np.sqrt(t[0] + ratios**2 * t[1])]
    assert (found.rel_diff_lower, found.rel_diff_upper) == pytest.approx((kept[0] - 1, kept[-1] - 1), abs=2e-5)


@given(ARM, ARM, st.sampled_from([1e-6, 0.01, 100.0, 2.0**20]))
def test_unit_of_the_metric_does_not_matter(treatment, control, unit):
    def scaled(own):
        return Moments(own.n, own.mean * unit, own.var * unit**2)

    here, there = compare_means(treatment, control), compare_means(scaled(treatment), scaled(control))
    assert there.pvalue == pytest.approx(here.pvalue, rel=1e-6, abs=1e-12)
    assert there.diff_upper == pytest.approx(here.diff_upper * unit, rel=1e-6, abs=1e-6 * unit)
    assert there.rel_reason == here.rel_reason


@given(ARM, ARM)
def test_swapped_arms_flip_the_sign(treatment, control):
    here, there = compare_means(treatment, control), compare_means(control, treatment)
    assert there.diff == -here.diff
    assert (there.diff_lower, there.diff_upper) == pytest.approx((-here.diff_upper, -here.diff_lower), rel=1e-9)
    assert there.pvalue == pytest.approx(here.pvalue, rel=1e-9, abs=1e-300)


def test_a_tiny_p_is_not_zero():
    found = compare_means(Moments(10_000, 1.0, 4.0), Moments(10_000, 0.5, 4.0))
    assert 1e-80 < found.pvalue < 1e-60


def test_large_means_lose_no_digits():
    assert compare_means(Moments(2000, 1e9 + 1, 30.0), Moments(2000, 1e9, 30.0)).pvalue == pytest.approx(
        compare_means(Moments(2000, 1.0, 30.0), Moments(2000, 0.0, 30.0)).pvalue)


def test_detectable_is_seen_with_80_percent_chance():
    """R pwr: d = .5 is seen with 80 % chance by 63.77 users per arm; here 64, so a little less than .5 is enough."""
    found = compare_means(Moments(64, 0.0, 1.0), Moments(64, 0.0, 1.0))
    assert found.detectable == pytest.approx(0.499, abs=0.001)
    power = stats.nct.sf(stats.t.isf(0.025, 126), 126, found.detectable / math.sqrt(2 / 64))
    assert power == pytest.approx(0.80, abs=0.001)


@pytest.mark.parametrize(("treatment", "control", "reason", "rel_reason"), [
    (Moments(0, math.nan, math.nan), Moments(9, 1.0, 1.0), "too_few_users", "too_few_users"),
    (Moments(9, 1.0, 1.0), Moments(1, 1.0, math.nan), "too_few_users", "too_few_users"),
    (Moments(9, math.inf, 1.0), Moments(9, 1.0, 1.0), "bad_moments", "bad_moments"),
    (Moments(9, 1.0, 1.0), Moments(9, 1.0, math.nan), "bad_moments", "bad_moments"),
    (Moments(9, 2.0, 0.0), Moments(9, 1.0, 0.0), "zero_variance", "zero_variance"),
    (Moments(9, 0.1, 2e-34), Moments(9, 0.1 + 2e-17, 3e-34), "zero_variance", "zero_variance"),
    (Moments(9, 1.0, 1.0), Moments(9, 0.0, 0.0), "", "zero_control"),
    (Moments(9, 1.0, 1.0), Moments(9, -2.0, 1.0), "", "negative_control"),
    (Moments(9, 1.0, 1.0), Moments(9, 0.1, 1.0), "", "unbounded"),
])
def test_what_cannot_be_estimated_is_nan_with_its_reason(treatment, control, reason, rel_reason):
    found = compare_means(treatment, control)
    assert (found.reason, found.rel_reason) == (reason, rel_reason)
    assert math.isnan(found.pvalue) == math.isnan(found.diff_lower) == math.isnan(found.detectable) == bool(reason)
    assert math.isnan(found.rel_diff_lower) and math.isnan(found.rel_diff_upper)


def test_one_constant_arm_can_still_be_compared():
    theirs = stats.ttest_1samp([3.0, 4.0, 6.0, 2.0], 1.0)
    found = compare_means(moments([3.0, 4.0, 6.0, 2.0]), Moments(7, 1.0, 0.0))
    assert found.pvalue == pytest.approx(theirs.pvalue)


def test_unbounded_relative_effect_still_has_its_value():
    found = compare_means(Moments(9, 1.0, 1.0), Moments(9, 0.1, 1.0))
    assert found.rel_diff == pytest.approx(9)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.05, math.nan])
def test_alpha_that_cannot_be_is_refused(alpha):
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare_means(Moments(9, 1.0, 1.0), Moments(9, 1.0, 1.0), alpha)


def test_ratio_to_a_constant_is_compared_as_a_mean():
    mean = compare_means(Moments(90, 11.0, 60.0), Moments(80, 9.0, 50.0))
    ratio = compare_ratios(RatioMoments(90, 11.0, 1.0, 60.0, 0.0, 0.0), RatioMoments(80, 9.0, 1.0, 50.0, 0.0, 0.0))
    assert asdict(ratio) == asdict(mean) | {"kind": "ratio"}


def test_ratio_without_denominator_says_so():
    found = compare_ratios(RatioMoments(90, 0.0, 0.0, 0.0, 0.0, 0.0), RatioMoments(80, 9.0, 1.0, 50.0, 1.0, 0.0))
    assert found.reason == found.rel_reason == "zero_denominator"


def test_ratio_p_and_intervals_agree():
    generator = np.random.default_rng(11)
    for _ in range(2000):
        arms = []
        for _ in range(2):
            corr = generator.uniform(-0.9, 0.95)
            sd = generator.uniform(0.2, 3, 2)
            arms.append(RatioMoments(
                int(generator.integers(5, 500)), generator.normal(2, 0.3), generator.normal(3, 0.2),
                sd[0] ** 2, sd[1] ** 2, corr * sd[0] * sd[1]))
        found = compare_ratios(*arms)
        is_significant = found.pvalue < found.alpha
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        assert found.rel_reason or (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant


def test_comparison_takes_more_fields_in_a_subclass():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named(Comparison):
        metric: str

    found = compare_means(Moments(9, 1.0, 1.0), Moments(9, 2.0, 1.0))
    assert Named(**asdict(found), metric="revenue").diff == found.diff


def test_missing_comparison_has_no_number():
    found = Comparison.missing("mean", "empty_arm")
    assert (found.reason, found.rel_reason) == ("empty_arm", "empty_arm")
    assert math.isnan(found.diff) and math.isnan(found.pvalue)
