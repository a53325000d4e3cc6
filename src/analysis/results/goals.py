"""Goals: met, missed or not known, from an interval and never from a point."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

import ibis
from ibis.expr.types import Table

from analysis.facts.measure import moments, paired_moments, ratio_moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import facts_of, is_covered, span, user_facts
from analysis.params.model import Goal as Asked
from analysis.params.model import Metric
from analysis.results.uplift import compare
from analysis.stats.comparison import ALPHA
from analysis.stats.intervals import mean_interval, paired_change, ratio_interval, wilson
from analysis.stats.levels import ratio_level


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal, what was asked of it and what came."""

    metric: str
    unit: str
    measure: str           # "total", "per_user" or "ratio"
    against: str           # "before", "control", "number", or "" for an absolute target
    better: str            # "higher" or "lower"
    priority: int
    deadline: date | None
    arm: str               # arm that is compared with control, else ""
    baseline: float        # level of the baseline, nan for an absolute target
    target_change: float   # share of the baseline asked for, nan for an absolute target
    target: float          # level asked for
    observed: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    change: float = math.nan         # observed / baseline - 1
    change_lower: float = math.nan
    change_upper: float = math.nan
    alpha: float = ALPHA
    n: int = 0             # users
    verdict: str = "unknown"         # "met", "missed", "unknown"
    reason: str = ""       # why unknown: "reached_within_chance", "deadline_not_reached", "baseline_not_covered", ...


@dataclass(frozen=True, slots=True)
class Conflict:
    """Goals for two metrics of which one was met and the other missed."""

    winner: str            # metric of the goal that decides: the one of higher priority
    loser: str
    winner_verdict: str
    is_decided: bool       # False when both have the same priority
    missed: str            # metric of the goal that was missed
    shortfall: float       # what it lacked to its target, in its unit
    unit: str
    measure: str


def goals(facts: Facts) -> list[Goal]:
    """Every goal of the params with its verdict, by priority."""
    judged = [goal for asked in facts.campaign.goals for goal in _judge(facts, asked)]
    return sorted(judged, key=lambda goal: goal.priority)


def conflicts(judged: list[Goal]) -> list[Conflict]:
    """Pairs of goals that pulled apart, the deciding one named."""
    found = []
    for first, second in combinations(sorted(judged, key=lambda goal: goal.priority), 2):
        if first.metric != second.metric and {first.verdict, second.verdict} == {"met", "missed"}:
            missed = first if first.verdict == "missed" else second
            found.append(Conflict(
                first.metric, second.metric, first.verdict, first.priority < second.priority,
                missed.metric, abs(missed.target - missed.observed), missed.unit, missed.measure))
    return found


def _judge(facts: Facts, asked: Asked) -> Iterator[Goal]:
    metric, campaign = facts.campaign.metrics[asked.metric], facts.campaign
    deadline = asked.deadline or campaign.period.end
    change = math.nan if asked.target.change is None else asked.target.change
    blank = Goal(
        asked.metric, _unit(metric, asked), "ratio" if metric.ratio else asked.measure, _against(asked), metric.better,
        asked.priority, deadline, "", math.nan, change, math.nan if asked.target.level is None else asked.target.level)
    reason = _not_yet(facts, asked)
    if reason:
        yield replace(blank, reason=reason)
    elif blank.against == "control":
        yield from (_verdict(goal) for goal in _against_control(facts, asked, blank))
    else:
        yield _verdict(_against_level(facts, asked, blank))


def _against(asked: Asked) -> str:
    if asked.target.change is None:
        return ""
    return asked.baseline if isinstance(asked.baseline, str) else "number"


def _unit(metric: Metric, asked: Asked) -> str:
    """A share per user is a share; a total of users who did is a number of users."""
    if metric.kind == "any":
        return "share" if asked.measure == "per_user" else "users"
    return metric.unit


