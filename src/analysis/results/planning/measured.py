"""What the past says of a metric over so many days: level, spread between users, and what takes noise off it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.facts.compared import arm_moments, cluster_sums, covariates
from analysis.facts.past import Past, imagined, reaches
from analysis.facts.population import Facts
from analysis.results.contrast import SHAPES, SMALLEST_STRATUM, parts_of
from analysis.results.planning.lengths import judged_days
from analysis.stats.adjust import adjust
from analysis.stats.clusters import ClusterSums, cluster_level, clustering
from analysis.stats.moments import JointMoments, merged
from analysis.stats.power_baseline import (
    Baseline,
    clustered,
    cuped,
    mean_baseline,
    ratio_baseline,
    share_baseline,
)

Strata = Mapping[tuple[str, ...], Mapping[str, JointMoments]]
ONE = ""   # the arm that everybody is in


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric as it was over the last so many days before the campaign."""

    days: float
    n: int                   # users it was measured on: those known at its start
    plain: Baseline          # as compared by users alone
    adjusted: Baseline       # as compared with what takes noise off: the time before, strata
    reduction: float         # share of the variance that they take away; nan where they cannot be measured
    method: str              # how the review will compare: "welch", "delta", "score", "adjusted", "strata", "clusters"
    facts: Facts | None      # the imagined campaign; None where the past is too short for one
    icc: float = math.nan    # intra-class correlation of clusters
    n_clusters: int = 0

    @property
    def own(self) -> Baseline:
        """The one that the review's own method has."""
        return self.adjusted if self.method in ("adjusted", "strata") else self.plain


def measured(past: Past, name: str, days: float) -> Measured:
    """One metric of the params over `days`; metrics with a time of their own are measured over that, once."""
    counted = past.campaign.metrics[parts_of(past.facts, name)[0]]
    if counted.window or counted.over == "after":
        days = judged_days(past)
    key = ("measured", name, days)
    if key not in past.kept:
        past.kept[key] = _measured(past, name, days)
    return past.kept[key]


def _measured(past: Past, name: str, days: float) -> Measured:
    shape, parts = SHAPES.get(past.campaign.metrics[name].kind, "mean"), parts_of(past.facts, name)
    counted = past.campaign.metrics[parts[0]]
    if not reaches(past, days, counted):
        nothing = missing(shape, "past_too_short")
        return Measured(days, 0, nothing, nothing, math.nan, "", None)
    facts = imagined(past, days, counted)
    strata = _moments(past, facts, name)
    if not strata:
        return Measured(days, 0, missing(shape, "no_users"), missing(shape, "no_users"), math.nan, "", facts)
    whole = merged([own[ONE] for own in strata.values()])
    plain = baseline(shape, whole, parts)
    if facts.campaign.arms.cluster:
        return _clustered(past, facts, name, days, whole.n, plain)
    return _adjusted(past, facts, days, whole.n, plain, strata, parts)


def missing(shape: str, reason: str) -> Baseline:
    """Nothing to plan with, and why."""
    return Baseline(kind=shape, value=math.nan, var=math.nan, reason=reason)


def baseline(shape: str, own: JointMoments, parts: Sequence[str]) -> Baseline:
    """From moments; what nobody ever did has a reason of its own."""
    found = _baseline(shape, own, parts)
    return replace(found, reason="never_happened") if found.reason == "zero_variance" and not found.value else found


def _baseline(shape: str, own: JointMoments, parts: Sequence[str]) -> Baseline:
    if shape == "ratio":
        return ratio_baseline(own.ratio(*parts))
    if shape == "proportion":
        share = float(own.metric(parts[0]).mean)
        return share_baseline(min(max(share, 0.0), 1.0)) if own.n > 1 else missing(shape, "too_few_users")
    return mean_baseline(own.metric(parts[0]))


