"""Treatment against control on one metric: the one shape that means, proportions and ratios answer in."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

ALPHA = 0.05  # level of a test and, as 1 - ALPHA, of its interval, wherever a caller does not say
POWER = 0.80  # chance with which `Comparison.detectable` would have been seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The effect on one metric. `pvalue < alpha` exactly when each interval given here excludes 0.

    What cannot be estimated is nan and has its reason. All fields are keywords, so a subclass may add its own.
    """

    kind: str                     # "mean", "proportion", "ratio"
    n_treatment: int = 0          # units
    n_control: int = 0
    value_treatment: float = nan
    value_control: float = nan
    diff: float = nan             # treatment - control, in the metric's unit
    diff_lower: float = nan
    diff_upper: float = nan
    rel_diff: float = nan         # diff / control
    rel_diff_lower: float = nan
    rel_diff_upper: float = nan   # inf where control never converts
    pvalue: float = nan           # two-sided, H0: diff == 0
    alpha: float = ALPHA
    detectable: float = nan       # smallest |diff| that is significant with 80 % chance at these n and variances
    reason: str = ""              # why there is no pvalue: "too_few_users", "bad_moments", "zero_variance",
    #                               "zero_denominator", "no_conversions", "all_converted"
    rel_reason: str = ""          # why the relative effect lacks its value or a bound: "zero_control",
    #                               "negative_control", "unbounded", or the reason above

    @classmethod
    def missing(cls, kind: str, reason: str) -> Comparison:
        """No comparison at all, and why."""
        return cls(kind=kind, reason=reason, rel_reason=reason)
