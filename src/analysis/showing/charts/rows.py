"""Charts of one row per thing: a line of words above each mark, so that long names fit a narrow screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from analysis.showing.theme import INK, NOTE_SIZE, SIZE, new_axes

MARK = 0.58           # where in its row the mark stands, 0 is the top
QUIET = 0.8           # opacity of notes


@dataclass(frozen=True)
class Row:
    """The words of one row: name at the left, its number at the right, a note below the mark."""

    name: str
    value: str = ""
    note: str = ""


def row_axes(rows: Sequence[Row], ax: Axes | None, has_axis: bool = True) -> Axes:
    """Axes with one row per entry, first on top, its mark at `mark_at(i)`; `has_axis` keeps the axis below."""
    row_height = 0.6 if any(row.note for row in rows) else 0.5
    ax = ax or new_axes(row_height * len(rows) + (0.6 if has_axis else 0.12))
    ax.set_ylim(len(rows) + (0.1 if has_axis else 0), 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    if not has_axis:
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
    for i, row in enumerate(rows):
        write_row(ax, i, row)
    return ax


def mark_at(i: int) -> float:
    return i + MARK


def write_row(ax: Axes, i: int, row: Row) -> None:
    place = {"transform": ax.get_yaxis_transform(), "in_layout": False, "clip_on": False}
    room = points_wide(ax)
    value = one_line(row.value)
    name = fit(row.name, room - text_width(value, SIZE) - SIZE, SIZE)
    ax.text(0, i + 0.37, name, va="baseline", **place)
    ax.text(1, i + 0.37, value, va="baseline", ha="right", **place)
    if row.note:
        ax.text(0, i + 0.92, fit(row.note, room, NOTE_SIZE), va="baseline", size=NOTE_SIZE, alpha=QUIET, **place)


def draw_interval(ax: Axes, y: float, point: float, lower: float, upper: float, **look: object) -> None:
    """Point and interval; a bound outside the axis (an infinite one too) ends in an arrow at its edge.

    Nothing where the point is nan. Call it when the axis limits stand.
    """
    if math.isnan(point):
        return
    left, right = ax.get_xlim()
    if not math.isnan(lower) and not math.isnan(upper):
        ends = [min(max(bound, left), right) for bound in (lower, upper)]
        ax.plot(ends, [y, y], color=look["color"], linewidth=2.2, solid_capstyle="butt", clip_on=False)
    for edge, arrow, is_beyond in ((left, "<", min(lower, point) < left), (right, ">", max(upper, point) > right)):
        if is_beyond:
            ax.plot([edge], [y], marker=arrow, markersize=7, color=look["color"], clip_on=False)
    if left <= point <= right:
        ax.plot([point], [y], linestyle="none", zorder=4, **look)


def draw_reference(ax: Axes, x: float, n_rows: int, **look: object) -> None:
    """A vertical line in pieces, one per row beside its mark: it never crosses the words."""
    tops, bottoms = [mark_at(i) - 0.16 for i in range(n_rows)], [mark_at(i) + 0.16 for i in range(n_rows)]
    ax.vlines([x] * n_rows, tops, bottoms, color=INK, linewidth=1.2, zorder=1, **look)


def fit(text: str, width: float, size: float) -> str:
    """The text on one line, cut with "…" where it is wider than `width` points."""
    text = one_line(text)[:200]
    while text_width(text, size) > width and len(text) > 2:
        text = text.rstrip("…")[:-1].rstrip() + "…"
    return text


def one_line(text: str) -> str:
    return " ".join(text.split())


def text_width(text: str, size: float) -> float:
    """Points, in the theme's fonts."""
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)[0]


def points_wide(ax: Axes) -> float:
    """Width of the axes in points before the layout, less the figure's padding."""
    figure = ax.figure
    share = 1.0 if len(figure.axes) == 1 else ax.get_position().width
    return 72 * figure.get_figwidth() * share - 8
