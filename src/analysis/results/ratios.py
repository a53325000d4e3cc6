"""Ratios of two sums (revenue per order, clicks per view) of two arms: delta method, then as means."""

from __future__ import annotations

from analysis.facts.moments import RatioMoments
from analysis.results.comparison import ALPHA, Comparison
from analysis.results.levels import ratio_level
from analysis.results.means import compare_levels


def compare_ratios(treatment: RatioMoments, control: RatioMoments, alpha: float = ALPHA) -> Comparison:
    """Difference of ratios, in the ratio's unit and as a share of the control's; per unit of assignment."""
    return compare_levels("ratio", ratio_level(treatment), ratio_level(control), alpha)
