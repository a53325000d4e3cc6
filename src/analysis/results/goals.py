"""Goals: met, missed or not known, from an interval and never from a point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal, what was asked of it and what came."""

    metric: str
    unit: str
    measure: str           # "total", "per_user" or "ratio"
    against: str           # "baseline" (period before), "control", "number", or "" for an absolute target
    better: str            # "higher" or "lower"
    priority: int
    deadline: date | None
    baseline: float        # level of the baseline, nan for an absolute target
    target_change: float   # share of the baseline asked for, nan for an absolute target
    target: float          # level asked for
    observed: float
    lower: float
    upper: float
    change: float          # observed / baseline - 1
    change_lower: float
    change_upper: float
    alpha: float
    n: int                 # users
    verdict: str           # "met", "missed", "unknown"
    reason: str = ""       # why unknown: "interval_holds_target", "deadline_not_reached", "baseline_not_covered", ...


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two goals that pulled against each other."""

    winner: str            # metric of the goal that decides (the lower priority number)
    loser: str
    is_decided: bool       # False when both have the same priority
    cost: float            # what the losing goal lacked to its target, in its unit
    unit: str
