"""What one look at a running campaign allows to be said, by the way of looking that was agreed on."""

from __future__ import annotations

import math

from analysis.facts.population import Facts
from analysis.facts.running_facts import Course
from analysis.facts.ticks import Tick, planned_ticks
from analysis.results.looks import SPENDING, days_per_user
from analysis.stats.always_valid import Look, always_valid
from analysis.stats.comparison import ALPHA
from analysis.stats.moments import JointMoments, merged
from analysis.stats.spending import group_sequential

ENOUGH = 20     # users whose value counts, in each arm, before a look at any time can be trusted
ROUNDING = 1e-9


def method(facts: Facts) -> str:
    """always_valid unless the params plan a few looks; arms of clusters without a plan are looked at once, at the end:
    looking at any time needs many independent units."""
    asked = facts.campaign.effects.looks
    if asked is not None:
        return asked.method
    return "at_end" if facts.campaign.arms.cluster else "always_valid"


def planned_looks(facts: Facts) -> dict[int, float]:
    """Tick -> share of the planned looks that were made by then, for the ticks at which one is due; empty where every
    tick is one."""
    if method(facts) == "always_valid":
        return {}
    asked = facts.campaign.effects.looks
    n = asked.planned if asked is not None else 1
    opens, closes = facts.campaign.period.interval(facts.campaign.time_zone)
    due: dict[int, float] = {}
    for tick in planned_ticks(facts.campaign):
        share = math.floor(n * ((tick.ends - opens) / (closes - opens)) + ROUNDING) / n
        if share > max(due.values(), default=0.0):
            due[tick.number] = share
    return due


def is_look(facts: Facts, tick: Tick) -> bool:
    """Whether something may be claimed at this tick."""
    return method(facts) == "always_valid" or tick.number in planned_looks(facts)


def worth(
    facts: Facts, name: str, tick: Tick, pvalue: float, clock: float, planned_clock: float, alpha: float = ALPHA
) -> Look:
    """What a fixed-horizon p at this tick is worth.

    clock           days that the users of both arms were followed so far; users, of a metric with a window of the own
    planned_clock   the same at the end of the period, where intervals at any time are tightest unless the params say

    At any time: nothing while either arm is `too_early` (see `counts`); a look in between planned ones: nothing.
    """
    if method(facts) == "always_valid":
        asked = facts.campaign.effects.looks
        return always_valid(pvalue, clock, (asked.tightest_at if asked else 0) or max(planned_clock, 1.0), alpha)
    due = planned_looks(facts)
    if tick.number not in due:
        return Look(math.nan, math.nan, "between_looks")
    shares = [share for number, share in due.items() if number <= tick.number]
    return group_sequential(pvalue, shares, alpha, SPENDING.get(method(facts), SPENDING["obrien_fleming"]))


def planned_clock(facts: Facts, name: str, arm: str) -> float:
    """The clock of an arm and control at the end of the period, for the users known so far."""
    users = facts.groups.get(arm, 0) + facts.groups.get(facts.campaign.arms.control, 0)
    return users * days_per_user(facts, name)


def users_that_count(course: Course, place: int, arm: str) -> float:
    """How many users of equal value would move an arm's total as chance moves it: n / (1 + var / mean^2).

    Of equal values it is the number of users who did; of skewed ones it is less. The variance of so few cannot be
    trusted, and an early look at a small arm finds effects that are not there.
    """
    own = [stratum[arm] for stratum in course.strata[place].values() if arm in stratum]
    if not own:
        return 0.0
    return _that_count(merged(own))


def _that_count(own: JointMoments) -> float:
    mean, var = float(own.mean[0]), float(own.cov[0, 0])
    if not mean or math.isnan(var):
        return 0.0
    return own.n / (1 + var / mean**2)
