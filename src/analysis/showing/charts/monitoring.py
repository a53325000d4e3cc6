"""A running campaign in pictures: rows as they arrive, the split, effects look by look, days unlike those before."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.results.running.arrival import Arrival
from analysis.results.running.breaks import Break
from analysis.results.running.course import Point
from analysis.results.running.split import ArmSoFar
from analysis.showing.charts.course import from_zero_if_near
from analysis.showing.charts.rows import fit
from analysis.showing.charts.scales import amount_axis, few_ticks, nothing_to_show, percent_axis
from analysis.showing.monitoring.when import When
from analysis.showing.reader import Reader
from analysis.showing.theme import (
    BLUE,
    GREY,
    GROUP_COLOURS,
    GROUP_DASHES,
    GROUP_MARKERS,
    INK,
    NOTE_SIZE,
    ORANGE,
    PAPER,
    new_axes,
    theme,
)

BAND = 0.16           # opacity of a range
ODD = {"marker": "X", "markersize": 9, "color": ORANGE, "linestyle": "none", "zorder": 5}
WIDEST = 2.5          # times the half width of the last interval, that the axis holds beyond the effects
N_LABELS = 6


@theme()
def plot_rows(rows: Sequence[Arrival], when: When, reader: Reader, ax: Axes | None = None) -> Axes:
    """Bars of the rows of one table, the range to be expected behind them, a cross where they leave it."""
    if not rows:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.3)
    at = [row.tick for row in rows]
    ax.bar(at, [row.n_rows for row in rows], width=0.72, color=BLUE, alpha=0.75, linewidth=0,
           label=reader.say("rows"))
    top = max([row.n_rows for row in rows] + [row.expected for row in rows if not math.isnan(row.expected)])
    known = [row for row in rows if not math.isnan(row.lower)]
    if known:
        below = [row.expected - row.lower for row in known]
        above = [row.upper - row.expected if math.isfinite(row.upper) else 0.0 for row in known]
        ax.errorbar([row.tick for row in known], [row.expected for row in known], [below, above], linestyle="none",
                    marker="_", markersize=8, color=INK, elinewidth=1, label=reader.say("expected, with range"))
    else:
        expected = [row.expected for row in rows]
        ax.plot(at, expected, linestyle="none", marker="_", markersize=8, color=INK,
                label=reader.say("the same hour on days before"))
    odd = [row for row in rows if row.state != "ok"]
    if odd:
        ax.plot([row.tick for row in odd], [row.n_rows for row in odd], label=reader.say("not as expected"), **ODD)
    bounds = [row.upper for row in known if row.upper < 2 * top]
    ax.set_ylim(0, 1.12 * max(top, *bounds, 1.0))
    few_ticks(ax.yaxis)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda n, _: reader.count(n)))
    ax.grid(axis="y")
    ax.set_ylabel(reader.say("Rows: {table}", table=reader.say(rows[0].table)))
    tick_axis(ax, when)
    names = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ordered = sorted(names, key=lambda name: name != reader.say("rows"))   # the rows first, then what to hold them to
    ax.legend([names[name] for name in ordered], ordered, loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2,
              handletextpad=0.4)
    return ax


@theme()
def plot_split(rows: Sequence[ArmSoFar], when: When, reader: Reader, ax: Axes | None = None) -> Axes:
    """How far the share of each arm is from the planned one, look by look."""
    known = [row for row in rows if not math.isnan(row.share)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.2)
    for n, arm in enumerate(dict.fromkeys(row.arm for row in known)):
        own = [row for row in known if row.arm == arm]
        ax.plot([row.tick for row in own], [row.share - row.planned_share for row in own],
                color=GROUP_COLOURS[n % len(GROUP_COLOURS)], linestyle=GROUP_DASHES[n % len(GROUP_DASHES)],
                marker=GROUP_MARKERS[n % len(GROUP_MARKERS)], markersize=4,
                label=fit(reader.label(arm), 115, NOTE_SIZE))
    ax.axhline(0, color=INK, linewidth=1)
    reach = 1.2 * max([abs(row.share - row.planned_share) for row in known] + [0.01])
    ax.set_ylim(-reach, reach)
    percent_axis(ax.yaxis, reader, signed=True)
    ax.grid(axis="y")
    ax.set_ylabel(reader.say("Share less planned share"))
    tick_axis(ax, when)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, handlelength=2.6)
    return ax


@theme()
def plot_course(rows: Sequence[Point], when: When, reader: Reader, ax: Axes | None = None) -> Axes:
    """One metric in one arm: the effect look by look with its interval for looking early, that of a single look faint.

    The zero line, and the margin of a guardrail, are what the interval is held against.
    """
    known = [row for row in rows if not math.isnan(row.rel_diff)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.0)
    at = [row.tick for row in known]
    fixed = {"color": GREY, "linewidth": 1, "linestyle": (0, (3, 2))}
    ax.plot(at, [row.fixed_lower for row in known], label=reader.say("interval as if looked at once"), **fixed)
    ax.plot(at, [row.fixed_upper for row in known], **fixed)
    claimed = [row for row in known if not (math.isnan(row.rel_diff_lower) or math.isnan(row.rel_diff_upper))]
    _draw_intervals(ax, claimed, reader)
    ax.plot(at, [row.rel_diff for row in known], color=BLUE, linewidth=1.8, marker="o", markersize=3.5,
            label=reader.say("effect so far"))
    ax.axhline(0, color=INK, linewidth=1)
    limit = -known[0].margin if known[0].better == "higher" else known[0].margin
    if not math.isnan(limit):
        ax.axhline(limit, color=ORANGE, linewidth=1.4, linestyle=(0, (2, 1)),
                   label=reader.say("limit {limit}", limit=reader.percent(limit, 0, signed=True)))
    ax.set_ylim(*_reach(known, claimed, limit))
    percent_axis(ax.yaxis, reader, signed=True)
    ax.grid(axis="y")
    name = fit(reader.label(known[0].metric), 110, NOTE_SIZE)
    ax.set_ylabel(reader.say("{metric}: effect", metric=name))
    tick_axis(ax, when)
    ax.legend(loc="lower center", bbox_to_anchor=(0.42, 1), ncols=2, handlelength=2.2)
    return ax


def _draw_intervals(ax: Axes, claimed: Sequence[Point], reader: Reader) -> None:
    """A band where every tick is a look; bars where looks are few."""
    if not claimed:
        return
    lower, upper = [row.rel_diff_lower for row in claimed], [row.rel_diff_upper for row in claimed]
    at, name = [row.tick for row in claimed], reader.say("interval for looking early")
    if len(at) > 1 and at[-1] - at[0] == len(at) - 1:
        ax.fill_between(at, lower, upper, color=BLUE, alpha=BAND, linewidth=0, label=name)
        for bound in (lower, upper):
            ax.plot(at, bound, color=BLUE, linewidth=0.9)
    else:
        ax.vlines(at, lower, upper, color=BLUE, linewidth=2.4, label=name)


def _reach(known: Sequence[Point], claimed: Sequence[Point], limit: float) -> tuple[float, float]:
    """Limits that hold the effects and the last interval with room; what is wider in the first days is cut."""
    last = (claimed or known)[-1]
    lower, upper = (last.rel_diff_lower, last.rel_diff_upper) if claimed else (last.fixed_lower, last.fixed_upper)
    half = (upper - lower) / 2 if math.isfinite(upper - lower) else 0.1
    later = [row.rel_diff for row in known[len(known) // 4:]]
    ends = [*later, lower, upper, 0.0, *([] if math.isnan(limit) else [limit])]
    ends = [end for end in ends if math.isfinite(end)]
    room = (WIDEST - 1) * half / 2
    return min(ends) - room, max(ends) + room


@theme()
def plot_breaks(rows: Sequence[Break], when: When, reader: Reader, ax: Axes | None = None) -> Axes:
    """One metric per user and day, the range that the days before lead to expect, a cross where it was left."""
    known = [row for row in rows if not math.isnan(row.value)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.6)
    judged = [row for row in known if not math.isnan(row.lower)]
    if judged:
        ax.vlines([row.tick for row in judged], [row.lower for row in judged], [row.upper for row in judged],
                  color=GREY, linewidth=6, alpha=0.4, label=reader.say("range to be expected"))
    ax.plot([row.tick for row in known], [row.value for row in known], color=BLUE, marker="o", markersize=4,
            markerfacecolor=PAPER, label=reader.say("as seen"))
    odd = [row for row in known if row.is_break]
    if odd:
        ax.plot([row.tick for row in odd], [row.value for row in odd], label=reader.say("break"), **ODD)
    _scale(ax, [row.value for row in known], judged)
    amount_axis(ax.yaxis, reader, known[0].unit)
    ax.grid(axis="y")
    name, arm = fit(reader.label(known[0].metric), 90, NOTE_SIZE), fit(reader.label(known[0].arm), 70, NOTE_SIZE)
    ax.set_ylabel(reader.say("{metric}: {arm} / control", metric=name, arm=arm) if known[0].arm else name)
    tick_axis(ax, when)
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, handletextpad=0.4)
    return ax


def _scale(ax: Axes, values: Sequence[float], judged: Sequence[Break]) -> None:
    """Limits that hold the values and most ranges; those of the first days are wide, and are cut."""
    finite = [value for value in values if math.isfinite(value)]
    uppers = sorted(row.upper for row in judged)
    usual = uppers[:3 * len(uppers) // 4 + 1]
    from_zero_if_near(ax, finite + usual + [row.lower for row in judged])


def tick_axis(ax: Axes, when: When) -> None:
    """All days (hours) of the period, also those to come; a label for every few of them."""
    n = len(when.ticks)
    gap = max(1, math.ceil(n / N_LABELS))
    if when.every == "day" and gap > 4:
        gap = 7 * math.ceil(gap / 7)
    places = list(range(1, n + 1, gap)) if when.every == "day" else list(range(gap, n + 1, gap))
    ax.set_xlim(0.4, n + 0.6)
    ax.set_xticks(places, [when.short(place) for place in places])
    ax.set_xlabel(when.span)
