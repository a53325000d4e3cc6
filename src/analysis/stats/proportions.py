"""Conversion of two arms: score test, score intervals for the difference and for the relative effect."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from analysis.stats.comparison import ALPHA, POWER, Comparison
from analysis.stats.score import score_difference, score_ratio, score_z
from analysis.stats.tails import z_critical, z_upper

TIE = 1e-7   # relative; tables as likely as the one seen count as such despite rounding


def compare_proportions(
    x_treatment: int, n_treatment: int, x_control: int, n_control: int, alpha: float = ALPHA
) -> Comparison:
    """Difference of the shares that convert, and as a share of the control's.

    x, n   units that convert, and all units, of an arm; ValueError unless 0 <= x <= n

    One statistic (Miettinen & Nurminen 1985) gives the p and both intervals, so they agree at the null. Where
    nobody converts, or everybody, the intervals stand and the p does not: the data cannot speak against equality.
    """
    counts = (x_treatment, n_treatment, x_control, n_control)
    reason = defect(*counts)
    if reason == "too_few_users":
        return Comparison(
            kind="proportion", n_treatment=n_treatment, n_control=n_control, alpha=alpha,
            value_treatment=_share(x_treatment, n_treatment), value_control=_share(x_control, n_control),
            reason=reason, rel_reason=reason)
    share_t, share_c = x_treatment / n_treatment, x_control / n_control
    diff_lower, diff_upper = score_difference(*counts, alpha)
    ratio_lower, ratio_upper = score_ratio(*counts, alpha)
    return Comparison(
        kind="proportion", n_treatment=n_treatment, n_control=n_control,
        value_treatment=share_t, value_control=share_c,
        diff=share_t - share_c, diff_lower=diff_lower, diff_upper=diff_upper,
        rel_diff=(share_t - share_c) / share_c if x_control else math.nan,
        rel_diff_lower=ratio_lower - 1, rel_diff_upper=ratio_upper - 1,
        pvalue=math.nan if reason else 2 * z_upper(abs(score_z(*counts))), alpha=alpha,
        detectable=math.nan if reason else _detectable(*counts, alpha),
        reason=reason, rel_reason="" if x_control else "zero_control")


def defect(x_treatment: int, n_treatment: int, x_control: int, n_control: int) -> str:
    """Why the two cannot be tested against each other, or ""; ValueError for counts that cannot be."""
    for arm, x, n in (("treatment", x_treatment, n_treatment), ("control", x_control, n_control)):
        if not 0 <= x <= n:
            raise ValueError(f"{arm}: {x} of {n} units converted; a unit converts once or not at all")
    if not n_treatment or not n_control:
        return "too_few_users"
    if not x_treatment + x_control:
        return "no_conversions"
    return "all_converted" if x_treatment + x_control == n_treatment + n_control else ""


def fisher_pvalue(x_treatment: int, n_treatment: int, x_control: int, n_control: int) -> float:
    """Fisher's exact p (1935), two-sided: probability of all tables with these margins no likelier than the one seen.

    Beside the score test where few convert; on the safe side. It has no interval of its own. nan as in `defect`.
    """
    if defect(x_treatment, n_treatment, x_control, n_control):
        return math.nan
    n, x = n_treatment + n_control, x_treatment + x_control
    lowest, highest = max(0, x - n_control), min(x, n_treatment)
    did = np.arange(lowest, highest + 1)
    log = special.gammaln([n_treatment + 1, n_control + 1, x + 1, n - x + 1]).sum() - special.gammaln(n + 1) - (
        special.gammaln(did + 1) + special.gammaln(n_treatment - did + 1) + special.gammaln(x - did + 1)
        + special.gammaln(n_control - x + did + 1))
    seen = log[x_treatment - lowest]
    return min(float(np.exp(log[log <= seen + TIE]).sum()), 1.0)


def _share(x: int, n: int) -> float:
    return x / n if n else math.nan


def _detectable(x_treatment: int, n_treatment: int, x_control: int, n_control: int, alpha: float) -> float:
    """At the variance of the pooled share, on the scale of the score test."""
    n = n_treatment + n_control
    pooled = (x_treatment + x_control) / n
    error = math.sqrt(pooled * (1 - pooled) * (1 / n_treatment + 1 / n_control) * n / (n - 1))
    return (z_critical(alpha) + z_critical(2 * (1 - POWER))) * error
