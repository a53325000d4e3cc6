"""Bounds for the level of one arm, and for the change of the same users between two phases."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.stats.comparison import ALPHA
from analysis.stats.fieller import fieller
from analysis.stats.levels import ROUNDING, Level, mean_level, ratio_level
from analysis.stats.moments import Moments, PairedMoments, RatioMoments
from analysis.stats.tails import t_critical, z_critical


@dataclass(frozen=True, slots=True)
class Change:
    """Relative change from one phase to another: during / before - 1."""

    value: float
    lower: float
    upper: float
    reason: str = ""       # why one of them is nan: "too_few_users", "bad_moments", "zero_variance", "zero_baseline",
    #                        "negative_baseline", "unbounded"


def mean_interval(own: Moments, alpha: float = ALPHA) -> tuple[float, float]:
    """Student's t bounds of a mean per unit; nan below 2 units and where no two units differ."""
    return _level_interval(mean_level(own), alpha)


def ratio_interval(own: RatioMoments, alpha: float = ALPHA) -> tuple[float, float]:
    """Student's t bounds of a ratio of two sums, with the delta method's variance; nan as in `mean_interval`."""
    return _level_interval(ratio_level(own), alpha)


def wilson(x: int, n: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Score bounds of the share x / n (Wilson 1927, JASA 22:209); nan for n = 0, ValueError unless 0 <= x <= n."""
    if not 0 <= x <= n:
        raise ValueError(f"{x} of {n} units; x must lie between 0 and n")
    limit = z_critical(alpha) ** 2
    if not n:
        return math.nan, math.nan
    centre = (x + limit / 2) / (n + limit)
    half = math.sqrt(limit * (x * (n - x) / n + limit / 4)) / (n + limit)
    return centre - half if x else 0.0, centre + half if x < n else 1.0


def paired_change(pair: PairedMoments, alpha: float = ALPHA) -> Change:
    """Relative change of a mean of the same users between two phases.

    Fieller's interval with the users' own covariance, at Student's t with n - 1 degrees of freedom: it leaves out 0
    exactly when the paired t test does.
    """
    diff, before = pair.mean_during - pair.mean_before, pair.mean_before
    spread = pair.var_during + pair.var_before
    var = spread - 2 * pair.cov
    reason = _pair_defect(pair, var, spread)
    value = diff / before if before > 0 else math.nan
    if reason:
        return Change(value, math.nan, math.nan, reason)
    bounds = fieller(
        diff, before, var / pair.n, pair.var_before / pair.n, (pair.cov - pair.var_before) / pair.n,
        t_critical(alpha, pair.n - 1))
    return Change(value, *bounds) if bounds else Change(value, math.nan, math.nan, "unbounded")


def _level_interval(level: Level, alpha: float) -> tuple[float, float]:
    if level.reason or not level.var:
        return math.nan, math.nan
    half = t_critical(alpha, level.n - 1) * math.sqrt(level.var)
    return level.value - half, level.value + half


def _pair_defect(pair: PairedMoments, var: float, spread: float) -> str:
    """Why the change has no bounds, or ""."""
    phases = (Moments(pair.n, pair.mean_during, pair.var_during), Moments(pair.n, pair.mean_before, pair.var_before))
    reason = mean_level(phases[0]).reason or mean_level(phases[1]).reason
    if reason or not math.isfinite(pair.cov):
        return reason or "bad_moments"
    if not pair.mean_before > 0:
        return "negative_baseline" if pair.mean_before < 0 else "zero_baseline"
    return "zero_variance" if var <= ROUNDING * spread else ""
