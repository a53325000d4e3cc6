"""Looking at any time: the formula as others publish it, its inversion, and the law for every kind of interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from analysis.stats.always_valid import Look, always_valid
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.proportions import compare_proportions
from analysis.stats.ratios import compare_ratios
from analysis.stats.spending import crossing_probability


def critical(clock, tightest_at, alpha=0.05):
    """The critical value that a look answers to, back from its nominal level."""
    return stats.norm.isf(always_valid(1.0, clock, tightest_at, alpha).alpha_nominal / 2)


def leaves_out_zero(found):
    """Of each interval that the comparison gives."""
    sides = [(found.diff_lower, found.diff_upper), (found.rel_diff_lower, found.rel_diff_upper)]
    return {low > 0 or high < 0 for low, high in sides if not math.isnan(low)}


def comparisons(count, seed):
    """Means, ratios and shares of drawn arms, each as a function of the level its intervals are drawn at."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        n = [int(2 + 10 ** draw.uniform(1, 5)) for _ in range(2)]
        error = draw.normal(0, 3)
        sd = draw.uniform(0.3, 3, 2)
        value = 1 + error * math.sqrt(sd[0] ** 2 / n[0] + sd[1] ** 2 / n[1])
        arms = Moments(n[0], value, sd[0] ** 2), Moments(n[1], 1.0, sd[1] ** 2)
        yield sum(n), lambda alpha, arms=arms: compare_means(*arms, alpha)
        ratios = [RatioMoments(own.n, own.mean, 1.0, own.var, 0.1, 0.2 * math.sqrt(own.var * 0.1)) for own in arms]
        yield sum(n), lambda alpha, ratios=ratios: compare_ratios(*ratios, alpha)
        share = draw.uniform(0.02, 0.5)
        x_c = draw.binomial(n[1], share)
        gain = error * math.sqrt(share * (1 - share) * (1 / n[0] + 1 / n[1]))
        x_t = min(max(round(n[0] * (share + gain)), 1), n[0] - 1)
        yield sum(n), lambda alpha, x=(x_t, n[0], int(x_c), n[1]): compare_proportions(*x, alpha)


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
@pytest.mark.parametrize("n", [500, 5_000, 100_000])
def test_as_growthbook_documents_it(n, alpha):
    """docs.growthbook.io/statistics/sequential: half-width in standard errors; rho at .05 here, not at alpha."""
    rho = math.sqrt((-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 5_000)
    theirs = math.sqrt(n) * math.sqrt(
        2 * (n * rho**2 + 1) / (n**2 * rho**2) * math.log(math.sqrt(n * rho**2 + 1) / alpha))
    assert critical(n, 5_000, alpha) == pytest.approx(theirs, rel=1e-10)


@pytest.mark.parametrize("t", [500, 10_000, 100_000])
def test_as_eppo_documents_it(t):
    """docs.geteppo.com, statistical nitty-gritty: B and rho of the sequential interval, level .95."""
    rho = 10_000 / (math.log(math.log(math.e / 0.05**2)) - 2 * math.log(0.05))
    theirs = math.sqrt((t + rho) * math.log((t + rho) / (rho * 0.05**2))) / math.sqrt(t)
    assert critical(t, 10_000) == pytest.approx(theirs, rel=1e-10)


def test_as_growthbook_computes_it():
    """gbstats 0.8.0, SequentialTwoSidedTTest: 3,000 and 2,800 users, difference .4, squared error .0190542256."""
    fixed = 2 * stats.norm.sf(0.4 / math.sqrt(0.019054225649350075))
    assert always_valid(fixed, 5_800, 5_000).pvalue == pytest.approx(0.07239077268528972, rel=1e-9)
    assert critical(5_800, 5_000) == pytest.approx(3.0360491089424815, rel=1e-10)


@pytest.mark.parametrize("clock", [300, 4_000, 90_000])
@pytest.mark.parametrize("z", [2.6, 3.0, 4.2, 7.0])
def test_p_is_the_smallest_alpha_whose_critical_value_is_reached(clock, z):
    """By root finding on the critical values."""
    found = always_valid(2 * stats.norm.sf(z), clock, 5_000).pvalue
    if critical(clock, 5_000, 1 - 1e-9) > z:
        assert found == 1
    else:
        root = optimize.brentq(lambda log_alpha: critical(clock, 5_000, math.exp(log_alpha)) - z, -60, -1e-9)
        assert found == pytest.approx(math.exp(root), rel=1e-6)


def test_p_by_mixing_normal_effects():
    """1 / p is the likelihood ratio of effects drawn from the normal with variance rho^2, against none."""
    clock, z = 5_000, 3.3
    odds = -2 * math.log(0.05)
    rho2 = (odds + math.log(odds + 1)) / 5_000
    theta = np.linspace(-8, 8, 200_001) * math.sqrt(rho2)
    ratio = np.exp(theta * z * math.sqrt(clock) - clock * theta**2 / 2) * stats.norm.pdf(theta, 0, math.sqrt(rho2))
    evidence = np.trapezoid(ratio, theta)
    assert always_valid(2 * stats.norm.sf(z), clock, 5_000).pvalue == pytest.approx(1 / evidence, rel=1e-6)


def test_p_and_every_interval_agree():
    """Also at levels right beside the p: at alpha * (1 +- 1e-4 ... 1e-9)."""
    draw = np.random.default_rng(5)
    n_significant = n_relative = 0
    for clock, compare in comparisons(2000, seed=6):
        tightest_at = clock * 10 ** draw.uniform(-1, 1)
        fixed = compare(0.05).pvalue
        close = always_valid(fixed, clock, tightest_at).pvalue * (1 + draw.choice([-1, 1]) * 10 ** draw.uniform(-9, -4))
        for alpha in (0.05, close if 1e-60 < close < 1 else 0.1):
            look = always_valid(fixed, clock, tightest_at, alpha)
            shown = compare(look.alpha_nominal)
            is_significant = look.pvalue < alpha
            assert is_significant == (fixed < look.alpha_nominal)
            assert leaves_out_zero(shown) == {is_significant}
            n_significant += is_significant
            n_relative += not shown.rel_reason
    assert 2400 < n_significant < 9600 and n_relative > 9000


@given(st.floats(1e-3, 1e9), st.floats(1e-2, 1e2), st.floats(1e-6, 0.999), st.integers(-3, 3))
def test_rounding_does_not_turn_the_verdict(clock, share, alpha, steps):
    """A p that is the nominal level, to the last digits."""
    nominal = always_valid(math.nan, clock, clock / share, alpha).alpha_nominal
    p = nominal
    for _ in range(abs(steps)):
        p = math.nextafter(p, math.copysign(math.inf, steps))
    found = always_valid(p, clock, clock / share, alpha)
    assert (found.pvalue < alpha) == (p < nominal) == (steps < 0)
    assert found.pvalue == pytest.approx(alpha, rel=1e-6)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(20, 1e9), st.floats(1e-2, 1e4))
