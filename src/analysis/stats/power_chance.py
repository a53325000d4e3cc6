"""The chance that a test will find what is there: the one formula that every plan evaluates or inverts.

An effect is seen when it is significant and has its own sign. So only one tail counts: at an effect of 0 the chance
is alpha / 2, and the other tail, significance on the wrong side, holds less than 1e-5 wherever the chance is 80 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special
from scipy.optimize import brentq

from analysis.stats.clusters import FEWEST as FEWEST_CLUSTERS
from analysis.stats.power_baseline import Baseline
from analysis.stats.score import SMALLEST, constrained_shares
from analysis.stats.tails import t_critical

FEWEST_USERS = 2     # of an arm, as in `mean_level`
MOST_USERS = 1e18    # beyond this no plan is searched for
ROUNDING = 1e-9      # a chance this much below the wished one has reached it


def chance(baseline: Baseline, effect: float, edge: float, n: float, share: float, alpha: float) -> float:
    """Chance that H0: treatment == (1 + edge) control is rejected, on the side on which the truth lies.

    effect   true treatment - control, in the metric's unit
    edge     0 for a difference; for a guardrail its margin, with the sign of what would be worse
    n        users of both arms, `share` of them in treatment

    By the noncentral t distribution with Satterthwaite's degrees of freedom; the score test of shares by the normal.
    """
    n_treatment, n_control = share * n, (1 - share) * n
    null, truth = errors(baseline, effect, edge, n_treatment, n_control)
    df = degrees(baseline, n_treatment, n_control)
    gap = abs(effect - edge * baseline.value)
    return t_exceeds(t_critical(alpha, df) * null / truth, gap / truth, df)


def t_exceeds(critical: float, centre: float, df: float) -> float:
    """P(T > critical) of a noncentral t; by its mirror image, so that a small chance keeps its digits."""
    if math.isinf(df):
        return float(special.ndtr(centre - critical))
    return float(special.nctdtr(df, -centre, -critical))


def errors(
    baseline: Baseline, effect: float, edge: float, n_treatment: float, n_control: float
) -> tuple[float, float]:
    """Standard error of treatment - (1 + edge) control: the one that the test will use, and the true one.

    They differ for the score test only, whose shares are the likeliest ones under the null.
    Source: Farrington & Manning (1990), Statistics in Medicine 9:1447.
    """
    ratio = 1 + edge
    of_treatment, of_control = _variances(baseline, effect)
    truth = math.sqrt(baseline.factor * (of_treatment / n_treatment + ratio**2 * of_control / n_control))
    if not baseline.is_score:
        return truth, truth
    p_t, p_c = constrained_shares(
        n_treatment * (baseline.value + effect), n_treatment, n_control * baseline.value, n_control, ratio)
    return math.sqrt(p_t * (1 - p_t) / n_treatment + ratio**2 * p_c * (1 - p_c) / n_control), truth


def degrees(baseline: Baseline, n_treatment: float, n_control: float) -> float:
    """Satterthwaite's, of users or of clusters that spread alike in both arms; infinite for the score test."""
    if baseline.is_score:
        return math.inf
    weight = n_control / (n_treatment + n_control)  # of treatment in the variance of the difference
    units_treatment, units_control = n_treatment / baseline.cluster_size, n_control / baseline.cluster_size
    return 1 / (weight**2 / (units_treatment - 1) + (1 - weight) ** 2 / (units_control - 1))


def fewest_users(baseline: Baseline, share: float) -> float:
    """Of both arms, so that the smaller one can be tested: it has 2 users, or the 5 clusters of `cluster_level`."""
    fewest = FEWEST_CLUSTERS * baseline.cluster_size if baseline.cluster_size > 1 else FEWEST_USERS
    return fewest / min(share, 1 - share)


def crossing(excess: Callable[[float], float], low: float, high: float, limit: float = math.inf) -> float:
    """Where `excess`, negative at low, first reaches 0; `high` is a first guess; nan if it does not up to the limit."""
    high = min(high, limit)
    while (gap := excess(high)) < 0:
        if high >= limit:
            return limit if gap > -ROUNDING else math.nan
        low, high = high, min(2 * high, limit)
    return brentq(excess, low, high, xtol=SMALLEST * high, rtol=SMALLEST)


def _variances(baseline: Baseline, effect: float) -> tuple[float, float]:
    """Per user, of treatment and of control; a share that moves changes its variance."""
    if baseline.kind != "proportion":
        return baseline.var, baseline.var
    share = baseline.value + effect
    return share * (1 - share), baseline.var
