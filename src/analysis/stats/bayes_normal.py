"""Chance that treatment is better, from an effect and its standard error: normal data, normal prior, closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.pairs import Pair, relative_bounds
from analysis.stats.posterior import Posterior, check_question
from analysis.stats.spending import crossing_probability
from analysis.stats.tails import z_critical

FAR = 40.0  # standard deviations beyond which nothing is left of a normal tail: exp(-800)


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """What was believed of the effect before the data, on the scale on which it is asked for. sd inf: nothing, flat."""

    mean: float = 0.0
    sd: float = math.inf


FLAT = NormalPrior()


def posterior_normal(
    estimate: float, error: float, prior: NormalPrior = FLAT, scale: str = "absolute", better: str = "higher",
    alpha: float = ALPHA,
) -> Posterior:
    """Of an effect that was estimated with a normal error.

    estimate, error   the effect and its standard error, on `scale`; ValueError unless both are finite and error > 0
    scale             names what the numbers are; nothing is converted

    The mean weighs estimate and prior by their precisions; the expected loss is the unit normal loss integral (Raiffa
    & Schlaifer 1961, Applied Statistical Decision Theory). With a flat prior the interval is estimate +- z error and
    the chance is 1 - the one-sided p of the z test.
    """
    check_question(scale, better)
    _check(estimate, error, prior)
    mean, sd = _update(estimate, error, prior)
    half, z = z_critical(alpha) * sd, mean / sd
    tail = sd * _unit_loss(min(abs(z), FAR))
    below, above = max(-mean, 0.0) + tail, max(mean, 0.0) + tail
    is_higher = better == "higher"
    return Posterior(
        kind="normal", scale=scale, mean=mean, lower=mean - half, upper=mean + half,
        chance_better=float(special.ndtr(z if is_higher else -z)),
        expected_loss=below if is_higher else above, expected_loss_control=above if is_higher else below,
        prior_mean=prior.mean, prior_sd=prior.sd, alpha=alpha)


def posterior_of(
    comparison: Comparison, prior: NormalPrior = FLAT, scale: str = "absolute", better: str = "higher"
) -> Posterior:
    """Of an effect that has been compared already, by whatever method, at the comparison's alpha.

    The standard error is read from the interval: the distance from the effect to the bound that faces 0, divided by
    z_critical(alpha). So a flat prior's interval leaves out 0 exactly when the comparison's does, also where that is
    a t interval (then the error is larger than the usual one by t / z) or not symmetric (score, Fieller). Where there
    is no interval there is no posterior, and the reason is the comparison's.
    """
    if scale == "relative":
        estimate, lower, upper = comparison.rel_diff, comparison.rel_diff_lower, comparison.rel_diff_upper
    else:
        estimate, lower, upper = comparison.diff, comparison.diff_lower, comparison.diff_upper
    inward = estimate - lower if estimate > 0 else upper - estimate
    error = (inward if estimate else (upper - lower) / 2) / z_critical(comparison.alpha)
    if not (math.isfinite(error) and error > 0):
        reason = comparison.rel_reason if scale == "relative" else comparison.reason
        return _missing(prior, scale, better, comparison.alpha, reason or "zero_variance")
    return posterior_normal(estimate, error, prior, scale, better, comparison.alpha)


def posterior_pair(
    pair: Pair, prior: NormalPrior = FLAT, scale: str = "absolute", better: str = "higher", alpha: float = ALPHA
) -> Posterior:
    """Of two levels, `independent(mean_level(...), mean_level(...))`, whose variances are taken as known.

    For the relative effect the delta method's error. Where control is not above 0, or cannot be told from it at this
    alpha, there is none: "zero_control", "negative_control", "unbounded".
    """
    is_relative = scale == "relative"
    reason = relative_bounds(pair, z_critical(alpha))[2] if is_relative else pair.reason
    estimate, error = _relative(pair) if is_relative and not reason else (pair.diff, pair.error)
    if not reason and not error > 0:
        reason = "zero_variance"
    if reason:
        return _missing(prior, scale, better, alpha, reason)
    return posterior_normal(estimate, error, prior, scale, better, alpha)


def stop_any_time(looks: int, threshold: float = 0.95) -> float:
    """Chance that an arm wins although there is no effect, if one stops as soon as either is better with `threshold`.

    looks       equally far apart, at each of which the flat prior's chance of either arm is read
    threshold   that chance, above .5 and below 1

    The rule stops at |z| >= 1.645 for .95: at one look in 10 % of the runs without effect, over 21 looks in 43 %.
    """
    if not (looks >= 1 and looks == int(looks)):
        raise ValueError(f"looks is {looks}; it must be a whole number, 1 or more")
    if not 0.5 < threshold < 1:
        raise ValueError(f"threshold is {threshold}; it must lie between 0.5 and 1, for example 0.95")
    fractions = [(look + 1) / looks for look in range(looks)]
    return crossing_probability([z_critical(2 * (1 - threshold))] * looks, fractions)


def _relative(pair: Pair) -> tuple[float, float]:
    """The relative effect and its standard error by the delta method."""
    ratio = pair.treatment / pair.control
    var = pair.var_treatment + ratio * (ratio * pair.var_control - 2 * pair.cov)
    return pair.diff / pair.control, math.sqrt(max(var, 0.0)) / pair.control


def _update(estimate: float, error: float, prior: NormalPrior) -> tuple[float, float]:
    """Mean and standard deviation; weights as squared ratios, so that nothing overflows and no digits cancel."""
    if math.isinf(prior.sd):
        return estimate, error
    both = math.hypot(error, prior.sd)
    return (estimate * (prior.sd / both) ** 2 + prior.mean * (error / both) ** 2, error * (prior.sd / both))


def _unit_loss(z: float) -> float:
    """E max(0, Z - z) of a standard normal Z for 0 <= z <= 40; the scaled erfc keeps 12 digits to the end."""
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return density * (1 - z * math.sqrt(math.pi / 2) * float(special.erfcx(z / math.sqrt(2))))


def _missing(prior: NormalPrior, scale: str, better: str, alpha: float, reason: str) -> Posterior:
    check_question(scale, better)
    return Posterior(
        kind="normal", scale=scale, prior_mean=prior.mean, prior_sd=prior.sd, alpha=alpha, reason=reason)


def _check(estimate: float, error: float, prior: NormalPrior) -> None:
    if not (math.isfinite(estimate) and 0 < error < math.inf):
        raise ValueError(f"effect {estimate} with standard error {error}; both must be finite and the error above 0")
    if not (math.isfinite(prior.mean) and prior.sd > 0):
        raise ValueError(f"{prior}: the mean must be finite and the sd above 0, inf for a flat prior")
