"""Does the effect wear off? The primary metric's effect day by day, and the slope of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

import numpy as np

from analysis.facts.day_facts import day_moments, days_of, from_the_start, trend_facts
from analysis.facts.measure import moments
from analysis.facts.population import Facts
from analysis.results.looks import at_end, level_at_end
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.means import compare_means
from analysis.stats.moments import JointMoments
from analysis.stats.multiplicity import compatible_alphas, holm

FEWEST = 4   # days, below which a slope is two points and a wish


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEffect(Comparison):
    """One arm against control on one day; at its own level, for the eye."""

    metric: str
    unit: str
    arm: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """How the effect changes from day to day."""

    metric: str
    unit: str
    arm: str
    control: str
    n_users: int = 0              # in both arms from the first day on
    n_days: int = 0
    first: float = math.nan       # effect of the first day on the fitted line, per user and day
    last: float = math.nan
    slope: float = math.nan       # change of the effect per day
    slope_lower: float = math.nan
    slope_upper: float = math.nan
    pvalue: float = math.nan      # H0: the slope is 0
    pvalue_adjusted: float = math.nan   # for looking early, then Holm over the arms
    alpha: float = ALPHA          # the interval is at 1 - alpha
    reason: str = ""              # "too_few_days", "ratio_metric", "own_windows", "drawn_by_cluster", ...


def novelty(facts: Facts) -> tuple[list[Novelty], list[DayEffect]]:
    """Of the primary metric, each arm; empty without arms.

    The slope of a line through the daily effects, days weighted by their precision, is a mean over users of each
    user's own weighted sum over the days. So Welch's test of those sums takes care of users whose days hang together.
    """
    campaign = facts.campaign
    if campaign.arms is None:
        return [], []
    name = next(iter(campaign.metric("primary")))
    metric = campaign.metrics[name]
    unit = "share" if metric.kind == "any" else metric.unit
    arms = [arm for arm in campaign.arms.shares if arm != campaign.arms.control]
    blank = [Novelty(metric=name, unit=unit, arm=arm, control=campaign.arms.control) for arm in arms]
    reason = _defect(facts, name)
    if reason:
        return [replace(row, reason=reason) for row in blank], []
    daily = day_moments(facts, name)
    days = [DayEffect(**asdict(_compare(own, arm, row.control)), metric=name, unit=unit, arm=arm, day=day)
            for row in blank for arm in [row.arm] for day, own in daily.items()]
    return _adjusted([_slope(facts, name, row, daily) for row in blank], facts, name, daily), days


def _defect(facts: Facts, name: str) -> str:
    metric = facts.campaign.metrics[name]
    if metric.ratio:
        return "ratio_metric"
    if not metric.has_phases:
        return "own_windows"
    if facts.campaign.arms.cluster:
        return "drawn_by_cluster"
    if len(days_of(facts)) < FEWEST:
        return "too_few_days"
    return "" if from_the_start(facts).count().to_pyarrow().as_py() else "no_users"


def _compare(own: Mapping[str, JointMoments], arm: str, control: str, alpha: float = ALPHA) -> Comparison:
    if arm not in own or control not in own:
        return Comparison.missing("mean", "empty_arm")
    return compare_means(own[arm].metric("value"), own[control].metric("value"), alpha)


def _slope(
    facts: Facts, name: str, row: Novelty, daily: Mapping[date, Mapping[str, JointMoments]], alpha: float = ALPHA
) -> Novelty:
    days = sorted(daily)
    at = np.array([(day - days[0]).days for day in days], dtype=float)
    if any(arm not in daily[days[0]] for arm in (row.arm, row.control)):
        return replace(row, reason="empty_arm")
    var = np.array([sum(daily[day][arm].cov[0, 0] / daily[day][arm].n for arm in (row.arm, row.control))
                    for day in days])
    if not (np.isfinite(var).all() and (var > 0).all()):
        return replace(row, reason="zero_variance")
    weight = var.min() / var
    centre = weight @ at / weight.sum()
    pull = weight * (at - centre) / (weight @ (at - centre) ** 2)
    own = moments(trend_facts(facts, name, dict(zip(days, pull.tolist(), strict=True))), ["trend"])
    found = compare_means(own[row.arm, "trend"], own[row.control, "trend"], alpha)
    level = float(weight @ [_compare(daily[day], row.arm, row.control).diff for day in days] / weight.sum())
    first, last = (level + found.diff * (edge - centre) for edge in (at[0], at[-1]))
    return replace(row, n_users=found.n_treatment + found.n_control, n_days=len(days), first=first, last=last,
                   slope=found.diff, slope_lower=found.diff_lower, slope_upper=found.diff_upper, pvalue=found.pvalue,
                   alpha=alpha, reason=found.reason)


def _adjusted(
    rows: list[Novelty], facts: Facts, name: str, daily: Mapping[date, Mapping[str, JointMoments]]
) -> list[Novelty]:
    looked = [at_end(facts, name, row.pvalue, row.n_users).pvalue for row in rows]
    adjusted = holm(looked)
    levels = [level_at_end(facts, name, row.n_users, alpha)
              for row, alpha in zip(rows, compatible_alphas(looked, adjusted), strict=True)]
    return [replace(_at_level(facts, name, row, daily, level), pvalue_adjusted=p)
            for row, p, level in zip(rows, adjusted, levels, strict=True)]


def _at_level(
    facts: Facts, name: str, row: Novelty, daily: Mapping[date, Mapping[str, JointMoments]], alpha: float
) -> Novelty:
    if row.reason or alpha == ALPHA:
        return row
    if math.isnan(alpha):
        return replace(row, slope_lower=math.nan, slope_upper=math.nan, reason="too_early")
    return _slope(facts, name, row, daily, alpha)