def test_a_smaller_p_stays_smaller_and_none_is_smaller_than_it_was(first, second, clock, share):
    lower, higher = (always_valid(p, clock, clock / share).pvalue for p in sorted((first, second)))
    assert min(first, second) <= lower <= higher <= 1


@given(st.floats(1e-30, 1), st.floats(1, 1e6), st.floats(1, 1e6), st.sampled_from([1e-3, 24.0, 2.0**20]))
def test_unit_of_the_clock_does_not_matter(p, clock, tightest_at, unit):
    here, there = always_valid(p, clock, tightest_at), always_valid(p, clock * unit, tightest_at * unit)
    assert here.reason == there.reason
    if not here.reason:
        assert there.alpha_nominal == pytest.approx(here.alpha_nominal, rel=1e-6)
        assert there.pvalue == pytest.approx(here.pvalue, rel=1e-6)


def test_intervals_are_tightest_where_they_are_meant_to_be():
    clocks = np.arange(1_000, 10_000, 20)
    values = [critical(clock, 3_000) for clock in clocks]
    assert clocks[np.argmin(values)] == pytest.approx(3_000, rel=0.05)
    assert min(values) == pytest.approx(3.035, abs=0.001)


def test_p_does_not_depend_on_the_alpha_asked():
    assert {always_valid(0.002, 4_000, 5_000, alpha).pvalue for alpha in (0.001, 0.01, 0.05, 0.5)} == {
        always_valid(0.002, 4_000, 5_000).pvalue}


