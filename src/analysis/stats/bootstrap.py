"""Seeded bootstrap of two arms: how the difference would vary if other users of the same kind had come."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from analysis.stats.buckets import bucketings
from analysis.stats.comparison import ALPHA, POWER, Comparison
from analysis.stats.levels import ratio_level
from analysis.stats.moments import RatioMoments
from analysis.stats.pairs import Pair, independent
from analysis.stats.tails import z_critical

RESAMPLES = 9_999
AT_ONCE = 65_536  # units drawn at once, over all resamples: half a MB stays in the cache


def bootstrap_means(
    treatment: np.ndarray, control: np.ndarray, alpha: float = ALPHA, resamples: int = RESAMPLES, seed: int = 0
) -> Comparison:
    """`bootstrap_ratios` for the mean per unit of (units,) values."""
    arms = [np.asarray(values, dtype=float) for values in (treatment, control)]
    return bootstrap_ratios(*((values, np.ones_like(values)) for values in arms), alpha, resamples, seed)


def bootstrap_ratios(
    treatment: tuple[np.ndarray, np.ndarray], control: tuple[np.ndarray, np.ndarray], alpha: float = ALPHA,
    resamples: int = RESAMPLES, seed: int = 0,
) -> Comparison:
    """Difference of the ratios of two sums, and as a share of the control's, by the percentile bootstrap.

    treatment, control   (units,) numerators and (units,) denominators, in a fixed order (by user id) so that the same
                         data give the same bytes; nothing else depends on it
    resamples            of each arm; the p is never below 2 / (1 + resamples)

    Efron (1979), Annals of Statistics 7:1. Of n units n - 1 are drawn, with replacement, so that the variance of a mean
    is that with ddof = 1 (Rao & Wu 1988, JASA 83:231); more than 4,096 units are drawn bucket by bucket. Both intervals
    are read off the same resamples at the same places, and the p is the share of them beyond 0, so that all agree.
    "unbounded": a resample of the control is not above 0. ValueError where alpha asks for more resamples.
    """
    arms = [_checked(arm) for arm in (treatment, control)]
    beyond = _beyond(alpha, resamples)
    pair = independent(*(ratio_level(_moments(arm)) for arm in arms))
    if pair.reason:
        return _comparison(pair, alpha)
    diffs, controls = _resampled_pair(*arms, resamples, np.random.default_rng(seed))
    if not np.isfinite(diffs).all():
        return _comparison(replace(pair, reason="zero_denominator"), alpha)
    pvalue = 2 * (1 + min(int((diffs <= 0).sum()), int((diffs >= 0).sum()))) / (1 + resamples)
    return _comparison(pair, alpha, _interval(diffs, beyond), min(pvalue, 1.0), float(diffs.std()),
                       _interval(diffs / controls, beyond) if controls.min() > 0 else None)


def _comparison(
    pair: Pair, alpha: float, interval: tuple[float, float] = (math.nan, math.nan), pvalue: float = math.nan,
    error: float = math.nan, relative: tuple[float, float] | None = None,
) -> Comparison:
    rel_reason = pair.reason or ("negative_control" if pair.control < 0 else
                                 "zero_control" if not pair.control else "" if relative else "unbounded")
    lower, upper = (math.nan, math.nan) if rel_reason or not relative else relative
    return Comparison(
        kind="bootstrap", n_treatment=pair.n_treatment, n_control=pair.n_control,
        value_treatment=pair.treatment, value_control=pair.control,
        diff=pair.diff, diff_lower=interval[0], diff_upper=interval[1],
        rel_diff=pair.diff / pair.control if pair.control > 0 else math.nan,
        rel_diff_lower=lower, rel_diff_upper=upper, pvalue=pvalue, alpha=alpha,
        detectable=(z_critical(alpha) + z_critical(2 * (1 - POWER))) * error,
        reason=pair.reason, rel_reason=rel_reason)


def _beyond(alpha: float, resamples: int) -> int:
    """How many resamples may lie beyond 0, on the side where fewer do, for p < alpha: the one formula of the p."""
    rejecting = int((2 * (1 + np.arange(resamples)) / (1 + resamples) < alpha).sum())
    if not 0 < alpha < 1 or not rejecting:
        raise ValueError(f"{resamples} resamples cannot reject at alpha {alpha}; take more than 2 / alpha")
    return rejecting - 1


def _interval(resampled: np.ndarray, beyond: int) -> tuple[float, float]:
    ends = np.partition(resampled, [beyond, len(resampled) - 1 - beyond])
    return float(ends[beyond]), float(ends[len(resampled) - 1 - beyond])


def _resampled_pair(
    treatment: np.ndarray, control: np.ndarray, resamples: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(resamples,) differences and levels of the control.

    A difference is taken of what the ratios are above the pooled one, so that levels far from 0 cost no digits.
    """
    pooled = (treatment[:, 0].sum() + control[:, 0].sum()) / (treatment[:, 1].sum() + control[:, 1].sum())
    sums = [_resampled(np.column_stack([arm, arm[:, 0] - pooled * arm[:, 1]]), resamples, generator)
            for arm in (treatment, control)]
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = [numerator / denominator for numerator, denominator, _ in sums]
        above = [excess / denominator for _, denominator, excess in sums]
    return np.where(levels[0] == levels[1], 0.0, above[0] - above[1]), levels[1]


def _resampled(rows: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """(columns, resamples): sums of each column over units drawn with replacement, one fewer than there are."""
    sums = []
    for part in bucketings(rows, resamples, generator):
        totals = np.concatenate([block.sum(axis=1) for block in part.blocks])
        n, at_once = len(totals), max(AT_ONCE // len(totals), 1)
        for first in range(0, part.runs, at_once):
            run = np.arange(min(at_once, part.runs - first))[:, None]
            drawn = generator.integers(0, n, (len(run), n - 1)) + run * n
            times = np.bincount(drawn.ravel(), minlength=len(run) * n).reshape(-1, n)
            sums.append(times.astype(float) @ totals)
    return np.concatenate(sums).T


def _checked(arm: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(units, 2)."""
    numerator, denominator = (np.asarray(column, dtype=float) for column in arm)
    if numerator.ndim != 1 or numerator.shape != denominator.shape:
        raise ValueError(
            f"numerators {numerator.shape} and denominators {denominator.shape}; each unit has one of both")
    return np.column_stack([numerator, denominator])


def _moments(arm: np.ndarray) -> RatioMoments:
    if len(arm) < 2:
        return RatioMoments(len(arm), *(arm[0].tolist() if len(arm) else (math.nan, math.nan)), *[math.nan] * 3)
    with np.errstate(invalid="ignore"):
        mean, cov = arm.mean(axis=0).tolist(), np.cov(arm, rowvar=False).tolist()
    return RatioMoments(len(arm), *mean, cov[0][0], cov[1][1], cov[0][1])
