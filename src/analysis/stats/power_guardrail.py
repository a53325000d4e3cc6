"""Planning a guardrail: users to show that a margin holds, when the campaign in truth changes nothing.

The test planned for is the one of `noninferiority.py`: one-sided at alpha / 2, the margin (a share of the control)
in the null. The three functions are inverses of each other, and their plans have the margin and an effect of 0.
"""

from __future__ import annotations

import math

from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.power import Plan, check, fewest, plan, shortage
from analysis.stats.power_baseline import Baseline
from analysis.stats.power_chance import chance, crossing

WIDEST = {"higher": 1 - 1e-6, "lower": 1e6}  # margins that are tried at most


def noninferiority_power(
    baseline: Baseline, n: float, *, margin: float, better: str, share: float = 0.5, alpha: float = ALPHA
) -> Plan:
    """Chance that n users in both arms show that the margin holds.

    ValueError for a margin of 0 (without an effect no number of users shows it), or of 100 % where higher is better.
    """
    check(share=share, alpha=alpha, n=n, better=better)
    edge = _edge(margin, better)
    reason = baseline.rel_reason or shortage(baseline, n, share)
    found = math.nan if reason else chance(baseline, 0.0, edge, n, share, alpha)
    return plan(baseline, n, share, effect=0.0, margin=margin, power=found, alpha=alpha, reason=reason)


def noninferiority_margin(
    baseline: Baseline, n: float, *, better: str, share: float = 0.5, power: float = POWER, alpha: float = ALPHA
) -> Plan:
    """Smallest margin that n users in both arms show to hold with the wished power.

    "out_of_reach": the control's own level is too uncertain for any margin.
    """
    check(share=share, alpha=alpha, n=n, power=power, better=better)
    margin, reason = math.nan, baseline.rel_reason or shortage(baseline, n, share)
    if not reason:
        margin = crossing(
            lambda margin: chance(baseline, 0.0, -margin if better == "higher" else margin, n, share, alpha) - power,
            0.0, 0.01, WIDEST[better])
        reason = "out_of_reach" if math.isnan(margin) else ""
    return plan(baseline, n, share, effect=0.0, margin=margin, power=power, alpha=alpha, reason=reason)


def noninferiority_users(
    baseline: Baseline, *, margin: float, better: str, share: float = 0.5, power: float = POWER,
    alpha: float = ALPHA,
) -> Plan:
    """Fewest users in both arms that show with the wished power that the margin holds. ValueError as for the power."""
    check(share=share, alpha=alpha, power=power, better=better)
    edge = _edge(margin, better)
    if baseline.rel_reason:
        return plan(
            baseline, math.nan, share, effect=0.0, margin=margin, alpha=alpha, reason=baseline.rel_reason)
    n = fewest(baseline, 0.0, edge, share, power, alpha)
    return plan(
        baseline, n, share, effect=0.0, margin=margin, power=chance(baseline, 0.0, edge, n, share, alpha), alpha=alpha)


def _edge(margin: float, better: str) -> float:
    """The margin with the sign of what would be worse."""
    if not 0 < margin <= WIDEST[better]:
        raise ValueError(f"margin is {margin}; it must be a share of the control above 0, for example 0.02 for 2 %")
    return -margin if better == "higher" else margin
