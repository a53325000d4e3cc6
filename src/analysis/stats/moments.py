"""Means, variances and covariances per arm: all that a comparison needs to know of the users."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moments:
    """One metric in one arm."""

    n: int           # users
    mean: float      # per user
    var: float       # sample variance, ddof = 1; nan for fewer than 2 users


@dataclass(frozen=True, slots=True)
class RatioMoments:
    """Two metrics of the same users in one arm, for the ratio of their sums."""

    n: int
    mean_numerator: float
    mean_denominator: float
    var_numerator: float
    var_denominator: float
    cov: float


@dataclass(frozen=True, slots=True)
class PairedMoments:
    """One metric of the same users in two phases."""

    n: int
    mean_during: float
    mean_before: float
    var_during: float
    var_before: float
    cov: float
