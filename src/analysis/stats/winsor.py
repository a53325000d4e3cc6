"""Means with the largest values pulled in, so that a few huge orders do not decide."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments

SHARE = 0.99  # of all users, that keep their values


@dataclass(frozen=True, slots=True, kw_only=True)
class WinsorisedComparison(Comparison):
    """Means of capped values: `diff` is the effect on those, which is not the effect on the values as they are."""

    cap: float                # values stand at most this far from 0
    n_capped_treatment: int   # users whose value was pulled in
    n_capped_control: int


def winsor_cap(treatment: np.ndarray, control: np.ndarray, share: float = SHARE) -> float:
    """The size that `share` of the users of both arms do not exceed; (units,) values of each arm.

    The smallest such size among the data: `quantile_disc(abs(x), share)` in SQL. Sizes, so that a large refund is
    pulled in like a large order and small ones stay. One cap for both arms: with caps of their own each arm would lose
    what the campaign did to its large values. nan where a value is not finite. ValueError unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"the share that keeps its values is {share}; it must lie between 0 and 1, for example 0.99")
    sizes = np.abs(np.concatenate([treatment, control]).astype(float))
    if not len(sizes) or not np.isfinite(sizes).all():
        return math.nan
    return float(np.quantile(sizes, share, method="inverted_cdf"))


def compare_winsorised(
    treatment: np.ndarray, control: np.ndarray, share: float = SHARE, alpha: float = ALPHA
) -> WinsorisedComparison:
    """Welch and Fieller on the capped values; (units,) values of each arm.

    The cap is taken from the data, but from both arms as one: without an effect it cannot tell them apart.
    """
    cap = winsor_cap(treatment, control, share)
    arms = [np.asarray(values, dtype=float) for values in (treatment, control)]
    counts = [int((np.abs(values) > cap).sum()) for values in arms]
    return compare_capped(*(_moments(np.clip(values, -cap, cap)) for values in arms), cap, *counts, alpha)


def compare_capped(
    treatment: Moments, control: Moments, cap: float, n_capped_treatment: int, n_capped_control: int,
    alpha: float = ALPHA,
) -> WinsorisedComparison:
    """The same from moments of `greatest(least(x, cap), -cap)`, which an engine can take.

    "zero_cap": so few users have any value that the cap is 0 and nothing is left.
    """
    found = asdict(compare_means(treatment, control, alpha)) | {"kind": "winsorised"}
    if not cap and n_capped_treatment + n_capped_control and found["reason"] == "zero_variance":
        found |= {"reason": "zero_cap", "rel_reason": "zero_cap"}
    return WinsorisedComparison(
        **found, cap=cap, n_capped_treatment=n_capped_treatment, n_capped_control=n_capped_control)


def _moments(values: np.ndarray) -> Moments:
    n = len(values)
    return Moments(n, float(values.mean()) if n else math.nan, float(values.var(ddof=1)) if n > 1 else math.nan)
