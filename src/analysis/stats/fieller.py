"""Fieller's interval for a quotient of two estimates."""

from __future__ import annotations

import math


def fieller(
    numerator: float, denominator: float, var_numerator: float, var_denominator: float, cov: float, critical: float
) -> tuple[float, float] | None:
    """All r with |numerator - r * denominator| <= critical * its standard error; None where they are no interval.

    The variances and the covariance are those of the estimates. The values form one bounded interval only if
    the denominator differs from 0 at the same critical value; else any large r, of either sign, fits.

    The bounds are the roots of a r^2 - 2 b r + c. The smaller root is taken from c, whose sign is the verdict of
    the test of numerator == 0, so that interval and test cannot disagree by rounding.
    Source: Fieller (1954), JRSS B 16:175.
    """
    size = abs(denominator)
    if not size:
        return None
    estimate = numerator / denominator
    q2 = critical**2
    error = critical * math.sqrt(var_numerator) / size
    a = 1 - q2 * (var_denominator / size / size)
    b = estimate - q2 * (cov / size / size)
    c = (abs(estimate) - error) * (abs(estimate) + error)
    if a <= 0:
        return None
    root = math.sqrt(max(b * b - a * c, 0.0))
    far = b + math.copysign(root, b)
    roots = (far / a, c / far) if far else (0.0, 0.0)
    return min(roots), max(roots)
