"""What the report's own methods say of these very users where there is no effect: arms' labels shuffled, many times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.facts.population import Facts
from analysis.facts.user_facts import is_covered
from analysis.facts.user_rows import UserRows, user_rows
from analysis.results.contrast import Contrast, adjusted_by, by_size, clusters_of, of_clusters, of_users, parts_of
from analysis.stats.adjust import adjust_shuffled, pair_of
from analysis.stats.clusters import ClusterSums
from analysis.stats.comparison import ALPHA
from analysis.stats.shuffles import RUNS, Shuffles, false_alarms, shuffled, together

MOST = 1_000_000   # users, from which on labels are shuffled only where the params say so
SEED = 20_240_101  # the same data give the same report
WOLF = 1.5         # times alpha: from there on a method that cries wolf is told


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often a metric's test claims an effect when labels are shuffled. It should be in a share alpha of runs."""

    metric: str
    arm: str
    method: str            # of the effect that it is about
    n_runs: int
    rate: float            # share of the runs with p < alpha
    rate_lower: float
    rate_upper: float
    alpha: float
    is_off: bool           # its interval is wholly above 1.5 times alpha
    reason: str = ""       # "not_relabelled", "data_end_before", "empty_arm", "no_tests"


@dataclass(frozen=True)
class Relabelled:
    """Of every tested metric and arm."""

    calibrations: list[Calibration] = field(default_factory=list)
    statistics: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)   # diff / error by run; no shares


def runs(facts: Facts) -> int:
    """How many times labels are shuffled."""
    asked = facts.campaign.effects.relabel
    return asked if asked is not None else RUNS if facts.left.n_users < MOST else 0


def relabelled(facts: Facts) -> Relabelled:
    """Shuffle and compare again, by the methods of the report and on its users; empty without arms. Made once."""
    if facts.campaign.arms is None:
        return Relabelled()
    if "relabelled" not in facts.kept:
        facts.kept["relabelled"] = _relabelled(facts)
    return facts.kept["relabelled"]


def _relabelled(facts: Facts) -> Relabelled:
    made = Relabelled()
    names = [name for role in ("primary", "secondary", "guardrail") for name in facts.campaign.metric(role)]
    for name in names:
        again = list(_again(facts, name)) if runs(facts) and is_covered(facts, name) else []
        for arm in facts.campaign.arms.shares:
            if arm == facts.campaign.arms.control:
                continue
            found = [own.compare(arm, facts.campaign.arms.control) for own in again]
            made.calibrations.append(_calibration(facts, name, arm, again, [row.pvalue for row in found]))
            if again and again[0].pairs and arm in again[0].pairs:
                made.statistics[name, arm] = np.array([_statistic(own, arm) for own in again])
    return made


def _statistic(own: Contrast, arm: str) -> float:
    pair = own.pairs[arm]
    return np.nan if pair.reason else pair.diff / pair.error


def _calibration(facts: Facts, name: str, arm: str, again: list[Contrast], pvalues: Sequence[float]) -> Calibration:
    alarms = false_alarms(pvalues, ALPHA)
    reason = alarms.reason
    if not again:
        reason = "not_relabelled" if is_covered(facts, name) else "data_end_before"
    return Calibration(name, arm, again[0].method if again else "", alarms.n, alarms.rate, alarms.lower, alarms.upper,
                       ALPHA, bool(alarms.lower > WOLF * ALPHA), reason)


def _again(facts: Facts, name: str) -> Iterator[Contrast]:
    """The metric's contrast for each shuffle."""
    return _clusters_again(facts, name) if facts.campaign.arms.cluster else _users_again(facts, name)


