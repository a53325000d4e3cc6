"""The effect by segment, and day by day."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from analysis.results.novelty import DayEffect, Novelty
from analysis.results.segments import SegmentEffect, SegmentTest
from analysis.showing.charts.course import add_legend
from analysis.showing.charts.rows import Row, draw_interval, draw_reference, fit, mark_at, row_axes
from analysis.showing.charts.scales import amount_axis, day_axis, limits, nothing_to_show
from analysis.showing.reader import Reader
from analysis.showing.theme import GROUP_COLOURS, GROUP_MARKERS, INK, NOTE_SIZE, new_axes, theme


@theme()
def plot_segments(
    rows: Sequence[SegmentEffect], tests: Sequence[SegmentTest], reader: Reader, ax: Axes | None = None
) -> Axes:
    """Arm minus control in each segment of one column, in the metric's unit, with intervals; dashed: all users."""
    known = [row for row in rows if not math.isnan(row.diff)]
    if not known:
        return nothing_to_show(reader, ax)
    arms = list(dict.fromkeys(row.arm for row in rows))
    ax = row_axes([segment_row(row, len(arms) > 1, reader) for row in rows], ax)
    bounds = [bound for row in known for bound in (row.diff_lower, row.diff_upper) if math.isfinite(bound)]
    ax.set_xlim(*limits(bounds or [row.diff for row in known], around=[0.0]))
    draw_reference(ax, 0.0, len(rows))
    for test in tests:
        if math.isfinite(test.overall) and len(arms) == 1:
            draw_reference(ax, test.overall, len(rows), linestyle=(0, (2, 1.5)))
    for i, row in enumerate(rows):
        n = arms.index(row.arm)
        draw_interval(ax, mark_at(i), row.diff, row.diff_lower, row.diff_upper,
                      marker=GROUP_MARKERS[n % len(GROUP_MARKERS)], color=GROUP_COLOURS[n % len(GROUP_COLOURS)])
    amount_axis(ax.xaxis, reader, rows[0].unit)
    ax.set_xlabel(reader.say("Difference to {control} per user; ┆ all users",
                             control=fit(reader.label(rows[0].control), 110, NOTE_SIZE)))
    return ax


def segment_row(row: SegmentEffect, has_arms: bool, reader: Reader) -> Row:
    name = (reader.label(row.segment) or reader.say("(none)")) + (f" · {reader.label(row.arm)}" if has_arms else "")
    if row.reason:
        return Row(name, reader.say("cannot be estimated"), reader.count(row.n_users))
    sign = "+" if row.diff > 0 else ""
    note = reader.say("{own} against {other} · {n} users · p {p}", own=reader.amount(row.value_treatment, row.unit),
                      other=reader.amount(row.value_control, row.unit),
                      n=reader.count(row.n_users), p=reader.pvalue(row.pvalue_adjusted))
    return Row(name, sign + reader.difference(row.diff, row.unit), note)


@theme()
def plot_effect_days(
    days: Sequence[DayEffect], lines: Sequence[Novelty], reader: Reader, ax: Axes | None = None
) -> Axes:
    """Arm minus control by day with intervals, and the fitted line of each arm."""
    known = [day for day in days if not math.isnan(day.diff)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.8)
    arms = list(dict.fromkeys(day.arm for day in known))
    for n, arm in enumerate(arms):
        own = [day for day in known if day.arm == arm]
        colour, marker = GROUP_COLOURS[n % len(GROUP_COLOURS)], GROUP_MARKERS[n % len(GROUP_MARKERS)]
        for day in own:
            ax.plot([day.day] * 2, [day.diff_lower, day.diff_upper], color=colour, linewidth=2, alpha=0.45,
                    solid_capstyle="butt")
        ax.plot([day.day for day in own], [day.diff for day in own], color=colour, marker=marker, markersize=4,
                linestyle="none", label=fit(reader.label(arm), 115, NOTE_SIZE))
        for line in (line for line in lines if line.arm == arm and not line.reason):
            ax.plot([own[0].day, own[-1].day], [line.first, line.last], color=colour, linewidth=1.4)
    ax.axhline(0, color=INK, linewidth=1)
    day_axis(ax, [day.day for day in known], reader)
    amount_axis(ax.yaxis, reader, known[0].unit)
    ax.grid(axis="y")
    ax.set_ylabel(reader.say("{metric}, difference per user", metric=fit(reader.label(known[0].metric), 95, NOTE_SIZE)))
    add_legend(ax, arms)
    return ax
