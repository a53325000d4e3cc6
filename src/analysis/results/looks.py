"""When a campaign is looked at before its end: what a look at the end, or on the way, allows to be said."""

from __future__ import annotations

import math
from dataclasses import replace

from analysis.facts.population import Facts
from analysis.facts.user_facts import span
from analysis.stats.always_valid import Look, always_valid
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.spending import group_sequential, obrien_fleming, pocock

SPENDING = {"obrien_fleming": obrien_fleming, "pocock": pocock}


def at_end(facts: Facts, name: str, pvalue: float, n_users: int, alpha: float = ALPHA) -> Look:
    """What the fixed p of a metric is worth after the whole campaign, under the params' `effects.looks`.

    n_users   users that were compared: with the days of the campaign they are the clock
    """
    return looked(facts, pvalue, n_users * days_per_user(facts, name), alpha)


def level_at_end(facts: Facts, name: str, n_users: int, alpha: float = ALPHA) -> float:
    """The level at which tests and intervals of a metric are made; nan where it is too early for any."""
    return at_end(facts, name, math.nan, n_users, alpha).alpha_nominal


def too_early(found: Comparison) -> Comparison:
    """What is left of a comparison where no interval can be drawn yet: the levels and the difference."""
    return replace(found, diff_lower=math.nan, diff_upper=math.nan, rel_diff_lower=math.nan, rel_diff_upper=math.nan,
                   detectable=math.nan, reason="too_early", rel_reason="too_early")


def looked(facts: Facts, pvalue: float, clock: float, alpha: float = ALPHA) -> Look:
    """The same by the clock at the end: users, times the days that each is followed."""
    asked = facts.campaign.effects.looks
    if asked is None:
        return Look(pvalue, alpha)
    if asked.method != "always_valid":
        fractions = [(i + 1) / asked.planned for i in range(asked.planned)]
        return group_sequential(pvalue, fractions, alpha, SPENDING[asked.method])
    return always_valid(pvalue, clock, asked.tightest_at or max(clock, 1.0), alpha)


def at_end_one_sided(facts: Facts, name: str, pvalue: float, n_users: int) -> float:
    """The same for a one-sided p: half of what twice as much is worth."""
    if math.isnan(pvalue):
        return pvalue
    if pvalue > 0.5:
        return 1 - at_end(facts, name, min(2 * (1 - pvalue), 1.0), n_users).pvalue / 2
    return at_end(facts, name, 2 * pvalue, n_users).pvalue / 2


def days_per_user(facts: Facts, name: str) -> float:
    """How long each user is followed, in days; 1 for metrics with a window of the user's own, which count users."""
    metric = facts.campaign.metrics[name]
    part = facts.campaign.metrics[metric.ratio[0]] if metric.ratio else metric
    if part.window:
        return 1.0
    phases = {"period": ("during",), "after": ("after",), "both": ("during", "after")}[part.over]
    return sum(stretch.days_planned for phase in phases if (stretch := span(facts, phase)))
