"""Looking a few times: group sequential tests that spend alpha as the information comes in.

The looks need not be equally far apart nor fixed in number beforehand; the share of the planned information at each
look has to be known. The z of the looks behave like Brownian motion over that share: so do the tests of means, ratios
and shares here when users enter over time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special
from scipy.optimize import brentq

from analysis.stats.always_valid import EARLIEST, Look, look
from analysis.stats.comparison import ALPHA
from analysis.stats.tails import z_critical, z_upper

Spending = Callable[[float, float], float]  # share of the planned information, alpha -> alpha spent by then

CLOSEST = 1e-3   # two looks must differ by this share of the later one's information
EDGE = 9.0       # standard deviations at which a path is no longer followed: its chance is 1e-19
PANEL = 4.0      # steps of one standard deviation that 12 nodes cover
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
RESOLVED = 1e-14  # nominal level down to which earlier looks matter to a repeated p, and are counted
SURE = 1 - 1e-9   # the largest alpha tried
TINY = 1e-305     # stands for 0 in logarithms


def obrien_fleming(fraction: float, alpha: float) -> float:
    """Little at first: bounds close to those of O'Brien & Fleming (1979), Biometrics 35:549."""
    return 4 * z_upper(z_critical(alpha / 2) / math.sqrt(fraction))


def pocock(fraction: float, alpha: float) -> float:
    """Evenly: bounds close to those of Pocock (1977), Biometrika 64:191, the same at every look."""
    return alpha * math.log1p((math.e - 1) * fraction)


def group_sequential(
    pvalue: float, fractions: Sequence[float], alpha: float = ALPHA, spending: Spending = obrien_fleming
) -> Look:
    """The look at the last of `fractions`, when each of the others was a look as well.

    pvalue      of the fixed-horizon test on all data so far: two-sided, of a statistic that is close to normal
    fractions   information at each look so far as a share of the planned: users so far / users planned where users
                enter over time; days so far / days planned is near enough where the same users are followed.
                Increasing, in (0, 1]; the last is below 1 until the end
    spending    `obrien_fleming` or `pocock`; to be chosen before the data are seen

    The p is that of the repeated confidence intervals (Jennison & Turnbull 1989, JRSS B 51:305): the smallest alpha
    at which the boundary of this look is reached. It is of this look alone, whatever was reached before.
    ValueError for a p outside [0, 1], fractions that do not increase, or hardly, within (0, 1].
    Source: Lan & DeMets (1983), Biometrika 70:659.
    """
    nominal = _nominal(fractions, alpha, spending)
    return look(pvalue, nominal, alpha, lambda p: _repeated_pvalue(p, fractions, spending))


def boundaries(fractions: Sequence[float], alpha: float = ALPHA, spending: Spending = obrien_fleming) -> list[float]:
    """|z| from which each look is significant; inf where next to nothing may be spent yet.

    Two-sided and symmetric, by the recursion of Armitage, McPherson & Rowe (1969), JRSS A 132:235, over the runs that
    reached no bound yet. ValueError as in `group_sequential`.
    """
    z_critical(alpha)  # refuses an alpha that cannot be
    steps = _steps(fractions)
    spent = [0.0, *(spending(step.fraction, alpha) for step in steps)]
    bounds, runs = [], START
    for step, chance in zip(steps, np.diff(spent), strict=True):
        bounds.append(_bound(runs, step, float(chance)))
        runs = _go_on(runs, step, bounds[-1])
    return bounds


def crossing_probability(bounds: Sequence[float], fractions: Sequence[float], drift: float = 0.0) -> float:
    """Chance that |z| reaches its bound at one of the looks.

    drift   mean of z at fraction 1: 0 without an effect, 2.80 where one look at .05 sees the effect with chance .80
    """
    if len(bounds) != len(fractions) or not all(bound >= 0 for bound in bounds):
        raise ValueError(f"bounds {list(bounds)} for {len(fractions)} looks; each look needs one, 0 or more")
    crossed, runs = 0.0, START
    for step, bound in zip(_steps(fractions, drift), bounds, strict=True):
        crossed += _chance_beyond(runs, step, bound)
        runs = _go_on(runs, step, bound)
    return crossed


class _Runs(NamedTuple):
    """Runs that reached no bound yet: where z * sqrt(fraction) stands, and with what chance."""

    at: np.ndarray
    chance: np.ndarray


START = _Runs(np.zeros(1), np.ones(1))


class _Step(NamedTuple):
    """From one look to the next."""

    fraction: float   # at its end
    sd: float         # of the change of z * sqrt(fraction)
    gain: float       # mean of that change
    centre: float     # mean of z * sqrt(fraction) at its end
    finest: float     # the smaller sd of this step and the next: how fine the grid at its end must be


