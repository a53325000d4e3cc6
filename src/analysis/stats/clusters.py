"""Arms that were drawn by cluster (store, city, class): users of one cluster are not independent of each other.

The level of an arm is the mean over its users (or the ratio of two sums); its variance is that between clusters, by the
CR2 estimator of Bell & McCaffrey (2002, Survey Methodology 28:169), with their degrees of freedom. For a comparison of
arms both have a closed form, since the only regressors are the arms. Clusters of one size give the textbook's t with
G - 1 degrees of freedom per arm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.levels import ROUNDING, Level
from analysis.stats.pairs import compare_pair, independent

FEWEST = 5   # clusters per arm; below, no interval can be trusted


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """One row per cluster of an arm."""

    n_users: np.ndarray       # (G,)
    numerator: np.ndarray     # (G,) sums of the metric over the cluster's users
    denominator: np.ndarray   # (G,) the same of a ratio's denominator; of a mean the users themselves
    var: np.ndarray           # (G,) variance of the metric within the cluster, ddof = 1; nan for one user


@dataclass(frozen=True, slots=True)
class Clustering:
    """How much alike users of a cluster are."""

    n_clusters: int
    n_users: int
    icc: float              # intra-class correlation: share of the variance that lies between clusters; may be below 0
    design_effect: float    # variance of the mean found / that of as many independent users
    reason: str = ""


def cluster_level(own: ClusterSums) -> Level:
    """Mean per user, or ratio, of one arm. `n` counts users; "too_few_clusters" below 5."""
    n, total = int(own.n_users.sum()), float(own.denominator.sum())
    value = float(own.numerator.sum()) / total if total else math.nan
    if len(own.n_users) < FEWEST:
        return Level(n, value, math.nan, "too_few_clusters")
    if not total:
        return Level(n, value, math.nan, "zero_denominator")
    if not (np.isfinite(own.numerator).all() and np.isfinite(own.denominator).all()):
        return Level(n, value, math.nan, "bad_moments")
    weight = own.denominator / total
    residual = own.numerator - value * own.denominator
    residual[np.abs(residual) <= ROUNDING * np.abs(own.numerator)] = 0.0
    if not (weight < 1).all():
        return Level(n, value, math.nan, "one_cluster")
    var = float((residual**2 / (1 - weight)).sum()) / total**2
    return Level(n, value, var, df=_freedom(weight))


def _freedom(weight: np.ndarray) -> float:
    """Bell & McCaffrey's degrees of freedom, from the clusters' shares of the arm: independent users as the model.

    The adjusted residual sums have variances `weight` and covariances -w_g w_h / sqrt((1 - w_g) (1 - w_h)), up to a
    factor; the degrees of freedom are trace^2 / trace of the square.
    """
    ratio = weight**2 / (1 - weight)
    return float(1 / ((weight**2).sum() + ratio.sum() ** 2 - (ratio**2).sum()))


def compare_clusters(treatment: ClusterSums, control: ClusterSums, kind: str, alpha: float = ALPHA) -> Comparison:
    """Two arms drawn by cluster: t with Satterthwaite's degrees of freedom, Fieller for the relative effect.

    kind   "mean", "proportion" or "ratio", for the answer's own use
    """
    return compare_pair(kind, independent(cluster_level(treatment), cluster_level(control)), alpha)


def clustering(own: ClusterSums) -> Clustering:
    """Intra-class correlation (analysis of variance; Donner 1986, Int. Stat. Review 54:67) and design effect."""
    n_clusters, n = len(own.n_users), int(own.n_users.sum())
    level = cluster_level(own)
    if level.reason:
        return Clustering(n_clusters, n, math.nan, math.nan, level.reason)
    size = own.n_users.astype(float)
    within = float((np.nan_to_num(own.var) * (size - 1)).sum())
    mean = own.numerator / size
    between = float((size * (mean - own.numerator.sum() / n) ** 2).sum())
    if n == n_clusters or not within + between > 0:
        return Clustering(n_clusters, n, math.nan, math.nan, "zero_variance" if n > n_clusters else "one_user_each")
    typical = (n - (size**2).sum() / n) / (n_clusters - 1)
    ms_between, ms_within = between / (n_clusters - 1), within / (n - n_clusters)
    icc = (ms_between - ms_within) / (ms_between + (typical - 1) * ms_within)
    alone = (within + between) / (n - 1) / n
    return Clustering(n_clusters, n, icc, level.var / alone)
