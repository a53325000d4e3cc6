"""The permutation test: how far out is what was seen among what shuffled labels give?"""

from __future__ import annotations

import math

import numpy as np

from analysis.stats.comparison import ALPHA, POWER, Comparison
from analysis.stats.pairs import Pair, relative_bounds
from analysis.stats.tails import z_critical

TIE = 1e-9  # relative; statistics as far out as the one seen count as such despite rounding


def permutation_pvalue(shuffled_statistics: np.ndarray, observed: float) -> float:
    """(1 + shuffles as far out as the observed) / (1 + shuffles), two-sided; a shuffle without statistic is far out.

    Exact for arms of one distribution, whatever it is. With a studentised statistic (`statistics`) also right, in large
    arms, where only the means are equal: Janssen (1997), Statistics & Probability Letters 36:9; Chung & Romano (2013),
    Annals of Statistics 41:484.
    """
    if math.isnan(observed):
        return math.nan
    far = ~(np.abs(shuffled_statistics) < abs(observed) * (1 - TIE))
    return (1 + int(far.sum())) / (1 + len(far))


def permutation_critical(shuffled_statistics: np.ndarray, alpha: float = ALPHA) -> float:
    """The value such that `permutation_pvalue` < alpha exactly for statistics further out."""
    outwards = np.sort(np.nan_to_num(np.abs(shuffled_statistics), nan=math.inf, posinf=math.inf))[::-1]
    rejecting = int(((1 + np.arange(len(outwards))) / (1 + len(outwards)) < alpha).sum())  # from none further out on
    if not 0 < alpha < 1 or not rejecting:
        raise ValueError(f"{len(outwards)} shuffles cannot reject at alpha {alpha}; take more than 1 / alpha")
    return float(outwards[rejecting - 1]) / (1 - TIE)


def compare_permuted(pair: Pair, shuffled_statistics: np.ndarray, alpha: float = ALPHA) -> Comparison:
    """As `compare_pair`, with the critical value of the shuffles in the place of Student's.

    The pair is of the arms as they are, the statistics are diff / standard error of the same method on each shuffle.
    The p is never below 1 / (1 + shuffles). "too_few_users": so many shuffles leave two arms without any spread that no
    difference would stand out.
    """
    critical = permutation_critical(shuffled_statistics, alpha)
    reason = pair.reason or ("" if math.isfinite(critical) else "too_few_users")
    error = math.nan if reason else pair.error
    half = math.nan if reason else critical * error
    lower, upper, rel_reason = (math.nan, math.nan, reason) if reason else relative_bounds(pair, critical)
    return Comparison(
        kind="permutation", n_treatment=pair.n_treatment, n_control=pair.n_control,
        value_treatment=pair.treatment, value_control=pair.control,
        diff=pair.diff, diff_lower=pair.diff - half, diff_upper=pair.diff + half,
        rel_diff=pair.diff / pair.control if pair.control > 0 else math.nan,
        rel_diff_lower=lower, rel_diff_upper=upper,
        pvalue=math.nan if reason else permutation_pvalue(shuffled_statistics, pair.diff / error), alpha=alpha,
        detectable=half + z_critical(2 * (1 - POWER)) * error, reason=reason, rel_reason=rel_reason)
