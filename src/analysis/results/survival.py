"""How long conversion takes, with entries whose window is still open counted for as long as they were seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.facts.population import Facts
from analysis.facts.step_facts import has_reached, step_facts
from analysis.params.counting import Funnel
from analysis.stats.comparison import ALPHA
from analysis.stats.tails import z_critical

LANDMARKS = (60, 300, 900, 3600, 6 * 3600, 86400, 3 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400)
MOST_POINTS = 120       # of a published curve: no screen shows more


@dataclass(frozen=True, slots=True)
class Moment:
    """Share of entries that converted within a time, by Kaplan and Meier (1958, JASA 53:457)."""

    funnel: str
    seconds: float         # since the entry
    n_at_risk: int         # entries not converted before and still followed then
    n_converted: int       # entries converted by then
    share: float           # 1 - S(t)
    share_lower: float     # Rothman (1978)
    share_upper: float
    is_landmark: bool      # a round time that a table shows, the end of the window too


@dataclass(frozen=True, slots=True)
class TimeToConvert:
    """Entry to last step: the time by which half of all entries have converted."""

    funnel: str
    n_entered: int         # entries, open windows included
    n_converted: int
    n_open: int            # neither converted nor followed to the end of the window
    window_seconds: float  # inf without a window
    median_seconds: float  # by which half converted; inf where the curve ends below a half
    median_lower: float
    median_upper: float    # inf where the data do not bound it


@dataclass(frozen=True, slots=True)
class Curve:
    """Kaplan-Meier estimate at the distinct times, in seconds; arrays of one length, times increasing."""

    seconds: np.ndarray
    n_at_risk: np.ndarray
    n_events: np.ndarray
    share: np.ndarray      # 1 - S(t), t included
    lower: np.ndarray
    upper: np.ndarray

    def quantile(self, share: float) -> tuple[float, float, float]:
        """First time at which a share has converted, and where the bounds reach it; inf where they do not."""
        return tuple(float(self.seconds[i]) if (i := int(np.searchsorted(grown, share - 1e-12))) < len(grown)
                     else math.inf for grown in (self.share, np.maximum.accumulate(self.upper),
                                                 np.maximum.accumulate(self.lower)))


def time_to_convert(facts: Facts, name: str) -> tuple[list[Moment], TimeToConvert | None]:
    """The curve of one funnel, thinned, and its median; nothing without an entry.

    Times are whole seconds, rounded down. An entry that has not converted is followed to the end of its window or of
    the data, whichever is first. The units and entries are those of the steps, so where no window is open the curve
    ends at the rate of the last step, with the same interval.
    """
    asked = facts.campaign.funnels[name]
    counted = _times(facts, asked)
    if not counted.num_rows:
        return [], None
    seconds, converted, left = (counted[c].to_numpy() for c in ("seconds", "converted", "left"))
    window = math.inf if asked.window is None else asked.window.total_seconds()
    curve = kaplan_meier(seconds, converted, left)
    n, done = int(converted.sum() + left.sum()), int(converted.sum())
    median, *bounds = curve.quantile(0.5)
    n_open = int(left[seconds < np.floor(window)].sum()) if math.isfinite(window) else 0
    return _published(name, curve, window), TimeToConvert(name, n, done, n_open, window, median, *bounds)


def kaplan_meier(seconds: np.ndarray, converted: np.ndarray, left: np.ndarray, alpha: float = ALPHA) -> Curve:
    """The product-limit estimate from counts per time; at one time conversions come before those who left.

    seconds     distinct times, increasing
    converted   entries that converted at that time; left: followed until then without converting

    The interval is Rothman's (1978, J Chronic Dis 31:557): Wilson's for the number of entries that would give
    Greenwood's variance without any censoring. With no one censored it is Wilson's own. Where nobody, or everybody,
    has converted, the number is the one of the last time at which that variance says something.
    """
    n_at_risk = np.cumsum((converted + left)[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - converted / n_at_risk)
        greenwood = np.cumsum(converted / (n_at_risk * (n_at_risk - converted)))
        effective = (1 - survival) / (survival * greenwood)         # S (1 - S) over S^2 times Greenwood's sum
    nobody, everybody = survival == 1, survival <= 0
    effective = np.where(nobody, n_at_risk, effective)
    if everybody.any():
        first = int(np.argmax(everybody))
        effective[everybody] = effective[first - 1] if first and not nobody[first - 1] else n_at_risk[first]
    share = np.where(everybody, 1.0, 1 - survival)
    return Curve(seconds, n_at_risk, converted, share, *_wilson(share, effective, alpha))


def _wilson(share: np.ndarray, n: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """`intervals.wilson` of shares of numbers that need not be whole."""
    limit = z_critical(alpha) ** 2 / n
    centre = (share + limit / 2) / (1 + limit)
    half = np.sqrt(limit * (share * (1 - share) + limit / 4)) / (1 + limit)
    return np.where(share > 0, centre - half, 0.0), np.where(share < 1, centre + half, 1.0)


def _times(facts: Facts, asked: Funnel) -> pa.Table:
    """seconds, converted, left: entries per whole second of conversion, or of the end of being followed."""
    units = step_facts(facts, asked)
    end = int(facts.tables.data_until.timestamp() * 1e6)
    followed = (end - units.entered_at) / 1e6
    if asked.window is not None:
        window = asked.window.total_seconds()
        followed = (followed > window).ifelse(window, followed)
    last = len(asked.steps)
    has_converted = has_reached(units, last)
    took = has_converted.ifelse(units[f"seconds_{last}"], followed)
    units = units.mutate(seconds=(took > 0).ifelse(took, 0.0).floor().cast("int64"), has_converted=has_converted)
    counts = units.group_by("seconds").aggregate(
        converted=units.has_converted.sum(), left=(~units.has_converted).sum()).order_by("seconds")
    return counts.to_pyarrow()


def _published(name: str, curve: Curve, window: float) -> list[Moment]:
    """The curve where conversions happened, at most at MOST_POINTS of their times, and at round times."""
    steps = np.flatnonzero(curve.n_events)
    if not len(steps):
        return []
    first, last = float(curve.seconds[steps[0]]), float(curve.seconds[steps[-1]])
    end = window if math.isfinite(window) else last
    landmarks = {t for t in LANDMARKS if first <= t < end} | {end}
    kept = steps[np.unique(np.linspace(0, len(steps) - 1, MOST_POINTS).astype(int))]
    times = sorted({*(float(curve.seconds[i]) for i in kept), *landmarks})
    return [_at(name, curve, t, t in landmarks) for t in times]


def _at(name: str, curve: Curve, t: float, is_landmark: bool) -> Moment:
    i = int(np.searchsorted(curve.seconds, t, side="right")) - 1         # the last time that is not later
    is_over = curve.seconds[-1] < math.floor(t)
    at_risk = 0 if is_over else int(curve.n_at_risk[np.searchsorted(curve.seconds, math.floor(t))])
    return Moment(name, t, at_risk, int(curve.n_events[:i + 1].sum()), float(curve.share[i]), float(curve.lower[i]),
                  float(curve.upper[i]), is_landmark)
