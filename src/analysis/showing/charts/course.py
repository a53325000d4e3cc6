"""The course of one metric: its level before, during and after, and day by day."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.dates import date2num

from analysis.results.phases import Daily, Phase
from analysis.showing.charts.rows import fit
from analysis.showing.charts.scales import amount_axis, day_axis, nothing_to_show
from analysis.showing.reader import Reader
from analysis.showing.theme import (
    GREY,
    GROUP_COLOURS,
    GROUP_DASHES,
    GROUP_MARKERS,
    INK,
    NOTE_SIZE,
    PAPER,
    new_axes,
    theme,
)

ORDER = ("before", "during", "after")
DODGE = 0.16  # between groups, in phases


@theme()
def plot_phases(phases: list[Phase], reader: Reader, ax: Axes | None = None) -> Axes:
    """Mean with interval by phase, one mark per group; hollow and dotted where the data do not cover the phase.

    One metric; the means are per user and campaign length.
    """
    known = [phase for phase in phases if not math.isnan(phase.mean)]
    if not known:
        return nothing_to_show(reader, ax)
    metric = only([phase.metric for phase in phases])
    ax = ax or new_axes(3.0)
    groups = list(dict.fromkeys(phase.group for phase in known))
    for n, group in enumerate(groups):
        place = (n - (len(groups) - 1) / 2) * DODGE
        draw_group(ax, [phase for phase in known if phase.group == group], place, n, reader)
    name_phases(ax, phases, reader)
    from_zero_if_near(ax, [bound for phase in known for bound in (phase.mean, phase.mean_lower, phase.mean_upper)])
    amount_axis(ax.yaxis, reader, known[0].unit)
    ax.grid(axis="y")
    ax.set_ylabel(fit(reader.label(metric), 150, NOTE_SIZE))
    add_legend(ax, groups)
    return ax


def draw_group(ax: Axes, phases: list[Phase], place: float, n: int, reader: Reader) -> None:
    colour, marker = GROUP_COLOURS[n % len(GROUP_COLOURS)], GROUP_MARKERS[n % len(GROUP_MARKERS)]
    spots = {phase.phase: ORDER.index(phase.phase) + place for phase in phases}
    for one, next_one in pairwise(sorted(phases, key=lambda phase: ORDER.index(phase.phase))):
        ax.plot([spots[one.phase], spots[next_one.phase]], [one.mean, next_one.mean], color=colour,
                linewidth=1, alpha=0.5)
    for phase in phases:
        below, above = phase.mean - phase.mean_lower, phase.mean_upper - phase.mean
        spread = [[below], [above]] if math.isfinite(below) and math.isfinite(above) else None
        bars = ax.errorbar(spots[phase.phase], phase.mean, spread, color=colour, elinewidth=2.2, markersize=7,
                           marker=marker, linestyle="none", markerfacecolor=PAPER if phase.is_cut else colour)
        for bar in bars[2] if phase.is_cut else ():
            bar.set_linestyle((0, (1.2, 1)))
    ax.plot([], [], color=colour, marker=marker, linewidth=1, label=legend_name(phases[0].group, reader))


def name_phases(ax: Axes, phases: list[Phase], reader: Reader) -> None:
    """Words below each phase: its name and the days it stands on."""
    by_phase = {phase.phase: phase for phase in phases}
    lines = [f"{phase_name(name, reader)}\n{days_of(by_phase.get(name), reader)}" for name in ORDER]
    ax.set_xticks(range(len(ORDER)), lines)
    ax.set_xlim(-0.5, len(ORDER) - 0.5)


def phase_name(phase: str, reader: Reader) -> str:
    return {"before": reader.say("before"), "during": reader.say("during"), "after": reader.say("after")}[phase]


def days_of(phase: Phase | None, reader: Reader) -> str:
    if phase is None or not phase.days:
        return reader.say("no data")
    if math.isnan(phase.mean):
        return reader.say("{days} of {planned} days", days=reader.count(phase.days),
                          planned=reader.count(phase.days_planned))
    if phase.is_cut:
        return reader.say("○ only {n} of {planned} days", n=reader.count(phase.days),
                          planned=reader.count(phase.days_planned))
    return reader.duration(phase.days * 86400)


@theme()
def plot_daily(daily: list[Daily], reader: Reader, ax: Axes | None = None) -> Axes:
    """Value per user and day, a line per group, the campaign shaded; a day without data is a gap. One metric."""
    known = [day for day in daily if not math.isnan(day.value)]
    if not known:
        return nothing_to_show(reader, ax)
    metric = only([day.metric for day in daily])
    ax = ax or new_axes(2.8)
    groups = list(dict.fromkeys(day.group for day in known))
    for n, group in enumerate(groups):
        own = {day.day: day.value for day in known if day.group == group}
        draw_days(ax, own, n, legend_name(group, reader))
    from_zero_if_near(ax, [day.value for day in known])
    shade_campaign(ax, [day.day for day in daily if day.phase == "during"], reader)
    day_axis(ax, [day.day for day in daily], reader)
    amount_axis(ax.yaxis, reader, known[0].unit)
    ax.grid(axis="y")
    name = fit(reader.label(metric), 85, NOTE_SIZE)
    ax.set_ylabel(reader.say("{metric}, share of users", metric=name) if known[0].unit == "share"
                  else reader.say("{metric} per user and day", metric=name))
    add_legend(ax, groups)
    return ax


def draw_days(ax: Axes, values: dict[date, float], n: int, name: str) -> None:
    first, last = min(values), max(values)
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    colour = GROUP_COLOURS[n % len(GROUP_COLOURS)]
    ax.plot(days, [values.get(day, math.nan) for day in days], color=colour, label=name, linewidth=1.5,
            linestyle=GROUP_DASHES[n % len(GROUP_DASHES)])
    alone = [day for day in values if day - timedelta(days=1) not in values and day + timedelta(days=1) not in values]
    ax.plot(alone, [values[day] for day in alone], linestyle="none", marker=".", color=colour)


def shade_campaign(ax: Axes, days: list[date], reader: Reader) -> None:
    if not days:
        return
    start, stop = date2num(min(days)) - 0.5, date2num(max(days)) + 0.5  # a day's mark stands in its middle
    ax.axvspan(start, stop, color=GREY, alpha=0.16, linewidth=0, zorder=0)
    ax.text((start + stop) / 2, 1.01, reader.say("campaign"), transform=ax.get_xaxis_transform(),
            ha="center", va="bottom", size=NOTE_SIZE, color=INK)


def add_legend(ax: Axes, groups: list[str]) -> None:
    if len(groups) > 1:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.05), ncols=min(2, len(groups)), handlelength=2.6)


def legend_name(group: str, reader: Reader) -> str:
    return fit(reader.group(group), 115, NOTE_SIZE)


def from_zero_if_near(ax: Axes, values: list[float]) -> None:
    """Start the axis at zero unless that would hide the differences."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    room = 0.08 * (high - low or abs(high) or 1.0)
    ax.set_ylim(0 if 0 <= low <= 0.6 * high else low - room, high + room)


def only(metrics: list[str]) -> str:
    if len(set(metrics)) > 1:
        raise ValueError(f"one metric at a time, got {sorted(set(metrics))}")
    return metrics[0]
