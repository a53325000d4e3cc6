"""Several metrics in one family: adjusted p, and for each the level whose interval tells the same story."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analysis.stats.comparison import ALPHA


def holm(pvalues: Sequence[float]) -> list[float]:
    """Step-down adjusted p, in the order given: controls the chance of one false claim in the family.

    A metric that could not be tested (nan) stays nan and still counts: the family was declared before the data.
    Source: Holm (1979), Scandinavian Journal of Statistics 6:65.
    """
    ranked, order = _ranked(pvalues)
    raised = np.maximum.accumulate(ranked * np.arange(len(ranked), 0, -1))
    return _unranked(raised, order, pvalues)


def benjamini_hochberg(pvalues: Sequence[float]) -> list[float]:
    """Step-up adjusted p, in the order given: controls the expected share of false claims among the claims.

    nan as in `holm`. Source: Benjamini & Hochberg (1995), JRSS B 57:289.
    """
    ranked, order = _ranked(pvalues)
    scaled = ranked * (len(ranked) / np.arange(1, len(ranked) + 1))   # so that none rounds to below its own p
    return _unranked(np.minimum.accumulate(scaled[::-1])[::-1], order, pvalues)


def compatible_alphas(
    pvalues: Sequence[float], adjusted: Sequence[float], alpha: float = ALPHA
) -> list[float]:
    """Per metric the level at which its interval leaves out the null exactly when its adjusted p < alpha.

    alpha / m (Bonferroni), at which all intervals of the family cover at once, wherever it tells the same story as
    the adjusted p. Where only the steps of Holm or Benjamini-Hochberg reject, the level of the step that did,
    alpha * p / adjusted: the claim then holds for the sign, and joint coverage is not promised.
    """
    bonferroni = alpha / max(len(pvalues), 1)
    return [
        p * (alpha / raised) if raised < alpha and p >= bonferroni else bonferroni
        for p, raised in zip(pvalues, adjusted, strict=True)
    ]


def _ranked(pvalues: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """P-values from small to large, nan as 1, and the places they came from."""
    p = np.asarray(pvalues, dtype=float)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values outside [0, 1]: {p[(p < 0) | (p > 1)].tolist()}")
    p = np.where(np.isnan(p), 1.0, p)
    order = np.argsort(p, kind="stable")
    return p[order], order


def _unranked(adjusted: np.ndarray, order: np.ndarray, pvalues: Sequence[float]) -> list[float]:
    """Back in the order of `pvalues`, at most 1, nan where there was no p."""
    back = np.empty_like(adjusted)
    back[order] = np.minimum(adjusted, 1.0)
    return [math.nan if math.isnan(p) else float(a) for p, a in zip(pvalues, back, strict=True)]
