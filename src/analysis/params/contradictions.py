"""Mistakes between the parts of a campaign file: each part is fine, together they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from analysis.params.model import suggest

Mistake = tuple[tuple, str]


def contradictions(c: Any, broken: set[str]) -> Iterator[Mistake]:
    """Each mistake as (where, message).

    c        a campaign whose unreadable or absent parts are None
    broken   names of the parts that are there but unreadable: nothing is said about what leans on them
    """
    yield from _arms(c, broken)
    yield from _periods(c)
    yield from _metrics(c, broken)
    yield from _goals(c, broken)
    yield from _steps(c, broken)
    yield from _costs(c, broken)


def _arms(c: Any, broken: set[str]) -> Iterator[Mistake]:
    if c.arms is None and c.no_control_group is None and not {"arms", "no_control_group"} & broken:
        yield ("arms",), (
            "missing: say `arms:` with a control and shares, or `no_control_group:` with the reason why there is none")
    if c.arms and c.no_control_group:
        yield ("no_control_group",), "stands beside `arms:`; a campaign has one or the other"
    if c.arms:
        if c.arms.control not in c.arms.shares:
            yield ("arms", "control"), f"'{c.arms.control}' is not among the shares{suggest(c.arms.control, c.arms.shares)}"
        total = sum(c.arms.shares.values())
        if abs(total - 1) > 1e-6:
            yield ("arms", "shares"), f"add up to {total:.4g}, not to 1 (100%)"
        if c.sources and not c.sources.assignments:
            yield ("sources",), "arms need `assignments:`, the table that says who was in which arm"


def _periods(c: Any) -> Iterator[Mistake]:
    if not c.period:
        return
    start, end = c.period.interval("UTC")
    if c.baseline and c.baseline.interval("UTC")[1] > start:
        yield ("baseline",), "ends after the period begins; it is the time before"
    if c.after and c.after.interval("UTC")[0] < end:
        yield ("after",), "begins before the period ends"
    for phase in ("baseline", "after"):
        stretch = getattr(c, phase)
        if stretch and stretch.length % c.period.length:
            yield (phase,), (
                f"lasts {_days(stretch)}, which is not a whole number of times the period's {_days(c.period)}: "
                "like is compared with like")


def _days(period: Any) -> str:
    return f"{period.length.total_seconds() / 86400:g} days"


def _metrics(c: Any, broken: set[str]) -> Iterator[Mistake]:
    if not c.metrics:
        return
    primary = [name for name, metric in c.metrics.items() if metric.role == "primary"]
    if len(primary) != 1:
        yield ("metrics",), f"exactly one metric is primary; found {', '.join(primary) or 'none'}"
    for name, metric in c.metrics.items():
        for part in metric.ratio:
            if part not in c.metrics:
                yield ("metrics", name, "ratio"), f"'{part}' is not a metric of this file{suggest(part, c.metrics)}"
            elif c.metrics[part].ratio:
                yield ("metrics", name, "ratio"), f"'{part}' is a ratio itself"
        times = {(c.metrics[part].window, c.metrics[part].over) for part in metric.ratio if part in c.metrics}
        if len(times) > 1:
            yield ("metrics", name, "ratio"), "its two metrics are counted over different times"
        if metric.over != "period" and c.after is None and "after" not in broken:
            yield ("metrics", name, "over"), f"is {metric.over}, but the campaign has no `after:`"
        if c.sources and metric.table and not getattr(c.sources, metric.table):
            yield ("metrics", name, metric.kind), f"counts {metric.table}, but `sources:` has no `{metric.table}:`"
        if metric.window and not (c.sources and c.sources.assignments) and "sources" not in broken:
            yield ("metrics", name, "window"), "runs from a user's assignment, but `sources:` has no `assignments:`"


def _goals(c: Any, broken: set[str]) -> Iterator[Mistake]:
    for i, goal in enumerate(c.goals or []):
        metric = (c.metrics or {}).get(goal.metric)
        if c.metrics and metric is None:
            yield ("goals", i, "metric"), f"'{goal.metric}' is not a metric of this file{suggest(goal.metric, c.metrics)}"
        if c.period and goal.deadline and _last_day(goal.deadline) < _last_day(c.period.end):
            yield ("goals", i, "deadline"), f"{goal.deadline} is before the period ends; goals are measured over the period"
        if goal.target.change is None:
            continue
        if goal.baseline == "before" and c.baseline is None and "baseline" not in broken:
            yield ("goals", i, "target"), "is a change, but there is no `baseline:` period to compare with"
        if goal.baseline == "before" and metric is not None and not _has_phases(c, metric):
            yield ("goals", i, "baseline"), (
                f"'{goal.metric}' is counted over another time than the period and so has no time before; "
                "compare with control or give a number")
        if goal.baseline == "control" and c.arms is None and "arms" not in broken:
            yield ("goals", i, "baseline"), "is control, but the campaign has no arms"
        if goal.baseline == "control" and goal.measure == "total" and not (metric and metric.ratio):
            yield ("goals", i, "measure"), "totals of arms of different size cannot be compared; say measure: per_user"


def _has_phases(c: Any, metric: Any) -> bool:
    return all(c.metrics[part].has_phases for part in metric.ratio if part in c.metrics) if metric.ratio else metric.has_phases


def _last_day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _steps(c: Any, broken: set[str]) -> Iterator[Mistake]:
    if c.sources and not c.sources.events:
        if c.funnels:
            yield ("funnels",), "need `events:` in `sources:`"
        if c.retention:
            yield ("retention",), "needs `events:` in `sources:`"
    for name, funnel in (c.funnels or {}).items():
        if funnel.order == "any" and (funnel.window is not None or len(set(funnel.steps)) < len(funnel.steps)):
            yield ("funnels", name, "order"), "any needs `window: none` and steps that differ: it asks only what happened"
    if c.sources and not (c.sources.events or c.sources.orders):
        yield ("sources",), "has neither `events:` nor `orders:`: there is nothing to count"


def _costs(c: Any, broken: set[str]) -> Iterator[Mistake]:
    for item, amount in (c.costs or {}).items():
        if _is_number(amount):
            continue
        if c.metrics and amount not in c.metrics:
            yield ("costs", item), f"'{amount}' is neither an amount nor a metric of this file{suggest(amount, c.metrics)}"
        elif c.metrics and (c.metrics[amount].ratio or not c.metrics[amount].has_phases):
            yield ("costs", item), f"'{amount}' has no total over the period (it is a ratio, or counted at another time)"


def _is_number(text: str) -> bool:
    from analysis.params.values import parse_number

    try:
        parse_number(text)
    except ValueError:
        return False
    return True
