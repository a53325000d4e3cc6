"""Less noise without bias: regression on what was known before (CUPED), and weighting by strata (post-stratification).

One estimator does both. Of every user the covariates' pull is taken off, `y - theta (x - mean of x over all arms)`,
with one theta for all arms and strata, by least squares within them. Strata are weighted by their share of all users.
Without covariates it is post-stratification (Miratrix, Sekhon & Yu 2013, JRSS B 75:369), with one stratum the analysis
of covariance, or CUPED (Deng, Xu, Kohavi & Walker 2013, WSDM), without either Welch's comparison. A ratio of two sums
is the mean of its influence values, as in `levels.ratio_level`, and takes covariates alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.levels import ROUNDING
from analysis.stats.moments import JointMoments
from analysis.stats.pairs import Pair, compare_pair

COLLINEAR = 1e-9  # share of a covariate's variance, below which the others already say all of it

Stratum = Mapping[str, JointMoments]   # arm -> moments of its users in one stratum


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """The adjusted levels of all arms, and how they hang together."""

    kind: str                   # "mean" or "ratio"
    arms: tuple[str, ...]
    n: dict[str, int]           # users per arm
    level: np.ndarray           # (arms,)
    cov: np.ndarray             # (arms, arms), of the levels
    unadjusted_var: np.ndarray  # (arms,), of the levels without covariates and strata
    cells: dict[str, tuple[tuple[float, int], ...]]   # arm -> (variance, users) of each stratum, for the df
    n_free: int                 # users less one per arm and stratum
    rank: int                   # covariates that say something
    imbalance: np.ndarray       # (arms, rank): weighted covariate means, in units in which cov of a difference is known
    imbalance_cov: np.ndarray   # (arms, rank, rank)
    reason: str = ""


def adjust(
    strata: Sequence[Stratum], parts: Sequence[str], covariates: Sequence[str] = ()
) -> Adjusted:
    """Levels of all arms.

    strata       one or more; each holds every arm with at least 2 users
    parts        [metric], or [numerator, denominator]
    covariates   metrics that the campaign cannot have changed: what users did before it

    A covariate that does not vary, or that the others already tell, is left out.
    """
    kind, arms = ("ratio" if len(parts) > 1 else "mean"), tuple(strata[0])
    n = {arm: sum(stratum[arm].n for stratum in strata) for arm in arms}
    reason = _defect(strata, arms, parts, covariates)
    if reason:
        return _missing(kind, arms, n, reason)
    weights = np.array([sum(own.n for own in stratum.values()) for stratum in strata], dtype=float)
    weights /= weights.sum()
    values = _influence(strata, arms, parts, covariates, weights)
    if values is None:
        return _missing(kind, arms, n, "zero_denominator")
    basis = _basis(values)
    values = [{arm: _projected(own, basis) for arm, own in stratum.items()} for stratum in values]
    theta = _pooled(values)[1:, 0]   # least squares: the projected covariates have unit covariance
    return _levels(kind, arms, n, values, weights, theta)


def compare_adjusted(found: Adjusted, arm: str, control: str, alpha: float = ALPHA) -> Comparison:
    """One arm against control: t test, and Fieller for the relative effect, on the adjusted levels."""
    return compare_pair(found.kind, pair_of(found, arm, control), alpha)


def pair_of(found: Adjusted, arm: str, control: str) -> Pair:
    """Two of the arms.

    The variance of the difference holds two factors more than that of the residuals, for theta was fitted:
    N / (N - k) and 1 + T^2 / N, with k covariates, Hotelling's T^2 of their imbalance, and N users less one per arm and
    stratum. With two arms of equal variance this is exactly the analysis of covariance's.
    """
    t, c = found.arms.index(arm), found.arms.index(control)
    reason, cov, df = found.reason, found.cov, math.nan
    if not reason:
        cells = [*found.cells[arm], *found.cells[control]]
        var = sum(own for own, _ in cells)
        left = found.n_free - found.rank
        df = var**2 / sum(own**2 / (n - 1) for own, n in cells) * left / found.n_free if var > 0 else math.nan
        reason = "zero_variance" if not var > 0 else "too_few_users" if not left > 0 else ""
    if not reason and found.rank:
        apart = found.imbalance[t] - found.imbalance[c]
        spread = found.imbalance_cov[t] + found.imbalance_cov[c]
        t2 = float(apart @ np.linalg.pinv(spread, hermitian=True) @ apart)
        cov = cov * (1 + t2 / found.n_free) * found.n_free / left
    return Pair(found.n[arm], found.n[control], float(found.level[t]), float(found.level[c]), float(cov[t, t]),
                float(cov[c, c]), float(cov[t, c]), df, reason)


def reduction(found: Adjusted, arm: str, control: str, pair: Pair | None = None) -> float:
    """Share of the difference's variance that the adjustment took away; below 0 where it only added noise.

    pair   `pair_of` the same arms, where it is at hand
    """
    before = float(found.unadjusted_var[[found.arms.index(arm), found.arms.index(control)]].sum())
    if found.reason or not before > 0:
        return math.nan
    return 1 - (pair or pair_of(found, arm, control)).error ** 2 / before


def _defect(strata: Sequence[Stratum], arms: Sequence[str], parts: Sequence[str], covariates: Sequence[str]) -> str:
    for stratum in strata:
        for arm in arms:
            own = stratum[arm].of(*parts, *covariates)
            if own.n < 2:
                return "too_few_users"
            if not (np.isfinite(own.mean).all() and np.isfinite(own.cov).all() and (np.diag(own.cov) >= 0).all()):
                return "bad_moments"
    return ""


def _missing(kind: str, arms: tuple[str, ...], n: dict[str, int], reason: str) -> Adjusted:
    nothing = np.full(len(arms), math.nan)
    return Adjusted(kind, arms, n, nothing, np.full((len(arms),) * 2, math.nan), nothing, {}, 0, 0,
                    np.zeros((len(arms), 0)), np.zeros((len(arms), 0, 0)), reason)


def _influence(
    strata: Sequence[Stratum], arms: Sequence[str], parts: Sequence[str], covariates: Sequence[str],
    weights: np.ndarray,
) -> list[dict[str, JointMoments]] | None:
    """Moments of (y, covariates): y is the metric, or the influence value of a ratio; None for a denominator of 0."""
    values: list[dict[str, JointMoments]] = [{} for _ in strata]
    for arm in arms:
        own = [stratum[arm].of(*parts, *covariates) for stratum in strata]
        first = np.zeros(len(own[0].mean))
        base = 0.0
        if len(parts) == 1:
            first[0] = 1.0
        else:
            top, bottom = (float(sum(w * one.mean[i] for w, one in zip(weights, own, strict=True))) for i in (0, 1))
            if not bottom:
                return None
            base = top / bottom
            first[:2] = 1 / bottom, -base / bottom
        linear = np.vstack([first, np.eye(len(first))[len(parts):]])
        for i, one in enumerate(own):
            mean, cov = linear @ one.mean, linear @ one.cov @ linear.T
            mean[0] += base
            cov[0, 0] = _without_rounding(cov[0, 0], first**2 @ np.diag(one.cov), mean[0], len(parts) > 1)
            values[i][arm] = JointMoments(one.n, ("y", *covariates), mean, cov)
    return values


def _without_rounding(var: float, spread: float, mean: float, is_ratio: bool) -> float:
    """A variance that is only rounding is 0: of equal values, or of parts that move in proportion."""
    floor = (ROUNDING * abs(mean)) ** 2
    return 0.0 if var <= floor or (is_ratio and var <= ROUNDING * spread) else var


def _basis(values: Sequence[Mapping[str, JointMoments]]) -> np.ndarray:
    """(covariates, rank): directions of the covariates in which they vary, scaled to unit variance."""
    within = _pooled(values)[1:, 1:]
    size = np.sqrt(np.diag(within))
    mean = np.max([np.abs(own.mean[1:]) for stratum in values for own in stratum.values()], axis=0, initial=0.0)
    varies = size > ROUNDING * mean
    scale = np.where(varies, 1 / np.where(varies, size, 1.0), 0.0)
    roots, vectors = np.linalg.eigh(within * np.outer(scale, scale)) if len(size) else (np.zeros(0), np.zeros((0, 0)))
    kept = roots > COLLINEAR
    return scale[:, None] * vectors[:, kept] / np.sqrt(roots[kept])


def _projected(own: JointMoments, basis: np.ndarray) -> JointMoments:
    linear = np.zeros((1 + basis.shape[1], 1 + basis.shape[0]))
    linear[0, 0] = 1.0
    linear[1:, 1:] = basis.T
    names = ("y", *(str(i) for i in range(basis.shape[1])))
    return JointMoments(own.n, names, linear @ own.mean, linear @ own.cov @ linear.T)


def _pooled(values: Sequence[Mapping[str, JointMoments]]) -> np.ndarray:
    """Covariance within arms and strata."""
    own = [one for stratum in values for one in stratum.values()]
    return sum((one.n - 1) * one.cov for one in own) / sum(one.n - 1 for one in own)


def _levels(
    kind: str, arms: tuple[str, ...], n: dict[str, int], values: Sequence[Mapping[str, JointMoments]],
    weights: np.ndarray, theta: np.ndarray,
) -> Adjusted:
    k = len(arms)
    residual, pull = np.concatenate([[1.0], -theta]), np.concatenate([[0.0], theta])   # y - theta x, and theta x
    level, cov = np.zeros((len(values), k)), np.zeros((k, k))
    imbalance, imbalance_cov = np.zeros((k, len(theta))), np.zeros((k, len(theta), len(theta)))
    cells: dict[str, list[tuple[float, int]]] = {arm: [] for arm in arms}
    for i, (weight, stratum) in enumerate(zip(weights, values, strict=True)):
        size = np.array([stratum[arm].n for arm in arms], dtype=float)
        share = size / size.sum()
        pulled = sum(s * float(pull @ stratum[arm].mean) for s, arm in zip(share, arms, strict=True))
        for a, arm in enumerate(arms):
            own = stratum[arm]
            level[i, a] = residual @ own.mean + pulled
            # what this arm's users add to each level: all of it to their own, and its share of the common mean
            added = np.outer(np.arange(k) == a, residual) + share[a] * pull
            cov += weight**2 * added @ own.cov @ added.T / own.n
            cells[arm].append((max(float(weight**2 * residual @ own.cov @ residual) / own.n, 0.0), own.n))
            imbalance[a] += weight * own.mean[1:]
            imbalance_cov[a] += weight**2 * own.cov[1:, 1:] / own.n
    whole = weights @ level
    apart = level - whole
    cov += (apart.T * weights) @ apart / sum(n.values())   # which strata the users came from is chance too
    return Adjusted(kind, arms, n, whole, cov, _plain_var(arms, values), {a: tuple(c) for a, c in cells.items()},
                    sum(n.values()) - k * len(values), len(theta), imbalance, imbalance_cov)


def _plain_var(arms: Sequence[str], values: Sequence[Mapping[str, JointMoments]]) -> np.ndarray:
    """Variance of each arm's plain mean over all strata, put together from the strata's."""
    found = []
    for arm in arms:
        own = [stratum[arm] for stratum in values]
        size, mean = np.array([one.n for one in own], dtype=float), np.array([one.mean[0] for one in own])
        var = np.array([one.cov[0, 0] for one in own])
        n = size.sum()
        squares = ((size - 1) * var).sum() + (size * (mean - size @ mean / n) ** 2).sum()
        found.append(squares / (n - 1) / n)
    return np.array(found)
