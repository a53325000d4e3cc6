"""What can be seen of each metric after so many days, at what was measured on the past."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.past import Past, active
from analysis.params.model import Campaign
from analysis.results.looks import at_end
from analysis.results.planning.arms import Pair, pairs
from analysis.results.planning.lengths import lengths
from analysis.results.planning.levels import wishes
from analysis.results.planning.measured import Measured, measured
from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.power_baseline import Baseline
from analysis.stats.power_guardrail import WIDEST, noninferiority_margin, noninferiority_power
from analysis.stats.power_lift import lift_power, smallest_lift

TESTED = ("primary", "secondary", "guardrail")


@dataclass(frozen=True, slots=True)
class Reach:
    """One metric, one arm against control, after so many days.

    For a guardrail the "effect" is the margin that can be shown to hold, and the chance is that its own margin is.
    """

    metric: str
    role: str              # primary, secondary, guardrail
    unit: str
    kind: str              # "mean", "proportion", "ratio"
    arm: str
    control: str
    days: float
    n_users: int           # who can be in the campaign by then
    n_active: int          # of all users, those with an event or order in so many days
    n_treatment: float     # users, not rounded
    n_control: float
    value: float           # per user over so many days (or the ratio), as it was in the past
    sd: float              # standard deviation between users (of a ratio: of what each adds to it)
    method: str            # how the review will compare: "welch", "delta", "score", "adjusted", "strata", "clusters"
    reduction: float       # share of the variance that the time before and strata take off
    alpha: float           # level left after other arms, metrics of the family and early looks
    wished: float          # effect hoped for, or a guardrail's margin; share of the control
    power: float           # chance to see it
    smallest: float        # smallest effect that is seen with the wished chance, share of the control
    smallest_plain: float  # the same when users are compared without the time before and strata
    smallest_effect: float  # the same as `smallest`, in the metric's unit; nan for guardrails
    reason: str = ""       # why there is no smallest effect
    power_reason: str = ""  # why there is no chance: "nothing_wished", or the reason above


def tested(campaign: Campaign) -> list[str]:
    """Names of the metrics that effects are told of, in the order of the review."""
    return [name for role in TESTED for name in campaign.metric(role)]


def wished_power(past: Past) -> float:
    return past.campaign.plan.power or POWER


def reaches_by_days(past: Past) -> list[Reach]:
    """Every tested metric, arm and length, in this order."""
    days = lengths(past)
    n_active = dict(zip(days, active(past, days), strict=True))
    return [reach(past, name, pair, n, n_active[n])
            for name in tested(past.campaign) for pair in pairs(past) for n in days]


def n_users(past: Past, days: float, n_active: int) -> int:
    """Everybody of the users table, known from the start; else who came in so many days."""
    return past.n_people if past.is_listed else n_active


def reach(past: Past, name: str, pair: Pair, days: float, n_active: int) -> Reach:
    """One metric for one pair of arms after so many days."""
    metric, found = past.campaign.metrics[name], measured(past, name, days)
    users = n_users(past, days, n_active)
    n = users * pair.of_all
    alpha = level(past, name, found, n)
    (smallest, effect, reason), (plain, _, _) = (
        _smallest(past, name, own, n, pair, alpha) for own in (found.own, found.plain))
    wished = metric.margin if metric.role == "guardrail" else _wished(past, name)
    chance, power_reason = _chance(past, name, found.own, n, pair, alpha, wished)
    return Reach(
        name, metric.role, "share" if metric.kind == "any" else metric.unit, found.own.kind, pair.arm, pair.control,
        days, users, n_active, pair.treated * n, (1 - pair.treated) * n, found.plain.value, math.sqrt(found.plain.var),
        found.method, found.reduction, alpha, wished, chance, smallest, plain, effect, reason, power_reason)


def _wished(past: Past, name: str) -> float:
    wish = wishes(past).get(name)
    return wish.rel_effect if wish else math.nan


def level(past: Past, name: str, found: Measured, n: float) -> float:
    """The level that is left for one comparison: by Holm's first step over the family, then after early looks.

    Holm gives later steps more, so a plan at the first is on the safe side.
    """
    alpha = ALPHA / n_compared(past, name)
    return at_end(found.facts, name, math.nan, round(n), alpha).alpha_nominal if found.facts else alpha


def n_compared(past: Past, name: str) -> int:
    """Comparisons that are judged together with this one."""
    metric, metrics = past.campaign.metrics[name], past.campaign.metrics
    if metric.role == "guardrail":
        return 1
    family = sum((other.role, other.family) == (metric.role, metric.family) for other in metrics.values())
    return family * len(pairs(past))


def _smallest(
    past: Past, name: str, own: Baseline, n: float, pair: Pair, alpha: float
) -> tuple[float, float, str]:
    """As a share of the control, in the metric's unit, and why there is none."""
    metric = past.campaign.metrics[name]
    asked = {"share": pair.treated, "power": wished_power(past), "alpha": alpha, "better": metric.better}
    if metric.role == "guardrail":
        found = noninferiority_margin(own, n, **asked)
        return (math.nan if found.reason else found.margin), math.nan, found.reason
    found = smallest_lift(own, n, **asked)
    return found.rel_effect, found.effect, found.reason or found.rel_reason


def _chance(
    past: Past, name: str, own: Baseline, n: float, pair: Pair, alpha: float, wished: float
) -> tuple[float, str]:
    """Of seeing the wished effect, or that the margin holds, and why there is none."""
    metric, asked = past.campaign.metrics[name], {"share": pair.treated, "alpha": alpha}
    if math.isnan(wished) or own.rel_reason:
        return math.nan, own.rel_reason or "nothing_wished"
    if metric.role == "guardrail":
        if not wished:
            return math.nan, "out_of_reach"   # no number of users shows that nothing at all was lost
        margin = min(wished, WIDEST[metric.better])
        found = noninferiority_power(own, n, margin=margin, better=metric.better, **asked)
    else:
        found = lift_power(own, n, wished, **asked)
    return found.power, found.reason
