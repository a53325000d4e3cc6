"""Before, during, after: the level of a metric per user in each phase, by group. A description, never an effect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.facts.measure import moments, ratio_moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import Span, daily_facts, span, user_facts
from analysis.params.model import Campaign, Metric
from analysis.stats.intervals import mean_interval, ratio_interval, wilson
from analysis.stats.levels import mean_level, ratio_level

PHASES = ("before", "during", "after")


@dataclass(frozen=True, slots=True)
class Phase:
    """Mean of one metric per user of one group in one phase, scaled to the length of the campaign."""

    metric: str
    unit: str
    group: str             # variant or group; "" for everybody
    phase: str             # "before", "during", "after"
    n_users: int
    mean: float            # per user and campaign length (ratio metrics: the ratio)
    mean_lower: float
    mean_upper: float
    days: float            # length of the phase that the data cover
    days_planned: float
    total: float           # mean x users; nan for ratios
    is_cut: bool           # the data begin after the phase does, or end before it does
    reason: str = ""       # why the mean or its bounds are nan: "phase_not_covered", "zero_variance", ...


@dataclass(frozen=True, slots=True)
class Daily:
    """Total of one metric on one local day, by group."""

    metric: str
    group: str
    day: date
    phase: str             # "before", "during", "after", "outside"
    n_users: int           # users of the group
    value: float           # per user of the group and day
    unit: str = ""         # as of a level: "share" where it is the share of users who did


def phases(facts: Facts, names: Sequence[str]) -> list[Phase]:
    """Every metric in every phase that the params name, by group; sorted by metric, group, phase."""
    stretches = {phase: span(facts, phase) for phase in PHASES if facts.campaign.phase(phase)}
    shown = [name for name in names if _has_phases(facts, name)]
    rows = [row for phase, stretch in stretches.items() for row in _phase(facts, phase, stretch, shown)]
    order = {group: i for i, group in enumerate(facts.groups)}
    return sorted(rows, key=lambda r: (shown.index(r.metric), order[r.group], PHASES.index(r.phase)))


def _has_phases(facts: Facts, name: str) -> bool:
    metrics = facts.campaign.metrics
    return all(metrics[part].has_phases for part in (metrics[name].ratio or [name]))


def _phase(facts: Facts, phase: str, stretch: Span | None, names: list[str]) -> Iterator[Phase]:
    metrics = facts.campaign.metrics
    n_blocks = stretch.n_blocks if stretch else 0
    cut = {"days": 0.0, "days_planned": math.nan, "is_cut": True}
    if stretch:
        cut = {"days": stretch.days, "days_planned": stretch.days_planned, "is_cut": n_blocks < stretch.n_planned}
    if not n_blocks:
        for name in names:
            for group, n in facts.groups.items():
                yield Phase(name, _unit(metrics[name]), group, phase, n, math.nan, math.nan, math.nan, total=math.nan,
                            **cut, reason="phase_not_covered")
        return
    parts = list(dict.fromkeys(part for name in names for part in (metrics[name].ratio or [name])))
    wide = user_facts(facts, parts, phase)
    means = moments(wide, parts)
    for name in names:
        ratios = ratio_moments(wide, *metrics[name].ratio) if metrics[name].ratio else {}
        for group in facts.groups:
            own = ratios.get(group) or means[group, name]
            if metrics[name].ratio:
                level = ratio_level(own)
                value, bounds, reason = level.value, ratio_interval(own), level.reason
            elif metrics[name].kind == "any" and n_blocks == 1:
                value, bounds, reason = own.mean, wilson(round(own.mean * own.n), own.n), ""
            else:
                value, bounds, reason = own.mean, mean_interval(own), mean_level(own).reason
            if not reason and math.isnan(bounds[0]):
                reason = "zero_variance"
            total = math.nan if metrics[name].ratio else value * own.n
            unit = _unit(metrics[name])
            yield Phase(name, unit, group, phase, own.n, value, *bounds, total=total, **cut, reason=reason)


def _unit(metric: Metric) -> str:
    """The share of users who did is a share, whatever its total is counted in."""
    return "share" if metric.kind == "any" else metric.unit


def daily(facts: Facts, name: str) -> list[Daily]:
    """One metric per user, group and local day, from the first to the last day that the data and phases share."""
    campaign = facts.campaign
    metric = campaign.metrics[name]
    found = {(row["variant"], row["day"]): row["value"] for row in daily_facts(facts, name).to_pyarrow().to_pylist()}
    if not found or "phases" not in campaign.blocks:
        return []
    first, last = min(day for _, day in found), max(day for _, day in found)
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    return [
        Daily(name, group, day, _phase_of(campaign, day), n, found.get((group, day), 0.0) / (1 if metric.ratio else n),
              _unit(metric))
        for group, n in facts.groups.items() for day in days]


def _phase_of(campaign: Campaign, day: date) -> str:
    at = campaign.instant(day)
    for phase in PHASES:
        period = campaign.phase(phase)
        if period and period.interval(campaign.time_zone)[0] <= at < period.interval(campaign.time_zone)[1]:
            return phase
    return "outside"
