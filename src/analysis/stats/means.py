"""Means of two arms: Welch's test, and Fieller's interval for the relative effect at the same critical value."""

from __future__ import annotations

from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.levels import mean_level
from analysis.stats.moments import Moments
from analysis.stats.pairs import compare_pair, independent


def compare_means(treatment: Moments, control: Moments, alpha: float = ALPHA) -> Comparison:
    """Difference of means, in the metric's unit and as a share of the control's mean."""
    return compare_pair("mean", independent(mean_level(treatment), mean_level(control)), alpha)
