"""Score tests and intervals for two proportions, from counts that convert (`x`) out of units (`n`).

Miettinen & Nurminen (1985), Statistics in Medicine 4:213. The two shares are estimated under the null, so nothing
breaks when nobody converts, or everybody does. Both intervals are found along the curve of constrained estimates,
which has a closed form in its Lagrange multiplier: one root, no cubic and no nested search. The score statistic
grows along that curve, so the root is the only one.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq

from analysis.stats.comparison import ALPHA
from analysis.stats.tails import z_critical

SMALLEST = 4 * 2.0**-52  # brentq's finest relative step


def score_z(x_treatment: int, n_treatment: int, x_control: int, n_control: int, ratio: float = 1.0) -> float:
    """Score statistic of H0: share of treatment == ratio * share of control; nan where no data could speak against it.

    At ratio 1 it is also the statistic of H0: difference == 0, with the pooled share.
    """
    p_t, p_c = constrained_shares(x_treatment, n_treatment, x_control, n_control, ratio)
    var = p_t * (1 - p_t) / n_treatment + ratio**2 * p_c * (1 - p_c) / n_control
    gain = x_treatment / n_treatment - ratio * x_control / n_control
    if not var > 0:
        return math.nan
    return gain / math.sqrt(var * _correction(n_treatment, n_control))


def score_difference(
    x_treatment: int, n_treatment: int, x_control: int, n_control: int, alpha: float = ALPHA
) -> tuple[float, float]:
    """Miettinen-Nurminen interval for share of treatment - share of control."""
    limit = z_critical(alpha) ** 2 * _correction(n_treatment, n_control)
    lower = _lower_difference(x_treatment, n_treatment, x_control, n_control, limit)
    upper = -_lower_difference(x_control, n_control, x_treatment, n_treatment, limit)
    return lower, upper


def score_ratio(
    x_treatment: int, n_treatment: int, x_control: int, n_control: int, alpha: float = ALPHA,
    is_corrected: bool = True,
) -> tuple[float, float]:
    """Score interval for share of treatment / share of control; the upper bound is inf if control never converts.

    Miettinen-Nurminen, hence with the factor N / (N - 1) of the test; `is_corrected=False` is Koopman's (1984),
    Biometrics 40:513, that published tables show.
    """
    limit = z_critical(alpha) ** 2 * (_correction(n_treatment, n_control) if is_corrected else 1)
    lower = _lower_ratio(x_treatment, n_treatment, x_control, n_control, limit)
    inverse = _lower_ratio(x_control, n_control, x_treatment, n_treatment, limit)
    return lower, 1 / inverse if inverse else math.inf


def constrained_shares(x_t: int, n_t: int, x_c: int, n_c: int, ratio: float) -> tuple[float, float]:
    """The two shares most likely under share of treatment == ratio * share of control."""
    of_treatment, of_control = x_t + n_c, x_c + n_t
    half = of_treatment + ratio * of_control
    root = math.sqrt((of_treatment - ratio * of_control) ** 2 + 4 * ratio * (n_t - x_t) * (n_c - x_c))
    p_c = min(2 * (x_t + x_c) / (half + root), 1.0, 1 / ratio)
    return min(ratio * p_c, 1.0), p_c


def _lower_difference(x_t: int, n_t: int, x_c: int, n_c: int, limit: float) -> float:
    """Where the squared statistic reaches the limit below the estimate; -1 where it never does."""
    if x_t == 0 and x_c == n_c:
        return -1.0

    def excess(multiplier: float) -> float:
        p_t, p_c = _share(x_t, n_t, multiplier), _share(x_c, n_c, -multiplier)
        return multiplier**2 * (p_t * (1 - p_t) / n_t + p_c * (1 - p_c) / n_c) - limit

    near = limit / 2  # the squared statistic is multiplier * (estimate - difference), the latter at most 2
    far = 2 * near
    while excess(far) < 0:
        near, far = far, 2 * far
    root = brentq(excess, near, far, xtol=SMALLEST * near, rtol=SMALLEST)
    return _share(x_t, n_t, root) - _share(x_c, n_c, -root)


def _share(x: int, n: int, multiplier: float) -> float:
    """Share p in [0, 1] that solves (x - n p) = multiplier * p * (1 - p): the likelihood pulled off its peak."""
    total = n + multiplier
    rest = 4 * multiplier * (n - x) if multiplier > 0 else -4 * multiplier * x
    root = math.sqrt((n - abs(multiplier)) ** 2 + rest)
    return 2 * x / (total + root) if total > 0 else (root - total) / (-2 * multiplier)


def _lower_ratio(x_t: int, n_t: int, x_c: int, n_c: int, limit: float) -> float:
    """Where the squared statistic reaches the limit below the estimate.

    On the curve, `shift` conversions move from treatment to control: (x_t - shift) / (n_t - shift) against
    (x_c + shift) / (n_c + shift), and the squared statistic is the sum in `excess`.
    """
    if x_t == 0:
        return 0.0
    miss_t, miss_c = (n_t - x_t) / n_t, (n_c - x_c) / n_c
    if x_t == n_t:
        return _lower_ratio_of_all(n_t, x_c, n_c, miss_c, limit)

    def excess(shift: float) -> float:
        of_control = shift / (x_c + shift) if shift else 0.0
        return shift * (shift * miss_t / (x_t - shift) + of_control * miss_c) - limit

    farthest = 2 * x_t / (1 + math.sqrt(1 + 4 * miss_t * x_t / limit))  # there treatment's term alone is the limit
    shift = brentq(excess, 0.0, farthest, xtol=SMALLEST * farthest, rtol=SMALLEST) if excess(farthest) > 0 else farthest
    return (x_t - shift) / (n_t - shift) * (n_c + shift) / (x_c + shift)


def _lower_ratio_of_all(n_t: int, x_c: int, n_c: int, miss_c: float, limit: float) -> float:
    """`_lower_ratio` when every unit of treatment converts: its share stays 1 until the shift reaches n_t."""
    rest = limit - n_t**2 * miss_c / (x_c + n_t)
    if rest >= 0:
        return n_t / (n_t + rest) * (n_c + n_t) / (x_c + n_t)
    shift = (limit + math.sqrt(limit**2 + 4 * limit * miss_c * x_c)) / (2 * miss_c)
    return (n_c + shift) / (x_c + shift)


def _correction(n_treatment: int, n_control: int) -> float:
    """Miettinen and Nurminen's N / (N - 1) on the variance."""
    n = n_treatment + n_control
    return n / (n - 1)
