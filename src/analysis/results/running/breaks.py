"""Sudden breaks: a day on which a metric departs from the days before it, of everybody or between the arms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from analysis.facts.population import Facts
from analysis.facts.running_facts import entered
from analysis.facts.tick_facts import Sums, sums_per_tick
from analysis.facts.ticks import is_hourly, ticks
from analysis.stats.breaks import Day, departures

EVERYBODY_IN = 0.9   # share of the users who have to be in by the end of the first day for the level to be judged


@dataclass(frozen=True, slots=True)
class Break:
    """One metric on one tick, against what the ticks before it lead to expect."""

    metric: str
    unit: str                 # of the value; "ratio" where it is of an arm to control
    arm: str                  # "": all arms together; else this arm against control
    tick: int
    value: float              # per user and tick; of an arm: its value / control's
    expected: float = math.nan
    lower: float = math.nan   # bounds that chance rarely leaves
    upper: float = math.nan
    change: float = math.nan  # value / expected - 1
    is_break: bool = False
    reason: str = ""          # why nothing is expected: "too_few_days", "too_few_rows", "hours", "users_enter", ...


def watched(facts: Facts) -> list[str]:
    """Metrics whose days are looked at: those of the period, but for the described."""
    metrics = facts.campaign.metrics
    return [name for name, metric in metrics.items() if metric.role != "described" and all(
        metrics[part].has_phases for part in (metric.ratio or [name]))]


def n_series(facts: Facts) -> int:
    """How many series of breaks there are: each metric over everybody, and each arm against control."""
    return len(watched(facts)) * len(facts.campaign.arms.shares)


def breaks(facts: Facts, alpha: float) -> list[Break]:
    """By metric (all arms, then each arm against control), then by tick.

    alpha   chance of a false break of one series on one tick
    """
    if not ticks(facts) or not watched(facts):
        return []
    sums, users = sums_per_tick(facts), entered(facts)
    return [one for name in watched(facts) for one in _of_metric(facts, name, sums, users, alpha)]


def _of_metric(
    facts: Facts, name: str, sums: Mapping[tuple[int, str], Sums], users: list[dict[str, int]], alpha: float
) -> list[Break]:
    arms = facts.campaign.arms
    found = _all_arms(facts, name, sums, users, alpha)
    for arm in arms.shares:
        if arm != arms.control:
            found += _against_control(facts, name, arm, sums, users, alpha)
    return found


def _all_arms(
    facts: Facts, name: str, sums: Mapping[tuple[int, str], Sums], users: list[dict[str, int]], alpha: float
) -> list[Break]:
    metric = facts.campaign.metrics[name]
    unit = "share" if metric.kind == "any" else metric.unit
    levels = {tick: _level(facts, name, list(facts.groups), tick, sums, users) for tick in _numbers(facts, sums)}
    reason = "hours" if is_hourly(facts.campaign) else "" if _is_everybody_in(users) else "users_enter"
    days = [_day(facts, tick, *level, is_weekly=True) for tick, level in levels.items()]
    return _judged(facts, days, alpha, Break(name, unit, "", 0, math.nan), reason)


def _against_control(
    facts: Facts, name: str, arm: str, sums: Mapping[tuple[int, str], Sums], users: list[dict[str, int]], alpha: float
) -> list[Break]:
    """An arm's level divided by control's: whatever moves both, such as the day of the week, falls away."""
    days = []
    for tick in _numbers(facts, sums):
        (top, noise), (bottom, other) = (
            _level(facts, name, [one], tick, sums, users) for one in (arm, facts.campaign.arms.control))
        gap = top / bottom if bottom else math.inf if top > 0 else math.nan
        days.append(_day(facts, tick, gap, math.hypot(noise, other), is_weekly=False))
    return _judged(facts, days, alpha, Break(name, "ratio", arm, 0, math.nan), "")


def _judged(facts: Facts, days: list[tuple[int, Day]], alpha: float, blank: Break, reason: str) -> list[Break]:
    found = departures([day for _, day in days], alpha)
    own = [(tick, one) for (tick, _), one in zip(days, found, strict=True) if tick >= 1]
    if reason:
        return [replace(blank, tick=tick, value=one.value, reason=one.reason if math.isnan(one.value) else reason)
                for tick, one in own]
    return [replace(
        blank, tick=tick, value=one.value, expected=one.expected, lower=one.lower, upper=one.upper,
        change=one.value / one.expected - 1, is_break=one.is_break, reason=one.reason) for tick, one in own]


def _numbers(facts: Facts, sums: Mapping[tuple[int, str], Sums]) -> range:
    return range(min([1, *(tick for tick, _ in sums)]), len(ticks(facts)) + 1)


def _is_everybody_in(users: list[dict[str, int]]) -> bool:
    """Where users keep entering, what they do per user moves by itself: the first days are not like the later ones."""
    return sum(users[0].values()) >= EVERYBODY_IN * sum(users[-1].values())


def _level(
    facts: Facts, name: str, arms: list[str], tick: int, sums: Mapping[tuple[int, str], Sums],
    users: list[dict[str, int]],
) -> tuple[float, float]:
    """Per user of the arms (of a ratio: of the two sums) on one tick, and its relative standard error from chance
    between users. Users before the campaign are those of the last tick."""
    metric, own = facts.campaign.metrics[name], [sums[tick, arm] for arm in arms if (tick, arm) in sums]
    n = sum((users[tick - 1] if tick >= 1 else users[-1]).get(arm, 0) for arm in arms)
    top_name, bottom_name = metric.ratio or (name, "")
    top, squares = (sum(part[top_name] for part in parts) for parts in (
        [one.of for one in own], [one.squares for one in own]))
    if bottom_name:
        bottom = sum(one.of[bottom_name] for one in own)
        if not bottom:
            return math.nan, math.inf
        level = top / bottom
        squares += level**2 * sum(one.squares[bottom_name] for one in own) - 2 * level * sum(
            one.products[top_name, bottom_name] for one in own)
    else:
        level = top / n if n else math.nan
        squares -= top**2 / n if n else 0.0
    if not level >= 0:   # more was taken back than sold: no logarithm, and nothing expected
        return math.nan, math.inf
    return level, math.sqrt(max(squares, 0.0)) / top if top > 0 else math.inf


def _day(facts: Facts, tick: int, value: float, noise: float, is_weekly: bool) -> tuple[int, Day]:
    if is_hourly(facts.campaign):
        return tick, Day(value, noise, 1, 0)
    day = facts.campaign.first_day + timedelta(days=tick - 1)
    is_seen = day not in facts.campaign.closed and (tick < 1 or ticks(facts)[tick - 1].is_whole)
    return tick, Day(value if is_seen else math.nan, noise, int(tick > 0), day.weekday() if is_weekly else 0)
