"""Labels dealt anew at random: what a method says of the data where there is no effect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.stats.buckets import Bucketing, bucketings
from analysis.stats.comparison import ALPHA
from analysis.stats.intervals import wilson
from analysis.stats.moments import JointMoments

RUNS = 1_000
ROUNDING = 1e-13  # a centred sum of products below this share of what it was centred from is rounding
AT_ONCE = 65_536  # buckets dealt at once, over all runs: half a MB stays in the cache


@dataclass(frozen=True, slots=True, eq=False)
class Shuffles:
    """Moments of each arm under labels that were dealt at random."""

    arms: tuple[str, ...]
    names: tuple[str, ...]   # of the columns, k of them
    n: np.ndarray            # (arms,) units, the same in every run
    mean: np.ndarray         # (runs, arms, k); nan for an arm without units
    cov: np.ndarray          # (runs, arms, k, k), ddof = 1; nan for an arm with fewer than 2 units

    def run(self, run: int) -> dict[str, JointMoments]:
        """Arm -> moments of all columns in one run: what the report's own methods ask for."""
        return {arm: JointMoments(int(self.n[i]), self.names, self.mean[run, i], self.cov[run, i])
                for i, arm in enumerate(self.arms)}

    def of(self, arms: Sequence[str], names: Sequence[str]) -> Shuffles:
        """Some of the arms and columns, in the order asked for."""
        i, k = [self.arms.index(arm) for arm in arms], [self.names.index(name) for name in names]
        mean, cov = self.mean[:, i], self.cov[:, i]
        return Shuffles(tuple(arms), tuple(names), self.n[i], mean[..., k], cov[..., k, :][..., k])


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How often a method claims an effect where there is none."""

    rate: float          # of the shuffles that had a p, the share with p < alpha
    lower: float         # Wilson's interval for the rate: a method whose lower bound is above alpha cries wolf
    upper: float
    n: int               # shuffles that had a p
    alpha: float
    reason: str = ""     # why there is no rate: "no_tests", no shuffle had a p


def shuffled(
    columns: Mapping[str, np.ndarray], sizes: Mapping[str, int], runs: int = RUNS, seed: int = 0
) -> Shuffles:
    """Moments of all arms for each of many random relabellings of the units.

    columns   name -> (units,): metrics, their numerators and denominators, covariates. Units come in a fixed order (by
              user id) so that the same data give the same bytes; nothing else depends on it
    sizes     arm -> units, as many as it really has

    Each relabelling alone is exactly a random one: arms are filled with buckets in random order, and a bucket across
    the border of two arms is divided unit by unit. How runs hang together is told by `bucketings`. A million units, 10
    columns and 1,000 runs take three seconds. ValueError for sizes that are not those of the units, for values that
    are not finite and for less than one run.
    """
    rows = _checked(columns, sizes, runs)
    generator = np.random.default_rng(seed)
    centre = np.median(rows, axis=0) if len(rows) else np.zeros(rows.shape[1])  # arms of nothing but zeros stay exact
    sums = np.concatenate([_dealt(part, [*sizes.values()], generator)
                           for part in bucketings(rows - centre, runs, generator)])
    n = np.array([*sizes.values()])
    mean, cov = _moments(sums, n, len(centre))
    return Shuffles(tuple(sizes), tuple(columns), n, mean + centre, cov)


def together(groups: Sequence[Shuffles]) -> Shuffles:
    """Groups of units that were shuffled each by itself (strata), as one in every run: what `merged` is for moments."""
    arms, names = tuple(dict.fromkeys(arm for own in groups for arm in own.arms)), groups[0].names
    n = np.zeros(len(arms), dtype=int)
    mean = np.full((len(groups[0].mean), len(arms), len(names)), math.nan)
    cov = np.full((*mean.shape, len(names)), math.nan)
    for i, arm in enumerate(arms):
        parts = [own.of([arm], names) for own in groups if arm in own.arms and own.n[own.arms.index(arm)]]
        n[i] = sum(own.n[0] for own in parts)
        if n[i]:
            mean[:, i] = sum(own.n[0] / n[i] * own.mean[:, 0] for own in parts)
        if n[i] > 1:
            apart = [own.mean[:, 0] - mean[:, i] for own in parts]
            between = sum(own.n[0] * one[:, :, None] * one[:, None] for own, one in zip(parts, apart, strict=True))
            within = sum((own.n[0] - 1) * own.cov[:, 0] for own in parts if own.n[0] > 1)
            cov[:, i] = (between + within) / (n[i] - 1)
    return Shuffles(arms, names, n, mean, cov)


def statistics(
    shuffles: Shuffles, treatment: str, control: str, metric: str, denominator: str | None = None
) -> np.ndarray:
    """(runs,) Welch's t, treatment - control: of a metric's mean, or of a ratio of two sums (delta method).

    Of any other method it is diff / standard error, run by run.
    """
    arms, i = [shuffles.arms.index(arm) for arm in (treatment, control)], shuffles.names.index(metric)
    mean, cov = shuffles.mean[:, arms], shuffles.cov[:, arms]
    value, var = mean[..., i], cov[..., i, i]
    with np.errstate(divide="ignore", invalid="ignore"):
        if denominator is not None:
            j = shuffles.names.index(denominator)
            value = value / mean[..., j]
            var = (var - 2 * value * cov[..., i, j] + value**2 * cov[..., j, j]) / mean[..., j] ** 2
        diff = value[:, 0] - value[:, 1]
        return np.where(diff == 0, 0.0, diff / np.sqrt((np.maximum(var, 0) / shuffles.n[arms]).sum(axis=1)))


def false_alarms(pvalues: Sequence[float], alpha: float = ALPHA) -> FalseAlarms:
    """The rate of p < alpha among the p-values that a method gives for shuffled labels; nan is no p."""
    found = np.asarray(pvalues, dtype=float)
    found = found[~np.isnan(found)]
    if not len(found):
        return FalseAlarms(math.nan, math.nan, math.nan, 0, alpha, "no_tests")
    alarms = int((found < alpha).sum())
    return FalseAlarms(alarms / len(found), *wilson(alarms, len(found)), len(found), alpha)


def _checked(columns: Mapping[str, np.ndarray], sizes: Mapping[str, int], runs: int) -> np.ndarray:
    """(units, columns)."""
    lengths = {len(column) for column in columns.values()}
    if min(sizes.values(), default=-1) < 0 or lengths != {sum(sizes.values())}:
        raise ValueError(f"arms of {dict(sizes)} units, but columns of {sorted(lengths)} rows; each unit is one row of "
                         "every column and in one arm")
    if runs < 1:
        raise ValueError(f"{runs} runs; at least one is needed")
    rows = np.column_stack([np.asarray(column, dtype=float) for column in columns.values()])
    for name, bad in zip(columns, (~np.isfinite(rows)).sum(axis=0).tolist(), strict=True):
        if bad:
            raise ValueError(f"{name}: {bad} values are not finite; leave these users out or make them 0")
    return rows


def _dealt(part: Bucketing, sizes: list[int], generator: np.random.Generator) -> np.ndarray:
    """(runs, arms, columns + columns ** 2): sums of the columns and of their products, for each run's arms."""
    totals = np.concatenate([_totals(block) for block in part.blocks])
    units = np.diff(part.starts)
    borders = np.cumsum([0, *sizes]).tolist()
    at_once = max(AT_ONCE // len(units), 1)
    sums = []
    for first in range(0, part.runs, at_once):
        order = np.tile(np.arange(len(units)), (min(at_once, part.runs - first), 1))
        generator.permuted(order, axis=1, out=order)
        ends = np.cumsum(units[order], axis=1)
        sums.append(np.stack([_filled(part, totals, order, ends, *arm) for arm in pairwise(borders)], axis=1))
    return np.concatenate(sums)


def _filled(
    part: Bucketing, totals: np.ndarray, order: np.ndarray, ends: np.ndarray, low: int, high: int
) -> np.ndarray:
    """(runs, columns + columns ** 2) of one arm: the units that come at the places from low to below high."""
    begins = ends - np.diff(part.starts)[order]
    is_whole = np.zeros(order.shape)
    np.put_along_axis(is_whole, order, (begins >= low) & (ends <= high), axis=1)
    sums = is_whole @ totals
    if len(totals) < len(part.rows):
        for run in range(len(sums)):
            for rows in _divided(part, order[run], begins[run], ends[run], low, high):
                sums[run] += _totals(rows[None])[0]
    return sums


def _divided(
    part: Bucketing, order: np.ndarray, begins: np.ndarray, ends: np.ndarray, low: int, high: int
) -> list[np.ndarray]:
    """The arm's rows of the at most two buckets that are only partly its own."""
    found = []
    for place in {int(np.searchsorted(ends, border, "right")) for border in (low, high)} - {len(ends)}:
        if begins[place] < low or ends[place] > high:
            shift = part.starts[order[place]] - begins[place]
            found.append(part.rows[max(low, begins[place]) + shift:min(high, ends[place]) + shift])
    return found


def _totals(block: np.ndarray) -> np.ndarray:
    """(buckets, units, columns) -> (buckets, columns + columns ** 2)."""
    products = np.matmul(block.transpose(0, 2, 1), block)
    return np.concatenate([block.sum(axis=1), products.reshape(len(block), block.shape[2] ** 2)], axis=1)


def _moments(sums: np.ndarray, n: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    products = sums[..., columns:].reshape(*sums.shape[:2], columns, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums[..., :columns] / n[:, None]
        spread = products - n[:, None, None] * mean[..., :, None] * mean[..., None, :]
        size = np.sqrt(np.diagonal(products, axis1=2, axis2=3))
        spread[np.abs(spread) <= ROUNDING * size[..., :, None] * size[..., None, :]] = 0
        return mean, np.where((n > 1)[:, None, None], spread / (n - 1)[:, None, None], math.nan)