def _users_again(facts: Facts, name: str) -> Iterator[Contrast]:
    """Users change arms within strata. What `of_users` says of each shuffle, of all of them at once where it can be."""
    dealt, control = _dealt(facts, name), facts.campaign.arms.control
    first = _of_run(facts, name, dealt, 0)
    if not first.pairs:   # the score test knows no strata
        whole = [together(dealt)] if dealt else []
        yield from (_of_run(facts, name, whole, run) for run in range(runs(facts)))
        return
    cells, parts = _cells(dealt), parts_of(facts, name)
    for run, found in enumerate(adjust_shuffled(cells, parts, adjusted_by(facts, name))):
        if found.reason:   # of one arm perhaps, which leaves the others theirs
            yield _of_run(facts, name, dealt, run)
        else:
            yield replace(first, pairs={arm: pair_of(found, arm, control) for arm in first.pairs}, reduction={})


def _of_run(facts: Facts, name: str, strata: Sequence[Shuffles], run: int) -> Contrast:
    return of_users(facts, name, {(str(i),): own.run(run) for i, own in enumerate(strata)})


def _cells(dealt: Sequence[Shuffles]) -> list[Shuffles]:
    """The strata that the report compares within, which numbers of users alone decide."""
    sizes = [dict(zip(own.arms, own.n.tolist(), strict=True)) for own in dealt]
    small, large = by_size(sizes, [*dict.fromkeys(arm for own in dealt for arm in own.arms)])
    return [*([together([dealt[i] for i in small])] if small else []), *(dealt[i] for i in large)]


def _dealt(facts: Facts, name: str) -> list[Shuffles]:
    """Shuffled labels within each stratum, for all tested metrics of the metric's time at once."""
    metrics = facts.campaign.metrics
    time = metrics[parts_of(facts, name)[0]].time
    key = ("dealt", time)
    if key not in facts.kept:
        strata = tested_rows(facts, name).strata()
        sizes = [{arm: own.sizes[arm] for arm in _arms(facts) if arm in own.sizes} for own in strata]
        facts.kept[key] = [shuffled(own.columns, size, runs(facts), SEED + i)
                           for i, (own, size) in enumerate(zip(strata, sizes, strict=True))]
    return facts.kept[key]


def _arms(facts: Facts) -> list[str]:
    """Control first and then as in the params: what an arm is called decides nothing. Others were not drawn."""
    arms = facts.campaign.arms
    return [arms.control, *(arm for arm in arms.shares if arm != arms.control)]


def tested_rows(facts: Facts, name: str) -> UserRows:
    """Rows of all tested metrics of the metric's time, of users in an arm; fetched once."""
    metrics = facts.campaign.metrics
    time = metrics[parts_of(facts, name)[0]].time
    key = ("user_rows", time)
    if key not in facts.kept:
        parts = dict.fromkeys(part for other, metric in metrics.items() if metric.role != "described"
                              for part in parts_of(facts, other) if metrics[part].time == time)
        rows = user_rows(facts, list(parts))
        own = np.isin(rows.variant, _arms(facts))
        facts.kept[key] = UserRows(rows.variant[own], rows.stratum[own], {c: x[own] for c, x in rows.columns.items()})
    return facts.kept[key]


def _clusters_again(facts: Facts, name: str) -> Iterator[Contrast]:
    """Whole clusters change arms."""
    made = clusters_of(facts, name)
    sums = {arm: made[arm] for arm in _arms(facts) if arm in made}
    if not sums:   # nobody has a cluster
        yield of_clusters(facts, name, sums)
        return
    whole = [np.concatenate([getattr(own, column) for own in sums.values()])
             for column in ("n_users", "numerator", "denominator", "var")]
    ends = np.cumsum([0, *(len(own.n_users) for own in sums.values())])
    generator = np.random.default_rng(SEED)
    for _ in range(runs(facts)):
        order = generator.permutation(ends[-1])
        dealt: Mapping[str, ClusterSums] = {
            arm: ClusterSums(*(column[order[ends[i]:ends[i + 1]]] for column in whole)) for i, arm in enumerate(sums)}
        yield of_clusters(facts, name, dealt)