def _moments(past: Past, facts: Facts, name: str) -> Strata:
    """Of one metric; all metrics of one time are asked for at once."""
    metrics = past.campaign.metrics
    if ("moments", name) not in facts.kept:
        time = metrics[parts_of(past.facts, name)[0]].time
        parts = {other: parts_of(past.facts, other) for other in metrics}
        names = [other for other, metric in metrics.items()
                 if metrics[parts[other][0]].time == time and (metric.role != "described" or other == name)]
        found = arm_moments(facts, [parts[other] for other in names], facts.campaign.arms.strata)
        facts.kept.update({("moments", other): own for other, own in zip(names, found, strict=True)})
    return facts.kept["moments", name]


def _adjusted(
    past: Past, facts: Facts, days: float, n: int, plain: Baseline, strata: Strata, parts: Sequence[str]
) -> Measured:
    """Users drawn one by one: what the time before and strata take off, by the review's own estimator."""
    campaign, is_share = past.campaign, plain.kind == "proportion"
    known = [] if is_share else covariates(facts, parts)
    cells = _large_enough(strata, _smallest_share(past))
    method = {"proportion": "score", "ratio": "delta"}.get(plain.kind, "welch")
    if plain.reason or (is_share and len(cells) < 2):
        return Measured(days, n, plain, plain, math.nan, method, facts)
    will_adjust = bool(known) and campaign.effects.adjust == "before" and campaign.baseline is not None
    found = adjust(cells, parts, known)
    if found.reason or not (found.rank or len(cells) > 1):
        return Measured(days, n, plain, plain, math.nan, method, facts)
    left = sum(var for var, _ in found.cells[ONE]) / float(found.unadjusted_var[0])
    reduction = float(np.clip(1 - left, 0.0, 1 - 1e-9))
    method = "adjusted" if will_adjust and found.rank else "strata" if len(cells) > 1 else method
    return Measured(days, n, plain, cuped(plain, reduction), reduction, method, facts)


def _smallest_share(past: Past) -> float:
    return min(past.campaign.arms.shares.values()) if past.campaign.arms else 0.5


def _large_enough(strata: Strata, share: float) -> list[dict[str, JointMoments]]:
    """Strata whose smallest arm will have users enough to be compared within; the others together."""
    own = [found[ONE] for found in strata.values()]
    large = [one for one in own if one.n * share >= SMALLEST_STRATUM]
    small = [one for one in own if one.n * share < SMALLEST_STRATUM]
    cells = [*([merged(small)] if small else []), *large]
    if len(cells) > 1 and cells[0].n * share < SMALLEST_STRATUM:
        cells = [merged(cells[:2]), *cells[2:]]
    return [{ONE: one} for one in cells]


def _clustered(past: Past, facts: Facts, name: str, days: float, n: int, plain: Baseline) -> Measured:
    sums = cluster_sums(facts, parts_of(past.facts, name))[""].get(ONE)
    if sums is None or plain.reason:
        reason = plain.reason or "too_few_clusters"
        return Measured(days, n, replace(plain, reason=reason), replace(plain, reason=reason), math.nan, "clusters",
                        facts)
    size, icc = sums.n_users.astype(float), _icc(sums, plain)
    if math.isnan(icc):
        nothing = replace(plain, reason=clustering(sums).reason)
        return Measured(days, n, nothing, nothing, math.nan, "clusters", facts, n_clusters=len(size))
    hanging = clustered(plain, float(size.mean()), max(icc, 0.0), float(size.std() / size.mean()))
    return Measured(days, n, hanging, hanging, math.nan, "clusters", facts, icc, len(size))


def _icc(sums: ClusterSums, plain: Baseline) -> float:
    """Of a ratio the one that makes its variance between clusters what it is; at most 1."""
    own = clustering(sums)
    if plain.kind != "ratio" or own.reason:
        return min(own.icc, 1.0)
    size = sums.n_users.astype(float)
    effect = cluster_level(sums).var * size.sum() / plain.var
    weight = (size**2).sum() / size.sum()
    return min((effect - 1) / (weight - 1), 1.0) if weight > 1 else 0.0