def _steps(fractions: Sequence[float], drift: float = 0.0) -> list[_Step]:
    gains = np.diff([0.0, *fractions])
    _check(fractions, gains)
    sds = np.sqrt(gains)
    finest = np.minimum(sds, [*sds[1:], math.inf])
    return [_Step(fraction, sd, drift * gain, drift * fraction, fine)
            for fraction, sd, gain, fine in zip(fractions, sds, gains, finest, strict=True)]


def _chance_beyond(runs: _Runs, step: _Step, bound: float) -> float:
    """Chance to come through to this look and to reach the bound at it."""
    limit, mean = bound * math.sqrt(step.fraction), runs.at + step.gain
    return float(runs.chance @ (special.ndtr((mean - limit) / step.sd) + special.ndtr((-mean - limit) / step.sd)))


def _bound(runs: _Runs, step: _Step, chance: float) -> float:
    """The bound that is reached with this chance: at most that of a single look with it."""
    if chance < EARLIEST:
        return math.inf
    if chance >= _chance_beyond(runs, step, 0.0):
        return 0.0

    def excess(bound: float) -> float:
        return math.log(max(_chance_beyond(runs, step, bound), TINY) / chance)

    highest = z_critical(chance)
    return brentq(excess, 0.0, highest, xtol=1e-12) if excess(highest) < 0 else highest


def _go_on(runs: _Runs, step: _Step, bound: float) -> _Runs:
    """Gauss-Legendre nodes between the bounds, weighted with the density of the runs that come through."""
    root = math.sqrt(step.fraction)
    lower, upper = max(-bound, step.centre / root - EDGE) * root, min(bound, step.centre / root + EDGE) * root
    if not lower < upper:
        return _Runs(np.zeros(0), np.zeros(0))
    edges = np.linspace(lower, upper, 1 + math.ceil((upper - lower) / (PANEL * step.finest)))
    half = (edges[1] - edges[0]) / 2
    at = (edges[:-1, None] + half * (1 + NODES)).ravel()
    moved = (at[:, None] - (runs.at + step.gain)) / step.sd
    density = np.exp(-moved * moved / 2) @ runs.chance / (step.sd * math.sqrt(2 * math.pi))
    return _Runs(at, density * np.tile(half * WEIGHTS, len(edges) - 1))


def _nominal(fractions: Sequence[float], alpha: float, spending: Spending) -> float:
    """Level of a single test whose critical value is the bound of the last look."""
    return 2 * z_upper(boundaries(fractions, alpha, spending)[-1])


def _repeated_pvalue(pvalue: float, fractions: Sequence[float], spending: Spending) -> float:
    """The alpha whose nominal level at the last look is the p; 1 where that of no alpha is so large.

    It lies between two that need no recursion. All that is spent by now is at least the nominal level, and what is
    spent at this look alone at most: who reaches a bound reaches it for the first time at some look up to now, and who
    does so for the first time at this look reaches it. A tiny p gets the latter, which is then close.
    """
    now, before = fractions[-1], fractions[-2] if len(fractions) > 1 else None

    def at_this_look(alpha: float) -> float:
        return spending(now, alpha) - (spending(before, alpha) if before else 0.0)

    highest = _where(at_this_look, pvalue, pvalue, SURE)
    if before and pvalue < RESOLVED:
        return min(highest, _repeated_pvalue(RESOLVED, fractions, spending))
    if before:
        lowest = _where(lambda alpha: spending(now, alpha), pvalue, pvalue, highest)
        highest = _where(lambda alpha: _nominal(fractions, alpha, spending), pvalue, lowest, highest)
    return highest if highest < SURE else 1.0


def _where(level: Callable[[float], float], pvalue: float, lowest: float, highest: float) -> float:
    """The alpha between the two at which the level, which grows with alpha, is the p; else the nearer of the two."""
    def excess(log_alpha: float) -> float:
        return math.log(max(level(math.exp(log_alpha)), TINY) / pvalue)

    if excess(math.log(highest)) <= 0:
        return highest
    if excess(math.log(lowest)) >= 0:
        return lowest
    return math.exp(brentq(excess, math.log(lowest), math.log(highest), xtol=1e-9))


def _check(fractions: Sequence[float], gains: np.ndarray) -> None:
    if not len(fractions):
        raise ValueError("no looks; fractions must hold the information of this look and of those before")
    for fraction, gain in zip(fractions, gains.tolist(), strict=True):
        if not 0 < fraction <= 1:
            raise ValueError(f"information fraction {fraction} is outside (0, 1]; it is the share of the planned "
                             "units; when more came than were planned, count the last look as 1")
        if not gain >= CLOSEST * fraction:
            raise ValueError(f"information fractions {list(fractions)} do not increase at {fraction}; looks at the "
                             "same data, or nearly, are one look")
