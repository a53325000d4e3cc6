"""Quantiles of rows (page loads, orders) of two arms whose users have any number of rows each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.stats.comparison import ALPHA, POWER, Comparison
from analysis.stats.tails import t_critical, z_critical

ROUNDING = 1e-9  # rows; rows * q is a whole number despite it
TINIEST = 1e-250  # no p is searched for below


class Rows(NamedTuple):
    """Rows of one arm, in any order."""

    values: np.ndarray  # (rows,) in the metric's unit
    units: np.ndarray   # (rows,) whole number that stands for the row's user (unit of assignment)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileComparison(Comparison):
    """A quantile of all rows of an arm against the other's; `n_treatment` and `n_control` are users that have rows."""

    q: float                 # .5 for the median
    n_rows_treatment: int
    n_rows_control: int


@dataclass(frozen=True, slots=True)
class QuantileLevel:
    """What the rows of one arm say of its quantile."""

    n: int               # units
    rows: np.ndarray     # values, ascending
    q: float
    value: float
    error_below: float   # standard error of the share of rows below the value
    error_above: float   # of the share up to the value; another one where many rows are equal
    reason: str = ""     # why there are no bounds: "too_few_users", "bad_moments"

    def bounds(self, alpha: float) -> tuple[float, float]:
        """The values at the shares q -+ t * error, of Woodruff (1952), JASA 47:635; infinite beyond the rows there are.

        Half a row outwards, as counts are whole, and in a straight line between two rows (Nyblom 1992, Statistics &
        Probability Letters 14:129). Among many equal rows each bound asks for the edge on its own side, so that it
        leaves them only where the data allow it.
        """
        critical, n = t_critical(alpha, self.n - 1), len(self.rows)
        return (min(self._at(n * (self.q - critical * self.error_below) + 0.5), self.value),
                max(self._at(n * (self.q + critical * self.error_above) + 0.5), self.value))

    def _at(self, place: float) -> float:
        """The value at a place between 1 and the number of rows."""
        if not 1 <= place <= len(self.rows):
            return math.copysign(math.inf, place - 1)
        below, above = self.rows[[math.floor(place) - 1, math.ceil(place) - 1]].tolist()
        return below + (place - math.floor(place)) * (above - below)


def compare_quantiles(treatment: Rows, control: Rows, q: float, alpha: float = ALPHA) -> QuantileComparison:
    """Difference of a quantile of the rows, in the metric's unit and as a share of the control's.

    An arm's bounds come from the share of rows below a value, with the variance of a ratio of two sums per unit (Deng,
    Knoblich & Lu 2018, KDD, section 4); no density is estimated. The bounds of the difference and of the ratio are
    put together from the arms' (MOVER: Zou & Donner 2008, Statistics in Medicine 27:1693; Donner & Zou 2012,
    Statistical Methods in Medical Research 21:347), by one equation that is the same for both where the arms are equal.
    The p is the level at which the interval of the difference begins to hold 0. ValueError unless 0 < q < 1.
    """
    if not 0 < q < 1:
        raise ValueError(f"the quantile is {q}; it must lie between 0 and 1, for example 0.5 for the median")
    arms = quantile_level(treatment, q), quantile_level(control, q)
    diff = arms[0].value - arms[1].value
    lower, upper, reason = _difference(*arms, alpha)
    rel_lower, rel_upper, rel_reason = _relative(*arms, alpha, reason)
    return QuantileComparison(
        kind="quantile", q=q, n_treatment=arms[0].n, n_control=arms[1].n,
        n_rows_treatment=len(arms[0].rows), n_rows_control=len(arms[1].rows),
        value_treatment=arms[0].value, value_control=arms[1].value,
        diff=diff, diff_lower=lower, diff_upper=upper,
        rel_diff=diff / arms[1].value if arms[1].value > 0 else math.nan,
        rel_diff_lower=rel_lower, rel_diff_upper=rel_upper,
        pvalue=math.nan if reason else _pvalue(*arms), alpha=alpha,
        detectable=(upper - lower) / 2 * (1 + z_critical(2 * (1 - POWER)) / z_critical(alpha)) or math.nan,
        reason=reason, rel_reason=rel_reason)


