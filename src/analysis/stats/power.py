"""Planning a comparison: users for an effect, effect for given users, and the chance to see it.

`power`, `mde` and `users` are inverses of each other. They plan the tests of `means.py`, `ratios.py` and
`proportions.py` at the variances of a `Baseline`. Numbers of users are not rounded: round up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.power_baseline import Baseline
from analysis.stats.power_chance import MOST_USERS, chance, crossing, errors, fewest_users

ROOM = 1e-9  # relative; an arm this much below its fewest users is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One metric, treatment against control: what will be seen with how many users."""

    kind: str                        # "mean", "proportion", "ratio"
    n_treatment: float = math.nan    # users, not rounded
    n_control: float = math.nan
    n: float = math.nan              # both
    clusters_treatment: float = 0.0  # not rounded; 0 where users are assigned one by one
    clusters_control: float = 0.0
    value_control: float = math.nan  # level expected of the control
    effect: float = math.nan         # true treatment - control that is planned for, in the metric's unit
    rel_effect: float = math.nan     # effect / control
    margin: float = 0.0              # of a guardrail, share of the control; 0: any difference is to be seen
    power: float = math.nan          # chance of significance on the effect's own side (guardrail: that it holds)
    alpha: float = ALPHA             # two-sided level; of several comparisons, of one of them
    reason: str = ""                 # why there is no plan: "too_few_users", "too_few_clusters", "out_of_reach" (not
    #                                  even by the largest effect that can be), or the baseline's reason
    rel_reason: str = ""             # why rel_effect is nan: "zero_control", "negative_control", or the reason above


def power(
    baseline: Baseline, n: float, *, effect: float | None = None, rel_effect: float | None = None,
    share: float = 0.5, alpha: float = ALPHA,
) -> Plan:
    """Chance to see an effect with n users in both arms, `share` of them in treatment.

    effect, rel_effect   one of them: treatment - control in the metric's unit, or as a share of the control

    Several arms: one plan for each comparison, with the users of its two arms and its own alpha.
    ValueError for an effect, n, share or alpha that cannot be.
    """
    check(share=share, alpha=alpha, n=n)
    effect, reason = absolute(baseline, effect, rel_effect)
    reason = reason or shortage(baseline, n, share)
    found = math.nan if reason else chance(baseline, effect, 0.0, n, share, alpha)
    return plan(baseline, n, share, effect=effect, power=found, alpha=alpha, reason=reason)


def mde(
    baseline: Baseline, n: float, *, share: float = 0.5, power: float = POWER, alpha: float = ALPHA,
    better: str = "higher",
) -> Plan:
    """Smallest effect that n users in both arms show with the wished power; negative where lower is better.

    "out_of_reach": not even the largest change of a share, to 0 or to 1, would be seen. ValueError as in `power`.
    """
    check(share=share, alpha=alpha, n=n, power=power, better=better)
    effect, reason = math.nan, baseline.reason or shortage(baseline, n, share)
    if not reason:
        effect = smallest_effect(baseline, n, share, power, alpha, better)
        reason = "out_of_reach" if math.isnan(effect) else ""
    return plan(baseline, n, share, effect=effect, power=power, alpha=alpha, reason=reason)


def users(
    baseline: Baseline, *, effect: float | None = None, rel_effect: float | None = None,
    share: float = 0.5, power: float = POWER, alpha: float = ALPHA,
) -> Plan:
    """Fewest users in both arms that show an effect with the wished power; never below 2 users or 5 clusters an arm.

    Where that minimum shows more than asked for, the plan's power says so. ValueError as in `power`, and for 0.
    """
    check(share=share, alpha=alpha, power=power)
    effect, reason = absolute(baseline, effect, rel_effect)
    if reason:
        return plan(baseline, math.nan, share, effect=effect, alpha=alpha, reason=reason)
    n = fewest(baseline, effect, 0.0, share, power, alpha)
    return plan(baseline, n, share, effect=effect, power=chance(baseline, effect, 0.0, n, share, alpha), alpha=alpha)


