"""Integrals over two arms: any effect, arms far apart, one narrow and one wide, and where the formula changes."""

import math

import numpy as np
import pytest
from scipy import integrate, special

from analysis.stats.bayes_arms import Beta, Gamma
from analysis.stats.bayes_quadrature import bounds, chance, losses, mean_effect, relative_losses

PAIRS = pytest.mark.parametrize(("treatment", "control"), [
    (Beta(3.5, 20.5), Beta(6.5, 15.5)), (Beta(0.5, 1.5), Beta(1.5, 0.5)), (Gamma(0.5, 3.0), Gamma(40.5, 200.0))],
    ids=str)


@PAIRS
@pytest.mark.parametrize("q", [0.02, 0.3, 0.7, 0.98])
def test_chance_of_any_difference_and_ratio_as_draws(treatment, control, q):
    generator = np.random.default_rng(9)
    t, c = (generator.beta(arm.a, arm.b, 400_000) if isinstance(arm, Beta)
            else generator.gamma(arm.a, 1 / arm.rate, 400_000) for arm in (treatment, control))
    for is_relative, draws in ((False, t - c), (True, np.log(t / c))):
        at, error = float(np.quantile(draws, q)), 4 * math.sqrt(q * (1 - q) / 400_000)
        assert chance(treatment, control, at, is_relative, treatment.cdf) == pytest.approx(q, abs=error)
        assert chance(treatment, control, at, is_relative, treatment.sf) == pytest.approx(1 - q, abs=error)


@PAIRS
@pytest.mark.parametrize("alpha", [1e-3, 0.05, 0.5, 0.95])
def test_bounds_have_half_of_alpha_beyond_them(treatment, control, alpha):
    for is_relative in (False, True):
        lower, upper = bounds(treatment, control, is_relative, alpha)
        ends = (math.log1p(lower), math.log1p(upper)) if is_relative else (lower, upper)
        beyond = [chance(treatment, control, end, is_relative, law)
                  for end, law in zip(ends, (treatment.cdf, treatment.sf), strict=True)]
        assert beyond == pytest.approx([alpha / 2, alpha / 2], rel=1e-7, abs=1e-11)


@pytest.mark.parametrize(("treatment", "control"), [
    (Gamma(0.5, 7e7), Gamma(1.35e7, 0.06)), (Gamma(1.35e7, 0.06), Gamma(3.5, 7e7)), (Beta(0.5, 1e8), Beta(1e8, 0.5)),
    (Beta(2.5, 3.5), Beta(3e7, 7e7)), (Beta(3e7, 7e7), Beta(2.5, 3.5)), (Beta(1e8, 1e8), Beta(1e8, 1e8 + 9e3))])
def test_losses_differ_by_the_mean_however_far_apart_or_unlike_the_arms(treatment, control):
    for integrals, is_relative in ((losses, False), (relative_losses, True)):
        worse, better = integrals(treatment, control)
        mean = mean_effect(treatment, control, is_relative)
        assert better - worse == pytest.approx(mean, rel=1e-9, abs=1e-12 * (better + worse))


@pytest.mark.parametrize("narrow", [Gamma(3e7, 1e9), Gamma(1e4, 3e5)])
def test_one_narrow_and_one_wide_arm_as_the_closed_form(narrow):
    wide = Gamma(1.5, 40.0)
    exact = special.betainc(wide.a, narrow.a, wide.rate / (wide.rate + narrow.rate))
    assert chance(narrow, wide, 0.0, False, narrow.sf) == pytest.approx(exact, abs=1e-11)
    assert chance(wide, narrow, 0.0, False, wide.cdf) == pytest.approx(exact, abs=1e-11)


@pytest.mark.parametrize("treatment", [Beta(3.5, 20.5), Beta(0.5, 9.5), Beta(9e5, 1e6)])
def test_relative_losses_have_no_step_where_the_formula_changes(treatment):
    below, above = (relative_losses(treatment, Beta(2 + step, 12.5)) for step in (-1e-12, 1e-12))
    assert below == pytest.approx(above, rel=1e-9)


def test_relative_loss_against_a_control_without_a_mean_inverse():
    """By adaptive integration over the ratio: E max(0, 1 - ratio) is the integral of its distribution function."""
    treatment, control = Beta(2.5, 30.5), Beta(0.5, 9.5)
    exact, _ = integrate.quad(
        lambda ratio: chance(treatment, control, math.log(ratio), True, treatment.cdf), 0, 1, epsabs=1e-12)
    assert relative_losses(treatment, control) == (pytest.approx(exact, abs=1e-10), math.inf)