@pytest.mark.parametrize("p", [0.0, 5e-324, 1e-310, 1e-300])
def test_a_p_that_underflows_is_small_and_not_zero(p):
    found = always_valid(p, 5_000, 5_000)
    assert 0 < found.pvalue < 1e-250 and not found.reason
    assert found.pvalue == always_valid(1e-300, 5_000, 5_000).pvalue


def test_without_a_p_the_intervals_stand():
    found = always_valid(math.nan, 5_000, 5_000)
    assert math.isnan(found.pvalue) and found.reason == "no_pvalue"
    assert found.alpha_nominal == always_valid(0.5, 5_000, 5_000).alpha_nominal


@pytest.mark.parametrize("clock", [0, 1e-320, 1, 8])
def test_too_early_to_say_anything(clock):
    found = always_valid(0.0, clock, 5_000)
    assert found.reason == "too_early" and math.isnan(found.pvalue) and math.isnan(found.alpha_nominal)
    assert always_valid(math.nan, clock, 5_000).reason == "too_early"


def test_from_a_500th_of_the_end_on_something_can_be_said():
    assert always_valid(0.5, 10, 5_000) == Look(1.0, always_valid(1.0, 10, 5_000).alpha_nominal)


def test_intervals_can_be_drawn_at_the_smallest_level_also_for_two_users():
    level = always_valid(0.5, 9, 5_000).alpha_nominal
    assert level < 1e-80
    found = compare_means(Moments(2, 1.0, 1.0), Moments(2, 2.0, 1.0), level)
    assert found.diff_lower < -1e30 < 1e30 < found.diff_upper
    shares = compare_proportions(3, 9, 2, 8, level)
    assert -1 <= shares.diff_lower < -0.9 and 0.9 < shares.diff_upper <= 1


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_looks_at_all_times_spend_alpha(alpha):
    """By recursion over Brownian motion, from 1/200 to a million times the clock where it is tightest.

    Looks that are 5 % apart, then a quarter of that: what is missed between looks falls with the root of the distance.
    """
    coarse, fine = (crossed(alpha, ratio) for ratio in (1.05, 1.05**0.25))
    assert 0.6 * alpha < coarse < fine < alpha
    assert 2 * fine - coarse == pytest.approx(alpha, rel=0.05)


def crossed(alpha, ratio):
    clocks = 1e9 / ratio ** np.arange(math.log(1e9 / 5) / math.log(ratio))[::-1]
    bounds = [critical(clock, 1_000, alpha) for clock in clocks]
    return crossing_probability(bounds, (clocks / 1e9).tolist())


@pytest.mark.parametrize(("wrong", "message"), [
    ((-0.1, 10, 10, 0.05), "p-value -0.1"), ((1.1, 10, 10, 0.05), "p-value 1.1"),
    ((0.5, -1, 10, 0.05), "clock is -1"), ((0.5, math.nan, 10, 0.05), "clock is nan"),
    ((0.5, math.inf, 10, 0.05), "clock is inf"), ((0.5, 10, 0, 0.05), "tightest_at is 0"),
    ((0.5, 10, math.nan, 0.05), "tightest_at is nan"), ((0.5, 10, 10, 0.0), "between 0 and 1"),
    ((0.5, 10, 10, 1.0), "between 0 and 1"),
])
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        always_valid(*wrong)
