"""Who came back: the pooled curve, and the triangle of cohorts."""

from __future__ import annotations

import math
from datetime import date

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.patches import Rectangle
from pandas import DataFrame

from analysis.results.retention import Cell
from analysis.showing.charts.scales import nothing_to_show, percent_axis
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, GREEN, GREY, INK, NOTE_SIZE, ORANGE, PURPLE, new_axes, theme

FLAVOURS = {"on_or_after": {"color": BLUE, "linestyle": "-", "marker": "o"},
            "on": {"color": ORANGE, "linestyle": (0, (4, 2)), "marker": "s"},
            "streak": {"color": GREEN, "linestyle": (0, (1.5, 1.5)), "marker": "^"},
            "previous": {"color": PURPLE, "linestyle": (0, (6, 1.5, 1.5, 1.5)), "marker": "D"}}
MOST_TICKS = 7
MOST_NUMBERS = 13  # columns and rows up to which the numbers themselves fit
# Strength of one colour over the page's own paper: ink stays readable on every cell, on white and on dark.
HEAT = LinearSegmentedColormap.from_list("heat", [to_rgba(BLUE, 0.1), to_rgba(BLUE, 0.62)], N=24)


@theme()
def plot_retention(cells: list[Cell], reader: Reader, ax: Axes | None = None) -> Axes:
    """Retention by period, all cohorts together, with bands of the interval, and below each period the users at risk.

    Period 0, where everybody is there by definition, is left out when there are others.
    """
    pooled = sorted((cell for cell in cells if cell.cohort is None and not math.isnan(cell.rate)),
                    key=lambda cell: cell.period)
    later = without_start(pooled)
    if not later:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.9)
    names = {"on_or_after": reader.say("in the period or later"), "on": reader.say("in the period"),
             "streak": reader.say("in every period so far"), "previous": reader.say("of the period before")}
    for flavour, look in FLAVOURS.items():
        curve = [cell for cell in later if cell.flavour == flavour]
        if curve:
            draw_curve(ax, curve, names[flavour], look, flavour)
    ax.set_xlim(min(cell.period for cell in later) - 0.2, max(cell.period for cell in later) + 0.2)
    highest = max(cell.rate if math.isnan(cell.rate_upper) else cell.rate_upper for cell in later)
    ax.set_ylim(0, 1.15 * highest or 1)
    name_periods(ax, later, reader)
    percent_axis(ax.yaxis, reader)
    ax.grid(axis="y")
    ax.set(xlabel=reader.say("Periods since the first; below: users followed"),
           ylabel=reader.say("Share of users who came back"))
    return ax


def name_periods(ax: Axes, later: list[Cell], reader: Reader) -> None:
    """A few periods, each with the users at risk below it; fewer where the numbers are long."""
    at_risk = {cell.period: cell.n_users for cell in reversed(later)}
    periods = sorted(at_risk)
    widest = max(len(reader.count(n)) for n in at_risk.values())
    shown = periods[::math.ceil(len(periods) / (MOST_TICKS if widest < 6 else MOST_TICKS // 2))]
    ax.set_xticks(shown, [f"{period}\n{reader.count(at_risk[period])}" for period in shown])


# where each curve bears its name: of two that meet at an end, at the other
NAMED_AT = {"on_or_after": (0, 6, "bottom"), "on": (0, -7, "top"), "streak": (-1, -7, "top"),
            "previous": (-1, 6, "bottom")}


def draw_curve(ax: Axes, curve: list[Cell], name: str, look: dict, flavour: str) -> None:
    periods = [cell.period for cell in curve]
    ax.fill_between(periods, [cell.rate_lower for cell in curve], [cell.rate_upper for cell in curve],
                    color=look["color"], alpha=0.2, linewidth=0)
    sns.lineplot(x=periods, y=[cell.rate for cell in curve], ax=ax, errorbar=None, markersize=5,
                 markeredgewidth=0, **look)
    at, aside, side = NAMED_AT[flavour]
    ax.annotate(name, (periods[at], curve[at].rate), xytext=(0, aside), textcoords="offset points", va=side,
                ha="left" if at == 0 else "right", size=NOTE_SIZE, annotation_clip=False)


@theme()
def plot_retention_triangle(cells: list[Cell], reader: Reader, ax: Axes | None = None) -> Axes:
    """Cohort by period, came back in it; hatched while the period is not over or lacks days, blank before it begins.

    "Or later" would favour the early cohorts, which were followed for longer.
    Period 0 is left out as in the curve; sizes stand in the names of the rows.
    """
    flavours = [cell.flavour for cell in cells]
    flavour = "on" if "on" in flavours else next(iter(flavours), "")
    own = [cell for cell in cells if cell.cohort is not None and cell.flavour == flavour]
    wide = triangle(own)
    if wide.isna().all(axis=None):
        return nothing_to_show(reader, ax)
    has_numbers = max(wide.shape) <= MOST_NUMBERS
    ax = ax or new_axes(0.75 + min(5.0, 0.26 * len(wide)))
    sns.heatmap(wide * 100, mask=wide.isna(), vmin=0, cmap=HEAT, annot=has_numbers, fmt=".0f", cbar=not has_numbers,
                annot_kws={"color": INK, "size": NOTE_SIZE}, xticklabels=max(1, len(wide.columns) // 8),
                clip_on=False, ax=ax)
    hatch_open(ax, own, wide)
    name_rows(ax, own, list(wide.index), reader)
    ax.tick_params(axis="both", length=0, rotation=0)
    has_open = any(cell.reason and cell.period for cell in own)
    ax.set(xlabel=reader.say("Periods since the first; cells: % of the cohort;\nhatched: not over, or days missing")
           if has_open else reader.say("Periods since the first; cells: % of the cohort"), ylabel="")
    return ax


def hatch_open(ax: Axes, cells: list[Cell], wide: DataFrame) -> None:
    """Cells that have begun and have no rate."""
    for cell in cells:
        if cell.reason and cell.period in wide.columns:
            corner = (list(wide.columns).index(cell.period), list(wide.index).index(cell.cohort))
            ax.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor=GREY, hatch="////", linewidth=0))


def triangle(cells: list[Cell]) -> DataFrame:
    """Rates, one row per cohort, one column per period; nan where the period is not complete."""
    by_cell = {(cell.cohort, cell.period): cell.rate for cell in cells}
    cohorts = sorted({cell.cohort for cell in cells})
    periods = sorted({cell.period for cell in without_start(cells)})
    return DataFrame([[by_cell.get((cohort, period), math.nan) for period in periods] for cohort in cohorts],
                     index=cohorts, columns=periods)


def without_start(cells: list[Cell]) -> list[Cell]:
    """Without period 0, where everybody is there by definition, unless it is all there is."""
    return [cell for cell in cells if cell.period > 0 or cell.rate < 1] or cells


def name_rows(ax: Axes, cells: list[Cell], cohorts: list[date], reader: Reader) -> None:
    """First day and size of each cohort, every k-th where there are many."""
    sizes = {cell.cohort: cell.n_users for cell in sorted(cells, key=lambda cell: -cell.period)}
    every = math.ceil(len(cohorts) / 16)
    shown = range(0, len(cohorts), every)
    ax.set_yticks([i + 0.5 for i in shown],
                  [f"{reader.day(cohorts[i])} (n = {reader.count(sizes[cohorts[i]])})" for i in shown])
