"""Before a campaign: the smallest visible effect by days, and by the share of users held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from analysis.results.planning.holdouts import HeldOut
from analysis.results.planning.reach import Reach
from analysis.showing.charts.rows import fit
from analysis.showing.charts.scales import nothing_to_show, percent_axis
from analysis.showing.planning.words import arm
from analysis.showing.reader import Reader
from analysis.showing.theme import (
    BLUE,
    GREEN,
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

FARTHEST = 4.0   # times the wished effect; what is larger is cut off
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
FEW_TICKS = (0.01, 0.05, 0.2)   # of amounts of money, which take more room


@theme()
def plot_reach(
    rows: Sequence[Reach], reader: Reader, ax: Axes | None = None, planned: float = math.nan
) -> Axes:
    """Smallest visible effect of one metric by days, a line per arm; with one arm also without the time before.

    planned   days of the campaign, marked
    """
    known = [row for row in rows if not math.isnan(row.smallest)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.2)
    arms = list(dict.fromkeys(row.arm for row in known))
    if len(arms) == 1 and any(row.reduction > 0 for row in known):
        ax.plot([row.days for row in known], [abs(row.smallest_plain) for row in known], color=GREY,
                linestyle=GROUP_DASHES[1], marker="s", markersize=4, markerfacecolor=PAPER,
                label=reader.say("users alone"))
    for i, name in enumerate(arms):
        own = [row for row in known if row.arm == name]
        words = reader.say("as the review will compare") if len(arms) == 1 else fit(arm(name, reader), 115, NOTE_SIZE)
        ax.plot([row.days for row in own], [abs(row.smallest) for row in own], label=words, markersize=5,
                color=GROUP_COLOURS[i % len(GROUP_COLOURS)], marker=GROUP_MARKERS[i % len(GROUP_MARKERS)],
                linestyle=GROUP_DASHES[0] if len(arms) == 1 else GROUP_DASHES[i % len(GROUP_DASHES)])
    wished = abs(known[0].wished)
    if not math.isnan(wished):
        ax.axhline(wished, color=ORANGE, linestyle=(0, (4, 2)), linewidth=1.5, label=reader.say("wished effect"))
    if not math.isnan(planned):
        ax.axvline(planned, color=INK, linewidth=1, linestyle=(0, (1, 1.5)), label=reader.say("planned length"))
    near = [row for row in known if row.days >= planned] or known[-1:]
    _effects(ax, [abs(row.smallest) for row in known], wished, reader,
             at_least=max(abs(size) for row in near for size in (row.smallest, row.smallest_plain)))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    ax.set_xlabel(reader.say("Days of the campaign"))
    ax.set_ylabel(fit(reader.label(known[0].metric), 150, NOTE_SIZE))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, handlelength=2.6)
    return ax


@theme()
def plot_holdouts(rows: Sequence[HeldOut], reader: Reader, ax: Axes | None = None) -> Axes:
    """Smallest visible effect by the share of users held out, and above it what those forgo."""
    known = [row for row in rows if not math.isnan(row.smallest)]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.2)
    ax.plot([row.share for row in known], [abs(row.smallest) for row in known], color=BLUE, marker="o", markersize=5)
    for row in known:
        if row.is_enough:
            ax.plot([row.share], [abs(row.smallest)], color=GREEN, marker="D", markersize=9, linestyle="none",
                    label=reader.say("smallest that will do"), zorder=4)
        elif row.is_planned:
            ax.plot([row.share], [abs(row.smallest)], color=BLUE, marker="o", markersize=9, linestyle="none",
                    markerfacecolor=PAPER, label=reader.say("planned"), zorder=4)
    wished = abs(known[0].wished)
    if not math.isnan(wished):
        ax.axhline(wished, color=ORANGE, linestyle=(0, (4, 2)), linewidth=1.5, label=reader.say("wished effect"))
    ax.set_xscale("log")
    _ticks(ax.xaxis, TICKS, lambda share: reader.percent(share, 0))
    ax.set_xlabel(reader.say("Share of the users held out"))
    _effects(ax, [abs(row.smallest) for row in known], wished, reader)
    ax.set_ylabel(reader.say("Smallest visible effect"))
    _forgone(ax, known[0], reader)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper right")
    return ax


def _effects(ax: Axes, sizes: Sequence[float], wished: float, reader: Reader, at_least: float = 0.0) -> None:
    """From zero to the largest effect, or to a few times the wished one so that this does not lie at the bottom."""
    most = max(sizes)
    ax.set_ylim(0, 1.08 * (most if math.isnan(wished) else max(min(most, FARTHEST * wished), 1.3 * wished, at_least)))
    percent_axis(ax.yaxis, reader)
    ax.grid(axis="y")


def _ticks(axis: Axis, ticks: Sequence[float], text: Callable[[float], str]) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda share, _: text(share)))


def _forgone(ax: Axes, row: HeldOut, reader: Reader) -> None:
    """What is forgone grows with the share, so it is a second scale of the same axis."""
    if math.isnan(row.forgone):
        return
    above = ax.secondary_xaxis("top")
    is_money = row.unit and row.unit == reader.currency
    _ticks(above.xaxis, FEW_TICKS, lambda share: (reader.money if is_money else reader.number)(
        row.forgone / row.share * share, 0))
    above.set_xlabel(reader.say("Forgone if the wished effect is real: {metric}",
                                metric=fit(reader.label(row.metric), 110, NOTE_SIZE)))
