"""What changed against control, and what was reached of each goal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from analysis.results.goals import Goal
from analysis.results.uplift import Uplift
from analysis.showing.charts.rows import Row, draw_interval, draw_reference, mark_at, row_axes
from analysis.showing.charts.scales import limits, nothing_to_show, percent_axis
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, GREEN, GREY, ORANGE, PAPER, theme

# Shape and fill differ as well as colour.
GOOD = {"marker": "o", "markersize": 8, "color": GREEN}
BAD = {"marker": "X", "markersize": 9, "color": ORANGE}
OPEN = {"marker": "D", "markersize": 7, "color": GREY, "markerfacecolor": PAPER}
LOOKS = {"better": GOOD, "safe": GOOD, "met": GOOD, "worse": BAD, "broken": BAD, "missed": BAD,
         "cannot_tell": OPEN, "unknown": OPEN}
FARTHEST = 2.0  # times the target; beyond it an arrow


@theme()
def plot_uplifts(uplifts: Sequence[Uplift], reader: Reader, ax: Axes | None = None) -> Axes:
    """Forest plot: relative difference to control with its interval, a row per metric and arm."""
    if not uplifts:
        return nothing_to_show(reader, ax)
    has_arms = len({uplift.arm for uplift in uplifts}) > 1
    ax = row_axes([uplift_row(uplift, has_arms, reader) for uplift in uplifts], ax)
    numbers = [number for uplift in uplifts for number in (
        uplift.rel_diff, uplift.rel_diff_lower, uplift.rel_diff_upper, worst_allowed(uplift))]
    ax.set_xlim(*limits(numbers, around=[-0.01, 0.01]))
    draw_reference(ax, 0, len(uplifts))
    percent_axis(ax.xaxis, reader, signed=True)
    for i, uplift in enumerate(uplifts):
        draw_interval(ax, mark_at(i), uplift.rel_diff, uplift.rel_diff_lower, uplift.rel_diff_upper,
                      **LOOKS[uplift.verdict])
        ax.vlines(worst_allowed(uplift), mark_at(i) - 0.16, mark_at(i) + 0.16, color=ORANGE, linestyle=(0, (2, 1)))
    ax.set_xlabel(reader.say("Difference to control, with interval"))
    return ax


def worst_allowed(uplift: Uplift) -> float:
    """Where the margin of a guardrail ends; nan for other metrics."""
    return -uplift.margin if uplift.better == "higher" else uplift.margin


def uplift_row(uplift: Uplift, has_arms: bool, reader: Reader) -> Row:
    name = reader.label(uplift.metric) + (f" · {reader.label(uplift.arm)}" if has_arms else "")
    role = {"primary": reader.say("primary"), "guardrail": reader.say("guardrail"),
            "secondary": reader.say("secondary")}[uplift.role]
    if not math.isnan(uplift.margin):
        role = reader.say("guardrail, ┆ limit {limit}", limit=reader.percent(worst_allowed(uplift), signed=True))
    if math.isnan(uplift.rel_diff):
        return Row(name, reader.say("cannot be estimated"), role)
    span = reader.interval(reader.percent(uplift.rel_diff_lower, signed=True),
                           reader.percent(uplift.rel_diff_upper, signed=True))
    verdict = {"better": reader.say("● better"), "worse": reader.say("✖ worse"),
               "safe": reader.say("● safe"), "broken": reader.say("✖ broken"),
               "cannot_tell": reader.say("◇ cannot tell")}[uplift.verdict]
    if uplift.role == "guardrail" and uplift.verdict == "cannot_tell":
        verdict = reader.say("◇ not shown to hold")
    return Row(name, verdict, f"{reader.percent(uplift.rel_diff, signed=True)} ({span}) · {role}")


@theme()
def plot_goals(goals: list[Goal], reader: Reader, ax: Axes | None = None) -> Axes:
    """What came against what was asked, each goal scaled to its own target (100 %); the tinted side meets it."""
    if not goals:
        return nothing_to_show(reader, ax)
    has_arms = len({goal.arm for goal in goals if goal.arm}) > 1
    ax = row_axes([goal_row(goal, has_arms and goal.arm != "", reader) for goal in goals], ax)
    drawn = [(i, goal) for i, goal in enumerate(goals) if goal.target > 0 and not math.isnan(goal.observed)]
    levels = [level / goal.target for _, goal in drawn for level in levels_of(goal)]
    ax.set_xlim(*limits([max(-FARTHEST, min(level, FARTHEST)) for level in levels], around=[0.8, 1.2]))
    draw_reference(ax, 1, len(goals))
    percent_axis(ax.xaxis, reader)
    for i, goal in drawn:
        draw_goal(ax, mark_at(i), goal)
    ax.set_xlabel(reader.say("Share of the target; │ baseline, shaded: goal met"))
    return ax


def levels_of(goal: Goal) -> list[float]:
    levels = [goal.observed, goal.lower, goal.upper, goal.baseline]
    return [level for level in levels if math.isfinite(level)]


def draw_goal(ax: Axes, y: float, goal: Goal) -> None:
    edge = ax.get_xlim()[1 if goal.better == "higher" else 0]
    ax.fill_betweenx([y - 0.13, y + 0.13], 1, edge, color=GREEN, alpha=0.16, linewidth=0)
    if ax.get_xlim()[0] <= goal.baseline / goal.target <= ax.get_xlim()[1]:
        ax.plot([goal.baseline / goal.target] * 2, [y - 0.13, y + 0.13], color=BLUE, linewidth=2.2)
    draw_interval(ax, y, goal.observed / goal.target, goal.lower / goal.target, goal.upper / goal.target,
                  **LOOKS[goal.verdict])


def goal_row(goal: Goal, has_arms: bool, reader: Reader) -> Row:
    verdict = {"met": reader.say("● met"), "missed": reader.say("✖ missed"),
               "unknown": reader.say("◇ not known")}[goal.verdict]
    target, observed, lower, upper = (
        reader.level(level, goal.unit, goal.measure) for level in (goal.target, goal.observed, goal.lower, goal.upper))
    asked = (reader.say("goal: at most {target}", target=target) if goal.better == "lower"
             else reader.say("goal: at least {target}", target=target))
    came = (reader.say("cannot be estimated") if math.isnan(goal.observed)
            else f"{observed} ({reader.interval(lower, upper)})")
    name = reader.label(goal.metric) + (f" · {reader.label(goal.arm)}" if has_arms else "")
    return Row(name, verdict, f"{came} · {asked}")