def quantile_level(own: Rows, q: float) -> QuantileLevel:
    """The quantile of one arm; halfway between two rows where both fit, so that up and down are alike."""
    values = np.asarray(own.values, dtype=float)
    if values.shape != np.shape(own.units):
        raise ValueError(f"{values.shape} values and {np.shape(own.units)} units; each row has one of both")
    rows = np.sort(values)
    _, unit, n_rows = np.unique(own.units, return_inverse=True, return_counts=True)
    reason = "too_few_users" if len(n_rows) < 2 else "" if np.isfinite(rows[[0, -1]]).all() else "bad_moments"
    if reason:
        return QuantileLevel(len(n_rows), rows, q, math.nan, math.nan, math.nan, reason)
    place = len(rows) * q
    fit = rows[[math.ceil(place - ROUNDING) - 1, math.floor(place + ROUNDING)]]
    value = float(fit[0] if fit[0] == fit[1] else fit[0] / 2 + fit[1] / 2)
    return QuantileLevel(len(n_rows), rows, q, value, _share_error(values < value, unit, n_rows),
                         _share_error(values <= value, unit, n_rows))


def _share_error(is_below: np.ndarray, unit: np.ndarray, n_rows: np.ndarray) -> float:
    """Standard error of the share of rows that are below: delta method of two sums per unit, ddof = 1."""
    below = np.bincount(unit, weights=is_below)
    spread = below - n_rows * (below.sum() / n_rows.sum())
    return math.sqrt(len(n_rows) / (len(n_rows) - 1) * float(spread @ spread)) / float(n_rows.sum())


def _difference(treatment: QuantileLevel, control: QuantileLevel, alpha: float) -> tuple[float, float, str]:
    """Bounds of treatment - control, and why there are none."""
    reason = treatment.reason or control.reason
    if reason:
        return math.nan, math.nan, reason
    lower, upper = _mover(treatment, control, alpha)
    if not math.isfinite(upper - lower):
        return math.nan, math.nan, "too_few_rows"
    return (math.nan, math.nan, "quantile_in_lump") if lower == upper == 0 else (lower, upper, "")


def _mover(treatment: QuantileLevel, control: QuantileLevel, alpha: float) -> tuple[float, float]:
    """Each bound squares and adds how far the arms reach in its own direction."""
    diff = treatment.value - control.value
    (low_t, up_t), (low_c, up_c) = treatment.bounds(alpha), control.bounds(alpha)
    return (diff - math.hypot(treatment.value - low_t, up_c - control.value),
            diff + math.hypot(up_t - treatment.value, control.value - low_c))


def _relative(treatment: QuantileLevel, control: QuantileLevel, alpha: float, reason: str) -> tuple[float, float, str]:
    """Bounds of treatment / control - 1, and why there are none."""
    if not reason and not control.value > 0:
        reason = "negative_control" if control.value < 0 else "zero_control"
    if not reason and not control.bounds(alpha)[0] > 0:
        reason = "unbounded"
    if reason:
        return math.nan, math.nan, reason
    (low, up), reach = treatment.bounds(alpha), [abs(bound - control.value) for bound in control.bounds(alpha)]
    # a ratio below 0 turns the control's bounds around
    return (_root(treatment.value, control.value, treatment.value - low, reach[low > 0], is_upper=False),
            _root(treatment.value, control.value, up - treatment.value, reach[up <= 0], is_upper=True), "")


def _root(treatment: float, control: float, reach_t: float, reach_c: float, is_upper: bool) -> float:
    """The s on its side with (treatment - (1 + s) control)^2 = reach_t^2 + ((1 + s) reach_c)^2.

    a s^2 - 2 b s + c = 0, where the sign of c is the verdict on the difference, so that rounding cannot part the two.
    """
    diff, reach = treatment - control, math.hypot(reach_t, reach_c)
    a, b = (control - reach_c) * (control + reach_c), diff * control + reach_c**2
    c = (abs(diff) - reach) * (abs(diff) + reach)
    root = math.sqrt(max((reach_c * treatment) ** 2 + reach_t**2 * a, 0.0))  # of b^2 - a c, without cancellation
    if is_upper:
        return c / (b - root) if b < 0 else (b + root) / a
    return c / (b + root) if b > 0 else (b - root) / a


def _pvalue(treatment: QuantileLevel, control: QuantileLevel) -> float:
    """The largest level at which 0 is still inside, by bisection: bounds only move outwards as the level falls."""
    def is_inside(alpha: float) -> bool:
        lower, upper = _mover(treatment, control, alpha)
        return lower <= 0 <= upper

    inside, outside = math.log(TINIEST), -1e-12
    if is_inside(math.exp(outside)):
        return 1.0
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if is_inside(math.exp(middle)) else (inside, middle)
    return math.exp(inside)
