"""From the moments of one arm to the level that is tested: the estimate, its variance, and why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.stats.moments import Moments, RatioMoments

ROUNDING = 1e-12  # a spread below this share of the numbers it came from is rounding, not data


@dataclass(frozen=True, slots=True)
class Level:
    """A mean, or a ratio of two sums, in one arm."""

    n: int             # units
    value: float
    var: float         # of the value (squared standard error); exactly 0 where the spread is only rounding
    reason: str = ""   # why it cannot be tested: "too_few_users", "bad_moments", "zero_denominator", ...
    df: float = math.nan   # degrees of freedom of `var`; n - 1 unless units hang together


def mean_level(own: Moments) -> Level:
    """Mean per unit. nan, infinite and negative moments are "bad_moments"."""
    if own.n < 2:
        return Level(own.n, own.mean, math.nan, "too_few_users")
    if not (math.isfinite(own.mean) and math.isfinite(own.var) and own.var >= 0):
        return Level(own.n, own.mean, math.nan, "bad_moments")
    is_constant = math.sqrt(own.var) <= ROUNDING * abs(own.mean)
    return Level(own.n, own.mean, 0.0 if is_constant else own.var / own.n, df=own.n - 1)


def ratio_level(own: RatioMoments) -> Level:
    """Ratio of two sums as the mean of ratio + (numerator - ratio * denominator) / mean_denominator per unit.

    The variance of that metric is the delta method's (Deng et al. 2018, KDD, section 3; ddof = 1), so a ratio is
    tested and bounded exactly as a mean is, and a ratio whose denominator is always 1 is the mean.
    """
    if own.n < 2:
        value = own.mean_numerator / own.mean_denominator if own.n and own.mean_denominator else math.nan
        return Level(own.n, value, math.nan, "too_few_users")
    if not own.mean_denominator:
        return Level(own.n, math.nan, math.nan, "zero_denominator")
    ratio = own.mean_numerator / own.mean_denominator
    spread = own.var_numerator + ratio**2 * own.var_denominator
    var = spread - 2 * ratio * own.cov
    if abs(var) <= ROUNDING * spread:
        var = 0.0  # numerator and denominator move in proportion
    return mean_level(Moments(own.n, ratio, var / own.mean_denominator**2))
