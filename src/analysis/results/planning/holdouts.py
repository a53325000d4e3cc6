"""How many users to hold out: the smallest effect that shows, and what those held out go without."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.past import Past
from analysis.results.planning.lengths import judged_days
from analysis.results.planning.levels import wishes
from analysis.results.planning.measured import measured
from analysis.results.planning.reach import level, n_users, wished_power
from analysis.stats.power_holdout import SHARES, Holdout
from analysis.stats.power_lift import holdout_row, lift_holdout


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The primary metric with one share of the users held out."""

    metric: str
    unit: str
    days: float
    share: float           # of all users
    is_planned: bool       # what the params' arms have
    is_enough: bool        # the smallest share with which the wished effect is seen
    n_held_out: float      # users, not rounded
    n_campaign: float
    wished: float          # effect hoped for, share of the control
    power: float           # chance to see it
    smallest: float        # smallest effect that is seen with the wished chance, share of the control
    forgone: float         # total that those held out go without, if the wished effect is real
    reason: str = ""       # why there is no smallest effect
    power_reason: str = ""  # why nothing is forgone and no chance is known: "nothing_wished", or the reason above


def holdouts(past: Past, n_active: int) -> list[HeldOut]:
    """Shares in ascending order, those of the plan or the usual ones, the planned one and the smallest that will do.

    n_active   users with an event or order in the judged days
    Empty for more than one arm beside the control, for clusters, and where the past is too short.
    """
    days, arms = judged_days(past), past.campaign.arms
    if not days or (arms and (len(arms.shares) > 2 or arms.cluster)):
        return []
    name = next(iter(past.campaign.metric("primary")))
    n, planned = n_users(past, days, n_active), arms.shares[arms.control] if arms else math.nan
    enough = smallest_share(past, name, n)
    own = {planned, enough}
    shares = {*(past.campaign.plan.holdout or SHARES)} | {share for share in own if not math.isnan(share)}
    return [_row(past, name, n, share, planned, enough) for share in sorted(shares)]


def smallest_share(past: Past, name: str, n: int) -> float:
    """Of a base of n users; nan without a wish, and where half of the base would not do."""
    found, wish = measured(past, name, judged_days(past)), wishes(past).get(name)
    if wish is None or found.own.reason:
        return math.nan
    row = lift_holdout(found.own, n, wish.rel_effect, power=wished_power(past), alpha=level(past, name, found, n))
    return math.nan if row is None or row.reason else row.share


def _row(past: Past, name: str, n: int, share: float, planned: float, enough: float) -> HeldOut:
    found, metric = measured(past, name, judged_days(past)), past.campaign.metrics[name]
    wish = wishes(past).get(name)
    row: Holdout = holdout_row(
        found.own, n, share, rel_effect=wish.rel_effect if wish else None, power=wished_power(past),
        alpha=level(past, name, found, n), better=metric.better)
    return HeldOut(
        name, "share" if metric.kind == "any" else metric.unit, judged_days(past), share, share == planned,
        share == enough, row.n_control, row.n_treatment, wish.rel_effect if wish else math.nan, row.power, row.rel_mde,
        row.forgone, row.reason,
        "nothing_wished" if wish is None else row.reason or ("out_of_reach" if math.isnan(row.power) else ""))
