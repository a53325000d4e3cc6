"""Pairs of goals that pull against each other: by how they are counted, and by how they moved in the past."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.facts.measure import joint_moments
from analysis.facts.past import Past, imagined
from analysis.facts.user_facts import user_facts
from analysis.results.contrast import parts_of
from analysis.results.planning.lengths import judged_days
from analysis.results.planning.stretches import levels, value

PULLING = -0.1   # correlation across users from which on two metrics pull apart (Cohen 1988: below that hardly at all)


@dataclass(frozen=True, slots=True)
class Tension:
    """Two metrics that a goal or a guardrail is about; each with its better side up."""

    first: str
    second: str
    decides: str           # the metric that wins: a guardrail, or the goal of higher priority; "" where neither does
    structure: str         # how they hang together by definition: "divided_by", "opposite", "moved_forward", or ""
    correlation: float     # across users over the planned length; below 0: who is good for one is bad for the other
    n_users: int
    n_moves: int           # times that both changed from one past stretch to the next
    n_apart: int           # of them, how often one got better and the other worse
    pulls: bool            # by structure or correlation
    reason: str = ""       # why there is no correlation


def tensions(past: Past) -> list[Tension]:
    """Every pair among goals and guardrails, those that pull first."""
    campaign = past.campaign
    names = list(dict.fromkeys([*(goal.metric for goal in campaign.goals), *campaign.metric("guardrail")]))
    found = [_tension(past, a, b) for a, b in combinations(names, 2)]
    return sorted(found, key=lambda row: not row.pulls)


def _tension(past: Past, first: str, second: str) -> Tension:
    structure = next(_structures(past, first, second), "")
    correlation, n_users, reason = _correlation(past, first, second)
    n_moves, n_apart = _moves(past, first, second)
    pulls = bool(structure) or correlation < PULLING
    return Tension(first, second, _decides(past, first, second), structure, correlation, n_users, n_moves, n_apart,
                   pulls, reason)


def _structures(past: Past, first: str, second: str) -> Iterator[str]:
    """Of a ratio and what it is divided by; of the same rows that are to go both ways, or that are counted later."""
    metrics, parts = past.campaign.metrics, {name: parts_of(past.facts, name) for name in (first, second)}
    is_same_way = metrics[first].better == metrics[second].better
    for one, other in ((first, second), (second, first)):
        if len(parts[one]) == 2 and len(parts[other]) == 1 and _is_same(past, parts[one][1], other) and is_same_way:
            yield "divided_by"
        if len(parts[one]) == 2 and len(parts[other]) == 1 and _is_same(past, parts[one][0], other) and not is_same_way:
            yield "opposite"
    if len(parts[first]) == len(parts[second]) == 1 and _is_same(past, first, second, at_any_time=True):
        if not is_same_way:
            yield "opposite"
        elif metrics[first].time != metrics[second].time:
            yield "moved_forward"


def _is_same(past: Past, a: str, b: str, at_any_time: bool = False) -> bool:
    """Whether two metrics count the same rows of the same column."""
    one, other = (past.campaign.metrics[name] for name in (a, b))
    return (one.table, one.where, one.sum) == (other.table, other.where, other.sum) and (
        at_any_time or one.time == other.time)


def _decides(past: Past, first: str, second: str) -> str:
    guards = [name for name in (first, second) if past.campaign.metrics[name].role == "guardrail"]
    if guards:
        return guards[0] if len(guards) == 1 else ""
    best = {name: min(goal.priority for goal in past.campaign.goals if goal.metric == name) for name in (first, second)}
    return "" if best[first] == best[second] else min(best, key=lambda name: best[name])


def _sign(past: Past, first: str, second: str) -> int:
    return 1 if past.campaign.metrics[first].better == past.campaign.metrics[second].better else -1


def _correlation(past: Past, first: str, second: str) -> tuple[float, int, str]:
    """Across users, of ratios by what each user adds to them (delta method)."""
    wanted = [parts_of(past.facts, name) for name in (first, second)]
    metrics = [past.campaign.metrics[part] for parts in wanted for part in parts]
    if not all(metric.has_phases for metric in metrics):
        return math.nan, 0, "not_at_one_time"
    days = judged_days(past)
    if not days:
        return math.nan, 0, "past_too_short"
    columns = list(dict.fromkeys(part for parts in wanted for part in parts))
    facts = imagined(past, days, metrics[0])
    found = joint_moments(user_facts(facts, columns, "during"), [columns])
    if not found:
        return math.nan, 0, "no_users"
    own = found["",][0]
    weights = np.array([_weights(columns, parts, own.mean) for parts in wanted])
    cov = weights @ own.cov @ weights.T
    spread = math.sqrt(max(cov[0, 0], 0.0) * max(cov[1, 1], 0.0))
    if not spread > 0:
        return math.nan, own.n, "zero_variance"
    return _sign(past, first, second) * float(np.clip(cov[0, 1] / spread, -1, 1)), own.n, ""


def _weights(columns: Sequence[str], parts: Sequence[str], mean: np.ndarray) -> np.ndarray:
    """Of each column in what a user adds to the metric, up to a factor."""
    own = np.zeros(len(columns))
    own[columns.index(parts[0])] = 1.0
    if len(parts) == 2:
        bottom = mean[columns.index(parts[1])]
        own[columns.index(parts[1])] = -mean[columns.index(parts[0])] / bottom if bottom else math.nan
    return own


def _moves(past: Past, first: str, second: str) -> tuple[int, int]:
    """Changes from one past stretch to the next, and how many went apart."""
    both = [[value(level) for level in levels(past, name)] for name in (first, second)]
    steps = [np.sign(-np.diff(own)) for own in both]
    if len(steps[0]) != len(steps[1]):
        return 0, 0
    signs = _sign(past, first, second) * steps[0] * steps[1]
    return int((np.abs(signs) == 1).sum()), int((signs == -1).sum())
