"""Sample ratio: did the arms get the units they were planned to get?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

EXACT_BELOW = 1_000       # units; from here on the chi-square approximation is good enough
MOST_OUTCOMES = 2_000_000  # splits that are enumerated at most: three arms always, four up to about 225 units
TIE = 1e-7                # relative; splits as likely as the one seen count as such despite rounding


@dataclass(frozen=True, slots=True)
class Split:
    """Counts of all arms against their planned shares."""

    statistic: float       # Pearson's chi-square over the arms with a share
    pvalue: float
    is_exact: bool         # the p sums the exact multinomial probabilities
    n: int                 # units
    reason: str = ""       # "no_users", "one_arm": no test; "unplanned_arm": units where none were planned, p = 0


def split_test(counts: dict[str, int], shares: dict[str, float]) -> Split:
    """H0: units fell into the arms with the planned shares.

    counts   arm -> units assigned; an arm left out has none
    shares   arm -> planned weight, of any total; an arm left out, or of weight 0, was to get no unit

    Exact below 1,000 units (the probability of all splits no likelier than the one seen; with two arms the binomial
    test), where the splits can be enumerated; else Pearson's chi-square. ValueError for weights or counts below 0.
    """
    n = sum(counts.values())
    observed, chances, reason = planned_arms(counts, shares)
    if reason == "unplanned_arm":
        return Split(math.inf, 0.0, True, n, reason)
    if reason:
        return Split(math.nan, math.nan, False, n, reason)
    expected = n * chances
    statistic = float((((observed - expected) ** 2) / expected).sum())
    is_exact = n < EXACT_BELOW and math.comb(n + len(observed) - 1, n) <= MOST_OUTCOMES
    pvalue = exact_pvalue(observed, chances) if is_exact else special.chdtrc(len(observed) - 1, statistic)
    return Split(statistic, float(pvalue), is_exact, n)


def planned_arms(counts: dict[str, int], shares: dict[str, float]) -> tuple[np.ndarray, np.ndarray, str]:
    """Units and chance of each arm with a share, and why there is nothing to test, or "".

    "no_users", "one_arm"; "unplanned_arm": units where none were planned, which the plan rules out.
    ValueError for weights or counts below 0.
    """
    _check(counts, shares)
    planned = [arm for arm, share in shares.items() if share > 0]
    observed = np.array([counts.get(arm, 0) for arm in planned], dtype=float)
    weights = np.array([shares[arm] for arm in planned], dtype=float)
    n = sum(counts.values())
    if not n:
        reason = "no_users"
    elif sum(counts.get(arm, 0) for arm in planned) < n:
        reason = "unplanned_arm"
    else:
        reason = "one_arm" if len(planned) < 2 else ""
    return observed, weights / weights.sum() if planned else weights, reason


def exact_pvalue(observed: np.ndarray, shares: np.ndarray) -> float:
    """Probability, under the shares, of all splits that are no likelier than the one observed."""
    left = np.array([observed.sum()], dtype=np.int64)  # units not yet dealt, per way of dealing
    log_weight = np.zeros(1)                           # of the arms dealt so far
    for share in shares[:-1]:
        ways = left + 1
        dealt = np.arange(ways.sum()) - np.repeat(np.cumsum(ways) - ways, ways)
        log_weight = np.repeat(log_weight, ways) + _log_term(dealt, share)
        left = np.repeat(left, ways) - dealt
    log_weight += _log_term(left, shares[-1])
    seen = _log_term(observed, shares).sum()
    total = special.gammaln(observed.sum() + 1)
    return min(float(np.exp(log_weight[log_weight <= seen + TIE] + total).sum()), 1.0)


def _log_term(units: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Logarithm of share ** units / units!, an arm's factor in the multinomial probability."""
    return units * np.log(share) - special.gammaln(units + 1)


def _check(counts: dict[str, int], shares: dict[str, float]) -> None:
    for arm, share in shares.items():
        if not 0 <= share < math.inf:
            raise ValueError(f"planned share of arm {arm!r} is {share}; it must be 0 or more")
    for arm, count in counts.items():
        if count < 0:
            raise ValueError(f"arm {arm!r} has {count} units; it cannot have fewer than 0")
