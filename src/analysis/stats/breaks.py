"""Sudden breaks in a daily series: is a day further from what the days before it lead to expect than chance takes it?

On a logarithmic scale a day is the level of its time (before the campaign, in it) plus the day of the week plus noise.
Both are fitted by least squares to the days before it that were no breaks themselves, and the day is held against its
prediction interval (Student's t). How much days differ by themselves is read off those days, so overdispersion and a
rhythm that is not quite regular widen the bounds; where that is less than what chance between users gives, the latter
counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from analysis.stats.tails import t_critical, z_critical

FEWEST = 4         # degrees of freedom, below which days tell too little of how days differ
NOISIEST = 0.2     # relative standard error of a day (of 25 users who did); above, a logarithm is no normal number
SMALLEST = 0.1     # a departure by less is no break, however quiet the days before
LASTING = 7        # breaks in a row, after which they are the new level
KNOWN = 3          # days of a level before it is known: the first day of a campaign is not like the others


@dataclass(frozen=True, slots=True)
class Day:
    """What was seen on one day."""

    value: float     # 0 or more, also inf; nan where nothing was to be seen (the shop was shut)
    noise: float     # relative standard error of the value from chance between users; not looked at where that is 0
    level: int       # days of one number have one level: before the campaign, in it
    rhythm: int      # day of the week; the same for all where there is no rhythm


@dataclass(frozen=True, slots=True)
class Departure:
    """A day against what was expected of it. A break exactly when the value is outside the bounds."""

    value: float
    expected: float = nan
    lower: float = nan
    upper: float = nan
    alpha: float = nan       # chance of being outside by chance alone
    is_break: bool = False
    reason: str = ""         # why nothing was expected: "nothing_seen", "too_few_days", "new_level", "new_weekday",
    #                          "too_few_rows"


def departures(days: Sequence[Day], alpha: float) -> list[Departure]:
    """Each day against those before it.

    days    in the order of time, none left out
    alpha   chance of a false break on a quiet day

    Seven breaks in a row in one direction are a new level from the first of them on. ValueError for an alpha outside
    (0, 1) and values or noises below 0.
    """
    _check(days, alpha)
    levels, is_kept = [day.level for day in days], [False] * len(days)
    found: list[Departure] = []
    for i, day in enumerate(days):
        before = [j for j in range(i) if is_kept[j]]
        one = _judged(days, levels, before, i, alpha)
        found.append(one)
        is_kept[i] = not one.is_break and _has_logarithm(day)
        if _lasts(found):
            first, old, new = i - LASTING + 1, levels[i], max(levels) + 1
            levels[first:] = [new if j <= i or levels[j] == old else levels[j] for j in range(first, len(days))]
            is_kept[first:i + 1] = [_has_logarithm(own) for own in days[first:i + 1]]
    return found


def _judged(days: Sequence[Day], levels: Sequence[int], before: Sequence[int], i: int, alpha: float) -> Departure:
    day = days[i]
    reason = _defect(days, levels, before, i)
    if reason:
        return Departure(day.value, reason=reason)
    design = _design(days, levels, [*before, i])
    x, own = design[:-1], design[-1]
    y = np.log([days[j].value for j in before])
    fitted, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
    freedom = len(before) - int(rank)
    if freedom < FEWEST:
        return Departure(day.value, reason="too_few_days")
    residual = y - x @ fitted
    noise = float(np.median([days[j].noise for j in before]))
    if noise > NOISIEST:
        return Departure(day.value, reason="too_few_rows")
    spread = max(math.sqrt(residual @ residual / freedom), noise)
    error = spread * math.sqrt(1 + own @ np.linalg.pinv(x.T @ x) @ own)
    half = max(t_critical(alpha, freedom) * error, math.log1p(SMALLEST))
    centre = float(own @ fitted)
    lower, upper = math.exp(centre - half), math.exp(min(centre + half, 700.0))
    return Departure(day.value, math.exp(centre), lower, upper, alpha, not lower <= day.value <= upper)


def _defect(days: Sequence[Day], levels: Sequence[int], before: Sequence[int], i: int) -> str:
    if math.isnan(days[i].value):
        return "nothing_seen"
    if len(before) <= FEWEST:
        return "too_few_days"
    if sum(levels[j] == levels[i] for j in before) < KNOWN:
        return "new_level"
    return "" if days[i].rhythm in {days[j].rhythm for j in before} else "new_weekday"


def _design(days: Sequence[Day], levels: Sequence[int], places: Sequence[int]) -> np.ndarray:
    """A column per level, and one per day of the week but the first."""
    own_levels = sorted({levels[j] for j in places})
    rhythms = sorted({days[j].rhythm for j in places})[1:]
    return np.array([[*(levels[j] == level for level in own_levels), *(days[j].rhythm == r for r in rhythms)]
                     for j in places], dtype=float)


def _lasts(found: Sequence[Departure]) -> bool:
    """Whether the last days were all breaks, in one direction."""
    last = found[-LASTING:]
    return len(last) == LASTING and all(one.is_break for one in last) and (
        len({one.value > one.expected for one in last}) == 1)


def _has_logarithm(day: Day) -> bool:
    return 0 < day.value < math.inf


def _check(days: Sequence[Day], alpha: float) -> None:
    z_critical(alpha)  # refuses an alpha that cannot be
    for number, day in enumerate(days, start=1):
        if day.value < 0 or day.noise < 0:
            raise ValueError(f"day {number}: value {day.value} with noise {day.noise}; both must be 0 or more")
