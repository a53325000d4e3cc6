"""Where a metric stands before the campaign, and the effects that are hoped for from there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.past import Past, eve
from analysis.facts.user_facts import span
from analysis.params.metric import Goal
from analysis.results.contrast import parts_of
from analysis.results.phases import phases
from analysis.results.planning.lengths import judged_days
from analysis.results.planning.measured import measured
from analysis.stats.intervals import mean_interval, wilson
from analysis.stats.moments import Moments


@dataclass(frozen=True, slots=True)
class Standing:
    """A metric per user (or the ratio) and length of the campaign, as it was before."""

    value: float
    lower: float
    upper: float
    n: int                # users
    n_stretches: int      # as long as the campaign, of which it is the mean
    reason: str = ""

    def of(self, measure: str) -> Standing:
        """The total over all users instead, where that is asked for."""
        scale = self.n if measure == "total" else 1
        return Standing(self.value * scale, self.lower * scale, self.upper * scale, self.n, self.n_stretches,
                        self.reason)


@dataclass(frozen=True, slots=True)
class Wish:
    """An effect that is hoped for, as a share of the control."""

    rel_effect: float
    source: str           # "plan" or "goal"


def standing(past: Past, name: str) -> Standing:
    """In the time before; of metrics with a time of their own in the last stretch of that time."""
    key = ("standing", name)
    if key not in past.kept:
        has_phases = all(past.campaign.metrics[part].has_phases for part in parts_of(past.facts, name))
        past.kept[key] = _in_phase(past, name) if has_phases else _in_own_time(past, name)
    return past.kept[key]


def _in_phase(past: Past, name: str) -> Standing:
    facts = eve(past)
    row = next((row for row in phases(facts, [name]) if row.phase == "before"), None)
    if row is None:
        return Standing(math.nan, math.nan, math.nan, 0, 0, "no_users")
    return Standing(row.mean, row.mean_lower, row.mean_upper, row.n_users, span(facts, "before").n_blocks, row.reason)


def _in_own_time(past: Past, name: str) -> Standing:
    found = measured(past, name, judged_days(past))
    own, n = found.plain, found.n
    if own.reason:
        return Standing(own.value, math.nan, math.nan, n, 0, own.reason)
    is_share = own.kind == "proportion"
    bounds = wilson(round(own.value * n), n) if is_share else mean_interval(Moments(n, own.value, own.var))
    return Standing(own.value, *bounds, n, 1)


def measure_of(past: Past, goal: Goal) -> str:
    """"total", "per_user" or "ratio"."""
    return "ratio" if past.campaign.metrics[goal.metric].ratio else goal.measure


def asked_change(past: Past, goal: Goal) -> float:
    """What a goal asks for, as a change of the metric's standing; nan where that is not known."""
    target, base = goal.target, goal.baseline
    if target.change is not None and isinstance(base, str):
        return target.change
    level = target.level if target.change is None else float(base) * (1 + target.change)
    now = standing(past, goal.metric).of(measure_of(past, goal)).value
    return level / now - 1 if now > 0 else math.nan


def wishes(past: Past) -> dict[str, Wish]:
    """Metric -> the effect that is hoped for: what the plan says, else its goal of highest priority.

    Only of metrics that are tested and for effects on the better side; guardrails are to change in nothing.
    """
    found: dict[str, Wish] = {}
    for name, metric in past.campaign.metrics.items():
        if metric.role not in ("primary", "secondary"):
            continue
        said = past.campaign.plan.wished(name, metric.role)
        goals = sorted((goal for goal in past.campaign.goals if goal.metric == name), key=lambda goal: goal.priority)
        wish = Wish(said, "plan") if said is not None else (
            Wish(asked_change(past, goals[0]), "goal") if goals else None)
        if wish and (wish.rel_effect > 0 if metric.better == "higher" else wish.rel_effect < 0):
            found[name] = wish
    return found
