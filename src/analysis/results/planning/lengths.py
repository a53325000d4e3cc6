"""Of how many days a campaign is thought, and how many of them the past can tell of."""

from __future__ import annotations

import math

from analysis.facts.past import DAY, Past

EACH_DAY = 7      # up to so many days each is looked at
MOST = 14         # lengths at most
USUAL = 14        # days that are looked at where the params say nothing
LONGEST = 366


def planned_days(past: Past) -> float:
    """How long the campaign is to be."""
    return past.campaign.period.length / DAY


def judged_days(past: Past) -> float:
    """The planned length, or the longest that the past can tell of; 0 where it cannot even tell of the shortest."""
    return max((days for days in lengths(past) if days <= planned_days(past)), default=0.0)


def lengths(past: Past) -> list[float]:
    """Lengths to look at, ascending: each day of the first week, then evenly, whole weeks where there are many; and
    the planned one. None is longer than the past."""
    planned = planned_days(past)
    asked = past.campaign.plan.days or min(max(math.ceil(2 * planned), USUAL), LONGEST)
    most = min(asked, math.floor(past.days))
    step = max(1, math.ceil((most - EACH_DAY) / (MOST - EACH_DAY)))
    step = 7 * math.ceil(step / 7) if step > 3 else step
    days = {*range(1, min(most, EACH_DAY) + 1), *range(EACH_DAY, most, step), most, planned}
    return sorted(float(n) for n in days if 0 < n <= past.days)
