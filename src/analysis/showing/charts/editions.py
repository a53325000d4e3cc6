"""One number over the editions of a series."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.results.editions.course import Point
from analysis.showing.charts.rows import fit
from analysis.showing.charts.scales import nothing_to_show
from analysis.showing.reader import Reader
from analysis.showing.theme import GROUP_COLOURS, GROUP_MARKERS, INK, new_axes, theme

MOST = 12      # names of editions that find room below the axis
WIDE = 40      # points of one


@theme()
def plot_editions(points: Sequence[Point], editions: Sequence[str], reader: Reader, ax: Axes | None = None) -> Axes:
    """A mark with its interval per edition and group, in order; an edition without the number leaves a gap.

    editions   all of the series, oldest first
    """
    known = [point for point in points if not math.isnan(point.value)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.0)
    groups = list(dict.fromkeys(point.group for point in known))[:len(GROUP_COLOURS)]
    for i, group in enumerate(groups):
        own = [point for point in known if point.group == group]
        places = [editions.index(point.edition) + 0.22 * (i - (len(groups) - 1) / 2) for point in own]
        bounds = [point for point in zip(places, own, strict=True) if not math.isnan(point[1].lower + point[1].upper)]
        ax.vlines([x for x, _ in bounds], [p.lower for _, p in bounds], [p.upper for _, p in bounds],
                  color=GROUP_COLOURS[i], linewidth=1.6)
        ax.plot(places, [point.value for point in own], linestyle="none", marker=GROUP_MARKERS[i], markersize=4,
                color=GROUP_COLOURS[i], label=reader.group(group))
    if known[0].kind == "effect":
        ax.axhline(0, color=INK, linewidth=1)
    _axes(ax, known[0], editions, reader)
    if len(groups) > 1:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, handletextpad=0.2)
    return ax


def _axes(ax: Axes, first: Point, editions: Sequence[str], reader: Reader) -> None:
    step = math.ceil(len(editions) / MOST)
    shown = range(0, len(editions), step)
    ax.set_xticks(list(shown), [fit(editions[i], WIDE, 9) for i in shown])
    ax.set_xlim(-0.6, len(editions) - 0.4)
    ax.set_xlabel(reader.say("Edition"))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: reader.amount(value, first.unit)))
    ax.set_ylabel(reader.say("per user and day") if first.is_per_day else "")
    ax.grid(axis="y")
