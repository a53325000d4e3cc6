"""Who gets which arm, and whether chance did its work: the arms against each other on the time before (A/A)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.facts.drawn_from import People
from analysis.params.model import Arms
from analysis.results.trust import ALPHA as GATE
from analysis.stats.assignment import assign
from analysis.stats.comparison import ALPHA
from analysis.stats.levels import Level, mean_level, ratio_level
from analysis.stats.moments import JointMoments
from analysis.stats.multiplicity import holm
from analysis.stats.pairs import compare_pair, independent
from analysis.stats.shuffles import FalseAlarms, false_alarms, shuffled
from analysis.stats.split import Split, split_test

OTHERS = 200        # other draws that this one is compared with
SEED = 20_240_101
USERS = "users"     # how many a cluster has


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One draw of the arms."""

    salt: str
    variant: np.ndarray      # (users,) text, in the order of the people; "" for users without a cluster
    shares: dict[str, float]

    @property
    def sizes(self) -> dict[str, int]:
        """Arm -> users."""
        counts = Counter(self.variant.tolist())
        return {arm: counts[arm] for arm in self.shares}


@dataclass(frozen=True, slots=True)
class Alike:
    """One metric in the time before, one arm against control."""

    metric: str
    arm: str
    standardised: float      # difference in pooled standard deviations
    pvalue: float            # Welch; of clusters by the delta method over clusters
    pvalue_adjusted: float   # Holm, over all metrics and arms
    reason: str = ""         # why there is no p


@dataclass(frozen=True, slots=True)
class DrawCheck:
    """What the time before says of a draw."""

    state: str               # "ok", "fail": the review would not trust the campaign
    split: Split             # units against the planned shares
    unit: str                # "" for users, else the column of the clusters
    balance: list[Alike]     # empty without a time before
    n_others: int            # other draws of arms of the same size
    n_worse: int             # of them, those in which some metric differed by more (a smaller p)
    alarms: FalseAlarms      # of them, those in which something differs at 5 % after Holm

    @property
    def worst(self) -> Alike | None:
        """The metric that differs most surely."""
        known = [row for row in self.balance if not math.isnan(row.pvalue)]
        return min(known, key=lambda row: (row.pvalue, row.metric, row.arm), default=None)


def draw(people: People, arms: Arms, salt: str) -> Draw:
    """The arms, by `assign`: users one by one, within strata evenly; clusters evenly as a whole."""
    shares = dict(arms.shares)
    if not arms.cluster:
        strata = people.stratum if arms.strata else None
        return Draw(salt, assign(people.ids.to_pylist(), salt, shares, strata), shares)
    clusters = sorted({name for name in people.cluster if name})
    arm_of = {"": ""} | dict(zip(clusters, assign(clusters, salt, shares, ["all"] * len(clusters)), strict=True))
    return Draw(salt, np.array([arm_of[name] for name in people.cluster], dtype=str), shares)


def check(people: People, arms: Arms, drawn: Draw) -> DrawCheck:
    """Split and balance at the level of the review's gate, so that what passes here passes there.

    The draw stands or falls with this rule alone. How it ranks among other draws is told, never used to choose one.
    """
    units, columns = _units(people, arms, drawn)
    counts = {arm: int((units == arm).sum()) for arm in arms.shares}
    split = split_test(counts, arms.shares)
    balance = _alike(_moments(units, columns, counts), arms)
    least = min((row.pvalue for row in balance if not math.isnan(row.pvalue)), default=math.nan)
    others = list(_others(columns, counts, arms))
    is_bad = split.pvalue < GATE or any(row.pvalue_adjusted < GATE for row in balance)
    smallest = [min((p for p in own if not math.isnan(p)), default=math.nan) for own in others]
    adjusted = [min((p for p in holm(own) if not math.isnan(p)), default=math.nan) for own in others]
    return DrawCheck("fail" if is_bad else "ok", split, arms.cluster, balance, len(others),
                     sum(p < least for p in smallest), false_alarms(adjusted, ALPHA))


def _units(people: People, arms: Arms, drawn: Draw) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Arm and values of each unit that was drawn: users, or clusters with their sums and numbers of users."""
    if not arms.cluster:
        return drawn.variant, dict(people.before)
    names, place = np.unique(np.array(people.cluster, dtype=str), return_inverse=True)
    first = np.zeros(len(names), dtype=int)
    first[place[::-1]] = np.arange(len(place))[::-1]
    is_one = names != ""
    sums = {name: np.bincount(place, values, len(names))[is_one] for name, values in people.before.items()}
    return drawn.variant[first][is_one], sums | {USERS: np.bincount(place, minlength=len(names))[is_one].astype(float)}


def _moments(
    units: np.ndarray, columns: Mapping[str, np.ndarray], counts: Mapping[str, int]
) -> dict[str, JointMoments]:
    if not columns:
        return {}
    rows, names = np.column_stack(list(columns.values())), tuple(columns)
    return {arm: _of(rows[units == arm], names) for arm in counts}


def _of(rows: np.ndarray, names: tuple[str, ...]) -> JointMoments:
    """(units, k) values -> their moments; nan where there are too few."""
    k = len(names)
    mean = rows.mean(axis=0) if len(rows) else np.full(k, math.nan)
    cov = np.cov(rows, rowvar=False, ddof=1).reshape(k, k) if len(rows) > 1 else np.full((k, k), math.nan)
    return JointMoments(len(rows), names, mean, cov)


def _alike(moments: Mapping[str, JointMoments], arms: Arms) -> list[Alike]:
    rows = list(_compared(moments, arms))
    adjusted = holm([row.pvalue for row in rows])
    return [replace(row, pvalue_adjusted=p) for row, p in zip(rows, adjusted, strict=True)]


def _compared(moments: Mapping[str, JointMoments], arms: Arms) -> Iterator[Alike]:
    """Every arm against control on every metric, not yet corrected."""
    names = [name for name in moments[arms.control].names if name != USERS] if moments else []
    for arm in (arm for arm in arms.shares if arm != arms.control):
        for name in names:
            levels = [_level(moments[side], name, bool(arms.cluster)) for side in (arm, arms.control)]
            found = compare_pair("mean", independent(*levels), ALPHA)
            spread = math.sqrt(sum(own.var * moments[side].n for own, side in zip(
                levels, (arm, arms.control), strict=True)) / 2) if not found.reason else math.nan
            yield Alike(name, arm, (levels[0].value - levels[1].value) / spread, found.pvalue, math.nan, found.reason)


def _level(own: JointMoments, name: str, is_clustered: bool) -> Level:
    """Mean per user; of clusters the ratio of their sums to their users."""
    return ratio_level(own.ratio(name, USERS)) if is_clustered else mean_level(own.metric(name))


def _others(columns: Mapping[str, np.ndarray], counts: Mapping[str, int], arms: Arms) -> Iterator[list[float]]:
    """The p of every metric and arm for each of many other draws."""
    if columns:
        dealt = shuffled(columns, counts, OTHERS, SEED)
        for run in range(OTHERS):
            yield [row.pvalue for row in _compared(dealt.run(run), arms)]
