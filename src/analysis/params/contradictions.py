"""Mistakes between the parts of a campaign file: each part is fine, together they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from analysis.params.counting import disagreements
from analysis.params.part import suggest
from analysis.params.plan import disagreements as plan_disagreements
from analysis.params.values import parse_number

Mistake = tuple[tuple, str]
OWN_NAMES = ("user_id", "variant")   # columns that stand beside the metrics in the facts


def contradictions(c: Any, broken: set[str]) -> Iterator[Mistake]:
    """Each mistake as (where, message).

    c        a campaign whose unreadable or absent parts are None, and so are unreadable metrics, goals and funnels;
             its `purpose` is that of `load`
    broken   names of the parts that are there but unreadable: nothing is said about what leans on them
    """
    yield from _arms(c, broken)
    yield from _periods(c)
    yield from _sources(c)
    yield from _names(c)
    yield from _metrics(c, broken)
    yield from _goals(c, broken)
    yield from _effects(c, broken)
    if c.plan:
        yield from plan_disagreements(c.plan, c.metrics, c.arms, c.period)
    yield from _steps(c)
    yield from _costs(c)


def _arms(c: Any, broken: set[str]) -> Iterator[Mistake]:
    is_missing = c.arms is None and c.no_control_group is None and not {"arms", "no_control_group"} & broken
    if is_missing and c.purpose != "plan":
        yield ("arms",), (
            "missing: say `arms:` with a control and shares, or `no_control_group:` with the reason why there is none")
    if c.arms and c.no_control_group:
        yield ("no_control_group",), "stands beside `arms:`; a campaign has one or the other"
    if not c.arms:
        return
    shares = c.arms.shares
    if c.arms.control not in shares:
        yield ("arms", "control"), f"'{c.arms.control}' is not among the shares{suggest(c.arms.control, shares)}"
    for arm in (arm for arm, share in shares.items() if share == 0):
        yield ("arms", "shares", arm), "is 0%: an arm that nobody is meant to be in"
    if abs(sum(shares.values()) - 1) > 1e-6:
        yield ("arms", "shares"), f"add up to {sum(shares.values()):.4g}, not to 1 (100%)"
    if c.sources and _lacks_assignments(c):
        yield ("sources",), ("arms need `assignments:`, the table that says who was in which arm; before a campaign "
                             "runs, `campaign assign` draws one")


def _lacks_assignments(c: Any) -> bool:
    """Whether nobody is assigned to an arm, though by now somebody should be."""
    return not c.sources.assignments and c.purpose != "plan"


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


def _sources(c: Any) -> Iterator[Mistake]:
    if not c.sources:
        return
    if not (c.sources.events or c.sources.orders):
        yield ("sources",), "has neither `events:` nor `orders:`: there is nothing to count"
    if c.population and not c.sources.users:
        for key in ("consent", "where"):
            if getattr(c.population, key):
                yield ("population", key), "looks at users, but `sources:` has no `users:`"
    if c.population and c.population.unassigned and _lacks_assignments(c):
        yield ("population", "unassigned"), "names who has no assignment, but `sources:` has no `assignments:`"


def _names(c: Any) -> Iterator[Mistake]:
    """Names of metrics become columns, of which engines do not tell upper from lower case."""
    seen: dict[str, str] = {}
    for name in c.metrics or {}:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield ("metrics", name), f"differs from '{first}' only in upper and lower case"
        if name.lower() in OWN_NAMES:
            yield ("metrics", name), "is the name of a column of every table; choose another"


def _metrics(c: Any, broken: set[str]) -> Iterator[Mistake]:
    if not c.metrics:
        return
    primary = [name for name, metric in c.metrics.items() if metric and metric.role == "primary"]
    if len(primary) > 1 or (not primary and None not in c.metrics.values()):
        yield ("metrics",), f"exactly one metric is primary; found {', '.join(primary) or 'none'}"
    for name, metric in c.metrics.items():
        if metric is None:
            continue
        for message in _ratio(c, metric):
            yield ("metrics", name, "ratio"), message
        if metric.over != "period" and c.after is None and "after" not in broken:
            yield ("metrics", name, "over"), f"is {metric.over}, but the campaign has no `after:`"
        if c.sources and metric.table and not getattr(c.sources, metric.table):
            yield ("metrics", name, metric.kind), f"counts {metric.table}, but `sources:` has no `{metric.table}:`"
        if metric.window and c.sources and _lacks_assignments(c):
            yield ("metrics", name, "window"), "runs from a user's assignment, but `sources:` has no `assignments:`"


def _ratio(c: Any, metric: Any) -> Iterator[str]:
    for part in metric.ratio:
        if part not in c.metrics:
            yield f"'{part}' is not a metric of this file{suggest(part, c.metrics)}"
        elif c.metrics[part] and c.metrics[part].ratio:
            yield f"'{part}' is a ratio itself"
    if len(metric.ratio) == 2 and metric.ratio[0] == metric.ratio[1]:
        yield f"divides '{metric.ratio[0]}' by itself"
    if len({(part.window, part.over) for part in _parts(c, metric)}) > 1:
        yield "its two metrics are counted over different times"


def _parts(c: Any, metric: Any) -> list[Any]:
    """The readable metrics that a ratio is made of, or the metric itself."""
    named = [c.metrics.get(part) for part in metric.ratio] if metric.ratio else [metric]
    return [part for part in named if part is not None]


def _goals(c: Any, broken: set[str]) -> Iterator[Mistake]:
    for i, goal in enumerate(c.goals or []):
        if goal is None:
            continue
        if c.metrics and goal.metric not in c.metrics:
            yield ("goals", i, "metric"), (
                f"'{goal.metric}' is not a metric of this file{suggest(goal.metric, c.metrics)}")
        if c.period and goal.deadline and _last_day(goal.deadline) < _last_day(c.period.end):
            yield ("goals", i, "deadline"), (
                f"{goal.deadline} is before the period ends; goals are measured over the period")
        if goal.target.level is not None and 0 < goal.target.level < 1 and _is_total(goal, c.metrics):
            yield ("goals", i, "target"), (
                f"a total of {goal.target.level:g} is asked for; write +{goal.target.level:.0%} for a change, "
                "or say measure: per_user for a share")
        if goal.target.change is not None:
            for key, message in _change(c, broken, goal, (c.metrics or {}).get(goal.metric)):
                yield ("goals", i, key), message


def _is_total(goal: Any, metrics: Any) -> bool:
    metric = (metrics or {}).get(goal.metric)
    return metric is not None and goal.measure == "total" and metric.kind in ("any", "count")


def _change(c: Any, broken: set[str], goal: Any, metric: Any) -> Iterator[tuple[str, str]]:
    """What a goal that asks for a change has to be compared with."""
    if goal.baseline == "before":
        if c.baseline is None and "baseline" not in broken:
            yield "target", "is a change, but there is no `baseline:` period to compare with"
        if metric is not None and not all(part.has_phases for part in _parts(c, metric)):
            yield "baseline", (
                f"'{goal.metric}' is counted over another time than the period and so has no time before; "
                "compare with control or give a number")
    if goal.baseline == "control":
        if c.arms is None and "arms" not in broken:
            yield "baseline", "is control, but the campaign has no arms"
        if goal.measure == "total" and metric is not None and not metric.ratio:
            yield "measure", "totals of arms of different size cannot be compared; say measure: per_user"


def _effects(c: Any, broken: set[str]) -> Iterator[Mistake]:
    """What the effects look at has to be there."""
    for name, asked in (c.quantiles or {}).items():
        if asked and c.sources and not getattr(c.sources, asked.table):
            yield ("quantiles", name, "of"), f"looks at {asked.table}, but `sources:` has no `{asked.table}:`"
        if asked and name in (c.metrics or {}):
            yield ("quantiles", name), "is the name of a metric too; choose another"
    if c.quantiles and c.arms is None and "arms" not in broken:
        yield ("quantiles",), "compares arms, and the campaign has none"
    effects, arms = c.effects, c.arms
    if effects and effects != type(effects)() and arms is None and "arms" not in broken:
        yield ("effects",), "is about arms, and the campaign has none"
    columns = [(("effects", "segments"), effects.segments if effects else []),
               (("arms", "strata"), arms.strata if arms else []),
               (("arms", "cluster"), [arms.cluster] if arms and arms.cluster else [])]
    for where, names in columns:
        if names and c.sources and not c.sources.users:
            yield where, "names columns of users, but `sources:` has no `users:`"
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield where, f"names '{name}' twice"
        for name in dict.fromkeys(names):
            yield from ((where, message) for message in _column_of_users(c, name))
    if arms and arms.cluster and arms.strata:
        yield ("arms", "strata"), "stands beside `cluster:`; arms drawn by cluster are compared as a whole"
    if arms and arms.cluster and effects and arms.cluster in effects.segments:
        yield ("effects", "segments"), f"names '{arms.cluster}', the cluster: each of them is in one arm alone"
    if arms and arms.cluster and effects and effects.looks and effects.looks.method == "always_valid":
        yield ("effects", "looks"), "always_valid needs many independent units, and `cluster:` says that there are few"


def _column_of_users(c: Any, name: str) -> Iterator[str]:
    """Columns of users stand beside the metrics, so their names must differ."""
    if name.lower() == "user_id":
        yield f"names '{name}', which tells users apart and is no group of them"
    elif name.lower() in {metric.lower() for metric in c.metrics or {}}:
        yield f"names '{name}', which is a metric too; call the metric otherwise, or the column with `columns:`"


def _last_day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _steps(c: Any) -> Iterator[Mistake]:
    if c.sources and not c.sources.events:
        if c.funnels:
            yield ("funnels",), "need `events:` in `sources:`"
        if c.retention:
            yield ("retention",), "needs `events:` in `sources:`"
        if c.activity:
            yield ("activity",), "needs `events:` in `sources:`"
    for name, funnel in (c.funnels or {}).items():
        for key, message in disagreements(funnel) if funnel else ():
            yield ("funnels", name, key), message


def _costs(c: Any) -> Iterator[Mistake]:
    for item, amount in (c.costs or {}).items():
        if amount is None or not c.metrics or _is_number(amount):
            continue
        if amount not in c.metrics:
            yield ("costs", item), (
                f"'{amount}' is neither an amount nor a metric of this file{suggest(amount, c.metrics)}")
        elif (metric := c.metrics[amount]) and (metric.ratio or not metric.has_phases):
            yield ("costs", item), (
                f"'{amount}' has no total over the period (it is a ratio, or counted at another time)")


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except ValueError:
        return False
    return True
