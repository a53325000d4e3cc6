"""Score tests and intervals for two proportions against published tables, statsmodels and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

from analysis.stats.score import constrained_shares, score_difference, score_ratio, score_z
from analysis.stats.tails import z_critical

test_proportions_2indep.__test__ = False  # statsmodels' function, not a test of ours


@st.composite
def tables(draw, largest=60):
    n_t, n_c = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_t)), n_t, draw(st.integers(0, n_c)), n_c


def log_likelihood(x_t, n_t, p_t, x_c, n_c, p_c):
    terms = ((x_t, p_t), (n_t - x_t, 1 - p_t), (x_c, p_c), (n_c - x_c, 1 - p_c))
    return sum(k * math.log(max(p, 1e-300)) for k, p in terms if k)


def z_of_difference(x_t, n_t, x_c, n_c, difference):
    """Score statistic of a difference, its constrained shares found by plain search."""
    low, high = max(0.0, -difference), min(1.0, 1 - difference)
    found = minimize_scalar(
        lambda p: -log_likelihood(x_t, n_t, p + difference, x_c, n_c, p), bounds=(low, high), method="bounded",
        options={"xatol": 1e-12})
    p_c, n = found.x, n_t + n_c
    p_t = p_c + difference
    var = (p_t * (1 - p_t) / n_t + p_c * (1 - p_c) / n_c) * n / (n - 1)
    return (x_t / n_t - x_c / n_c - difference) / math.sqrt(var)


@pytest.mark.parametrize(("table", "published"), [
    ((56, 70, 48, 80), (0.0528, 0.3382)),              # Newcombe 1998, table II, method 7 with N / (N - 1)
    ((7, 34, 1, 34), (0.0270416, 0.3452912)),          # R, PropCIs::diffscoreci
])
def test_difference_as_published(table, published):
    assert score_difference(*table) == pytest.approx(published, abs=5e-5 if published[0] == 0.0528 else 5e-7)


def test_uncorrected_ratio_as_published():
    assert score_ratio(7, 34, 1, 34, is_corrected=False) == pytest.approx((1.220853, 42.575718), abs=5e-7)


@pytest.mark.parametrize("table", [(56, 70, 48, 80), (7, 34, 1, 34), (30, 1000, 45, 900), (9, 10, 3, 10)])
@pytest.mark.parametrize("is_corrected", [True, False])
def test_ratio_as_statsmodels(table, is_corrected):
    theirs = confint_proportions_2indep(*table, method="score", compare="ratio", correction=is_corrected)
    assert score_ratio(*table, is_corrected=is_corrected) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.3])
def test_statistic_as_statsmodels(ratio):
    theirs = test_proportions_2indep(30, 1000, 45, 900, value=ratio, method="score", compare="ratio")
    assert score_z(30, 1000, 45, 900, ratio) == pytest.approx(theirs.statistic, rel=1e-9)


@pytest.mark.parametrize("table", [(9, 10, 3, 10), (56, 70, 48, 80), (1, 1000, 0, 1200), (0, 15, 4, 20), (9, 9, 7, 9)])
@pytest.mark.parametrize("alpha", [0.05, 0.3])
def test_difference_bounds_are_where_the_test_turns(table, alpha):
    """The published definition by brute force: at the bound the statistic is the critical value."""
    lower, upper = score_difference(*table, alpha)
    assert z_of_difference(*table, lower) == pytest.approx(z_critical(alpha), rel=1e-4)
    assert z_of_difference(*table, upper) == pytest.approx(-z_critical(alpha), rel=1e-4)


@given(tables(), st.sampled_from([0.01, 0.05, 0.2, 0.9]))
def test_ratio_bounds_are_where_the_test_turns(table, alpha):
    lower, upper = score_ratio(*table, alpha)
    if lower > 0:
        assert score_z(*table, lower) == pytest.approx(z_critical(alpha), rel=1e-6)
    if upper < math.inf:
        assert score_z(*table, upper) == pytest.approx(-z_critical(alpha), rel=1e-6)


@given(tables(), st.floats(0.1, 8))
def test_constrained_shares_are_the_likeliest(table, ratio):
    x_t, n_t, x_c, n_c = table
    p_t, p_c = constrained_shares(*table, ratio)
    assert p_t == pytest.approx(min(ratio * p_c, 1.0))
    best = log_likelihood(x_t, n_t, p_t, x_c, n_c, p_c)
    grid = np.linspace(0, min(1, 1 / ratio), 201)
    assert all(log_likelihood(x_t, n_t, min(ratio * p, 1), x_c, n_c, p) <= best + 1e-9 for p in grid)


@given(tables(), st.sampled_from([0.01, 0.05, 0.2]))
def test_bounds_hold_the_estimate_and_stay_possible(table, alpha):
    x_t, n_t, x_c, n_c = table
    lower, upper = score_difference(*table, alpha)
    assert -1 <= lower <= x_t / n_t - x_c / n_c <= upper <= 1
    low, high = score_ratio(*table, alpha)
    assert 0 <= low <= high
    if x_c:
        assert low <= x_t / n_t / (x_c / n_c) * (1 + 1e-12) and x_t / n_t / (x_c / n_c) <= high * (1 + 1e-12)


@given(tables())
def test_swapped_arms_mirror_the_difference_and_invert_the_ratio(table):
    x_t, n_t, x_c, n_c = table
    lower, upper = score_difference(*table)
    assert score_difference(x_c, n_c, x_t, n_t) == (-upper, -lower)
    low, high = score_ratio(*table)
    inverse = score_ratio(x_c, n_c, x_t, n_t)
    assert inverse == pytest.approx((1 / high, 1 / low if low else math.inf))


@given(tables())
def test_counting_failures_turns_the_difference_around(table):
    x_t, n_t, x_c, n_c = table
    lower, upper = score_difference(*table)
    assert score_difference(n_t - x_t, n_t, n_c - x_c, n_c) == pytest.approx((-upper, -lower), abs=1e-10)


def test_nobody_converts_leaves_the_bounds_of_each_arm():
    """Worked by hand: with 0 of n in both arms the upper bound is c / (n + c), c = z^2 N / (N - 1)."""
    c = z_critical(0.05) ** 2 * 30 / 29
    assert score_difference(0, 10, 0, 20) == pytest.approx((-c / (20 + c), c / (10 + c)))
    assert score_ratio(0, 10, 0, 20) == (0, math.inf)


def test_rare_conversions_among_millions_keep_their_digits():
    """2 per million against 1: for rare events the ratio bounds no longer depend on the number of units."""
    millions, billions = (score_ratio(40, n, 20, n, is_corrected=False) for n in (2 * 10**7, 2 * 10**9))
    assert millions == pytest.approx(billions, rel=1e-5)
    lower, upper = score_difference(40, 20_000_000, 20, 20_000_000)
    assert lower * 2e7 == pytest.approx(4.8, abs=0.3) and upper * 2e7 == pytest.approx(36.2, abs=0.8)
