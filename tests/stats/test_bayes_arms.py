"""Posteriors of one arm: scipy where it is right, 40 digits where it is not, integration everywhere."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from analysis.stats.bayes_arms import Beta, Gamma

ARMS = pytest.mark.parametrize("arm", [
    Beta(0.05, 0.05), Beta(0.5, 1.5), Beta(3, 0.5), Beta(20.5, 980.5), Beta(1e8, 3.5), Beta(5e7, 5e7 + 1), Beta(2, 1e8),
    Gamma(0.05, 1e3), Gamma(0.5, 1e-3), Gamma(31.0, 400.0), Gamma(1e8 + 0.5, 3e5)], ids=str)


def points(arm, n=2001):
    """Evenly spaced on the line over all that matters: step, x, y, density."""
    edges = arm.edges()
    s = np.linspace(edges[0], edges[-1], n)
    kept = s[arm.log_density(s) > -60]
    s = np.linspace(kept[0], kept[-1], n)
    return s[1] - s[0], *arm.point(s), np.exp(arm.log_density(s))


@ARMS
def test_the_distribution_function_is_the_integral_of_the_density(arm):
    """Simpson's rule; the total makes the density one."""
    step, x, y, _, density = points(arm, 20_001)
    below = integrate.cumulative_simpson(density, dx=step, initial=0)
    assert arm.cdf(x, y) == pytest.approx(below / below[-1], abs=1e-8)
    assert arm.sf(x, y) == pytest.approx(1 - below / below[-1], abs=1e-8)


@ARMS
def test_moments_are_those_of_the_density(arm):
    _, x, y, slope, density = points(arm)
    weight = density / density.sum()
    if isinstance(arm, Beta):
        assert x + y == pytest.approx(1) and slope == pytest.approx(x * y)
    assert arm.mean == pytest.approx(weight @ x, rel=1e-9)
    assert arm.var == pytest.approx(weight @ (x - arm.mean) ** 2, rel=1e-5)
    mean, var = arm.log_moments()
    assert mean == pytest.approx(weight @ np.log(x), rel=1e-6, abs=1e-9 + 1e-6 * math.sqrt(var))
    assert var == pytest.approx(weight @ (np.log(x) - mean) ** 2, rel=1e-5)
    assert arm.mean_inverse == (pytest.approx(weight @ (1 / x), rel=1e-9) if arm.a > 1 else math.inf)
    if arm.a > 1.05:
        tilted = density / x / (density / x).sum()
        assert arm.biased(-1).mean == pytest.approx(tilted @ x, rel=1e-9)


def test_as_scipy():
    beta, gamma = Beta(20.5, 980.5), Gamma(31.0, 400.0)
    x = np.array([0.001, 0.015, 0.02, 0.03, 0.2])
    assert beta.cdf(x, 1 - x) == pytest.approx(stats.beta.cdf(x, 20.5, 980.5), rel=1e-12)
    assert beta.sf(x, 1 - x) == pytest.approx(stats.beta.sf(x, 20.5, 980.5), rel=1e-12)
    assert gamma.cdf(x, x) == pytest.approx(stats.gamma.cdf(x, 31, scale=1 / 400), rel=1e-12)
    assert gamma.sf(x, x) == pytest.approx(stats.gamma.sf(x, 31, scale=1 / 400), rel=1e-12)


def test_beyond_its_ends_a_posterior_has_nothing():
    beta, gamma = Beta(2, 3), Gamma(2, 3)
    assert beta.cdf(np.array([-0.5, 1.5]), np.array([1.5, -0.5])).tolist() == [0, 1]
    assert beta.sf(np.array([-0.5, 1.5]), np.array([1.5, -0.5])).tolist() == [1, 0]
    assert gamma.cdf(np.array([-1.0]), np.array([0.0])) == 0 and gamma.sf(np.array([-1.0]), np.array([0.0])) == 1
    assert len(beta.place(np.array([-0.1, 0.5, 1.1]), np.array([1.1, 0.5, -0.1]))) == 1
    assert len(gamma.place(np.array([-0.1, 0.0, 1.1]), np.zeros(3))) == 1


@pytest.mark.parametrize(("shape", "x", "below"), [  # of mpmath, 40 digits
    (100000000.5, 99920000, 6.1132159721267e-16), (100000000.5, 99954000, 2.1051432135177e-6),
    (1000000.5, 992000, 5.2188041163603e-16), (1000000.5, 995400, 2.0402521055239e-6)])
def test_the_lower_tail_of_a_large_shape_is_right(shape, x, below):
    arm, at = Gamma(shape, 2.0), np.array([x / 2])
    assert arm.cdf(at, at)[0] == pytest.approx(below, rel=1e-9)
    assert arm.sf(at, at)[0] == pytest.approx(1 - below, rel=1e-15)


def test_the_lower_tail_has_no_step_where_the_formula_changes():
    a = 1.1e5
    x = a + math.sqrt(a) * np.array([-4 - 1e-12, -4 + 1e-12])
    before, after = Gamma(a, 1.0).cdf(x, x)
    assert before == pytest.approx(after, rel=1e-9)
    x = np.linspace(a - 10 * math.sqrt(a), a - 3 * math.sqrt(a), 200)
    assert Gamma(a, 1.0).cdf(x, x) == pytest.approx(special.gammainc(a, x), rel=1e-9)  # its series just lasts here
