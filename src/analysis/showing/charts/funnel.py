"""How far users got: the whole funnel, and its end by segment."""

from __future__ import annotations

import math

import seaborn as sns
from matplotlib.axes import Axes

from analysis.results.funnel import Step
from analysis.showing.charts.course import ORDER, phase_name
from analysis.showing.charts.rows import Row, draw_interval, draw_reference, fit, mark_at, row_axes
from analysis.showing.charts.scales import limits, nothing_to_show, percent_axis
from analysis.showing.reader import Reader
from analysis.showing.theme import BLUE, NOTE_SIZE, ORANGE, theme

BAR = 0.26  # of a row


@theme()
def plot_funnel(steps: list[Step], reader: Reader, ax: Axes | None = None) -> Axes:
    """The whole funnel, a bar per step: mature units that got there, what was lost beside it, the worst loss marked.

    Rows of a breakdown (`by` not empty) are left out.
    """
    steps = sorted((step for step in steps if step.by == ""), key=lambda step: step.position)
    if not steps:
        return nothing_to_show(reader, ax)
    worst = max(steps, key=lambda step: step.n_lost)
    ax = row_axes([Row(f"{step.position}  {reader.label(step.step)}", reader.count(step.n_converted),
                       step_note(step, step is worst and step.n_lost > 0, reader)) for step in steps],
                  ax, has_axis=False)
    for i, step in enumerate(steps):
        is_worst = step is worst
        ax.barh(mark_at(i), step.n_lost, left=step.n_converted, height=BAR, facecolor="none",
                edgecolor=ORANGE if is_worst else BLUE, linewidth=0.9, hatch="////" if is_worst else None)
    sns.barplot(x=[step.n_converted for step in steps], y=[mark_at(i) for i in range(len(steps))], orient="h",
                native_scale=True, width=BAR, color=BLUE, saturation=1, errorbar=None, ax=ax)
    ax.set(xlim=(0, max(1, steps[0].n_converted)), ylim=(len(steps), 0), ylabel="")
    return ax


def step_note(step: Step, is_worst: bool, reader: Reader) -> str:
    if step.reason == "all_open":
        return reader.say("{n} so far, no window is over yet", n=reader.count(step.n_reached))
    if math.isnan(step.rate):
        return reader.say("no entries")
    if step.position == 1:
        return reader.say("entry · outlined: lost since the step before")
    parts = [reader.say("{rate} of entry", rate=reader.percent(step.rate))]
    if is_worst:
        parts.append(reader.say("▼ largest loss: {n} (only {rate} went on)", n=reader.count(step.n_lost),
                                rate=reader.percent(step.step_rate)))
    elif step.is_optional:
        parts.append(reader.say("may be left out"))
    elif step.position > 2:
        parts.append(reader.say("{rate} of the step before", rate=reader.percent(step.step_rate)))
    return " · ".join(parts)


@theme()
def plot_funnel_by(steps: list[Step], reader: Reader, ax: Axes | None = None) -> Axes:
    """Rate of the last step by segment of one column, best first (phases in their order), with Wilson intervals.

    Rows of the whole funnel (`by` empty), where present, give the upright line.
    """
    last = [step for step in steps if step.position == max(step.position for step in steps)]
    segments = sorted((step for step in last if step.by), key=segment_order)
    if not segments:
        return nothing_to_show(reader, ax)
    if len({step.by for step in segments}) > 1:
        raise ValueError(f"one breakdown at a time, got {sorted({step.by for step in segments})}")
    ax = row_axes([segment_row(step, reader) for step in segments], ax)
    overall = [step.rate for step in last if not step.by and not math.isnan(step.rate)]
    _, high = limits([*(step.rate_upper for step in segments), *overall], around=[0.0])
    ax.set_xlim(0, min(1.0, high))
    percent_axis(ax.xaxis, reader)
    for i, step in enumerate(segments):
        draw_interval(ax, mark_at(i), step.rate, step.rate_lower, step.rate_upper, marker="o", color=BLUE)
    for rate in overall:
        draw_reference(ax, rate, len(segments))
    label = reader.say("Share of entries that reached {step}", step=fit(reader.label(segments[0].step), 90, NOTE_SIZE))
    ax.set_xlabel(label + (reader.say("; │ all segments") if overall else ""))
    return ax


def segment_order(step: Step) -> tuple:
    if step.by == "phase":
        return ORDER.index(step.segment), 0.0, ""
    return math.isnan(step.rate), -step.rate, step.segment


def segment_row(step: Step, reader: Reader) -> Row:
    name = (phase_name(step.segment, reader) if step.by == "phase"
            else reader.label(step.segment) or reader.say("(none)"))
    size = f"n = {reader.count(step.n_mature)}"
    if math.isnan(step.rate):
        return Row(name, reader.say("cannot be estimated"), size)
    span = reader.interval(reader.percent(step.rate_lower), reader.percent(step.rate_upper))
    return Row(name, reader.percent(step.rate), f"{span} · {size}")
