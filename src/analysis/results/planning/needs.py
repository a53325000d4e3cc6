"""What each wished effect takes, for the campaign as it is planned: users, days, and what would be missed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.facts.past import Past
from analysis.results.planning.arms import Pair, pairs
from analysis.results.planning.lengths import judged_days, planned_days
from analysis.results.planning.levels import wishes
from analysis.results.planning.measured import measured
from analysis.results.planning.reach import Reach, wished_power
from analysis.stats.power_guardrail import WIDEST, noninferiority_users
from analysis.stats.power_lift import lift_power, lift_users


@dataclass(frozen=True, slots=True)
class Need:
    """One metric and arm at the planned length: can the wished effect (a guardrail's margin) be seen?"""

    metric: str
    role: str
    unit: str
    better: str
    arm: str
    control: str
    days: float              # judged at: the planned length, or the longest that the past can tell of
    days_planned: float
    n_users: int             # who can be in the campaign
    n: float                 # of them, in this arm or control
    value: float             # per user, of the past
    wished: float            # share of the control
    wished_from: str         # "plan", "goal", "margin", or "" for nothing
    power: float             # chance to see it
    power_wished: float      # the chance that is asked for
    smallest: float          # smallest effect (margin) that is seen with that chance, share of the control
    power_half: float        # chance to see an effect half as large as the smallest; nan for guardrails
    power_before: float      # chance to see the wished effect if the time before were taken off; nan where it is
    n_needed: float          # users of both arms that show the wished effect in so many days
    days_needed: float       # fewest days looked at that show it
    icc: float               # of clusters: how much alike their users are
    n_clusters: int          # so many were measured; 0 where users are drawn one by one
    verdict: str             # "seen", "not_seen", "not_asked", "unknown"
    reason: str = ""         # why unknown, or why there is no smallest effect
    days_reason: str = ""    # why there are no days: "nothing_wished", "not_within_days"


def needs(past: Past, reaches: Sequence[Reach]) -> list[Need]:
    """Every tested metric and arm; empty where the past is too short to say anything."""
    days = judged_days(past)
    own = [row for row in reaches if row.days == days]
    by_arm = {pair.arm: pair for pair in pairs(past)}
    return [_need(past, row, by_arm[row.arm], [other for other in reaches if _same(other, row)]) for row in own]


def _same(a: Reach, b: Reach) -> bool:
    return (a.metric, a.arm) == (b.metric, b.arm)


def _need(past: Past, row: Reach, pair: Pair, course: Sequence[Reach]) -> Need:
    asked, metric = wished_power(past), past.campaign.metrics[row.metric]
    found = measured(past, row.metric, row.days)
    n, is_margin = row.n_treatment + row.n_control, row.role == "guardrail"
    half = before = math.nan
    if not is_margin and not math.isnan(row.smallest):
        half = lift_power(found.own, n, row.smallest / 2, share=pair.treated, alpha=row.alpha).power
        if found.reduction > 0 and found.own is found.plain and not math.isnan(row.power):
            before = lift_power(found.adjusted, n, row.wished, share=pair.treated, alpha=row.alpha).power
    enough = [other.days for other in course if other.power >= asked]
    source = "margin" if is_margin else wishes(past)[row.metric].source if not math.isnan(row.wished) else ""
    days_reason = "" if enough else "nothing_wished" if math.isnan(row.wished) else "not_within_days"
    return Need(
        row.metric, row.role, row.unit, metric.better, row.arm, row.control, row.days, planned_days(past), row.n_users,
        n, row.value, row.wished, source, row.power, asked, row.smallest, half, before,
        _n_needed(past, row, pair),
        min(enough, default=math.nan), found.icc, found.n_clusters, _verdict(row, asked),
        row.reason or (row.power_reason if row.power_reason != "nothing_wished" else ""), days_reason)


def _n_needed(past: Past, row: Reach, pair: Pair) -> float:
    """Users of both arms; nan where nothing is wished, or nothing can be planned with, or no number would do."""
    if math.isnan(row.power) or math.isnan(row.wished):
        return math.nan
    own, metric = measured(past, row.metric, row.days).own, past.campaign.metrics[row.metric]
    asked = {"share": pair.treated, "power": wished_power(past), "alpha": row.alpha}
    try:
        if row.role == "guardrail":
            margin = min(row.wished, WIDEST[metric.better])
            return noninferiority_users(own, margin=margin, better=metric.better, **asked).n
        return lift_users(own, row.wished, **asked).n
    except ValueError:   # an effect so small that more users would be needed than there can be
        return math.nan


def _verdict(row: Reach, asked: float) -> str:
    if row.power_reason == "nothing_wished":
        return "not_asked"
    if row.power_reason == "out_of_reach":
        return "not_seen"
    if math.isnan(row.power):
        return "unknown"
    return "seen" if row.power >= asked else "not_seen"
