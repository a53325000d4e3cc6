"""Axes in the reader's formats, with few ticks, and limits that hold what is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

from babel.dates import format_date
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.showing.reader import Reader
from analysis.showing.theme import INK, new_axes


def percent_axis(axis: Axis, reader: Reader, signed: bool = False) -> None:
    """Shares as percents; decimals only where the ticks need them."""
    def text(share: float, position: int) -> str:
        ticks = axis.get_majorticklocs()
        step = 100 * abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
        return reader.percent(share, digits=0 if step >= 1 else 1 if step >= 0.1 else 2, signed=signed)
    few_ticks(axis)
    axis.set_major_formatter(FuncFormatter(text))


def amount_axis(axis: Axis, reader: Reader, unit: str) -> None:
    """Values in their unit: percents for shares, else numbers with as many decimals as the ticks need."""
    if unit == "share":
        return percent_axis(axis, reader)

    def text(value: float, position: int) -> str:
        ticks = axis.get_majorticklocs()
        step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
        digits = max(0, -math.floor(math.log10(step))) if step < 1 else 0
        return reader.money(value, digits) if unit and unit == reader.currency else reader.number(value, digits)
    few_ticks(axis)
    axis.set_major_formatter(FuncFormatter(text))


def few_ticks(axis: Axis) -> None:
    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], min_n_ticks=2))


def day_axis(ax: Axes, days: Sequence[date], reader: Reader) -> None:
    """Up to six days, a whole number of weeks apart where there are enough; the years stand in the axis label."""
    first, last = min(days), max(days)
    span = (last - first).days
    gap = max(1, math.ceil(span / 5.5))
    gap = gap if gap < 5 else 7 * math.ceil(gap / 7)
    ticks = [first + timedelta(days=n) for n in range(0, span + 1, gap)]
    pattern = "M月d日" if reader.language == "zh" else "d MMM"
    ax.set_xticks(ticks, [format_date(day, pattern, locale=reader.locale) for day in ticks])
    ax.set_xlabel(reader.interval(reader.day(first), reader.day(last)))


def limits(values: Sequence[float], around: Sequence[float], margin: float = 0.06) -> tuple[float, float]:
    """Axis limits that hold every finite value and all of `around`."""
    finite = [value for value in values if math.isfinite(value)] + list(around)
    low, high = min(finite), max(finite)
    room = margin * (high - low or abs(high) or 1.0)
    return low - room, high + room


def nothing_to_show(reader: Reader, ax: Axes | None) -> Axes:
    ax = ax or new_axes(0.6)
    ax.set_axis_off()
    ax.text(0.5, 0.5, reader.say("Nothing to show"), transform=ax.transAxes, ha="center", va="center", color=INK)
    return ax
