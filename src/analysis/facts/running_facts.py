"""What each user did so far, at every look at a running campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import ibis
import numpy as np
from ibis.expr.types import FloatingColumn, Table

from analysis.facts.compared import covariates, with_known
from analysis.facts.measure import joint_moments
from analysis.facts.population import Facts
from analysis.facts.tick_facts import cells_of
from analysis.facts.ticks import days_since, tick_of, ticks
from analysis.facts.user_facts import window_facts
from analysis.params.model import Metric
from analysis.stats.clusters import ClusterSums
from analysis.stats.moments import JointMoments, merged

FOLLOWED = "days_followed"

Strata = dict[tuple[str, ...], dict[str, JointMoments]]   # values of the strata -> arm -> moments


@dataclass(frozen=True)
class Course:
    """One metric at every tick; a place per tick."""

    strata: list[Strata]                            # of the metric (or its parts) and its covariates
    clock: list[dict[str, float]]                   # arm -> days that its users were followed; users, where each has
    #                                                 a window of the own
    clusters: list[dict[str, ClusterSums]]          # where arms were drawn by cluster


def is_running(facts: Facts, name: str) -> bool:
    """Whether a metric grows while the campaign runs; what is counted in the time after does not."""
    metrics = facts.campaign.metrics
    return all(metrics[part].over == "period" for part in (metrics[name].ratio or [name]))


def courses(facts: Facts, names: Sequence[str]) -> dict[str, Course]:
    """Every metric at every tick; each time that metrics are counted over is one pass.

    names   metrics that `is_running`
    """
    metrics, found = facts.campaign.metrics, {}
    parts = {name: list(metrics[name].ratio) or [name] for name in names}
    for window in dict.fromkeys(metrics[own[0]].window for own in parts.values()):
        own = {name: part for name, part in parts.items() if metrics[part[0]].window == window}
        found |= _grown(facts, own) if window is None else _completed(facts, own, window)
    return found


def _grown(facts: Facts, parts: Mapping[str, Sequence[str]]) -> dict[str, Course]:
    """Metrics that grow from a user's entry on: one row per user and tick since then, in the engine."""
    arms = facts.campaign.arms
    long = so_far(facts, list(dict.fromkeys(part for own in parts.values() for part in own)))
    sets = [[FOLLOWED], *([*own, *covariates(facts, own)] for own in parts.values())]
    found = joint_moments(long, sets, ["tick", "variant", *arms.strata])
    n_ticks = len(ticks(facts))
    clock: list[dict[str, float]] = [{} for _ in range(n_ticks)]
    strata: list[list[Strata]] = [[{} for _ in range(n_ticks)] for _ in parts]
    for (tick, arm, *values), (followed, *own) in sorted(found.items()):
        clock[tick - 1][arm] = clock[tick - 1].get(arm, 0.0) + followed.n * float(followed.mean[0])
        for place, moments in zip(strata, own, strict=True):
            place[tick - 1].setdefault(tuple(values), {})[arm] = moments
    clusters = {name: _cluster_course(long, own, arms.cluster, n_ticks) if arms.cluster else []
                for name, own in parts.items()}
    return {name: Course(place, clock, clusters[name]) for name, place in zip(parts, strata, strict=True)}


def _completed(facts: Facts, parts: Mapping[str, Sequence[str]], window: timedelta) -> dict[str, Course]:
    """Metrics with a window of the user's own: users come in as their windows are over, and stay as they are."""
    arms, n_ticks = facts.campaign.arms, len(ticks(facts))
    every = list(dict.fromkeys(part for own in parts.values() for part in own))
    wide = with_known(facts, window_facts(facts, every, window), every)
    wide = wide.inner_join(_over_at(facts, window), "user_id")
    sets = [[*own, *covariates(facts, own)] for own in parts.values()]
    found = joint_moments(wide, sets, ["tick", "variant", *arms.strata])
    made = {}
    for i, (name, own) in enumerate(parts.items()):
        came = {key: moments[i] for key, moments in found.items()}
        strata = [_until(came, tick) for tick in range(1, n_ticks + 1)]
        clock = [{arm: float(sum(one[arm].n for one in at.values() if arm in one)) for arm in arms.shares}
                 for at in strata]
        clusters = []
        if arms.cluster:
            spread = wide.mutate(tick=ibis.range(wide.tick, n_ticks + 1).unnest())
            clusters = _cluster_course(spread, own, arms.cluster, n_ticks)
        made[name] = Course(strata, clock, clusters)
    return made


