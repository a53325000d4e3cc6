"""Chance that treatment is better, from counts: shares of units, and events per unit of exposure; exact."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from analysis.stats.bayes_arms import SMALLEST_SHAPE, Beta, Gamma
from analysis.stats.bayes_quadrature import Arm, bounds, chance, losses, mean_effect, relative_losses
from analysis.stats.comparison import ALPHA
from analysis.stats.posterior import Posterior, check_question
from analysis.stats.tails import z_critical


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """Of the share of either arm. The default is Jeffreys' (1946), Proceedings of the Royal Society A 186:453."""

    a: float = 0.5  # as if so many units had converted before the data,
    b: float = 0.5  # and so many had not


@dataclass(frozen=True, slots=True)
class GammaPrior:
    """Of the events per unit of exposure of either arm. The default is Jeffreys', which is improper."""

    shape: float = 0.5  # as if so many events had been seen before the data,
    rate: float = 0.0   # over so much exposure


JEFFREYS_SHARE, JEFFREYS_RATE = BetaPrior(), GammaPrior()


def posterior_proportions(
    x_treatment: int, n_treatment: int, x_control: int, n_control: int, prior: BetaPrior = JEFFREYS_SHARE,
    scale: str = "absolute", better: str = "higher", alpha: float = ALPHA,
) -> Posterior:
    """Shares of units that convert: binomial counts, beta prior.

    x, n   units that convert, and all units, of an arm; ValueError unless 0 <= x <= n

    Where control never converts (and a <= 1) the relative effect has bounds but no finite mean: inf, "zero_control".
    """
    for arm, x, n in (("treatment", x_treatment, n_treatment), ("control", x_control, n_control)):
        if not 0 <= x <= n < math.inf:
            raise ValueError(f"{arm}: {x} of {n} units converted; a unit converts once or not at all")
    _check_prior(prior, prior.a, prior.b)
    own = Beta(prior.a, prior.b)
    empty = Posterior(kind="beta", scale=scale, prior_mean=own.mean, prior_sd=math.sqrt(own.var), alpha=alpha)
    if not n_treatment or not n_control:
        return _missing(empty, better, "too_few_users")
    treatment = Beta(prior.a + x_treatment, prior.b + (n_treatment - x_treatment))
    control = Beta(prior.a + x_control, prior.b + (n_control - x_control))
    return _filled(empty, treatment, control, better)


def posterior_rates(
    events_treatment: int, exposure_treatment: float, events_control: int, exposure_control: float,
    prior: GammaPrior = JEFFREYS_RATE, scale: str = "absolute", better: str = "higher", alpha: float = ALPHA,
) -> Posterior:
    """Events per unit of exposure: Poisson counts, gamma prior.

    events     of an arm, 0 or more
    exposure   what they are counted over, in any unit: users, user-days, sessions; ValueError for events without any

    Right only where events come one by one, independently. Orders of users who buy in bursts vary more than that:
    compare their mean per user, and take `posterior_of`. An infinite mean as in `posterior_proportions`.
    """
    for arm, events, exposure in (("treatment", events_treatment, exposure_treatment),
                                  ("control", events_control, exposure_control)):
        if not (0 <= events < math.inf and 0 <= exposure < math.inf and (exposure or not events)):
            raise ValueError(f"{arm}: {events} events over an exposure of {exposure}; "
                             "both must be 0 or more, and events need an exposure")
    _check_prior(prior, prior.shape)
    mean, sd = (prior.shape / prior.rate, math.sqrt(prior.shape) / prior.rate) if prior.rate else (0.0, math.inf)
    empty = Posterior(kind="gamma", scale=scale, prior_mean=mean, prior_sd=sd, alpha=alpha)
    if not exposure_treatment or not exposure_control:
        return _missing(empty, better, "zero_denominator")
    treatment = Gamma(prior.shape + events_treatment, prior.rate + exposure_treatment)
    control = Gamma(prior.shape + events_control, prior.rate + exposure_control)
    return _filled(empty, treatment, control, better)


def _filled(empty: Posterior, treatment: Arm, control: Arm, better: str) -> Posterior:
    check_question(empty.scale, better)
    is_relative, is_higher = empty.scale == "relative", better == "higher"
    mean = mean_effect(treatment, control, is_relative)
    below, above = (relative_losses if is_relative else losses)(treatment, control)
    lower, upper = bounds(treatment, control, is_relative, empty.alpha)
    return replace(
        empty, mean=mean, lower=lower, upper=upper,
        chance_better=chance(treatment, control, 0.0, False, treatment.sf if is_higher else treatment.cdf),
        expected_loss=below if is_higher else above, expected_loss_control=above if is_higher else below,
        reason="" if math.isfinite(mean) else "zero_control")


def _missing(empty: Posterior, better: str, reason: str) -> Posterior:
    check_question(empty.scale, better)
    z_critical(empty.alpha)  # refuses a level that cannot be
    return replace(empty, reason=reason)


def _check_prior(prior: BetaPrior | GammaPrior, *shapes: float) -> None:
    if not all(SMALLEST_SHAPE <= shape < math.inf for shape in shapes):
        raise ValueError(f"{prior}: each shape must be {SMALLEST_SHAPE} or more, for example 0.5")
    if isinstance(prior, GammaPrior) and not 0 <= prior.rate < math.inf:
        raise ValueError(f"{prior}: the rate is an exposure and must be 0 or more")
