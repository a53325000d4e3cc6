"""Conversion over time and between arms: the curve from entry to the last step, by day of entry, by arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.ticker import NullLocator

from analysis.results.conversion import StepEffect
from analysis.results.entry_days import EntryDay
from analysis.results.survival import Moment
from analysis.showing.charts.rows import Row, draw_interval, draw_reference, fit, mark_at, row_axes, text_width
from analysis.showing.charts.scales import day_axis, few_ticks, limits, nothing_to_show, percent_axis
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, GREY, GROUP_COLOURS, GROUP_MARKERS, NOTE_SIZE, WIDTH, new_axes, theme

MOST_SPREAD = 20    # ratio of the last time to the first from which the axis of time is logarithmic


@theme()
def plot_time_to_convert(moments: Sequence[Moment], reader: Reader, ax: Axes | None = None) -> Axes:
    """Share of entries that have converted by a time since entry, with its interval; one funnel."""
    if not moments:
        return nothing_to_show(reader, ax)
    moments = sorted(moments, key=lambda moment: moment.seconds)
    ax = ax or new_axes(2.8)
    times = [max(moment.seconds, 1.0) for moment in moments]
    ax.fill_between(times, [m.share_lower for m in moments], [m.share_upper for m in moments], step="post",
                    color=BLUE, alpha=0.2, linewidth=0)
    ax.step(times, [m.share for m in moments], where="post", color=BLUE)
    if times[-1] > MOST_SPREAD * times[0]:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    name_times(ax, [max(m.seconds, 1.0) for m in moments if m.is_landmark], reader)
    ax.set_xlim(times[0], max(times[-1], 1.01 * times[0]))
    ax.set_ylim(0, min(1.02, 1.08 * max(m.share_upper for m in moments)))
    percent_axis(ax.yaxis, reader)
    ax.grid(axis="y")
    ax.set(xlabel=reader.say("Time from entry"), ylabel=reader.say("Share of entries that converted"))
    return ax


def name_times(ax: Axes, seconds: Sequence[float], reader: Reader) -> None:
    """Round times as ticks, the last one first; those whose words would run into a later one's stay out."""
    left, right = ax.get_xlim()
    span = math.log(right / left) if ax.get_xscale() == "log" else right - left
    shown: list[float] = []
    for time in sorted(seconds, reverse=True):
        room = math.inf
        if shown:
            gap = math.log(shown[-1] / time) if ax.get_xscale() == "log" else shown[-1] - time
            room = gap / span * 72 * WIDTH * 0.8
        words = [reader.duration(t) for t in (time, *shown[-1:])]
        if room > sum(text_width(word, NOTE_SIZE) for word in words) / 2 + 6:
            shown.append(time)
    ax.set_xticks(shown, [reader.duration(time) for time in shown])


@theme()
def plot_entry_days(days: Sequence[EntryDay], reader: Reader, ax: Axes | None = None) -> Axes:
    """Conversion by day of entry with intervals; hatched: share so far of days whose window is open. One funnel."""
    entered = [day for day in days if day.n_entered]
    if not entered:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.6)
    over, still_open = ([day for day in entered if day.is_open is wanted] for wanted in (False, True))
    for day in over:
        ax.plot([day.day] * 2, [day.rate_lower, day.rate_upper], color=BLUE, linewidth=2, alpha=0.45,
                solid_capstyle="butt")
    for run in runs(over):
        ax.plot([day.day for day in run], [day.rate for day in run], color=BLUE, marker="o", markersize=4, linewidth=1)
    so_far = [day.n_converted / day.n_entered for day in still_open]
    if still_open:
        first = date2num(still_open[0].day) - 0.5
        ax.axvspan(first, date2num(still_open[-1].day) + 0.5, facecolor="none", edgecolor=GREY, hatch="///",
                   linewidth=0, alpha=0.5)
        ax.plot([day.day for day in still_open], so_far, linestyle="none", marker="o", markersize=4, color=BLUE,
                markerfacecolor="none")
        ax.annotate(reader.say("still open"), (first, 1.01), xycoords=ax.get_xaxis_transform(), size=NOTE_SIZE,
                    va="bottom", annotation_clip=False)
    ax.set_ylim(0, min(1.02, 1.08 * max([*(day.rate_upper for day in over), *so_far, 0.01])))
    day_axis(ax, [day.day for day in days], reader)
    percent_axis(ax.yaxis, reader)
    ax.grid(axis="y")
    ax.set_ylabel(reader.say("Share of entries that converted"))
    return ax


def runs(days: Sequence[EntryDay]) -> list[list[EntryDay]]:
    """Days without a gap between them stand together."""
    found = [[day] for day in days[:1]]
    for before, day in pairwise(days):
        if (day.day - before.day).days > 1:
            found.append([])
        found[-1].append(day)
    return found


@theme()
def plot_step_effects(rows: Sequence[StepEffect], reader: Reader, ax: Axes | None = None) -> Axes:
    """Arm minus control at each step, in percentage points of first entries, with intervals; one funnel."""
    own = [row for row in rows if row.base == "entry" and not math.isnan(row.diff)]
    if not own:
        return nothing_to_show(reader, ax)
    arms = list(dict.fromkeys(row.arm for row in own))
    own.sort(key=lambda row: (row.position, arms.index(row.arm)))
    ax = row_axes([effect_row(row, len(arms) > 1, reader) for row in own], ax)
    low, high = limits([bound for row in own for bound in (row.diff_lower, row.diff_upper)], around=[0.0])
    ax.set_xlim(low, high)
    few_ticks(ax.xaxis)
    ax.xaxis.set_major_formatter(lambda share, _: reader.number(100 * share, 1).removesuffix(".0"))
    draw_reference(ax, 0.0, len(own))
    for i, row in enumerate(own):
        n = arms.index(row.arm)
        draw_interval(ax, mark_at(i), row.diff, row.diff_lower, row.diff_upper,
                      marker=GROUP_MARKERS[n % len(GROUP_MARKERS)], color=GROUP_COLOURS[n % len(GROUP_COLOURS)])
    ax.set_xlabel(reader.say("Difference to {control}, percentage points",
                             control=fit(reader.label(own[0].control), 110, NOTE_SIZE)))
    return ax


def effect_row(row: StepEffect, has_arms: bool, reader: Reader) -> Row:
    name = f"{row.position}  {reader.label(row.step)}" + (f" · {reader.label(row.arm)}" if has_arms else "")
    note = reader.say("{own} against {other} · p {p}", own=reader.percent(row.value_treatment),
                      other=reader.percent(row.value_control), p=reader.pvalue(row.pvalue_adjusted))
    return Row(name, ("+" if row.diff > 0 else "") + reader.points(row.diff), note)
