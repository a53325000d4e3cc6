"""What must not be taken for an effect: gaps between chosen groups, and changes that came to everybody."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.measure import paired_moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import span, user_facts
from analysis.results.phases import Phase
from analysis.stats.intervals import paired_change


@dataclass(frozen=True, slots=True)
class Gap:
    """Two groups that nobody drew by chance: how far apart they are in the campaign, and were before it."""

    metric: str
    unit: str
    high: str          # the group with more during the campaign
    low: str
    during: float      # mean of high - mean of low, per user and campaign length
    before: float      # the same in the time before; nan when there is none
    reason: str = ""   # why before is nan


@dataclass(frozen=True, slots=True)
class Season:
    """How the control group, which did not get the campaign, changed against its own time before."""

    metric: str
    control: str
    n: int
    change: float      # during / before - 1
    change_lower: float
    change_upper: float
    reason: str = ""


def gap(facts: Facts, levels: list[Phase]) -> Gap | None:
    """The gap on the primary metric; None for arms drawn by chance, and unless two groups are covered during."""
    metric = next(iter(facts.campaign.metric("primary")))
    if facts.campaign.arms is not None:
        return None
    level = {(row.group, row.phase): row for row in levels if row.metric == metric}
    groups = list(dict.fromkeys(group for group, _ in level))
    if len(groups) != 2 or any(math.isnan(level[group, "during"].mean) for group in groups):
        return None
    low, high = sorted(groups, key=lambda group: level[group, "during"].mean)
    before = [level[group, "before"].mean if (group, "before") in level else math.nan for group in (high, low)]
    return Gap(
        metric, level[high, "during"].unit, high, low, level[high, "during"].mean - level[low, "during"].mean,
        before[0] - before[1], "phase_not_covered" if math.isnan(sum(before)) else "")


def seasons(facts: Facts) -> list[Season]:
    """The control's own change on every metric that a goal compares with the time before; empty without arms."""
    stretches = [span(facts, phase) for phase in ("before", "during")]
    if facts.campaign.arms is None or not all(stretch and stretch.n_blocks for stretch in stretches):
        return []
    names = dict.fromkeys(goal.metric for goal in facts.campaign.goals
                          if goal.target.change is not None and goal.baseline == "before")
    return [_season(facts, name) for name in names]


def _season(facts: Facts, name: str) -> Season:
    parts, control = facts.campaign.metrics[name].ratio or [name], facts.campaign.arms.control
    during, before = (user_facts(facts, parts, phase) for phase in ("during", "before"))
    pair = paired_moments(during.filter(during.variant == control), before, parts)
    found = paired_change(pair)
    return Season(name, control, pair.n, found.value, found.lower, found.upper, found.reason)
