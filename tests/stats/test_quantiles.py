"""Quantiles of clustered rows: order statistics, MOVER by root finding, lumps, and the law of p and intervals."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.stats.intervals import ratio_interval
from analysis.stats.levels import ratio_level
from analysis.stats.moments import RatioMoments
from analysis.stats.quantiles import Rows, compare_quantiles, quantile_level

BOUNDS = ("diff_lower", "diff_upper", "rel_diff_lower", "rel_diff_upper")


def one_each(values):
    return Rows(np.asarray(values, dtype=float), np.arange(len(values)))


def latencies(generator, n, lift=1.0, most=20):
    """Page loads of n users, slow users slow on every page."""
    unit = np.repeat(np.arange(n), generator.integers(1, most + 1, n))
    return Rows(lift * generator.gamma(3, 1 / 3, n)[unit] * generator.gamma(2, 50, len(unit)), unit)


def counts(generator, n, lift=1.0):
    """Articles per order: few values, all of them lumps."""
    unit = np.repeat(np.arange(n), generator.integers(1, 6, n))
    return Rows(generator.poisson(lift * generator.gamma(3, 1 / 3, n)[unit]), unit)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_one_row_per_user_has_the_binomials_order_statistics(q):
    """Of 400 rows: the ranks of the exact interval of the binomial, give or take one for Student's t."""
    level = quantile_level(one_each(np.arange(1, 401)), q)
    low, high = level.bounds(0.05)
    first, last = stats.binom.ppf([0.025, 0.975], 400, q)
    assert abs(low - first) <= 1 and abs(high - last - 1) <= 1
    assert low + high == pytest.approx(2 * 400 * q + 1, abs=1e-9)


def test_error_of_the_share_is_that_of_a_ratio_of_two_sums():
    """The share of rows below the value is rows below / rows, per user."""
    rows = latencies(np.random.default_rng(1), 60)
    level = quantile_level(rows, 0.7)
    below = np.bincount(rows.units, weights=rows.values <= level.value)
    n_rows = np.bincount(rows.units)
    cov = np.cov(below, n_rows)
    own = RatioMoments(60, below.mean(), n_rows.mean(), cov[0, 0], cov[1, 1], cov[0, 1])
    assert level.error_above == pytest.approx(math.sqrt(ratio_level(own).var))
    low, high = ratio_interval(own)
    assert level.bounds(0.05) == pytest.approx(np.quantile(rows.values, [low, high]), rel=0.02)


@pytest.mark.parametrize("q", [0.3, 0.5, 0.95])
def test_the_value_is_numpys_quantile_that_is_symmetric(q):
    for size in (10, 11, 20, 57, 100):
        values = np.random.default_rng(size).normal(0, 1, size)
        assert quantile_level(one_each(values), q).value == pytest.approx(
            np.quantile(values, q, method="averaged_inverted_cdf"))


def test_copies_of_rows_do_not_make_them_more():
    """Each row ten times, of the same user: one row per user, in ten parts."""
    generator = np.random.default_rng(2)
    treatment, control = generator.gamma(2, 60, 150), generator.gamma(2, 50, 200)
    once = compare_quantiles(one_each(treatment), one_each(control), 0.5)
    often = compare_quantiles(*(Rows(np.repeat(arm, 10), np.repeat(np.arange(len(arm)), 10))
                                for arm in (treatment, control)), 0.5)
    assert (often.n_treatment, often.n_rows_treatment) == (150, 1_500)
    assert often.diff == pytest.approx(once.diff) and often.pvalue == pytest.approx(once.pvalue, rel=0.2)
    assert (often.diff_lower, often.diff_upper) == pytest.approx((once.diff_lower, once.diff_upper), abs=3)


def test_the_ratio_is_the_root_of_the_difference_with_the_control_scaled():
    """MOVER's bound of treatment - r control is 0 at the bound of the ratio: by root finding."""
    generator = np.random.default_rng(3)
    for _ in range(50):
        lift = generator.uniform(0.5, 2)
        treatment, control = latencies(generator, 40, lift), latencies(generator, 40)
        found, arms = compare_quantiles(treatment, control, 0.6), [quantile_level(a, 0.6) for a in (treatment, control)]
        if found.rel_reason:
            continue
        (low_t, up_t), (low_c, up_c) = (arm.bounds(0.05) for arm in arms)
        value_t, value_c = arms[0].value, arms[1].value

        def lower(r, t=value_t, c=value_c, low_t=low_t, up_c=up_c):
            return t - r * c - math.hypot(t - low_t, r * (up_c - c))

        def upper(r, t=value_t, c=value_c, up_t=up_t, low_c=low_c):
            return t - r * c + math.hypot(up_t - t, r * (c - low_c))

        assert found.rel_diff_lower == pytest.approx(optimize.brentq(lower, 0, 50) - 1)
        assert found.rel_diff_upper == pytest.approx(optimize.brentq(upper, 0, 50) - 1)


