"""Many experiments in one picture: the p of their splits, their effects, what they would have claimed on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import ArmSplit
from analysis.results.experiments.tallies import Course
from analysis.showing.charts.rows import fit
from analysis.showing.charts.scales import nothing_to_show, percent_axis
from analysis.showing.reader import Reader
from analysis.showing.theme import (
    BLUE,
    GREEN,
    GREY,
    GROUP_DASHES,
    INK,
    NOTE_SIZE,
    ORANGE,
    PAPER,
    PURPLE,
    new_axes,
    theme,
)
from analysis.stats.comparison import ALPHA

BINS = 20
# verdict -> look; shape and fill differ as well as colour
MARKS = {
    "better": {"marker": "o", "markersize": 5, "color": GREEN},
    "worse": {"marker": "X", "markersize": 6, "color": ORANGE},
    "cannot_tell": {"marker": "D", "markersize": 3.2, "color": GREY, "markerfacecolor": PAPER},
    "not_trusted": {"marker": "s", "markersize": 3.6, "color": PURPLE, "markerfacecolor": PAPER},
}
VERDICTS = {"better": "better", "worse": "worse", "cannot_tell": "cannot tell", "not_trusted": "not to be trusted"}
MOST = 0.95   # share of the bounds that the axis of effects holds where there are MANY; what is beyond is cut
MANY = 40
GAP = 2       # rows between the treatments to be trusted and the others
ROW = 0.03    # inches of one treatment


@theme()
def plot_split_pvalues(splits: Sequence[ArmSplit], reader: Reader, ax: Axes | None = None) -> Axes:
    """Histogram of the p of all splits, those that fail apart, and the height that all bars would have by chance."""
    pvalues = [split.pvalue for split in splits if not math.isnan(split.pvalue)]
    if not pvalues:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.6)
    edges = np.linspace(0, 1, BINS + 1)
    failed = [split.pvalue for split in splits if split.state == "fail"]
    ax.hist([failed, [split.pvalue for split in splits if split.state != "fail" and not math.isnan(split.pvalue)]],
            bins=edges, stacked=True, color=[ORANGE, BLUE], edgecolor=PAPER, linewidth=0.8, hatch=["////", ""],
            label=[reader.say("not to be trusted"), reader.say("passed")])
    ax.axhline(len(pvalues) / BINS, color=INK, linewidth=1.2, linestyle=(0, (4, 2)),
               label=reader.say("by chance alone"))
    ax.set_xlim(0, 1)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    ax.grid(axis="y")
    ax.set_xlabel(reader.say("p of the split"))
    ax.set_ylabel(reader.say("Treatments"))
    ax.legend(loc="upper right")
    return ax


@theme()
def plot_experiments(effects: Sequence[Effect], reader: Reader, ax: Axes | None = None) -> Axes:
    """Forest of one metric: a thin line per treatment, the largest effect on top, those not to be trusted below."""
    known = [effect for effect in effects if not math.isnan(effect.rel_diff)]
    if not known:
        return nothing_to_show(reader, ax)
    ordered = sorted(known, key=lambda effect: (not effect.is_trusted, -effect.rel_diff, effect.experiment, effect.arm))
    rows = [i + GAP * (not effect.is_trusted) for i, effect in enumerate(ordered)]
    ax = ax or new_axes(max(1.6, 1.0 + ROW * (rows[-1] + 1)))
    reach = _reach([effect for effect in known if effect.is_trusted] or known)
    ax.set_xlim(-reach, reach)
    ax.set_ylim(rows[-1] + 1.5, -1.5)
    ax.axvline(0, color=INK, linewidth=1)
    for row, effect in zip(rows, ordered, strict=True):
        _draw(ax, row, effect, reach)
    for verdict, words in VERDICTS.items():
        n = sum(effect.verdict == verdict for effect in known)
        if n:
            ax.plot([], [], linestyle="none", label=f"{reader.say(words)}: {reader.count(n)}", **MARKS[verdict])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, handletextpad=0.2)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    percent_axis(ax.xaxis, reader, signed=True)
    name = fit(reader.label(known[0].metric), 130, NOTE_SIZE)
    ax.set_xlabel(reader.say("Difference to control, with interval: {metric}", metric=name))
    return ax


def _reach(effects: Sequence[Effect]) -> float:
    """Half the width of the axis: nearly all bounds, and every effect that is claimed."""
    bounds = [abs(bound) for effect in effects for bound in (effect.rel_diff_lower, effect.rel_diff_upper)
              if math.isfinite(bound)] or [abs(effect.rel_diff) for effect in effects]
    claimed = [abs(effect.rel_diff) for effect in effects if effect.verdict in ("better", "worse")]
    return 1.05 * max(float(np.quantile(bounds, MOST if len(bounds) > MANY else 1)), *claimed, 1e-6)


def _draw(ax: Axes, row: int, effect: Effect, reach: float) -> None:
    """Interval and point; what lies beyond the axis is an arrow at its edge."""
    look = MARKS[effect.verdict]
    lower, upper = effect.rel_diff_lower, effect.rel_diff_upper
    if not math.isnan(lower):
        ax.plot([max(lower, -reach), min(upper, reach)], [row, row], color=look["color"], linewidth=1,
                linestyle="-" if effect.is_trusted else (0, (1.5, 1)), solid_capstyle="butt", clip_on=False)
    if abs(effect.rel_diff) <= reach:
        ax.plot([effect.rel_diff], [row], linestyle="none", zorder=4, **look)
    else:
        ax.plot([math.copysign(reach, effect.rel_diff)], [row], marker=">" if effect.rel_diff > 0 else "<",
                markersize=4, color=look["color"], clip_on=False)


@theme()
def plot_chance(effects: Sequence[Effect], reader: Reader, ax: Axes | None = None) -> Axes:
    """Funnel of one metric: effect against number of users; which stand after the correction and which before only.

    Experiments to be trusted.
    """
    known = [effect for effect in effects
             if effect.is_trusted and not math.isnan(effect.rel_diff) and not effect.reason]
    if not known:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.2)
    stands = [effect for effect in known if effect.pvalue_adjusted < ALPHA]
    alone = [effect for effect in known if effect.pvalue < ALPHA <= effect.pvalue_adjusted]
    rest = [effect for effect in known if effect.pvalue >= ALPHA]
    reach = _reach(known)
    for own, name, (marker, colour, fill, size) in (
            (rest, reader.say("within chance"), ("D", GREY, PAPER, 4)),
            (alone, reader.say("beyond it only if tested alone"), ("X", ORANGE, ORANGE, 7)),
            (stands, reader.say("beyond it after the correction"), ("o", BLUE, BLUE, 6))):
        ax.plot([max(-reach, min(effect.rel_diff, reach)) for effect in own],
                [effect.n_treatment + effect.n_control for effect in own], linestyle="none", marker=marker,
                color=colour, markerfacecolor=fill, markersize=size, clip_on=False,
                label=f"{name}: {reader.count(len(own))}")
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_xlim(-reach, reach)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda n, _: reader.count(n)))
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda n, _: ""))
    ax.grid(axis="y")
    ax.set_ylabel(reader.say("Users of both arms"))
    percent_axis(ax.xaxis, reader, signed=True)
    name = fit(reader.label(known[0].metric), 140, NOTE_SIZE)
    ax.set_xlabel(reader.say("Difference to control: {metric}", metric=name))
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=1, handletextpad=0.2)
    return ax


@theme()
def plot_peeking(courses: Sequence[Course], reader: Reader, ax: Axes | None = None) -> Axes:
    """Treatments of one metric that would have been claimed by a moment of their run, by three ways of looking."""
    if not any(course.n_treatments for course in courses):
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(3.0)
    progress = [0.0, *(course.progress for course in courses)]
    alpha = f"{ALPHA:g}"
    ways = {"n_below_ever": (reader.say("stopped at the first p below {alpha}", alpha=alpha), ORANGE),
            "n_below": (reader.say("p below {alpha} at that moment", alpha=alpha), BLUE),
            "n_any_time": (reader.say("by the method that allows looking"), GREEN)}
    for dashes, (way, (name, colour)) in zip(GROUP_DASHES, ways.items(), strict=False):
        claimed = [getattr(course, way) for course in courses]
        ax.plot(progress, [0, *claimed], color=colour, linestyle=dashes, clip_on=False,
                label=f"{name}: {reader.count(claimed[-1])}")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, None)
    percent_axis(ax.xaxis, reader)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    ax.grid(axis="y")
    ax.set_xlabel(reader.say("Share of each experiment's run"))
    ax.set_ylabel(reader.say("Treatments claimed"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=1, handlelength=2.6)
    return ax
