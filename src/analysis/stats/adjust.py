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
from dataclasses import dataclass, replace

import numpy as np

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.levels import ROUNDING
from analysis.stats.moments import JointMoments
from analysis.stats.pairs import Pair, compare_pair
from analysis.stats.shuffles import Shuffles

COLLINEAR = 1e-9   # share of a covariate's variance, below which the others already say all of it
AT_ONCE = 262_144  # numbers of covariance matrices looked at at once, over all runs: 2 MB stay in the cache

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
    imbalance: np.ndarray       # (arms, covariates): their weighted means, in units in which cov of a difference is
    #                             known; 0 for directions that say nothing
    imbalance_cov: np.ndarray   # (arms, covariates, covariates)
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
    arms = tuple(strata[0])
    own = [[stratum[arm].of(*parts, *covariates) for arm in arms] for stratum in strata]
    n, mean, cov = (np.array([[getattr(one, name) for one in row] for row in own]) for name in ("n", "mean", "cov"))
    return _adjusted(arms, n, mean[None], cov[None], len(parts))[0]


def adjust_shuffled(
    strata: Sequence[Shuffles], parts: Sequence[str], covariates: Sequence[str] = ()
) -> list[Adjusted]:
    """What `adjust` says of each run of shuffled labels, for all of them at once."""
    arms = strata[0].arms
    own = [stratum.of(arms, [*parts, *covariates]) for stratum in strata]
    n, at_once = np.array([one.n for one in own]), max(AT_ONCE // sum(one.cov[0].size for one in own), 1)
    found: list[Adjusted] = []
    for first in range(0, len(own[0].mean), at_once):
        mean, cov = (np.stack([getattr(one, name)[first:first + at_once] for one in own], axis=1)
                     for name in ("mean", "cov"))
        found += _adjusted(arms, n, mean, cov, len(parts))
    return found


def compare_adjusted(found: Adjusted, arm: str, control: str, alpha: float = ALPHA) -> Comparison:
    """One arm against control: t test, and Fieller for the relative effect, on the adjusted levels."""
    return compare_pair(found.kind, pair_of(found, arm, control), alpha)


def pair_of(found: Adjusted, arm: str, control: str) -> Pair:
    """Two of the arms.

    The variance of the difference holds two factors more than that of the residuals, for theta was fitted:
    N / (N - k) and 1 + T^2 / N, with k covariates, Hotelling's T^2 of their imbalance, and N users less one per arm and
    stratum. With two arms of equal variance this is exactly the analysis of covariance's. Where the covariates tell
    all of it but rounding, there is nothing to test: "zero_variance".
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
        t2 = float(apart @ np.linalg.pinv(spread, rcond=ROUNDING, hermitian=True) @ apart)
        cov = cov * (1 + t2 / found.n_free) * found.n_free / left
    pair = Pair(found.n[arm], found.n[control], float(found.level[t]), float(found.level[c]), float(cov[t, t]),
                float(cov[c, c]), float(cov[t, c]), df, reason)
    least = max(ROUNDING * float(found.unadjusted_var[t] + found.unadjusted_var[c]),
                (ROUNDING * max(abs(pair.treatment), abs(pair.control))) ** 2)
    return pair if reason or pair.error**2 > least else replace(pair, df=math.nan, reason="zero_variance")


def reduction(found: Adjusted, arm: str, control: str, pair: Pair | None = None) -> float:
    """Share of the difference's variance that the adjustment took away; below 0 where it only added noise.

    pair   `pair_of` the same arms, where it is at hand
    """
    before = float(found.unadjusted_var[[found.arms.index(arm), found.arms.index(control)]].sum())
    if found.reason or not before > 0:
        return math.nan
    return 1 - (pair or pair_of(found, arm, control)).error ** 2 / before


def _adjusted(arms: tuple[str, ...], n: np.ndarray, mean: np.ndarray, cov: np.ndarray, parts: int) -> list[Adjusted]:
    """One per run.

    n       (strata, arms) users, the same in every run
    mean    (runs, strata, arms, columns), first those of the metric and then the covariates
    cov     (runs, strata, arms, columns, columns)
    parts   how many columns are the metric's
    """
    reasons = _defects(n, mean, cov, parts)
    is_sound = reasons == ""
    found = iter(_levels(arms, n, mean[is_sound], cov[is_sound], parts) if is_sound.any() else [])
    return [_missing(arms, n, parts, reason) if reason else next(found) for reason in reasons.tolist()]


def _defects(n: np.ndarray, mean: np.ndarray, cov: np.ndarray, parts: int) -> np.ndarray:
    """(runs,) why there are no levels, "" where there are."""
    if n.min() < 2:
        return np.full(len(mean), "too_few_users")
    var = np.diagonal(cov, axis1=3, axis2=4)
    is_sound = np.isfinite(mean).all(axis=(1, 2, 3)) & np.isfinite(cov).all(axis=(1, 2, 3, 4)) & (var >= 0).all(
        axis=(1, 2, 3))
    with np.errstate(invalid="ignore"):
        has_denominator = parts == 1 or (_weights(n) @ mean[..., 1]).all(axis=1)
    return np.where(~is_sound, "bad_moments", np.where(has_denominator, "", "zero_denominator"))


def _missing(arms: tuple[str, ...], n: np.ndarray, parts: int, reason: str) -> Adjusted:
    k, nothing = len(arms), np.full(len(arms), math.nan)
    return Adjusted(_kind(parts), arms, _users(arms, n), nothing, np.full((k, k), math.nan), nothing, {}, 0, 0,
                    np.zeros((k, 0)), np.zeros((k, 0, 0)), reason)


def _kind(parts: int) -> str:
    return "ratio" if parts > 1 else "mean"


def _users(arms: tuple[str, ...], n: np.ndarray) -> dict[str, int]:
    return dict(zip(arms, n.sum(axis=0).tolist(), strict=True))


def _weights(n: np.ndarray) -> np.ndarray:
    """(strata,) shares of all users."""
    return n.sum(axis=1) / n.sum()


def _levels(arms: tuple[str, ...], n: np.ndarray, mean: np.ndarray, cov: np.ndarray, parts: int) -> list[Adjusted]:
    """As `_adjusted`, of sound moments.

    Of every arm and stratum no more is needed than the moments of y, the metric or the influence value of a ratio, and
    of the covariates' pull on it, theta x.
    """
    weights, share = _weights(n), n / n.sum(axis=1, keepdims=True)
    of_level = weights[:, None] ** 2 / n   # (strata, arms) what a variance within counts in that of a level
    known = slice(parts, None)
    pooled = _summed(n - 1, cov) / (n - 1).sum()
    y, base = _influence(np.einsum("s,rsak->rak", weights, mean), parts)
    basis = _basis(pooled[:, :, known, known].sum(axis=1), np.abs(mean[..., known]).max(axis=(1, 2)))
    theta = np.einsum("rql,raqk,rak->rl", basis, pooled[:, :, known], y)   # least squares: unit covariances
    pull = np.zeros_like(y)
    pull[..., known] = np.einsum("rql,rl->rq", basis, theta)[:, None]

    both = np.stack([y, pull], axis=2)[:, None]   # (runs, 1, arms, 2, columns)
    level_y, level_pull = np.moveaxis((both @ mean[..., None])[..., 0], -1, 0)   # (runs, strata, arms) each
    level_y = level_y + base[:, None]
    products = both @ cov @ both.swapaxes(-1, -2)
    var_y, cov_pull, var_pull = products[..., 0, 0], products[..., 0, 1], products[..., 1, 1]
    spread = (y**2)[:, None] * np.diagonal(cov, axis1=3, axis2=4)
    var_y[_is_rounding(var_y, spread.sum(axis=-1), level_y, parts)] = 0.0
    residual = var_y - 2 * cov_pull + var_pull

    level = level_y - level_pull + (share * level_pull).sum(axis=-1, keepdims=True)
    whole = weights @ level
    # what an arm's users add to each level: their residual to their own, and their share of the common mean to all
    own = (of_level * residual).sum(axis=1)
    shared = (of_level * share * (cov_pull - var_pull)).sum(axis=1)
    common = (of_level * share**2 * var_pull).sum(axis=(1, 2))
    of_levels = own[..., None] * np.eye(len(arms)) + shared[..., None] + shared[:, None] + common[:, None, None]
    apart = level - whole[:, None]
    of_levels += (apart * weights[:, None]).swapaxes(1, 2) @ apart / n.sum()   # whom the strata got is chance too

    plain = _plain_var(n, level_y, var_y)
    cells = np.maximum(of_level * residual, 0.0).swapaxes(1, 2).tolist()
    users, sizes, n_free = _users(arms, n), n.T.tolist(), int(n.sum()) - n.size
    rank = basis.any(axis=1).sum(axis=1).tolist()
    imbalance = np.einsum("s,rsaq,rql->ral", weights, mean[..., known], basis, optimize=True)
    imbalance_cov = basis.swapaxes(1, 2)[:, None] @ _summed(of_level, cov[..., known, known]) @ basis[:, None]
    return [
        Adjusted(_kind(parts), arms, users, whole[i], of_levels[i], plain[i],
                 {arm: tuple(zip(*cell, strict=True)) for arm, *cell in zip(arms, cells[i], sizes, strict=True)},
                 n_free, rank[i], imbalance[i], imbalance_cov[i])
        for i in range(len(mean))]


def _summed(weights: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """(runs, arms, columns, columns): the strata's, each arm's by its own (strata, arms) weights."""
    return np.einsum("sa,rsakl->rakl", weights, cov)


def _influence(mean: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """(runs, arms, columns) and (runs, arms): y is the sum of the columns, each times the first, and the second."""
    y = np.zeros_like(mean)
    if parts == 1:
        y[..., 0] = 1.0
        return y, np.zeros(mean.shape[:2])
    base = mean[..., 0] / mean[..., 1]
    y[..., 0], y[..., 1] = 1 / mean[..., 1], -base / mean[..., 1]
    return y, base


def _is_rounding(var: np.ndarray, spread: np.ndarray, mean: np.ndarray, parts: int) -> np.ndarray:
    """Whether a variance is only rounding: of equal values, or of parts that move in proportion."""
    is_equal = var <= (ROUNDING * np.abs(mean)) ** 2
    return is_equal | (var <= ROUNDING * spread) if parts > 1 else is_equal


def _basis(within: np.ndarray, most: np.ndarray) -> np.ndarray:
    """(runs, covariates, covariates): directions of the covariates in which they vary, scaled to unit variance; the
    others are 0.

    within   (runs, covariates, covariates) their covariance within arms and strata
    most     (runs, covariates) the mean furthest from 0
    """
    size = np.sqrt(np.diagonal(within, axis1=1, axis2=2))
    varies = size > ROUNDING * most
    scale = np.where(varies, 1 / np.where(varies, size, 1.0), 0.0)
    roots, vectors = np.linalg.eigh(within * scale[..., None] * scale[:, None])
    kept = roots > COLLINEAR
    return scale[..., None] * vectors * np.where(kept, 1 / np.sqrt(np.where(kept, roots, 1.0)), 0.0)[:, None]


def _plain_var(n: np.ndarray, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
    """(runs, arms) variance of each arm's plain mean over all strata, put together from the strata's."""
    users = n.sum(axis=0)
    apart = mean - (n * mean).sum(axis=1, keepdims=True) / users
    return ((n - 1) * var + n * apart**2).sum(axis=1) / (users - 1) / users
