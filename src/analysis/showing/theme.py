"""How every chart looks: few colours, one ink, fonts for English and Chinese, and nothing that changes between runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files

import matplotlib.style
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Text, axes and lines in one colour, the ground and hollow marks in another: the page puts its own in their place,
# so that charts follow dark mode; seen in a notebook, they are dark on light whatever the theme there.
INK, PAPER = "#010203", "#fdfcfb"

# At least 3.8 : 1 on white and on #16181d; after Okabe and Ito (2008), told apart by colour-blind readers as well.
# They fill marks, never text. Neighbours differ in marker or dash too.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#1f7fc4", "#c8551b", "#0b8f6a", "#b45f93", "#767c85"
GROUP_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, GREY)
GROUP_MARKERS = ("o", "s", "^", "D", "v")
GROUP_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (9, 2)))

WIDTH = 4.5      # inches: at 320 px the text of 10 pt is still 9 px high
SIZE = 10        # points
NOTE_SIZE = 9

# DejaVu Sans comes with matplotlib and runs wider than the fonts of browsers: what fits here fits there.
FAMILIES = ("DejaVu Sans", "Noto Sans SC Subset")

SETTINGS = {
    "font.family": list(FAMILIES), "font.size": SIZE, "axes.labelsize": NOTE_SIZE,
    "xtick.labelsize": NOTE_SIZE, "ytick.labelsize": NOTE_SIZE, "legend.fontsize": NOTE_SIZE,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "patch.edgecolor": INK, "grid.color": INK, "grid.alpha": 0.14, "grid.linewidth": 0.7,
    "axes.prop_cycle": cycler(color=GROUP_COLOURS), "lines.linewidth": 1.8,
    "figure.facecolor": PAPER, "savefig.facecolor": PAPER, "axes.facecolor": "none", "legend.frameon": False,
    "figure.figsize": (WIDTH, 3.0), "figure.dpi": 72, "figure.constrained_layout.use": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "axes.axisbelow": True,
    "xtick.major.size": 3, "ytick.major.size": 3, "xtick.major.width": 0.8, "ytick.major.width": 0.8,
    "hatch.linewidth": 0.8,
    "text.parse_math": False, "text.usetex": False, "axes.formatter.use_mathtext": False,  # names may hold "$"
    "svg.fonttype": "none", "svg.hashsalt": "campaign-analysis", "svg.image_inline": True,
}


@contextmanager
def theme() -> Iterator[None]:
    """Draw inside it, or decorate a drawing function with it; the caller's own settings come back afterwards."""
    register_fonts()
    with matplotlib.style.context(["default", SETTINGS]), warnings.catch_warnings():
        # An emoji in an event's name: measured as a box here, drawn by the reader's own fonts in the SVG.
        warnings.filterwarnings("ignore", message=r"(?s).*Glyph .* missing from")
        yield


@cache
def register_fonts() -> None:
    with as_file(files("analysis.showing") / "fonts" / "NotoSansSC-GB2312.otf") as path:
        font_manager.fontManager.addfont(path)


def new_axes(height: float) -> Axes:
    """Axes of a new figure, `height` inches high. No pyplot: no backend, and nothing is drawn twice in a notebook."""
    return Figure(figsize=(WIDTH, height)).add_subplot()
