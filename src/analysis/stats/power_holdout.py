"""A campaign for the whole base: how many users to hold out so that its effect can be seen, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.power import absolute, check, shortage, smallest_effect
from analysis.stats.power_baseline import Baseline
from analysis.stats.power_chance import chance, crossing, fewest_users

SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50)
STEPS = 100  # hold-outs looked at, evenly on the logarithmic scale, before the smallest is found between two of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """One hold-out of a base of n users: they are the control, everybody else gets the campaign."""

    share: float               # of the base that is held out
    n_treatment: float         # users, not rounded
    n_control: float           # held out
    n: float                   # the base
    effect: float              # wished: treatment - control, in the metric's unit
    rel_effect: float          # effect / control
    power: float = math.nan    # chance to see the wished effect
    mde: float = math.nan      # smallest effect of that sign that is seen with the wished power
    rel_mde: float = math.nan  # mde / control
    forgone: float             # total that the held-out users go without if the wished effect is real
    alpha: float = ALPHA
    reason: str = ""           # "base_too_small": a hold-out of half the base does not show the wished effect either;
    #                            why there is no mde or power: "out_of_reach", "too_few_users", "too_few_clusters", or
    #                            the baseline's reason


def holdout(
    baseline: Baseline, n: float, *, effect: float | None = None, rel_effect: float | None = None,
    power: float = POWER, alpha: float = ALPHA,
) -> Holdout:
    """Smallest hold-out of a base of n users with which an effect is seen with the wished power, at most half of it.

    effect, rel_effect   one of them, as in `power`

    "base_too_small": half of the base, the most that is offered, and the effect that it would show.
    ValueError as in `power`.
    """
    effect, reason = _wished(baseline, effect, rel_effect)
    check(share=0.5, alpha=alpha, n=n, power=power)
    if reason or shortage(baseline, n, 0.5):
        return _row(baseline, n, 0.5, effect, reason, power, alpha)
    share = _smallest(baseline, n, effect, power, alpha)
    reason = "base_too_small" if math.isnan(share) else ""
    return _row(baseline, n, 0.5 if reason else share, effect, reason, power, alpha)


def mde_by_share(
    baseline: Baseline, n: float, *, effect: float | None = None, rel_effect: float | None = None,
    shares: Sequence[float] = SHARES, power: float = POWER, alpha: float = ALPHA,
) -> list[Holdout]:
    """One row per hold-out share of a base of n users, in the order given. ValueError as in `power`, and for 0."""
    wrong = [share for share in shares if not 0 < share < 1]
    if wrong:
        raise ValueError(f"hold-out shares are {', '.join(map(str, wrong))}; each must lie between 0 and 1")
    effect, reason = _wished(baseline, effect, rel_effect)
    check(share=0.5, alpha=alpha, n=n, power=power)
    return [_row(baseline, n, share, effect, reason, power, alpha) for share in shares]


def _wished(baseline: Baseline, effect: float | None, rel_effect: float | None) -> tuple[float, str]:
    effect, reason = absolute(baseline, effect, rel_effect)
    if effect == 0:
        raise ValueError("the wished effect is 0; say how large an effect is to be seen")
    return effect, reason


def _smallest(baseline: Baseline, n: float, effect: float, power: float, alpha: float) -> float:
    """First share at which the chance reaches the wished power; nan where none up to a half does.

    Looked for step by step: where the arms of a share spread differently the chance may fall again before the half.
    """
    def excess(share: float) -> float:
        return chance(baseline, effect, 0.0, n, 1 - share, alpha) - power

    steps = np.geomspace(fewest_users(baseline, 0.5) / 2 / n, 0.5, STEPS).tolist()
    enough = next((i for i, share in enumerate(steps) if excess(share) >= 0), None)
    if not enough:
        return math.nan if enough is None else steps[0]
    return crossing(excess, steps[enough - 1], steps[enough])


def _row(
    baseline: Baseline, n: float, share: float, effect: float, reason: str, power: float, alpha: float
) -> Holdout:
    """`reason` is what is known so far; without one, or of a base that is too small, there are a power and an mde."""
    of_control = baseline.value if not baseline.rel_reason else math.nan
    found = least = math.nan
    reason = reason or shortage(baseline, n, share)
    if reason in ("", "base_too_small"):
        found = chance(baseline, effect, 0.0, n, 1 - share, alpha)
        least = smallest_effect(baseline, n, 1 - share, power, alpha, "higher" if effect > 0 else "lower")
        reason = reason or ("out_of_reach" if math.isnan(least) else "")
    return Holdout(
        share=share, n_treatment=(1 - share) * n, n_control=share * n, n=n, effect=effect,
        rel_effect=effect / of_control, power=found, mde=least, rel_mde=least / of_control,
        forgone=effect * baseline.denominator * share * n, alpha=alpha, reason=reason)
