"""Posteriors by simulation, seeds fixed: intervals cover and chances come true. Run with `-m calibration`.

A posterior keeps its promise where effects are drawn from its prior, and only there; each bound is 4 Monte-Carlo
standard errors. Where an effect is not drawn but absent, the chance that "95 % to win" fires is what it is.
"""

import math
from functools import cache

import numpy as np
import pytest

from analysis.stats.bayes_counts import BetaPrior, GammaPrior, posterior_proportions, posterior_rates
from analysis.stats.bayes_normal import NormalPrior, posterior_normal, posterior_of, posterior_pair, stop_any_time
from analysis.stats.levels import mean_level
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from analysis.stats.pairs import independent

pytestmark = pytest.mark.calibration


def near(rate, runs, slack=0.0):
    return pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / runs) + slack)


def assert_promises_are_kept(found, truths, slack=0.0, loss_slack=0.0):
    """Intervals cover, chances come true in each band, and losses are what is lost on average."""
    truths = np.asarray(truths)
    lower, upper, chance, loss, other = np.transpose([
        (one.lower, one.upper, one.chance_better, one.expected_loss, one.expected_loss_control) for one in found])
    for missed in (truths < lower, truths > upper):
        assert missed.mean() == near(0.025, len(truths), slack)
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1)):
        band = (chance >= low) & (chance < high)
        expected = chance[band].mean()
        error = math.sqrt(np.sum(chance[band] * (1 - chance[band]))) / band.sum()
        assert band.sum() > 40 and (truths[band] > 0).mean() == pytest.approx(expected, abs=4 * error + slack)
    for promised, lost in ((loss, np.maximum(-truths, 0)), (other, np.maximum(truths, 0))):
        off = lost - promised
        assert off.mean() == pytest.approx(0, abs=4 * off.std() / math.sqrt(len(off)) + loss_slack)


@pytest.mark.parametrize(("prior", "error"), [(NormalPrior(0.0, 1.0), 0.7), (NormalPrior(0.3, 0.5), 2.0)])
def test_normal_effects_drawn_from_the_prior(prior, error):
    generator = np.random.default_rng(1)
    truths = generator.normal(prior.mean, prior.sd, 30_000)
    found = [posterior_normal(effect, error, prior) for effect in generator.normal(truths, error)]
    if error > 1:  # then no chance is ever near 0 or 1
        covered = [one.lower <= truth <= one.upper for one, truth in zip(found, truths, strict=True)]
        assert np.mean(covered) == near(0.95, len(truths))
    else:
        assert_promises_are_kept(found, truths)


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_revenue_with_effects_drawn_from_the_prior(scale):
    """Gamma revenue of 400 users per arm; the relative effect by the delta method, and by Fieller's interval.

    Treatment / control is too large by the squared relative error of control's mean, here .003; so are the losses.
    """
    generator = np.random.default_rng(2)
    runs, n, prior = 6000, 400, NormalPrior(0.0, 0.1 if scale == "relative" else 2.0)
    truths = generator.normal(0, prior.sd, runs)
    means = 20 * (1 + truths) if scale == "relative" else 20 + truths
    pairs = []
    for mean in means:
        arms = [generator.gamma(0.8, size / 0.8, n) for size in (mean, 20.0)]
        pairs.append([Moments(n, float(arm.mean()), float(arm.var(ddof=1))) for arm in arms])
    by_moments = [posterior_pair(independent(mean_level(t), mean_level(c)), prior, scale) for t, c in pairs]
    by_comparison = [posterior_of(compare_means(t, c), prior, scale) for t, c in pairs]
    bias = 0.003 if scale == "relative" else 0.0
    assert_promises_are_kept(by_moments, truths, slack=0.01, loss_slack=bias)
    assert_promises_are_kept(by_comparison, truths, slack=0.01, loss_slack=bias)


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_shares_drawn_from_the_prior(scale):
    generator = np.random.default_rng(3)
    runs, prior = 10_000, BetaPrior(3, 40)
    share_t, share_c = generator.beta(prior.a, prior.b, (2, runs))
    x_t, x_c = generator.binomial(60, share_t).tolist(), generator.binomial(50, share_c).tolist()
    posterior = cache(lambda x_t, x_c: posterior_proportions(x_t, 60, x_c, 50, prior, scale))
    found = [posterior(*counts) for counts in zip(x_t, x_c, strict=True)]
    assert_promises_are_kept(found, share_t / share_c - 1 if scale == "relative" else share_t - share_c)


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_rates_drawn_from_the_prior(scale):
    generator = np.random.default_rng(4)
    runs, prior = 10_000, GammaPrior(6, 2.0)
    rate_t, rate_c = generator.gamma(prior.shape, 1 / prior.rate, (2, runs))
    events_t, events_c = generator.poisson(5 * rate_t).tolist(), generator.poisson(4 * rate_c).tolist()
    posterior = cache(lambda events_t, events_c: posterior_rates(events_t, 5, events_c, 4, prior, scale))
    found = [posterior(*counts) for counts in zip(events_t, events_c, strict=True)]
    assert_promises_are_kept(found, rate_t / rate_c - 1 if scale == "relative" else rate_t - rate_c)


def test_jeffreys_intervals_of_a_fixed_difference_cover_about_as_often_as_they_say():
    generator = np.random.default_rng(5)
    counts = generator.binomial(100, [0.12, 0.08], (10_000, 2)).tolist()
    posterior = cache(lambda x_t, x_c: posterior_proportions(x_t, 100, x_c, 100))
    found = [posterior(*pair) for pair in counts]
    assert np.mean([one.lower <= 0.04 <= one.upper for one in found]) == near(0.95, len(counts), slack=0.005)


@pytest.mark.parametrize(("looks", "threshold", "fires"), [(21, 0.95, 0.43), (5, 0.9, None), (21, 0.99, None)])
def test_stopping_any_time_fires_as_often_as_computed(looks, threshold, fires):
    """Runs without effect; the flat prior's chance is read after each of the looks, by the same functions."""
    generator, runs = np.random.default_rng(6), 40_000
    sums = np.cumsum(generator.normal(size=(runs, looks)), axis=1)
    effects = sums / np.arange(1, looks + 1)
    edge = next(z for z in np.linspace(0, 5, 500_001) if posterior_normal(z, 1.0).chance_better >= threshold)
    is_sure = np.abs(effects) * np.sqrt(np.arange(1, looks + 1)) >= edge
    rate = is_sure.any(axis=1).mean()
    assert rate == near(stop_any_time(looks, threshold), runs)
    assert fires is None or rate == pytest.approx(fires, abs=0.01)


def test_shares_of_users_looked_at_daily_fire_as_often_too():
    """21 days of 2,000 users per arm at 5 % conversion: the z of the pooled share, as the normal limit says."""
    generator, runs = np.random.default_rng(7), 20_000
    x = np.cumsum(generator.binomial(2000, 0.05, (2, runs, 21)), axis=2)
    n = 2000 * np.arange(1, 22)
    pooled = x.sum(0) / (2 * n)
    z = (x[0] - x[1]) / n / np.sqrt(pooled * (1 - pooled) * 2 / n)
    assert (np.abs(z) >= 1.6448536).any(axis=1).mean() == near(0.4288, runs, slack=0.005)
