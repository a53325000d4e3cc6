"""Shares and rates: closed forms, brute force, Monte Carlo, and the limits where arms are tiny or huge."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from analysis.stats.bayes_counts import BetaPrior, GammaPrior, posterior_proportions, posterior_rates

UNIFORM, ONE_EVENT = BetaPrior(1, 1), GammaPrior(1, 0.0)
SCALES = pytest.mark.parametrize("scale", ["absolute", "relative"])


@st.composite
def shares(draw):
    n = draw(st.integers(1, 100_000_000))
    return draw(st.integers(0, n) | st.integers(0, min(n, 20))), n


def numbers(found):
    return [found.mean, found.lower, found.upper, found.chance_better, found.expected_loss, found.expected_loss_control]


def effect(treatment, control, scale):
    return treatment / control - 1 if scale == "relative" else treatment - control


# --- published, and closed forms ---

def test_jeffreys_prior_as_published():
    assert posterior_proportions(140, 1000, 120, 1000).chance_better == pytest.approx(0.9082473, abs=5e-8)


def closed_chance(a_t, b_t, a_c, b_c):
    """P(treatment > control) for whole a_t. Miller (2015), Formulas for Bayesian A/B Testing, evanmiller.org."""
    i = np.arange(a_t)
    return np.exp(special.betaln(a_c + i, b_t + b_c) - np.log(b_t + i) - special.betaln(1 + i, b_t)
                  - special.betaln(a_c, b_c)).sum()


@pytest.mark.parametrize("counts", [(0, 1, 0, 1), (1, 1, 0, 1), (3, 20, 1, 30), (14, 100, 12, 100), (97, 100, 250, 260),
                                    (1200, 10_000, 900, 9000), (5, 10, 40_000, 80_000)])
def test_chance_and_losses_of_shares_as_the_closed_forms(counts):
    """The losses: Stucchio (2014), Easy Evaluation of Decision Rules in Bayesian A/B Testing. Good to ten digits."""
    x_t, n_t, x_c, n_c = counts
    a, b, c, d = 1 + x_t, 1 + n_t - x_t, 1 + x_c, 1 + n_c - x_c
    found = posterior_proportions(*counts, UNIFORM)
    better = a / (a + b) * closed_chance(a + 1, b, c, d) - c / (c + d) * closed_chance(a, b, c + 1, d)
    assert found.chance_better == pytest.approx(closed_chance(a, b, c, d), abs=2e-10)
    assert found.expected_loss_control == pytest.approx(better, abs=2e-10)
    assert found.expected_loss == pytest.approx(better - a / (a + b) + c / (c + d), abs=2e-10)


@given(*[st.integers(0, 10**8) | st.integers(0, 20)] * 2, *[st.floats(1.0, 1e8)] * 2)
@settings(max_examples=25, deadline=None)
def test_chance_and_relative_bounds_of_rates_as_the_closed_form(events_t, events_c, exposure_t, exposure_c):
    """exposure_T rate_T / (exposure_T rate_T + exposure_C rate_C) is a beta of the two shapes."""
    found = posterior_rates(events_t, exposure_t, events_c, exposure_c, scale="relative")
    shapes = events_t + 0.5, events_c + 0.5

    def above(ratio):
        own, other = ratio * exposure_t, exposure_c  # from the end that is nearer, where the share has its digits
        return (special.betaincc(*shapes, own / (own + other)) if own < other
                else special.betainc(*shapes[::-1], other / (own + other)))

    assert found.chance_better == pytest.approx(above(1), abs=1e-11)
    if found.lower > -1 + 1e-6 and found.upper < 1e6:  # nearer to 0 a ratio - 1 has lost its digits
        assert [above(1 + found.lower), above(1 + found.upper)] == pytest.approx([0.975, 0.025], abs=1e-9)


# --- brute force ---

def by_brute_force(cdf, control, scale, found):
    """Chance, loss, and the chances of an effect above the two bounds: adaptive integration over control's density.

    cdf       of the treatment's share or rate
    control   scipy distribution of the control's
    """
    edges = control.ppf([1e-15, 1e-6, 0.01, 0.2, 0.5, 0.8, 0.99, 1 - 1e-6, 1 - 1e-15])

    def mean(inner):
        return sum(integrate.quad(lambda c: inner(c) * control.pdf(c), *ends, epsabs=1e-14)[0]
                   for ends in pairwise(edges))

    def above(bound):
        return mean(lambda c: 1 - cdf(max(c * (1 + bound) if scale == "relative" else c + bound, 0)))

    def short(c):
        return integrate.quad(cdf, 0, c, epsabs=1e-14)[0] / (c if scale == "relative" else 1)

    return [above(0), mean(short), above(found.lower), above(found.upper)]


@SCALES
@pytest.mark.parametrize("counts", [(3, 20, 1, 30), (14, 100, 12, 80), (18, 20, 25, 30), (2, 60, 9, 50)])
def test_shares_as_adaptive_integration(counts, scale):
    x_t, n_t, x_c, n_c = counts
    found = posterior_proportions(*counts, scale=scale)
    theirs = by_brute_force(lambda x: special.betainc(x_t + 0.5, n_t - x_t + 0.5, min(x, 1)),
                            stats.beta(x_c + 0.5, n_c - x_c + 0.5), scale, found)
    assert [found.chance_better, found.expected_loss, 0.975, 0.025] == pytest.approx(theirs, abs=1e-9)


@SCALES
@pytest.mark.parametrize("counts", [(3, 20.0, 1, 30.0), (14, 0.01, 12, 0.008), (250, 30.0, 18, 2.0)])
def test_rates_as_adaptive_integration(counts, scale):
    events_t, exposure_t, events_c, exposure_c = counts
    found = posterior_rates(*counts, scale=scale)
    theirs = by_brute_force(lambda x: special.gammainc(events_t + 0.5, exposure_t * x),
                            stats.gamma(events_c + 0.5, scale=1 / exposure_c), scale, found)
    unit = 1 if scale == "relative" else events_t / exposure_t
    assert [found.chance_better, found.expected_loss / unit, 0.975, 0.025] == pytest.approx(
        [theirs[0], theirs[1] / unit, *theirs[2:]], abs=1e-9)


@SCALES
@pytest.mark.parametrize("better", ["higher", "lower"])
def test_all_numbers_as_a_million_draws(scale, better):
    generator = np.random.default_rng(1)
    for kind, found, treatment, control in (
        ("beta", posterior_proportions(31, 200, 18, 180, BetaPrior(2, 9), scale, better, 0.1),
         generator.beta(33, 178, 1_000_000), generator.beta(20, 171, 1_000_000)),
        ("gamma", posterior_rates(31, 20.0, 18, 18.0, GammaPrior(3, 2.0), scale, better, 0.1),
         generator.gamma(34, 1 / 22, 1_000_000), generator.gamma(21, 1 / 20, 1_000_000))):
        draws = effect(treatment, control, scale)
        gain = draws if better == "higher" else -draws
        noise = 4 * draws.std() / 1000
        assert found.kind == kind and found.mean == pytest.approx(draws.mean(), abs=noise)
        assert found.chance_better == pytest.approx(np.mean(gain > 0), abs=0.002)
        assert found.expected_loss == pytest.approx(np.maximum(-gain, 0).mean(), abs=noise)
        assert found.expected_loss_control == pytest.approx(np.maximum(gain, 0).mean(), abs=noise)
        assert [np.mean(draws < found.lower), np.mean(draws > found.upper)] == pytest.approx([0.05, 0.05], abs=9e-4)


# --- tiny and huge ---

def test_a_hundred_million_units_as_integrated_with_25_digits():
    """Of mpmath, nested Gauss-Legendre."""
    found = posterior_proportions(50_000_000, 100_000_000, 50_005_000, 100_000_000, BetaPrior(0.5, 0.5), better="lower")
    assert found.chance_better == pytest.approx(0.7602499391353729, abs=1e-11)
    assert found.expected_loss_control == pytest.approx(5.9982060814314673e-05, rel=1e-10)
    found = posterior_rates(100_000_000, 1e8, 100_005_000, 1e8, better="lower")
    assert found.chance_better == pytest.approx(0.6381615387934955, abs=1e-11)
    assert found.expected_loss_control == pytest.approx(8.490952879170926e-05, rel=1e-10)


@SCALES
@pytest.mark.parametrize("counts", [
    (0, 1, 0, 1), (1, 1, 0, 1), (0, 1, 1, 1), (1, 1, 1, 1), (0, 10, 0, 10**8), (10**8, 10**8, 10**8 - 3, 10**8),
    (0, 10, 3 * 10**6, 10**8), (10**8, 10**8, 0, 10**8), (0, 10**8, 10**8, 10**8), (10, 10, 0, 10),
    (1, 2, 10**7, 10**8)])
def test_extremes_have_finite_answers_that_hang_together(counts, scale):
    for found in (posterior_proportions(*counts, scale=scale), posterior_rates(*counts, scale=scale)):
        assert found.lower <= found.upper and 0 <= found.chance_better <= 1
        assert math.isfinite(found.upper) and math.isfinite(found.expected_loss) and found.expected_loss >= 0
        assert found.reason == ("zero_control" if scale == "relative" and counts[2] == 0 else "")
        if not found.reason:
            assert found.expected_loss_control - found.expected_loss == pytest.approx(found.mean, rel=1e-9, abs=1e-15)
        else:
            assert found.mean == found.expected_loss_control == math.inf


@SCALES
@pytest.mark.parametrize("counts", [(0, 0), (3, 0), (0, 1), (5, 3), (40, 60)])
def test_rare_shares_are_rates(counts, scale):
    n = 10**8
    rare, rate = (function(counts[0], n, counts[1], n, scale=scale) for function in (
        posterior_proportions, posterior_rates))
    assert numbers(rare) == pytest.approx(numbers(rate), rel=2e-6, abs=1e-6 * (rate.upper - rate.lower))


def test_many_units_are_normal():
    """At shares near one half, where a beta is symmetric, normal laws are right to 1 / n."""
    counts = 500_300, 10**6, 499_700, 10**6
    found, error = posterior_proportions(*counts), math.sqrt(0.5 / 10**6)
    assert found.chance_better == pytest.approx(stats.norm.sf(-0.0006 / error), abs=2e-6)
    assert (found.lower, found.upper) == pytest.approx(stats.norm.interval(0.95, 0.0006, error), abs=1e-8)


def test_a_tiny_chance_and_its_loss_keep_their_digits():
    found = posterior_proportions(20, 1000, 300, 1000, UNIFORM)
    assert found.chance_better == pytest.approx(closed_chance(21, 981, 301, 701), rel=1e-7)
    assert 0 < found.expected_loss_control < 1e-60


# --- properties ---

@given(shares(), shares())
@settings(max_examples=25, deadline=None)
def test_swapped_arms_mirror_the_difference(treatment, control):
    here, there = posterior_proportions(*treatment, *control), posterior_proportions(*control, *treatment)
    assert there.chance_better == pytest.approx(1 - here.chance_better, abs=1e-11)
    unit = here.upper - here.lower
    assert np.array(numbers(there))[[0, 1, 2, 4, 5]] / unit == pytest.approx(
        [one / unit for one in (-here.mean, -here.upper, -here.lower, here.expected_loss_control, here.expected_loss)],
        rel=1e-9, abs=1e-9)


@given(shares(), shares())
@settings(max_examples=25, deadline=None)
def test_swapped_arms_invert_the_ratio(treatment, control):
    here, there = (posterior_proportions(*a, *b, scale="relative")
                   for a, b in ((treatment, control), (control, treatment)))
    assert there.chance_better == pytest.approx(1 - here.chance_better, abs=1e-11)
    if here.lower > -1 + 1e-6 and here.upper < 1e6:  # nearer to 0 a ratio - 1 has lost its digits
        assert (1 + there.lower) * (1 + here.upper) == pytest.approx(1, rel=1e-8)
        assert (1 + there.upper) * (1 + here.lower) == pytest.approx(1, rel=1e-8)


@given(shares(), shares())
@settings(max_examples=25, deadline=None)
def test_counting_the_failures_instead_mirrors_the_difference(treatment, control):
    failed = [(n - x, n) for x, n in (treatment, control)]
    here = posterior_proportions(*treatment, *control, BetaPrior(0.5, 0.7))
    there = posterior_proportions(*failed[0], *failed[1], BetaPrior(0.7, 0.5), better="lower")
    assert there.chance_better == pytest.approx(here.chance_better, abs=1e-11)
    assert there.expected_loss == pytest.approx(here.expected_loss, rel=1e-8, abs=1e-18)
    assert there.upper == pytest.approx(-here.lower, rel=1e-7, abs=1e-9 * (here.upper - here.lower))


@given(*[st.integers(0, 1000)] * 2, *[st.floats(0.1, 1e4)] * 2, st.sampled_from([2.0**-30, 1e-3, 1e3, 2.0**30]))
@settings(max_examples=25, deadline=None)
def test_unit_of_the_exposure_does_not_matter(events_t, events_c, exposure_t, exposure_c, unit):
    prior, scaled = GammaPrior(0.5, 1.0), GammaPrior(0.5, unit)
    for scale, size in (("absolute", unit), ("relative", 1.0)):
        here = posterior_rates(events_t, exposure_t, events_c, exposure_c, prior, scale)
        there = posterior_rates(events_t, exposure_t * unit, events_c, exposure_c * unit, scaled, scale)
        width = here.upper - here.lower
        assert there.chance_better == pytest.approx(here.chance_better, abs=1e-11)
        assert (there.upper * size, there.lower * size) == pytest.approx((here.upper, here.lower), abs=1e-9 * width)
        assert there.expected_loss * size == pytest.approx(here.expected_loss, rel=1e-9)


@SCALES
def test_the_interval_leaves_out_0_exactly_when_the_chance_of_the_sign_is_beyond_its_level(scale):
    generator = np.random.default_rng(4)
    seen = []
    for _ in range(60):
        n = [int(5 + 10 ** generator.uniform(0, 5)) for _ in range(2)]
        share = 10 ** generator.uniform(-3, -0.1)
        error = math.sqrt(share * (1 - share) * (1 / n[0] + 1 / n[1]))
        x_c = round(n[1] * share)
        x_t = min(max(round(n[0] * (share + generator.choice([-1.96, 1.96]) * error)), 0), n[0])
        for found in (posterior_proportions(x_t, n[0], x_c, n[1], scale=scale),
                      posterior_rates(x_t, n[0], x_c, n[1], scale=scale)):
            is_sure = max(found.chance_better, 1 - found.chance_better) > 0.975
            assert (found.lower > 0 or found.upper < 0) == is_sure
            seen.append(is_sure)
    assert 0.2 < np.mean(seen) < 0.8


def test_a_prior_that_knows_all_overrules_the_data():
    found = posterior_proportions(90, 100, 10, 100, BetaPrior(3e7, 7e7))
    assert found.mean == pytest.approx(80 / 1e8, rel=1e-5) and found.chance_better == pytest.approx(0.5, abs=0.01)
    assert (found.prior_mean, found.prior_sd) == pytest.approx((0.3, math.sqrt(0.21e-8)), rel=1e-6)


def test_the_prior_is_told():
    assert posterior_proportions(1, 9, 2, 9).prior_sd == pytest.approx(math.sqrt(1 / 8))
    assert (posterior_rates(1, 9, 2, 9).prior_mean, posterior_rates(1, 9, 2, 9).prior_sd) == (0.0, math.inf)
    found = posterior_rates(1, 9, 2, 9, GammaPrior(4, 2.0))
    assert (found.prior_mean, found.prior_sd) == (2.0, 1.0)


# --- what cannot be said ---

@SCALES
def test_an_arm_without_units_or_exposure_says_so(scale):
    for found, reason in ((posterior_proportions(0, 0, 3, 9, scale=scale), "too_few_users"),
                          (posterior_rates(3, 9.0, 0, 0.0, scale=scale), "zero_denominator")):
        assert found.reason == reason and all(map(math.isnan, numbers(found))) and found.scale == scale


@pytest.mark.parametrize(("arguments", "message"), [
    ((5, 4, 1, 9), "treatment: 5 of 4 units converted"),
    ((1, 4, -1, 9), "control: -1 of 9 units converted"),
    ((1, 4, 1, math.inf), "control: 1 of inf"),
    ((math.nan, 4, 1, 9), "treatment: nan of 4"),
    ((1, 4, 1, 9, BetaPrior(0, 0)), "each shape must be 0.05 or more"),
    ((1, 4, 1, 9, BetaPrior(1, math.inf)), "each shape must be"),
    ((1, 4, 1, 9, UNIFORM, "percent"), "scale is 'percent'"),
    ((0, 0, 1, 9, UNIFORM, "percent"), "scale is 'percent'"),
    ((1, 4, 1, 9, UNIFORM, "absolute", "up"), "better is 'up'"),
    ((1, 4, 1, 9, UNIFORM, "absolute", "higher", 0.0), "alpha is 0.0"),
    ((0, 0, 1, 9, UNIFORM, "absolute", "higher", 2.0), "alpha is 2.0"),
])
def test_shares_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        posterior_proportions(*arguments)


@pytest.mark.parametrize(("arguments", "message"), [
    ((-1, 4.0, 1, 9.0), "treatment: -1 events over an exposure of 4.0"),
    ((1, 4.0, 1, 0.0), "control: 1 events over an exposure of 0.0"),
    ((1, math.nan, 1, 9.0), "treatment: 1 events over an exposure of nan"),
    ((1, 4.0, 1, 9.0, GammaPrior(0.0, 1.0)), "each shape must be 0.05 or more"),
    ((1, 4.0, 1, 9.0, GammaPrior(1, -1.0)), "the rate is an exposure"),
    ((1, 4.0, 1, 9.0, ONE_EVENT, "percent"), "scale is 'percent'"),
])
def test_rates_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        posterior_rates(*arguments)
