"""How active users are: who is new, current, back and gone by period; by day; by number of periods."""

from __future__ import annotations

import math
from collections.abc import Sequence

from babel.dates import format_date
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from analysis.results.activity import Active, Lifecycle, Stickiness
from analysis.showing.charts.scales import day_axis, few_ticks, nothing_to_show, percent_axis
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, GREEN, GREY, GROUP_DASHES, INK, ORANGE, PURPLE, new_axes, theme

MOST_TICKS = 5


@theme()
def plot_lifecycle(rows: Sequence[Lifecycle], reader: Reader, ax: Axes | None = None) -> Axes:
    """Bars by period: current, back and new stacked, gone below zero; pale where the period says little."""
    if not any(row.n_new + row.n_current + row.n_resurrected + row.n_dormant for row in rows):
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.2)
    say = reader.say
    parts = [(say("current"), "n_current", BLUE, ""), (say("back after a pause"), "n_resurrected", GREEN, "..."),
             (say("new"), "n_new", ORANGE, "///"), (say("gone"), "n_dormant", GREY, "")]
    level, names = [0] * len(rows), []
    for name, field, colour, hatch in parts:
        sign = -1 if field == "n_dormant" else 1
        heights = [sign * getattr(row, field) for row in rows]
        bars = ax.bar(range(len(rows)), heights, bottom=level if sign > 0 else 0, width=0.8, color=colour,
                      hatch=hatch, edgecolor="white", linewidth=0)
        names.append(Patch(facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0, label=name))
        for bar, row in zip(bars, rows, strict=True):
            bar.set_alpha(0.35 if row.reason else 1)
        level = [low + height for low, height in zip(level, heights, strict=True)] if sign > 0 else level
    ax.axhline(0, color=INK, linewidth=0.8)
    name_periods(ax, rows, reader)
    count_axis(ax, reader)
    ax.set_ylabel(say("Users"))
    ax.legend(handles=names, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=1.4)
    return ax


def name_periods(ax: Axes, rows: Sequence[Lifecycle], reader: Reader) -> None:
    """First days of a few periods; the years stand in the label of the axis."""
    shown = range(0, len(rows), math.ceil(len(rows) / MOST_TICKS))
    pattern = "M月d日" if reader.language == "zh" else "d MMM"
    ax.set_xticks(list(shown), [format_date(rows[i].period, pattern, locale=reader.locale) for i in shown])
    label = reader.interval(reader.day(rows[0].period), reader.day(rows[-1].period))
    ax.set_xlabel(reader.say("{days}; pale: not a whole period", days=label) if any(r.reason for r in rows) else label)


def count_axis(ax: Axes, reader: Reader) -> None:
    """Whole numbers, below zero too without a sign."""
    few_ticks(ax.yaxis)
    ax.yaxis.set_major_formatter(lambda n, place: reader.count(abs(n)))
    ax.grid(axis="y")


@theme()
def plot_active(days: Sequence[Active], reader: Reader, ax: Axes | None = None) -> Axes:
    """Users active on each day, and in the 7 and 30 days that end with it; a window that is not known is a gap."""
    if all(math.isnan(day.n_day) for day in days):
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.9)
    windows = [("n_month", reader.say("30 days"), PURPLE), ("n_week", reader.say("7 days"), ORANGE),
               ("n_day", reader.say("the day itself"), BLUE)]
    for (field, name, colour), dashes in zip(windows, reversed(GROUP_DASHES[:3]), strict=True):
        values = [getattr(day, field) for day in days]
        if not all(math.isnan(value) for value in values):
            ax.plot([day.day for day in days], values, color=colour, label=name, linestyle=dashes, linewidth=1.6)
    ax.set_ylim(bottom=0)
    day_axis(ax, [day.day for day in days], reader)
    count_axis(ax, reader)
    ax.set_ylabel(reader.say("Active users"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=2.4)
    return ax


@theme()
def plot_stickiness(rows: Sequence[Stickiness], every: str, reader: Reader, ax: Axes | None = None) -> Axes:
    """Share of the active users who were active in so many periods or more."""
    if not rows:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.5)
    ax.bar([row.n_periods for row in rows], [row.share_at_least for row in rows], width=0.8, color=BLUE)
    ax.set_ylim(0, 1)
    shown = rows[::math.ceil(len(rows) / 10)]
    ax.set_xticks([row.n_periods for row in shown])
    percent_axis(ax.yaxis, reader)
    ax.grid(axis="y")
    ax.set(xlabel=reader.say("Active in so many {periods} or more", periods=reader.say(f"{every}s")),
           ylabel=reader.say("Share of active users"))
    return ax
