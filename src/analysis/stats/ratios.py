"""Ratios of two sums (revenue per order, clicks per view) of two arms: delta method, then as means."""

from __future__ import annotations

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.levels import ratio_level
from analysis.stats.moments import RatioMoments
from analysis.stats.pairs import compare_pair, independent


def compare_ratios(treatment: RatioMoments, control: RatioMoments, alpha: float = ALPHA) -> Comparison:
    """Difference of ratios, in the ratio's unit and as a share of the control's; per unit of assignment."""
    return compare_pair("ratio", independent(ratio_level(treatment), ratio_level(control)), alpha)
