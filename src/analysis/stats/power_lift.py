"""Planning for an effect that lifts everybody in proportion: who spends more then also spreads more.

`power.py` takes treatment to spread as control does. Where each user's value grows by a share r, the variance of
treatment is (1 + r)^2 times as large; the plan needs the mean of both arms, weighted as the error of the difference
weighs them. Shares of users are not touched: their variance follows from their level already.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.power import Plan, check, mde, plan, power, shortage, users
from analysis.stats.power_baseline import Baseline
from analysis.stats.power_chance import chance, crossing
from analysis.stats.power_holdout import Holdout, holdout, mde_by_share

LARGEST = 100.0   # times the control that an effect is searched for
ROUNDS = 8        # of looking for a hold-out at the spread that the last one found has; each is some digits nearer


def lifted(baseline: Baseline, rel_effect: float, share: float) -> Baseline:
    """The baseline with the spread that both arms have on the whole when treatment grows by `rel_effect`.

    share   of the users of both arms in treatment
    """
    if baseline.kind == "proportion" or baseline.rel_reason:
        return baseline
    return replace(baseline, factor=baseline.factor * (share + (1 - share) * (1 + rel_effect) ** 2))


def lift_power(
    baseline: Baseline, n: float, rel_effect: float, *, share: float = 0.5, alpha: float = ALPHA
) -> Plan:
    """Chance to see the effect, as `power`; "out_of_reach" where it would take a share of users beyond 0 or 1."""
    if not _is_possible(baseline, rel_effect):
        return plan(baseline, n, share, effect=rel_effect * baseline.value, alpha=alpha, reason="out_of_reach")
    return power(lifted(baseline, rel_effect, share), n, rel_effect=rel_effect, share=share, alpha=alpha)


def lift_users(
    baseline: Baseline, rel_effect: float, *, share: float = 0.5, power: float = POWER, alpha: float = ALPHA
) -> Plan:
    """Fewest users in both arms that show the effect, as `users`."""
    if not _is_possible(baseline, rel_effect):
        return plan(baseline, math.nan, share, effect=rel_effect * baseline.value, alpha=alpha, reason="out_of_reach")
    return users(lifted(baseline, rel_effect, share), rel_effect=rel_effect, share=share, power=power, alpha=alpha)


def smallest_lift(
    baseline: Baseline, n: float, *, share: float = 0.5, power: float = POWER, alpha: float = ALPHA,
    better: str = "higher",
) -> Plan:
    """Smallest effect that is seen with the wished power, as `mde`; "out_of_reach" where the spread grows too fast.

    Where the control is not above 0 no effect is a share of it, and the answer is that of `mde`.
    """
    if baseline.kind == "proportion" or baseline.rel_reason:
        return mde(baseline, n, share=share, power=power, alpha=alpha, better=better)
    check(share=share, alpha=alpha, n=n, power=power, better=better)
    if reason := shortage(baseline, n, share):
        return plan(baseline, n, share, effect=math.nan, power=power, alpha=alpha, reason=reason)
    sign, limit = (1, LARGEST) if better == "higher" else (-1, 1.0)
    size = crossing(_excess(baseline, n, share, power, alpha, sign), 0.0, 0.01, limit)
    reason = "out_of_reach" if math.isnan(size) else ""
    return plan(baseline, n, share, effect=sign * size * baseline.value, power=power, alpha=alpha, reason=reason)


def lift_holdout(
    baseline: Baseline, n: float, rel_effect: float, *, power: float = POWER, alpha: float = ALPHA
) -> Holdout | None:
    """Smallest hold-out of a base of n users with which the effect is seen, as `holdout`; None: not possible at all."""
    if not _is_possible(baseline, rel_effect) or baseline.rel_reason:
        return None
    share = 0.0
    for _ in range(ROUNDS):
        found = holdout(lifted(baseline, rel_effect, 1 - share), n, rel_effect=rel_effect, power=power, alpha=alpha)
        share = found.share
    return found


def holdout_row(
    baseline: Baseline, n: float, share: float, *, rel_effect: float | None = None, power: float = POWER,
    alpha: float = ALPHA, better: str = "higher",
) -> Holdout:
    """One hold-out of a base of n users: what it shows and, for a wished effect that is possible, its chance and price.

    `reason` says why there is no smallest effect.
    """
    least = smallest_lift(baseline, n, share=1 - share, power=power, alpha=alpha, better=better)
    if rel_effect is None or baseline.rel_reason or not _is_possible(baseline, rel_effect):
        return Holdout(share=share, n_treatment=(1 - share) * n, n_control=share * n, n=n, effect=math.nan,
                       rel_effect=math.nan, mde=least.effect, rel_mde=least.rel_effect, forgone=math.nan, alpha=alpha,
                       reason=least.reason or baseline.rel_reason)
    row, = mde_by_share(lifted(baseline, rel_effect, 1 - share), n, rel_effect=rel_effect, shares=[share], power=power,
                        alpha=alpha)
    return replace(row, mde=least.effect, rel_mde=least.rel_effect, reason=least.reason)


def _is_possible(baseline: Baseline, rel_effect: float) -> bool:
    level = baseline.value * (1 + rel_effect)
    return baseline.kind != "proportion" or 0 <= level <= 1


def _excess(
    baseline: Baseline, n: float, share: float, power: float, alpha: float, sign: int
) -> Callable[[float], float]:
    def excess(size: float) -> float:
        wider = lifted(baseline, sign * size, share)
        return chance(wider, sign * size * baseline.value, 0.0, n, share, alpha) - power
    return excess