def plan(
    baseline: Baseline, n: float, share: float, *, effect: float, alpha: float, margin: float = 0.0,
    power: float = math.nan, reason: str = "",
) -> Plan:
    """The numbers of users in both arms and of clusters, and the effect on both scales."""
    n_treatment, n_control = share * n, (1 - share) * n
    size = baseline.cluster_size if baseline.cluster_size > 1 else math.inf
    return Plan(
        kind=baseline.kind, n_treatment=n_treatment, n_control=n_control, n=n,
        clusters_treatment=n_treatment / size, clusters_control=n_control / size, value_control=baseline.value,
        effect=effect, rel_effect=math.nan if baseline.rel_reason else effect / baseline.value, margin=margin,
        power=math.nan if reason else power, alpha=alpha, reason=reason,
        rel_reason=baseline.rel_reason or (reason if math.isnan(effect) else ""))


def fewest(baseline: Baseline, effect: float, edge: float, share: float, power: float, alpha: float) -> float:
    """Users of both arms at which the chance reaches the wished power; ValueError for an effect that none show."""
    low = fewest_users(baseline, share)

    def excess(n: float) -> float:
        return chance(baseline, effect, edge, n, share, alpha) - power

    n = low if excess(low) >= 0 else crossing(excess, low, 2 * low, MOST_USERS)
    if math.isnan(n):
        raise ValueError(f"effect is {effect - edge * baseline.value}; more than {MOST_USERS:g} users would be needed")
    return n


def smallest_effect(
    baseline: Baseline, n: float, share: float, power: float, alpha: float, better: str
) -> float:
    """With its sign; nan where a share would have to leave [0, 1]."""
    sign, room = (1, 1 - baseline.value) if better == "higher" else (-1, baseline.value)
    _, error = errors(baseline, 0.0, 0.0, share * n, (1 - share) * n)
    return sign * crossing(
        lambda size: chance(baseline, sign * size, 0.0, n, share, alpha) - power,
        0.0, 4 * error, room if baseline.kind == "proportion" else math.inf)


def shortage(baseline: Baseline, n: float, share: float) -> str:
    """Why an arm is too small to be tested, or ""."""
    if n * (1 + ROOM) >= fewest_users(baseline, share):
        return ""
    return "too_few_clusters" if baseline.cluster_size > 1 else "too_few_users"


def absolute(baseline: Baseline, effect: float | None, rel_effect: float | None) -> tuple[float, str]:
    """The effect in the metric's unit, and why there is none."""
    if (effect is None) == (rel_effect is None):
        raise ValueError(f"effect is {effect} and rel_effect {rel_effect}; give one of them")
    given = effect if rel_effect is None else rel_effect
    if not math.isfinite(given):
        raise ValueError(f"the effect is {given}; it must be a number")
    reason = baseline.reason if rel_effect is None else baseline.rel_reason
    if reason:
        return math.nan if effect is None else effect, reason
    effect = given if rel_effect is None else given * baseline.value
    if baseline.kind == "proportion" and not 0 <= baseline.value + effect <= 1:
        raise ValueError(
            f"an effect of {effect:g} takes a share of {baseline.value:g} to {baseline.value + effect:g}; "
            "it must stay between 0 and 1")
    return effect, ""


def check(
    *, share: float, alpha: float, n: float = 1.0, power: float | None = None, better: str = "higher"
) -> None:
    """One ValueError that names whatever cannot be."""
    problems = [text for is_bad, text in (
        (not 0 < share < 1, f"the share of users in treatment is {share}; it must lie between 0 and 1"),
        (not 0 < alpha < 1, f"alpha is {alpha}; it must lie between 0 and 1, for example 0.05"),
        (not 0 <= n < math.inf, f"n is {n}; it must be the number of users in both arms"),
        (power is not None and not alpha < power < 1,
         f"power is {power}; it must lie between alpha ({alpha}), which a test reaches without any effect, and 1"),
        (better not in ("higher", "lower"), f"better is {better!r}; it must be 'higher' or 'lower'"),
    ) if is_bad]
    if problems:
        raise ValueError("; ".join(problems))
