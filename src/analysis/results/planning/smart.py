"""Are the goals specific, measurable, achievable, relevant and time-bound? As far as params and past can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analysis.facts.past import Past
from analysis.params.metric import Goal
from analysis.results.planning.levels import Standing, asked_change, measure_of, standing
from analysis.results.planning.stretches import changes, levels, value

FEWEST = 5        # stretches that have to be compared before anything is said of how often
USUAL = 0.1       # share of stretches that reach a target by themselves, from which on it is no mark of a campaign


@dataclass(frozen=True, slots=True)
class Smart:
    """One goal and what five questions found: "" where it is fine, else a code."""

    metric: str
    unit: str
    measure: str            # "total", "per_user" or "ratio"
    against: str            # "before", "control", "number", or "" for an absolute target
    better: str
    priority: int
    deadline: date
    target_change: float    # against where the metric stands: asked for, or what the target comes to
    target: float           # level
    level: float            # where the metric stands, in a stretch as long as the campaign
    level_lower: float
    level_upper: float
    n_users: int
    n_stretches: int        # past stretches looked at (of a change: compared with those before them)
    n_reached: int          # of them, how many reached the target without the campaign
    farthest: float         # the largest change among them to the better side; of a level the best level
    specific: str           # "no_unit"
    measurable: str         # why no level is known
    achievable: str         # "by_itself", "few_stretches", "already_there", "against_control", or why it is not known
    relevant: str           # "not_primary", "many_first"
    time_bound: str         # "no_deadline": the end of the period is taken
    reason: str = ""        # why levels are nan
    farthest_reason: str = ""   # why `farthest` is


def smart(past: Past) -> list[Smart]:
    """Every goal of the params, by priority."""
    goals = sorted(past.campaign.goals, key=lambda goal: goal.priority)
    return [_judge(past, goal, goals) for goal in goals]


def _judge(past: Past, goal: Goal, goals: Sequence[Goal]) -> Smart:
    campaign, metric = past.campaign, past.campaign.metrics[goal.metric]
    measure, change = measure_of(past, goal), asked_change(past, goal)
    now, against = standing(past, goal.metric).of(measure), _against(goal)
    target = now.value * (1 + change) if against in ("before", "control") else _level(goal)
    seen = _seen(past, goal, measure, against)
    asked = change if against == "before" else target
    n_reached = sum(_is_reached(own, asked, metric.better) for own in seen)
    is_there = _is_reached(now.value, target, metric.better)
    return Smart(
        goal.metric, _unit(past, goal), measure, against, metric.better, goal.priority,
        goal.deadline or campaign.period.end, change, target, now.value, now.lower, now.upper, now.n, len(seen),
        n_reached, (max(seen) if metric.better == "higher" else min(seen)) if seen else math.nan,
        specific="" if metric.unit or metric.kind == "any" else "no_unit", measurable=now.reason,
        achievable=_achievable(against, now, is_there, n_reached, len(seen)),
        relevant=_relevant(past, goal, goals), time_bound="" if goal.deadline else "no_deadline", reason=now.reason,
        farthest_reason="" if seen else "against_control" if against == "control" else "few_stretches")


def _against(goal: Goal) -> str:
    if goal.target.change is None:
        return ""
    return goal.baseline if isinstance(goal.baseline, str) else "number"


def _level(goal: Goal) -> float:
    return goal.target.level if goal.target.change is None else float(goal.baseline) * (1 + goal.target.change)


def _unit(past: Past, goal: Goal) -> str:
    metric = past.campaign.metrics[goal.metric]
    if metric.kind == "any":
        return "share" if goal.measure == "per_user" else "users"
    return metric.unit


def _seen(past: Past, goal: Goal, measure: str, against: str) -> list[float]:
    """What each past stretch came to: its change against the time before it, or its level."""
    own = levels(past, goal.metric) if against != "control" else []
    if against == "before":
        return list(changes(own, max(standing(past, goal.metric).n_stretches, 1)))
    scale = past.n_people if measure == "per_user" else 1
    return [found for level in own if not math.isnan(found := value(level) / scale)]


def _is_reached(own: float, asked: float, better: str) -> bool:
    return own >= asked if better == "higher" else own <= asked


def _achievable(against: str, now: Standing, is_there: bool, n_reached: int, n_seen: int) -> str:
    """Against the control the season is no matter: there it is the plan's chances that tell."""
    if against == "control":
        return "against_control"
    if not now.value:
        return "never_happened"
    if now.reason:
        return now.reason
    if is_there:
        return "already_there"
    if n_seen < FEWEST:
        return "few_stretches"
    return "by_itself" if n_reached / n_seen > USUAL else ""


def _relevant(past: Past, goal: Goal, goals: Sequence[Goal]) -> str:
    """Goals of lower priority are fine; the first has to be one, and about the metric that the verdict rests on."""
    first = [other for other in goals if other.priority == goals[0].priority]
    if goal not in first:
        return ""
    if len(first) > 1:
        return "many_first"
    return "" if past.campaign.metrics[goal.metric].role == "primary" else "not_primary"
