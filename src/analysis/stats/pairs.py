"""Two estimates side by side: all that a t test, its intervals and a test against a margin need to know."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.stats.comparison import POWER, Comparison
from analysis.stats.fieller import fieller
from analysis.stats.levels import Level
from analysis.stats.tails import t_critical, t_upper


@dataclass(frozen=True, slots=True)
class Pair:
    """The level of treatment and of control, with the variances and the covariance of the estimates."""

    n_treatment: int      # units
    n_control: int
    treatment: float
    control: float
    var_treatment: float
    var_control: float
    cov: float            # 0 for arms that were estimated apart
    df: float             # degrees of freedom of the difference's variance
    reason: str = ""      # why there is no test

    @property
    def diff(self) -> float:
        return self.treatment - self.control

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        return math.sqrt(max(self.var_treatment + self.var_control - 2 * self.cov, 0.0))


def independent(treatment: Level, control: Level) -> Pair:
    """Two arms that were estimated apart.

    Degrees of freedom by Welch (1947), Biometrika 34:28, with Satterthwaite's formula, written so that nothing
    overflows.
    """
    var = treatment.var + control.var
    reason = treatment.reason or control.reason or ("" if var else "zero_variance")
    df = math.nan
    if not reason:
        share = treatment.var / var
        df = 1 / (share**2 / treatment.df + (1 - share) ** 2 / control.df)
    return Pair(treatment.n, control.n, treatment.value, control.value, treatment.var, control.var, 0.0, df, reason)


def compare_pair(kind: str, pair: Pair, alpha: float) -> Comparison:
    """t test of the difference; the relative effect by Fieller at the same critical value."""
    error = math.nan if pair.reason else pair.error
    critical = t_critical(alpha, pair.df)
    half = critical * error
    rel_lower, rel_upper, rel_reason = relative_bounds(pair, critical)
    return Comparison(
        kind=kind, n_treatment=pair.n_treatment, n_control=pair.n_control,
        value_treatment=pair.treatment, value_control=pair.control,
        diff=pair.diff, diff_lower=pair.diff - half, diff_upper=pair.diff + half,
        rel_diff=pair.diff / pair.control if pair.control > 0 else math.nan,
        rel_diff_lower=rel_lower, rel_diff_upper=rel_upper,
        pvalue=math.nan if pair.reason else 2 * t_upper(abs(pair.diff) / error, pair.df), alpha=alpha,
        detectable=half + t_critical(2 * (1 - POWER), pair.df) * error, reason=pair.reason, rel_reason=rel_reason)


def relative_bounds(pair: Pair, critical: float) -> tuple[float, float, str]:
    """Lower and upper bound of the relative effect, and why there are none.

    A control below 0 would turn the sign of the effect around, so nothing is said of it. "unbounded": the control's
    own level cannot be told from 0, so any large effect, up or down, fits.
    """
    reason = pair.reason
    if not reason and not pair.control > 0:
        reason = "negative_control" if pair.control < 0 else "zero_control"
    if reason:
        return math.nan, math.nan, reason
    bounds = fieller(pair.diff, pair.control, pair.error**2, pair.var_control, pair.cov - pair.var_control, critical)
    return (*bounds, "") if bounds else (math.nan, math.nan, "unbounded")


def margin_pvalue(pair: Pair, ratio: float, better: str, alpha: float) -> float:
    """One-sided p of H0: treatment is no better than ratio * control; nan where there is no relative interval."""
    *_, reason = relative_bounds(pair, t_critical(alpha, pair.df))
    if reason:
        return math.nan
    room = (pair.treatment - ratio * pair.control) * (1 if better == "higher" else -1)
    var = pair.var_treatment + ratio**2 * pair.var_control - 2 * ratio * pair.cov
    return t_upper(room / math.sqrt(var), pair.df) if var > 0 else math.nan
