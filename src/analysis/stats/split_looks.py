"""Sample ratio while the units still come in: a test that may be looked at every day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from analysis.stats.comparison import ALPHA
from analysis.stats.split import planned_arms
from analysis.stats.tails import z_critical

CONCENTRATION = 300  # units that the prior is worth: |z| alarms from 3.04 at 2,500 units, 3.7 at 300 and at 700,000


@dataclass(frozen=True, slots=True)
class SplitLooks:
    """Counts of all arms against their planned shares, at several looks."""

    pvalue: float             # smallest so far: at most alpha of clean runs ever fall below alpha
    log_bayes_factor: float   # natural, at the last look: of other shares against the planned
    n: int                    # units at the last look
    n_looks: int
    alpha: float
    first_alarm: int          # number of the first look with p < alpha, counted from 1; 0: none
    reason: str = ""          # "no_users", "one_arm": no test; "unplanned_arm": units where none were planned, p = 0


def split_looks(
    counts: Sequence[dict[str, int]], shares: dict[str, float], alpha: float = ALPHA
) -> SplitLooks:
    """H0: units fell into the arms with the planned shares, looked at any number of times.

    counts   a dict per look, in the order of time: arm -> units so far; an arm left out has none
    shares   arm -> planned weight, of any total; an arm left out, or of weight 0, was to get no unit

    Bayes factor of shares drawn from a Dirichlet around the planned ones, worth 300 units, against the planned
    shares. Under H0 it is a martingale with mean 1, so its largest value exceeds 1 / alpha in at most alpha of the
    runs (Ville's inequality), exactly and for any number of looks: p = min(1, 1 / largest). ValueError for weights or
    counts below 0, and for counts that fall from one look to the next.
    Source: Lindon & Malek (2022), Advances in Neural Information Processing Systems 35.
    """
    z_critical(alpha)  # refuses an alpha that cannot be
    _check(counts)
    looks = [planned_arms(look, shares) for look in counts]
    evidence = [_log_bayes_factor(*look) for look in looks]
    smallest = np.exp(-np.maximum.accumulate([0.0, *evidence]))[1:]
    reason = looks[-1][2] if looks else "no_users"
    is_tested = reason in ("", "unplanned_arm")
    alarms = np.flatnonzero(smallest < alpha)
    return SplitLooks(
        pvalue=float(smallest[-1]) if is_tested else math.nan,
        log_bayes_factor=evidence[-1] if is_tested else math.nan,
        n=sum(counts[-1].values()) if looks else 0, n_looks=len(looks), alpha=alpha,
        first_alarm=int(alarms[0]) + 1 if len(alarms) else 0, reason=reason)


def _log_bayes_factor(observed: np.ndarray, chances: np.ndarray, reason: str) -> float:
    """Dirichlet-multinomial over multinomial probability; the number of orders of the units cancels."""
    if reason:
        return math.inf if reason == "unplanned_arm" else 0.0
    prior = CONCENTRATION * chances
    total = special.gammaln(CONCENTRATION) - special.gammaln(CONCENTRATION + observed.sum())
    arms = special.gammaln(prior + observed) - special.gammaln(prior) - observed * np.log(chances)
    return float(total + arms.sum())


def _check(counts: Sequence[dict[str, int]]) -> None:
    for number, (earlier, later) in enumerate(pairwise(counts), start=2):
        for arm, units in earlier.items():
            if later.get(arm, 0) < units:
                raise ValueError(f"look {number}: arm {arm!r} has {later.get(arm, 0)} units after {units} at the look "
                                 "before; counts are all units so far, not those of the day")