@pytest.mark.parametrize("draw", [latencies, counts])
@pytest.mark.parametrize("q", [0.4, 0.5, 0.9])
def test_p_and_every_interval_agree(draw, q):
    generator = np.random.default_rng(4)
    n_significant = n_tested = 0
    for _ in range(300):
        alpha = generator.choice([0.01, 0.05, 0.2])
        found = compare_quantiles(draw(generator, 50, generator.lognormal(0, 0.3)), draw(generator, 70), q, alpha)
        if found.reason:
            continue
        is_significant, n_tested = found.pvalue < alpha, n_tested + 1
        n_significant += is_significant
        assert (found.diff_lower > 0 or found.diff_upper < 0) == is_significant
        assert found.diff_lower <= found.diff <= found.diff_upper
        if not found.rel_reason:
            assert (found.rel_diff_lower > 0 or found.rel_diff_upper < 0) == is_significant
            assert found.rel_diff_lower - 1e-12 <= found.rel_diff <= found.rel_diff_upper + 1e-12
    assert n_tested > 60 and 2 < n_significant < n_tested - 2


def test_p_is_the_level_at_which_the_interval_begins_to_hold_zero():
    generator = np.random.default_rng(5)
    treatment, control = latencies(generator, 200, 1.3), latencies(generator, 200)
    p = compare_quantiles(treatment, control, 0.5).pvalue
    assert 1e-12 < p < 0.2
    assert compare_quantiles(treatment, control, 0.5, p * 0.999).diff_lower <= 0
    assert compare_quantiles(treatment, control, 0.5, p * 1.001).diff_lower > 0


def test_as_the_normal_test_on_plain_data():
    """The median of normal values has the standard error sqrt(pi / 2) sigma / sqrt(n)."""
    generator, error = np.random.default_rng(6), math.sqrt(math.pi / 2 * 2 / 5_000)
    found = [compare_quantiles(one_each(treatment), one_each(control), 0.5)
             for treatment, control in generator.normal(10, 1, (100, 2, 5_000))]
    assert np.mean([one.diff_upper - one.diff_lower for one in found]) == pytest.approx(2 * 1.96 * error, rel=0.03)
    assert np.mean([one.detectable for one in found]) == pytest.approx(2.8 * error, rel=0.03)
    assert np.mean([abs(one.pvalue - 2 * stats.norm.sf(abs(one.diff) / error)) for one in found]) < 0.04
    assert [one.rel_diff_lower for one in found] == pytest.approx([one.diff_lower / 10 for one in found], abs=2e-4)


@pytest.mark.parametrize("most", [1, 20])
def test_as_the_bootstrap_of_users(most):
    """Users drawn with all their rows, 1,000 times: the same bounds, give or take a fifth of a standard error."""
    generator = np.random.default_rng(9)
    arms = [latencies(generator, 600, lift, most) for lift in (1.1, 1.0)]
    draws = []
    for arm in arms:
        drawn = generator.multinomial(600, np.full(600, 1 / 600), 1_000)
        draws.append([np.median(np.repeat(arm.values, times[arm.units])) for times in drawn])
    diffs = np.subtract(*draws)
    found = compare_quantiles(*arms, 0.5)
    assert (found.diff_lower, found.diff_upper) == pytest.approx(
        tuple(np.quantile(diffs, [0.025, 0.975])), abs=0.3 * diffs.std())


def test_a_bound_of_exactly_zero_is_zero_for_the_ratio_too():
    """Tenths in lumps: .5 down to .3, against .3; not significant, and rounding does not make it so."""
    treatment = one_each(np.repeat([0.3, 0.5, 0.9], [45, 50, 30]))
    for cents in range(1, 300):
        arms = [Rows(arm.values * cents / 7, arm.units) for arm in (treatment, one_each([0.3] * 100))]
        found = compare_quantiles(*arms, 0.4)
        assert found.diff_lower <= 0 < found.diff and found.rel_diff_lower <= 0 and found.pvalue >= 0.05


def test_the_order_of_rows_and_the_codes_of_users_do_not_matter():
    generator = np.random.default_rng(7)
    treatment, control = latencies(generator, 50), latencies(generator, 60)
    mixed = generator.permutation(len(treatment.values))
    other = Rows(treatment.values[mixed], 10**12 - 7 * treatment.units[mixed])
    assert compare_quantiles(other, control, 0.5) == compare_quantiles(treatment, control, 0.5)


