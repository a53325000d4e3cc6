"""Means, variances and covariances per arm: all that a comparison needs to know of the users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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


@dataclass(frozen=True, slots=True, eq=False)
class JointMoments:
    """Several metrics of the same users in one arm (or one stratum of it)."""

    n: int                    # users
    names: tuple[str, ...]    # of the metrics, k of them
    mean: np.ndarray          # (k,)
    cov: np.ndarray           # (k, k), ddof = 1; nan for fewer than 2 users

    def of(self, *names: str) -> JointMoments:
        """The moments of some of the metrics, in the order asked for."""
        at = [self.names.index(name) for name in names]
        return JointMoments(self.n, names, self.mean[at], self.cov[np.ix_(at, at)])

    def metric(self, name: str) -> Moments:
        i = self.names.index(name)
        return Moments(self.n, float(self.mean[i]), float(self.cov[i, i]))

    def ratio(self, numerator: str, denominator: str) -> RatioMoments:
        i, j = self.names.index(numerator), self.names.index(denominator)
        return RatioMoments(self.n, float(self.mean[i]), float(self.mean[j]), float(self.cov[i, i]),
                            float(self.cov[j, j]), float(self.cov[i, j]))


def merged(parts: Sequence[JointMoments]) -> JointMoments:
    """Moments of several groups of users together (Chan, Golub & LeVeque 1983, The American Statistician 37:242)."""
    if len(parts) == 1:
        return parts[0]
    n = sum(own.n for own in parts)
    mean = sum(own.n / n * own.mean for own in parts) if n else np.full(len(parts[0].names), np.nan)
    squares = sum(own.n * np.outer(own.mean - mean, own.mean - mean) + (own.n - 1) * own.cov if own.n > 1 else
                  own.n * np.outer(own.mean - mean, own.mean - mean) for own in parts)
    return JointMoments(n, parts[0].names, mean, squares / (n - 1) if n > 1 else np.full_like(parts[0].cov, np.nan))
