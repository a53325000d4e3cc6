"""Two arms whose posteriors are known: the chance that one is better, by how much, and what a wrong choice costs.

Every number is one integral over the line of an arm (`bayes_arms`), of products of densities and distribution
functions that are never negative, so nothing cancels. The panels follow the edges of both arms, however wide the one
and narrow the other: shares come out to 1e-11, for shapes from .05 to 1e8.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special
from scipy.optimize import brentq

from analysis.stats.bayes_arms import FARTHEST, Beta, Gamma
from analysis.stats.tails import z_critical

Arm = Beta | Gamma
Law = Callable[[np.ndarray, np.ndarray], np.ndarray]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
WIDEST = 2.0           # panel between two arms far apart, on the line, where only dx / ds changes
SMALL = 2.0            # shape of a control up to which 1 / control is not taken into its density
LEAST = 1e-300         # a chance below it counts as it, so that it has a normal quantile
FINEST = 4 * 2.0**-52  # brentq's finest relative step


def mean_effect(treatment: Arm, control: Arm, is_relative: bool) -> float:
    """Of treatment - control, or of treatment / control - 1: inf for a control of a shape up to 1."""
    return treatment.mean * control.mean_inverse - 1 if is_relative else treatment.mean - control.mean


def chance(treatment: Arm, control: Arm, at: float, is_relative: bool, law: Law) -> float:
    """P(effect <= at), or P(effect > at), as `law` is the treatment's cdf or sf.

    at   treatment - control or, relative, log(treatment / control), which keeps its digits where the ratio is tiny
    """
    ratio, gain = (math.exp(at), math.expm1(at)) if is_relative else (1.0, 0.0)
    step = 0.0 if is_relative else at
    x, y, _ = treatment.point(treatment.edges())
    bends, own = control.place((x - step) / ratio, (y + step + gain) / ratio), control.edges()
    s, weight = _nodes(own, np.clip(bends, own[0], own[-1]))
    density = weight * np.exp(control.log_density(s))
    x, y, _ = control.point(s)
    return min(float(density @ law(x * ratio + step, y - x * gain - step) / density.sum()), 1.0)


def losses(treatment: Arm, control: Arm) -> tuple[float, float]:
    """E max(0, control - treatment) and E max(0, treatment - control).

    Each is the integral over u of the chance that the one is below u and the other above.
    """
    edges = np.concatenate([treatment.edges(), control.edges()])
    s, weight = _nodes(edges, np.arange(edges.min(), edges.max(), WIDEST))
    x, y, slope = treatment.point(s)
    weight = weight * slope
    return (float(weight @ (treatment.cdf(x, y) * control.sf(x, y))),
            float(weight @ (treatment.sf(x, y) * control.cdf(x, y))))


def relative_losses(treatment: Arm, control: Arm) -> tuple[float, float]:
    """The same divided by control, hence weighted with 1 / control: again a beta or gamma, of a shape less by 1.

    Where that shape would be small, the treatment's cdf up to control is integrated in closed form instead.
    """
    if control.a > SMALL:
        worse, better = losses(treatment, control.biased(-1))
        return worse * control.mean_inverse, better * control.mean_inverse
    s, weight = _nodes(control.edges(), treatment.edges())
    density = weight * np.exp(control.log_density(s))
    x, y, _ = control.point(s)
    short = treatment.cdf(x, y) - treatment.mean / x * treatment.biased(1).cdf(x, y)
    worse = float(density @ short / density.sum())
    return worse, mean_effect(treatment, control, True) + worse


def bounds(treatment: Arm, control: Arm, is_relative: bool, alpha: float) -> tuple[float, float]:
    """The effects with alpha / 2 of the posterior below and above."""
    arms = [arm.log_moments() if is_relative else (arm.mean, arm.var) for arm in (treatment, control)]
    centre, sd = arms[0][0] - arms[1][0], math.sqrt(arms[0][1] + arms[1][1])
    lower = _bound(treatment, control, is_relative, alpha, centre, -sd, treatment.cdf)
    upper = _bound(treatment, control, is_relative, alpha, centre, sd, treatment.sf)
    return lower, upper


def _bound(
    treatment: Arm, control: Arm, is_relative: bool, alpha: float, centre: float, outward: float, law: Law
) -> float:
    """Searched on the scale of normal quantiles, on which a distribution function is nearly a line.

    No quantile p is farther from the mean than sqrt((1 - p) / p) standard deviations on its own side, or the inverse
    on the other (Cantelli's inequality), so there is always a root between.
    """
    limit, reach = z_critical(alpha), math.sqrt((2 - alpha) / alpha)
    ends = np.array([centre + outward * reach, centre - outward / reach])
    if is_relative:
        ends = np.clip(ends, -FARTHEST, FARTHEST)

    def excess(at: float) -> float:
        return float(special.ndtri(max(chance(treatment, control, at, is_relative, law), LEAST))) + limit

    found = brentq(excess, *ends, xtol=1e-13 * abs(outward), rtol=FINEST)
    return math.expm1(found) if is_relative else found


def _nodes(*edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights of all panels between the edges."""
    ends = np.unique(np.concatenate(edges))
    half = np.diff(ends)[:, None] / 2
    return (ends[:-1, None] + half * (1 + NODES)).ravel(), (half * WEIGHTS).ravel()
