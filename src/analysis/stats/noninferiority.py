"""Guardrails: is treatment worse than control by less than a margin? The margin itself is in the null.

A margin is a share of the control's level. Each p is one-sided and tests the ratio at the edge of the margin with the
statistic that the relative interval inverts, so p < alpha / 2 exactly when the interval's bound is inside the margin.
Where there is no relative interval there is no p either (nan); `Comparison.rel_reason` says why.
"""

from __future__ import annotations

import math

from analysis.stats.comparison import ALPHA
from analysis.stats.levels import mean_level, ratio_level
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.pairs import independent, margin_pvalue
from analysis.stats.proportions import defect
from analysis.stats.score import score_z
from analysis.stats.tails import z_upper


def noninferiority_pvalue(
    treatment: Moments | RatioMoments, control: Moments | RatioMoments, kind: str,
    margin: float, better: str, alpha: float = ALPHA,
) -> float:
    """One-sided p by the metric's kind: "any" and "proportion" are shares of units, "ratio" ratios, all else means."""
    if kind == "ratio":
        return noninferiority_ratios(treatment, control, margin, better, alpha)
    if kind in ("any", "proportion"):
        (x_t, n_t), (x_c, n_c) = ((round(own.mean * own.n) if own.n else 0, own.n) for own in (treatment, control))
        return noninferiority_proportions(x_t, n_t, x_c, n_c, margin, better)
    return noninferiority_means(treatment, control, margin, better, alpha)


def noninferiority_means(
    treatment: Moments, control: Moments, margin: float, better: str, alpha: float = ALPHA
) -> float:
    """t of treatment - ratio * control, with the degrees of freedom of the difference, as in Fieller's interval."""
    return margin_pvalue(
        independent(mean_level(treatment), mean_level(control)), ratio_at(margin, better), better, alpha)


def noninferiority_ratios(
    treatment: RatioMoments, control: RatioMoments, margin: float, better: str, alpha: float = ALPHA
) -> float:
    """As for means, on the delta method's variances."""
    return margin_pvalue(
        independent(ratio_level(treatment), ratio_level(control)), ratio_at(margin, better), better, alpha)


def noninferiority_proportions(
    x_treatment: int, n_treatment: int, x_control: int, n_control: int, margin: float, better: str
) -> float:
    """Score test of the ratio of shares (Miettinen & Nurminen 1985)."""
    counts = (x_treatment, n_treatment, x_control, n_control)
    ratio = ratio_at(margin, better)
    if defect(*counts) in ("too_few_users", "no_conversions"):
        return math.nan
    z = score_z(*counts, ratio)
    return z_upper(z if better == "higher" else -z)


def ratio_at(margin: float, better: str) -> float:
    """Treatment / control at the edge of the margin; ValueError for a margin that cannot be meant."""
    if better not in ("higher", "lower"):
        raise ValueError(f"better is {better!r}; it must be 'higher' or 'lower'")
    if not 0 <= margin < (1 if better == "higher" else math.inf):
        raise ValueError(f"margin is {margin}; it must be a share of the control, for example 0.02 for 2 %")
    return 1 - margin if better == "higher" else 1 + margin