@pytest.mark.parametrize("q", [0.5, 0.8])
def test_unit_sign_and_arm_order_turn_the_result_as_they_should(q):
    generator = np.random.default_rng(8)
    treatment, control = latencies(generator, 50, 1.4), latencies(generator, 60)
    here = compare_quantiles(treatment, control, q)
    swapped = compare_quantiles(control, treatment, q)
    assert (swapped.diff_lower, swapped.pvalue) == pytest.approx((-here.diff_upper, here.pvalue))
    scaled = compare_quantiles(*(Rows(1000 * arm.values, arm.units) for arm in (treatment, control)), q)
    assert (scaled.diff_upper, scaled.pvalue) == pytest.approx((1000 * here.diff_upper, here.pvalue))
    mirrored = compare_quantiles(*(Rows(-arm.values, arm.units) for arm in (treatment, control)), 1 - q)
    assert (mirrored.diff, mirrored.diff_lower) == pytest.approx((-here.diff, -here.diff_upper))
    assert mirrored.pvalue == pytest.approx(here.pvalue) and mirrored.rel_reason == "negative_control"


def test_a_quantile_deep_in_a_lump_stays_there():
    """60 % zeros: of 400 rows the median is surely 0. At 51 % the upper bound leaves the lump, the lower stays."""
    values = np.concatenate([np.zeros(240), np.arange(1, 161)])
    assert quantile_level(one_each(values), 0.5).bounds(0.05) == (0, 0)
    values = np.concatenate([np.zeros(204), np.arange(1, 197)])
    low, high = quantile_level(one_each(values), 0.5).bounds(0.05)
    assert low == 0 < high


def test_lumps_that_differ_are_told_apart_with_a_width_of_0():
    two, one = np.repeat([1.0, 2, 3], [50, 300, 50]), np.repeat([0.0, 1, 2], [50, 300, 50])
    found = compare_quantiles(one_each(two), one_each(one), 0.5)
    assert (found.diff, found.diff_lower, found.diff_upper) == (1, 1, 1)
    assert 0 < found.pvalue < 1e-10 and (found.rel_diff_lower, found.rel_diff_upper) == (1, 1)
    assert math.isnan(found.detectable)


def test_one_arm_in_a_lump_is_compared_with_the_other():
    zeros, spread = np.repeat([0.0, 1.0], [300, 50]), np.arange(1.0, 301)
    found = compare_quantiles(one_each(spread), one_each(zeros), 0.5)
    assert found.diff_lower > 100 and found.pvalue < 1e-10 and found.rel_reason == "zero_control"
    other = compare_quantiles(one_each(zeros), one_each(spread), 0.5)
    assert (other.rel_diff, other.rel_diff_lower, other.rel_diff_upper) == (-1, -1, -1)


@pytest.mark.parametrize(("treatment", "control", "q", "reason", "rel_reason"), [
    (one_each([]), one_each([1, 2]), 0.5, "too_few_users", "too_few_users"),
    (Rows(np.array([1.0, 2]), np.array([4, 4])), one_each([1, 2]), 0.5, "too_few_users", "too_few_users"),
    (one_each([1, math.nan]), one_each([1, 2]), 0.5, "bad_moments", "bad_moments"),
    (one_each([1, math.inf, 3]), one_each([1, 2]), 0.5, "bad_moments", "bad_moments"),
    (one_each(range(40)), one_each(range(40)), 0.99, "too_few_rows", "too_few_rows"),
    (one_each([0.0] * 90 + [5] * 10), one_each([0.0] * 95 + [3] * 9), 0.5, "quantile_in_lump", "quantile_in_lump"),
    (one_each(range(-1, 99)), one_each([-5.0] * 90 + [5] * 10), 0.5, "", "negative_control"),
    (one_each(range(1, 99)), one_each(range(-48, 50)), 0.5, "", "unbounded"),
    (one_each(range(1, 99)), one_each(range(-49, 50)), 0.5, "", "zero_control"),
])
def test_what_cannot_be_estimated_is_nan_with_its_reason(treatment, control, q, reason, rel_reason):
    found = compare_quantiles(treatment, control, q)
    assert (found.reason, found.rel_reason) == (reason, rel_reason)
    assert math.isnan(found.pvalue) == math.isnan(found.diff_lower) == math.isnan(found.detectable) == bool(reason)
    assert math.isnan(found.rel_diff_lower) and math.isnan(found.rel_diff_upper)


@pytest.mark.parametrize("q", [0.0, 1.0, 50, math.nan])
def test_a_quantile_that_cannot_be_is_refused(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare_quantiles(one_each([1, 2]), one_each([1, 2]), q)


def test_an_alpha_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare_quantiles(one_each([]), one_each([1, 2]), 0.5, alpha=1)


def test_rows_without_a_user_are_refused():
    with pytest.raises(ValueError, match="each row has one of both"):
        compare_quantiles(Rows(np.ones(3), np.arange(2)), one_each([1, 2]), 0.5)