def _over_at(facts: Facts, window: timedelta) -> Table:
    """One row per user whose window is over: user_id, and the tick at whose end it is."""
    people, ends = facts.population, [tick.ends.replace(tzinfo=None) for tick in ticks(facts)]
    over = people.entered_at + ibis.interval(microseconds=window // timedelta(microseconds=1))
    places = [(over <= ibis.timestamp(at), i + 1) for i, at in enumerate(ends)]
    tick = ibis.cases(*places, else_=None).cast("int64") if places else ibis.null("int64")
    return people.select("user_id", tick=tick).filter(lambda t: t.tick.notnull())


def _until(came: Mapping[tuple, JointMoments], last: int) -> Strata:
    """All that came by a tick, put together."""
    parts: dict[tuple[str, ...], dict[str, list[JointMoments]]] = {}
    for (tick, arm, *values), own in sorted(came.items(), key=lambda item: item[0]):
        if tick <= last:
            parts.setdefault(tuple(values), {}).setdefault(arm, []).append(own)
    return {values: {arm: merged(own) for arm, own in arms.items()} for values, arms in parts.items()}


def _cluster_course(
    long: Table, parts: Sequence[str], cluster: str, n_ticks: int
) -> list[dict[str, ClusterSums]]:
    """Per tick: arm -> one row per cluster."""
    found = joint_moments(long.filter(long[cluster] != ""), [parts], ["tick", "variant", cluster])
    rows: list[dict[str, list[tuple[float, ...]]]] = [{} for _ in range(n_ticks)]
    for (tick, arm, _), (own,) in sorted(found.items()):
        sums = own.n * own.mean
        rows[tick - 1].setdefault(arm, []).append(
            (own.n, sums[0], sums[1] if len(parts) > 1 else own.n, own.cov[0, 0]))
    return [{arm: ClusterSums(*np.array(own, dtype=float).T) for arm, own in arms.items()} for arms in rows]


def so_far(facts: Facts, names: Sequence[str]) -> Table:
    """One row per user and tick from the user's entry on: user_id, variant, tick, days_followed, the metrics from entry
    to the end of the tick (zero, never null), and what was known of the user before.

    names   metrics without a ratio that grow with the campaign
    """
    n_ticks, cells = len(ticks(facts)), cells_of(facts)
    people = with_known(facts, entries(facts).select("user_id", "variant", "entered_at", "entry"), names)
    long = people.mutate(tick=ibis.range(people.entry, n_ticks + 1).unnest()).drop("entry")
    long = long.mutate(**{FOLLOWED: days_since(facts.campaign, long.entered_at, long.tick)}).drop("entered_at")
    own = cells.filter(cells.tick >= 1).select("user_id", "tick", *names)
    both = long.left_join(own, ["user_id", "tick"]).drop("user_id_right", "tick_right")
    path = ibis.window(group_by="user_id", order_by="tick", preceding=None, following=0)
    return both.mutate(**{name: _grow(both, name, facts.campaign.metrics[name]).over(path) for name in names})


def _grow(both: Table, name: str, metric: Metric) -> FloatingColumn:
    own = both[name].fill_null(0.0)
    return own.max() if metric.kind == "any" else own.sum()


def entries(facts: Facts) -> Table:
    """The population, and the tick of each user's entry."""
    people, campaign = facts.population, facts.campaign
    return people.mutate(entry=tick_of(campaign, people.entered_at, *campaign.period.interval(campaign.time_zone)))


def entered(facts: Facts) -> list[dict[str, int]]:
    """Per tick: arm -> users so far; clusters with a user so far where arms were drawn by cluster."""
    people, arms = entries(facts), facts.campaign.arms
    if arms.cluster:
        people = people.filter(people[arms.cluster].notnull())
        people = people.group_by("variant", arms.cluster).aggregate(entry=people.entry.min())
    found = people.group_by("variant", "entry").aggregate(n=people.count()).to_pyarrow().to_pylist()
    return [{arm: sum(row["n"] for row in found if row["variant"] == arm and row["entry"] <= tick.number)
             for arm in facts.groups} for tick in ticks(facts)]
