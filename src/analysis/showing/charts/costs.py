"""What it cost, item by item."""

from __future__ import annotations

import math

import seaborn as sns
from matplotlib.axes import Axes

from analysis.results.money import Cost
from analysis.showing.charts.rows import Row, mark_at, row_axes
from analysis.showing.charts.scales import limits, nothing_to_show
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, GREY, INK, theme

BAR = 0.26


@theme()
def plot_costs(costs: list[Cost], reader: Reader, ax: Axes | None = None) -> Axes:
    """A bar per item, largest first, the total last and in grey; an unknown amount has words and no bar."""
    items = sorted((cost for cost in costs if cost.item), key=lambda cost: (math.isnan(cost.amount), -cost.amount))
    shown = items + [cost for cost in costs if not cost.item]
    if not shown:
        return nothing_to_show(reader, ax)
    ax = row_axes([cost_row(cost, reader) for cost in shown], ax, has_axis=False)
    sns.barplot(x=[cost.amount for cost in shown], y=[mark_at(i) for i in range(len(shown))],
                hue=["item" if cost.item else "total" for cost in shown], palette={"item": BLUE, "total": GREY},
                orient="h", native_scale=True, width=BAR, saturation=1, errorbar=None, legend=False, dodge=False,
                ax=ax)
    low, high = limits([cost.amount for cost in shown], around=[0.0], margin=0)
    ax.set(xlim=(low, high if high > low else 1.0), ylim=(len(shown), 0), ylabel="")
    if low < 0:
        ax.axvline(0, color=INK, linewidth=0.8)
    return ax


def cost_row(cost: Cost, reader: Reader) -> Row:
    name = reader.label(cost.item) if cost.item else reader.say("total")
    if math.isnan(cost.amount):
        return Row(name, reader.say("unknown"))
    share = "" if math.isnan(cost.share) or not cost.item else f" ({reader.percent(cost.share)})"
    return Row(name, reader.money(cost.amount) + share)
