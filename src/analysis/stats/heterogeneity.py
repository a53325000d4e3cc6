"""Does an effect differ between segments, or is the scatter of the segments' effects what chance makes of one?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """One test for all segments together."""

    n_segments: int        # with an effect and its error
    pooled: float          # mean effect, segments weighted by their precision
    q: float               # Cochran's Q: squared distances to it, in standard errors
    pvalue: float          # H0: the effect is the same in all segments
    i2: float              # share of the scatter that is not chance, 0 to 1 (Higgins & Thompson 2002)
    reason: str = ""       # "too_few_segments": fewer than two have an effect


def heterogeneity(effects: Sequence[float], errors: Sequence[float]) -> Heterogeneity:
    """Cochran's Q test; with two segments the z test of their difference.

    effects   (k,) of the segments, of different users, on one scale
    errors    (k,) their standard errors; segments without a finite one above 0 are left out

    Chi-square with k - 1 degrees of freedom: errors count as known, so segments want some dozens of users per arm.
    Source: Cochran (1954), Biometrics 10:101.
    """
    if len(effects) != len(errors):
        raise ValueError(f"{len(effects)} effects and {len(errors)} errors; each segment has one of both")
    own = [(e, s) for e, s in zip(effects, errors, strict=True) if math.isfinite(e) and math.isfinite(s) and s > 0]
    if len(own) < 2:
        return Heterogeneity(len(own), math.nan, math.nan, math.nan, math.nan, "too_few_segments")
    effect, error = np.array(own).T
    weight = (error.min() / error) ** 2
    pooled = float(weight @ effect / weight.sum())
    q = float((((effect - pooled) / error) ** 2).sum())
    df = len(own) - 1
    return Heterogeneity(len(own), pooled, q, float(special.chdtrc(df, q)), max(0.0, 1 - df / q) if q else 0.0)
