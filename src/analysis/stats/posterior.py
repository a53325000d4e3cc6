"""What the data and a prior say of one effect together: the one shape that all Bayesian answers have."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from analysis.stats.comparison import ALPHA

SCALES = ("absolute", "relative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Treatment against control on one metric, given the data and a prior.

    All numbers are on `scale`: "absolute" is treatment - control in the metric's unit, "relative" is that divided by
    control. What cannot be said is nan and has its reason.
    """

    kind: str                           # "normal", "beta" (shares), "gamma" (events per unit of exposure)
    scale: str                          # "absolute" or "relative"
    mean: float = nan                   # of the effect; inf where reason is "zero_control" and the kind is not "normal"
    lower: float = nan                  # credible interval: alpha / 2 of the posterior lies below,
    upper: float = nan                  # and alpha / 2 above
    chance_better: float = nan          # P(effect > 0), or P(effect < 0) where lower is better
    expected_loss: float = nan          # of choosing the treatment: how much worse than control, 0 where it is better
    expected_loss_control: float = nan  # of staying with control; inf where the mean is
    prior_mean: float = 0.0             # normal: of the effect. beta, gamma: of each arm's rate. 0 where the sd is inf
    prior_sd: float = nan               # inf: flat, or improper
    alpha: float = ALPHA
    reason: str = ""                    # "too_few_users", "bad_moments", "zero_variance", "zero_denominator",
    #                                     "zero_control", "negative_control", "unbounded"


def check_question(scale: str, better: str) -> None:
    """ValueError for a scale or a direction that does not exist."""
    if scale not in SCALES:
        raise ValueError(f"scale is {scale!r}; it must be 'absolute' or 'relative'")
    if better not in ("higher", "lower"):
        raise ValueError(f"better is {better!r}; it must be 'higher' or 'lower'")
