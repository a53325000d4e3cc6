"""What the past says of one metric, for planning: its level without the campaign and the spread between users.

All plans start from here. Clusters and the adjustment for the time before multiply the spread by a factor, so they
combine freely with means, shares and ratios.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from analysis.stats.levels import Level, mean_level, ratio_level
from analysis.stats.moments import Moments, PairedMoments, RatioMoments


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One metric as expected of the control. Made by the functions below."""

    kind: str                    # "mean", "proportion", "ratio"
    value: float                 # level, in the metric's unit
    var: float                   # per user, of the level (of a ratio: the delta method's)
    denominator: float = 1.0     # of a ratio, per user
    is_score: bool = False       # tested by the score test, whose variance is the null's; otherwise by t
    factor: float = 1.0          # on the variance: design effect, 1 - R^2
    cluster_size: float = 1.0    # mean users of a cluster; 1: users are assigned one by one
    reason: str = ""             # why it cannot be planned with: "zero_variance", "too_few_users", "bad_moments",
    #                              "zero_denominator"

    @property
    def rel_reason(self) -> str:
        """Why there is no relative effect, or ""."""
        if self.reason or self.value > 0:
            return self.reason
        return "negative_control" if self.value < 0 else "zero_control"


def mean_baseline(own: Moments) -> Baseline:
    """A mean per user; treatment is taken to have the same spread."""
    return _of_level("mean", mean_level(own))


def ratio_baseline(own: RatioMoments) -> Baseline:
    """A ratio of two sums, with the delta method's variance per user (`ratio_level`)."""
    return replace(_of_level("ratio", ratio_level(own)), denominator=own.mean_denominator)


def share_baseline(share: float) -> Baseline:
    """A share of users who convert; its variance follows from it. ValueError outside [0, 1].

    At 0 and 1 no two users differ and nothing can be planned: "zero_variance".
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; the users who convert are a share between 0 and 1")
    var = share * (1 - share)
    return Baseline(kind="proportion", value=share, var=var, is_score=True, reason="" if var else "zero_variance")


def cuped(baseline: Baseline, r_squared: float) -> Baseline:
    """The metric adjusted for the time before: what is left of the variance is 1 - R^2.

    r_squared   share of the variance that the time before explains, as `r_squared` finds it; ValueError outside [0, 1)

    A share is then compared as a mean, by t. Source: Deng, Xu, Kohavi & Walker (2013), WSDM.
    """
    if not 0 <= r_squared < 1:
        raise ValueError(f"R^2 is {r_squared}; it must be 0 or more and below 1, for example 0.3")
    return replace(baseline, factor=baseline.factor * (1 - r_squared), is_score=False)


def r_squared(pair: PairedMoments) -> float:
    """Squared correlation of a metric of the same users in two phases; 0 where one of them has no spread."""
    spread = pair.var_during * pair.var_before
    return min(pair.cov**2 / spread, 1.0) if spread > 0 else 0.0


def clustered(baseline: Baseline, size: float, icc: float, variation: float = 0.0) -> Baseline:
    """The metric where whole clusters (stores, cities) are assigned and not users.

    size        mean users of a cluster, 1 or more
    icc         intra-class correlation: share of the variance that lies between clusters, in [0, 1]
    variation   coefficient of variation of the clusters' sizes: standard deviation / mean

    The variance grows by the design effect 1 + ((variation^2 + 1) size - 1) icc, which for equal clusters is
    1 + (size - 1) icc, and the degrees of freedom count clusters. ValueError for what cannot be.
    Source: Eldridge, Ashby & Kerry (2006), International Journal of Epidemiology 35:1292.
    """
    problems = [text for is_bad, text in (
        (not 1 <= size < math.inf, f"a cluster has {size} users on average; it must have 1 or more"),
        (not 0 <= icc <= 1, f"the intra-class correlation is {icc}; it must lie between 0 and 1 (below 0: say 0)"),
        (not 0 <= variation < math.inf, f"the coefficient of variation is {variation}; it must be 0 or more"),
    ) if is_bad]
    if problems:
        raise ValueError("; ".join(problems))
    effect = 1 + ((variation**2 + 1) * size - 1) * icc
    return replace(baseline, factor=baseline.factor * effect, cluster_size=size, is_score=False)


def _of_level(kind: str, level: Level) -> Baseline:
    reason = level.reason or ("" if level.var else "zero_variance")
    return Baseline(kind=kind, value=level.value, var=level.var * level.n, reason=reason)
