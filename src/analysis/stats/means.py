"""Means of two arms: Welch's test, and Fieller's interval for the relative effect at the same critical value."""

from __future__ import annotations

import math

from analysis.stats.comparison import ALPHA, POWER, Comparison
from analysis.stats.fieller import fieller
from analysis.stats.levels import Level, mean_level
from analysis.stats.moments import Moments
from analysis.stats.tails import t_critical, t_upper


def compare_means(treatment: Moments, control: Moments, alpha: float = ALPHA) -> Comparison:
    """Difference of means, in the metric's unit and as a share of the control's mean."""
    return compare_levels("mean", mean_level(treatment), mean_level(control), alpha)


def compare_levels(kind: str, treatment: Level, control: Level, alpha: float) -> Comparison:
    """Welch's t test of two independent estimates.

    Source: Welch (1947), Biometrika 34:28, with Satterthwaite's degrees of freedom.
    """
    diff = treatment.value - control.value
    error, df, reason = standard_error(treatment, control)
    critical = t_critical(alpha, df)
    half = critical * error
    rel_lower, rel_upper, rel_reason = relative_bounds(treatment, control, critical)
    return Comparison(
        kind=kind, n_treatment=treatment.n, n_control=control.n,
        value_treatment=treatment.value, value_control=control.value,
        diff=diff, diff_lower=diff - half, diff_upper=diff + half,
        rel_diff=diff / control.value if control.value > 0 else math.nan,
        rel_diff_lower=rel_lower, rel_diff_upper=rel_upper,
        pvalue=math.nan if reason else 2 * t_upper(abs(diff) / error, df), alpha=alpha,
        detectable=half + t_critical(2 * (1 - POWER), df) * error, reason=reason, rel_reason=rel_reason)


def standard_error(treatment: Level, control: Level) -> tuple[float, float, str]:
    """Of the difference, its degrees of freedom (written so that nothing overflows), and why they are nan."""
    var = treatment.var + control.var
    reason = treatment.reason or control.reason or ("" if var else "zero_variance")
    if reason:
        return math.nan, math.nan, reason
    share = treatment.var / var
    df = 1 / (share**2 / (treatment.n - 1) + (1 - share) ** 2 / (control.n - 1))
    return math.sqrt(var), df, ""


def relative_bounds(treatment: Level, control: Level, critical: float) -> tuple[float, float, str]:
    """Lower and upper bound of the relative effect, and why there are none.

    A control below 0 would turn the sign of the effect around, so nothing is said of it. "unbounded": the control's
    own level cannot be told from 0, so any large effect, up or down, fits.
    """
    error, _, reason = standard_error(treatment, control)
    if not reason and not control.value > 0:
        reason = "negative_control" if control.value < 0 else "zero_control"
    if reason:
        return math.nan, math.nan, reason
    diff = treatment.value - control.value
    bounds = fieller(diff, control.value, error**2, control.var, -control.var, critical)
    return (*bounds, "") if bounds else (math.nan, math.nan, "unbounded")
