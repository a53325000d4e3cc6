"""Were the arms alike before the campaign? Every metric in the time before, each arm against control."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.compared import cluster_sums
from analysis.facts.measure import moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import span, user_facts
from analysis.stats.clusters import cluster_level
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from analysis.stats.pairs import compare_pair, independent


@dataclass(frozen=True, slots=True)
class Balance:
    """One metric in the time before, one arm against control."""

    metric: str
    unit: str
    arm: str
    control: str
    n_users: int              # in both
    value_treatment: float    # per user and stretch as long as the campaign
    value_control: float
    standardised: float       # difference in pooled standard deviations; from about .1 on it matters
    pvalue: float             # Welch, or between clusters
    pvalue_adjusted: float    # Bonferroni over all metrics and arms
    reason: str = ""          # why there is no p


def balance(facts: Facts) -> list[Balance]:
    """Empty without arms, and without a time before that the data cover."""
    campaign, stretch = facts.campaign, span(facts, "before")
    if campaign.arms is None or stretch is None or not stretch.n_blocks:
        return []
    metrics = campaign.metrics
    names = [name for name, metric in metrics.items() if metric.is_per_user and metric.has_phases]
    if not names:
        return []
    wide = user_facts(facts, names, "before")
    level, control = moments(wide, names), campaign.arms.control
    pairs = [(name, arm) for name in names for arm in campaign.arms.shares
             if arm != control and (arm, name) in level and (control, name) in level]
    pvalues = _pvalues(facts, pairs, level)
    n_tests = sum(not math.isnan(p) for p, _ in pvalues)
    return [Balance(
        name, "share" if metrics[name].kind == "any" else metrics[name].unit, arm, control,
        level[arm, name].n + level[control, name].n, level[arm, name].mean, level[control, name].mean,
        _standardised(level[arm, name], level[control, name]), p, min(p * n_tests, 1.0), reason)
        for (name, arm), (p, reason) in zip(pairs, pvalues, strict=True)]


def _pvalues(
    facts: Facts, pairs: list[tuple[str, str]], level: dict[tuple[str, str], Moments]
) -> list[tuple[float, str]]:
    control = facts.campaign.arms.control
    if facts.campaign.arms.cluster:
        return [_between_clusters(facts, name, arm) for name, arm in pairs]
    found = [compare_means(level[arm, name], level[control, name]) for name, arm in pairs]
    return [(one.pvalue, one.reason) for one in found]


def _between_clusters(facts: Facts, name: str, arm: str) -> tuple[float, str]:
    key = ("clusters_before", name)
    if key not in facts.kept:
        facts.kept[key] = cluster_sums(facts, [name], phase="before")[""]
    sums = facts.kept[key]
    if arm not in sums or facts.campaign.arms.control not in sums:
        return math.nan, "empty_arm"
    pair = independent(cluster_level(sums[arm]), cluster_level(sums[facts.campaign.arms.control]))
    found = compare_pair("mean", pair, 0.05)
    return found.pvalue, found.reason


def _standardised(treatment: Moments, control: Moments) -> float:
    """Difference of means in pooled standard deviations (Cohen 1988; Austin 2009 for balance)."""
    spread = math.sqrt((treatment.var + control.var) / 2)
    return (treatment.mean - control.mean) / spread if spread else math.nan
