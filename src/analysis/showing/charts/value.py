"""What users were worth in the time after their start."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.results.ltv import Value
from analysis.showing.charts.scales import amount_axis, nothing_to_show
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, GREY, new_axes, theme


@theme()
def plot_value(values: Sequence[Value], reader: Reader, ax: Axes | None = None) -> Axes:
    """Paid in all per user by days since the start: all cohorts together, and each cohort thin where there are several.

    A line ends where the days of its users are not over.
    """
    whole = [value for value in values if not value.reason]
    together = [value for value in whole if value.cohort is None]
    if not together:
        return nothing_to_show(reader, ax)
    ax = ax or new_axes(2.7)
    cohorts = sorted({value.cohort for value in whole if value.cohort is not None})
    for i, cohort in enumerate(cohorts if len(cohorts) > 1 else []):
        own = [value for value in whole if value.cohort == cohort]
        ax.plot([v.n_days for v in own], [v.value for v in own], color=GREY, linewidth=0.8, alpha=0.7,
                label=None if i else reader.say("one cohort each"))
    ax.plot([v.n_days for v in together], [v.value for v in together], color=BLUE, marker="o", markersize=4,
            label=reader.say("all together"))
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    amount_axis(ax.yaxis, reader, reader.currency)
    ax.grid(axis="y")
    ax.set(xlabel=reader.say("Days since the start"), ylabel=reader.say("Paid per user"))
    if len(cohorts) > 1:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax
