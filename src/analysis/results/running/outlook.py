"""How far the primary metric is from being decided, what the end of the period would show, what is not seen yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.facts.population import Facts
from analysis.facts.ticks import is_hourly, planned_ticks, ticks
from analysis.results.running.course import LeftOut, Point, seen_at
from analysis.results.running.decision import Decision
from analysis.results.running.looking import planned_clock, planned_looks, worth
from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.tails import z_critical

FEWEST = 3      # ticks from which it can be read how fast the noise falls
FASTEST = 0.5   # power of the clock by which it falls where all that is new is independent


@dataclass(frozen=True, slots=True)
class Outlook:
    """The primary metric in one arm. Relative effects are shares of the control's level."""

    metric: str
    arm: str
    rel_diff: float            # so far
    needed: float              # |relative effect| from which it would be decided at the last look
    at_end: float              # smallest |relative effect| that the end of the period shows with 80 % chance
    falls: float               # power of the clock by which the noise falls: 0.5 at best, 0 where it does not
    n_left: int                # days (hours) to the end of the period
    next_look: int             # tick of the next look at which something may be claimed; 0: none is left
    reason: str = ""           # why `needed` is not known
    end_reason: str = ""       # why `at_end` is not known: "period_over", ...


@dataclass(frozen=True, slots=True)
class Unseen:
    """What stopping now would leave unseen."""

    n_left: int                # days (hours) of the period
    weekdays: tuple[int, ...]  # of which no whole day was seen, of those that the period holds; Monday is 0
    days_after: float          # of the time after that the params ask for and the data do not hold
    n_left_out: int            # metrics that cannot be watched before the end


def outlook(facts: Facts, decision: Decision, points: Sequence[Point]) -> list[Outlook]:
    """Every arm, in the order of the params; empty before the first tick is over."""
    last = max((point.tick for point in points), default=0)
    own = [point for point in points if point.tick == last and point.role == "primary"]
    return [_outlook(facts, decision, point, [p for p in points if (p.metric, p.arm) == (point.metric, point.arm)])
            for point in own]


def unseen(facts: Facts, out: Sequence[LeftOut]) -> Unseen:
    """What is left of the period and of the time after."""
    campaign, seen, planned = facts.campaign, ticks(facts), planned_ticks(facts.campaign)
    weekdays: set[int] = set()
    if not is_hourly(campaign):
        weekdays = {tick.day.weekday() for tick in planned if tick.is_whole} - {
            tick.day.weekday() for tick in seen if tick.is_whole}
    days_after = 0.0
    if campaign.after:
        opens, closes = campaign.after.interval(campaign.time_zone)
        days_after = max(0.0, (closes - max(opens, facts.tables.data_until)).total_seconds() / 86400)
    return Unseen(len(planned) - len(seen), tuple(sorted(weekdays)), days_after, len(out))


def _outlook(facts: Facts, decision: Decision, now: Point, path: Sequence[Point]) -> Outlook:
    n_left = decision.n_planned - decision.n_seen
    claim = next((point for point in path if point.tick == decision.claim_tick), None)
    reason = "between_looks" if claim is None else claim.reason or ("" if claim.value_control > 0 else claim.rel_reason)
    needed = math.nan if reason else (claim.diff_upper - claim.diff_lower) / 2 / claim.value_control
    due = [tick for tick in planned_looks(facts) if tick > decision.n_seen]
    next_look = due[0] if due else decision.n_seen + 1 if n_left and not planned_looks(facts) else 0
    falls = _falls(path)
    at_end, end_reason = _at_end(facts, now, falls) if n_left else (math.nan, "period_over")
    return Outlook(now.metric, now.arm, now.rel_diff, needed, at_end, falls, n_left, next_look, reason, end_reason)


def _at_end(facts: Facts, now: Point, falls: float) -> tuple[float, str]:
    """From the noise of this look, at the level of the last one; Bonferroni over the arms."""
    end, planned = planned_ticks(facts.campaign)[-1], planned_clock(facts, now.metric, now.arm)
    if not now.clock:
        return math.nan, now.reason
    level = worth(facts, now.metric, end, math.nan, planned, planned,
                  ALPHA / (len(facts.campaign.arms.shares) - 1)).alpha_nominal
    found = seen_at(facts, ticks(facts)[-1], now.metric).compare(now.arm, now.control, level)
    if found.reason or not found.value_control > 0:
        return math.nan, found.reason or found.rel_reason
    return found.detectable / found.value_control * (now.clock / planned) ** falls, ""


def _falls(path: Sequence[Point]) -> float:
    """Slope of the relative noise against the clock on logarithms, over the later half of the looks.

    Where users' tastes stay, a further day tells less than a first one did.
    """
    known = [(point.clock, _error(point)) for point in path]
    known = [(clock, error) for clock, error in known[len(known) // 2:] if clock > 0 and error > 0]
    if len(known) < FEWEST or known[0][0] == known[-1][0]:
        return FASTEST
    slope = np.polyfit(*np.log(np.array(known)).T, 1)[0]
    return float(min(max(-slope, 0.0), FASTEST))


def _error(point: Point) -> float:
    """Standard error of the difference as a share of the control."""
    if point.reason or not point.value_control > 0:
        return math.nan
    return point.detectable / (z_critical(point.alpha) + z_critical(2 * (1 - POWER))) / point.value_control
