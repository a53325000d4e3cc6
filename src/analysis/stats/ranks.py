"""In which arm do users have more? A comparison that one huge order cannot move."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from analysis.stats.comparison import ALPHA
from analysis.stats.intervals import wilson
from analysis.stats.levels import Level, mean_level
from analysis.stats.moments import Moments
from analysis.stats.pairs import compare_pair, independent
from analysis.stats.tails import z_upper


@dataclass(frozen=True, slots=True)
class RankComparison:
    """Treatment against control by order alone. `pvalue < alpha` exactly when the interval leaves out 1/2."""

    n_treatment: int          # units
    n_control: int
    superiority: float        # P(treatment > control) + P(equal) / 2, of two users drawn at random
    superiority_lower: float
    superiority_upper: float
    pvalue: float             # two-sided, H0: superiority == 1/2
    alpha: float
    is_separated: bool        # no value of one arm reaches one of the other: bounds and p from the largest variance
    reason: str = ""          # why there is no p: "too_few_users", "bad_moments", "zero_variance"


def compare_ranks(treatment: np.ndarray, control: np.ndarray, alpha: float = ALPHA) -> RankComparison:
    """Brunner & Munzel (2000), Biometrical Journal 42:17; (units,) values of each arm.

    A value's placement is the share of the other arm that lies below it, ties half; the test is Welch's on the
    placements, so neither equal spread nor equal shape is assumed. From about 10 users per arm that are not all tied.

    Arms that do not overlap show no variance. That of a superiority s is at most s (1 - s) / n, n of the smaller arm
    (Birnbaum & Klose 1957, Annals of Mathematical Statistics 28:933): Wilson's bounds for s = n / n, and z = sqrt(n).
    """
    arms = [np.sort(np.asarray(values, dtype=float)) for values in (treatment, control)]
    own, other = _placed(*arms), _placed(*reversed(arms))
    found = compare_pair("rank", independent(own, replace(other, value=0.5)), alpha)
    lower, upper, pvalue, reason = 0.5 + found.diff_lower, 0.5 + found.diff_upper, found.pvalue, found.reason
    is_separated = reason == "zero_variance" and own.value in (0, 1)
    if is_separated:
        smaller = min(own.n, other.n)
        (lower, upper), reason = wilson(round(own.value) * smaller, smaller, alpha), ""
        pvalue = 2 * z_upper(math.sqrt(smaller))
    return RankComparison(
        own.n, other.n, own.value, max(lower, 0.0), min(upper, 1.0), pvalue, alpha, is_separated, reason)


def _placed(own: np.ndarray, other: np.ndarray) -> Level:
    """Mean placement of one arm's values in the other; both in ascending order."""
    if min(len(own), len(other)) < 2:
        return Level(len(own), math.nan, math.nan, "too_few_users")
    if not np.isfinite([own[[0, -1]], other[[0, -1]]]).all():
        return Level(len(own), math.nan, math.nan, "bad_moments")
    placement = (np.searchsorted(other, own, "left") + np.searchsorted(other, own, "right")) / (2 * len(other))
    return mean_level(Moments(len(own), float(placement.mean()), float(placement.var(ddof=1))))