def _not_yet(facts: Facts, asked: Asked) -> str:
    """Why the goal cannot be judged at all."""
    campaign, until = facts.campaign, facts.tables.data_until
    stretch = span(facts, "during")
    if stretch is None or not stretch.n_blocks:
        return "period_not_over"
    if not is_covered(facts, asked.metric):
        return "data_end_before"
    if asked.deadline and campaign.end_of(asked.deadline) > until:
        return "deadline_not_reached"
    if _against(asked) == "before" and not span(facts, "before").n_blocks:
        return "baseline_not_covered"
    return "" if facts.left.n_users else "no_users"


def _against_level(facts: Facts, asked: Asked, goal: Goal) -> Goal:
    """Everybody together, against an absolute target, a number or the time before."""
    metric = facts.campaign.metrics[asked.metric]
    parts = metric.ratio or [asked.metric]
    wide = facts_of(facts, parts).mutate(everybody=ibis.literal(""))
    n, level = _level(wide, asked.metric, metric)
    scale = n if goal.measure == "total" else 1
    observed, lower, upper = (value * scale for value in level)
    goal = replace(goal, observed=observed, lower=lower, upper=upper, n=n)
    if goal.against == "number":
        return _against_number(goal, float(asked.baseline))
    if goal.against == "before":
        pair = paired_moments(wide, user_facts(facts, parts, "before"), parts)
        change, base = paired_change(pair), pair.mean_before * scale
        return _changed(goal, base, change.value, change.lower, change.upper, change.reason)
    return goal


def _changed(goal: Goal, base: float, change: float, lower: float, upper: float, reason: str = "") -> Goal:
    """A goal for a change: its level is bounded by the same interval, so that the two never contradict each other."""
    return replace(goal, baseline=base, target=base * (1 + goal.target_change), change=change, change_lower=lower,
                   change_upper=upper, lower=base * (1 + lower), upper=base * (1 + upper), reason=reason)


def _against_number(goal: Goal, base: float) -> Goal:
    """A baseline without uncertainty: the bounds of the level carry over."""
    if base <= 0:
        return replace(goal, baseline=base, reason="baseline_not_positive")
    change, lower, upper = (level / base - 1 for level in (goal.observed, goal.lower, goal.upper))
    return _changed(goal, base, change, lower, upper)


def _level(wide: Table, name: str, metric: Metric) -> tuple[int, tuple[float, float, float]]:
    """Number of users, and the level per user (or the ratio) over everybody with its bounds."""
    if metric.ratio:
        both = ratio_moments(wide, *metric.ratio, by="everybody")[""]
        return both.n, (ratio_level(both).value, *ratio_interval(both))
    own = moments(wide, [name], by="everybody")["", name]
    bounds = wilson(round(own.mean * own.n), own.n) if metric.kind == "any" else mean_interval(own)
    return own.n, (own.mean, *bounds)


def _against_control(facts: Facts, asked: Asked, goal: Goal) -> Iterator[Goal]:
    """Each arm against control, per user, as the effects show it."""
    for arm in facts.campaign.arms.shares:
        if arm == facts.campaign.arms.control:
            continue
        found = compare(facts, asked.metric, arm)
        judged = replace(goal, arm=arm, observed=found.value_treatment, n=found.n_treatment + found.n_control,
                         alpha=found.alpha)
        yield _changed(judged, found.value_control, found.rel_diff, found.rel_diff_lower, found.rel_diff_upper,
                       found.reason or found.rel_reason)


def _verdict(goal: Goal) -> Goal:
    """Met when the whole interval is on the good side of the target, missed when it is on the other."""
    if goal.against:
        target, lower, upper = goal.target_change, goal.change_lower, goal.change_upper
    else:
        target, lower, upper = goal.target, goal.lower, goal.upper
    if math.isnan(lower) or math.isnan(upper) or (goal.against and math.isnan(goal.change)):
        return replace(goal, verdict="unknown", reason=goal.reason or "no_interval")
    is_met, is_missed = lower >= target, upper < target
    if goal.better == "lower":
        is_met, is_missed = upper <= target, lower > target
    if is_met or is_missed:
        return replace(goal, verdict="met" if is_met else "missed", reason="")
    point = goal.change if goal.against else goal.observed
    is_reached = point >= target if goal.better == "higher" else point <= target
    return replace(goal, reason="reached_within_chance" if is_reached else "short_within_chance")
