"""Counts over all treatments of a metric: what is claimed, what looking early or without correction would have."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from pandas import DataFrame

from analysis.results.experiments.effects import Effect, adjusted_pvalues
from analysis.results.experiments.looks import TREATMENT
from analysis.stats.comparison import ALPHA

STEPS = 20   # of an experiment's length, at which the course of looking is drawn
SCOPES = ("trusted", "all")


@dataclass(frozen=True, slots=True)
class Tally:
    """One metric, over the treatments of experiments that can be trusted or over all."""

    metric: str
    scope: str                  # "trusted", "all"
    n_treatments: int
    n_tested: int               # of them, with a p at the last look
    n_by_chance: float          # that would have p < ALPHA at the last look if no treatment did anything
    n_below: int                # with p < ALPHA at the last look
    n_below_ever: int           # with p < ALPHA at some look: what stopping at the first such look would claim
    n_any_time: int             # at some look, by the p that looking at any time allows
    n_holm: int                 # with p < ALPHA at the last look after Holm's correction
    n_bh: int                   # after Benjamini and Hochberg's
    n_better: int               # by the params' correction; of scope all as if every experiment were to be trusted
    n_worse: int
    n_cannot_tell: int
    median_effect: float        # of the sizes of the relative effects; nan without any
    median_detectable: float    # of the smallest relative effects that would have been seen
    reason: str = ""            # why the medians are nan: "no_relative_effect"


@dataclass(frozen=True, slots=True)
class Course:
    """How many treatments of a metric would have been claimed by a moment of their run; experiments to be trusted."""

    metric: str
    progress: float      # share of the run of each
    n_treatments: int
    n_below: int         # with p < ALPHA at the latest look then
    n_below_ever: int    # with p < ALPHA at some look up to then
    n_any_time: int      # by the p that looking at any time allows, at some look up to then


def tallies(found: Sequence[Effect], correction: str) -> list[Tally]:
    """Two per metric, in the order of the effects: those that can be trusted, and all."""
    return [_tally(metric, scope, [effect for effect in found if effect.metric == metric], correction)
            for metric in dict.fromkeys(effect.metric for effect in found) for scope in SCOPES]


def courses(looked: DataFrame, found: Sequence[Effect]) -> list[Course]:
    """Per metric the course over the run, in STEPS; none where every treatment was looked at once."""
    if not any(effect.n_looks > 1 for effect in found):
        return []
    trusted = {(effect.experiment, effect.metric, effect.arm) for effect in found if effect.is_trusted}
    own = looked[[key in trusted for key in looked[TREATMENT].itertuples(index=False, name=None)]]
    own = own.assign(below=own["pvalue"] < ALPHA, any_time=own["pvalue_any_time"] < ALPHA)
    own = own.assign(below_ever=own.groupby(TREATMENT)["below"].cummax(),
                     any_time=own.groupby(TREATMENT)["any_time"].cummax())
    return [_course(metric, step / STEPS, own[own["metric"] == metric])
            for metric in dict.fromkeys(effect.metric for effect in found) for step in range(1, STEPS + 1)]


def _course(metric: str, progress: float, own: DataFrame) -> Course:
    then = own[own["progress"] <= progress].groupby(TREATMENT)[["below", "below_ever", "any_time"]].last().sum()
    return Course(metric, progress, own.groupby(TREATMENT).ngroups, int(then["below"]), int(then["below_ever"]),
                  int(then["any_time"]))


def _tally(metric: str, scope: str, found: Sequence[Effect], correction: str) -> Tally:
    """The family is all treatments of the metric; those that are not trusted have no p in it unless all count."""
    counted = [effect for effect in found if effect.is_trusted or scope == "all"]
    pvalues = [effect.pvalue if effect.is_trusted or scope == "all" else math.nan for effect in found]
    survivors = {name: {id(effect) for effect, p in zip(found, adjusted_pvalues(pvalues, name), strict=True)
                        if p < ALPHA} for name in ("holm", "bh")}
    claimed = [effect for effect in found if id(effect) in survivors[correction]]
    n_better = sum((effect.diff > 0) == (effect.better == "higher") for effect in claimed)
    n_tested = _count(counted, lambda effect: not math.isnan(effect.pvalue))
    sizes = _known(abs(effect.rel_diff) for effect in counted if not effect.reason)
    return Tally(
        metric, scope, n_treatments=len(counted), n_tested=n_tested, n_by_chance=ALPHA * n_tested,
        n_below=_count(counted, lambda effect: effect.pvalue < ALPHA),
        n_below_ever=_count(counted, lambda effect: not math.isnan(effect.first_below_at)),
        n_any_time=_count(counted, lambda effect: not math.isnan(effect.first_any_time_at)),
        n_holm=len(survivors["holm"]), n_bh=len(survivors["bh"]), n_better=n_better, n_worse=len(claimed) - n_better,
        n_cannot_tell=len(counted) - len(claimed), median_effect=median(sizes) if sizes else math.nan,
        median_detectable=median(_known(effect.rel_detectable for effect in counted) or [math.nan]),
        reason="" if sizes else "no_relative_effect")


def _count(found: Iterable[Effect], holds: Callable[[Effect], bool]) -> int:
    return sum(map(holds, found))


def _known(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]
