"""What the campaign did: every metric, each arm against control, with the error rate kept for each family."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from analysis.facts.measure import moments, ratio_moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import facts_of, is_covered
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.means import compare_means
from analysis.stats.multiplicity import compatible_alphas, holm
from analysis.stats.noninferiority import noninferiority_pvalue
from analysis.stats.proportions import compare_proportions
from analysis.stats.ratios import compare_ratios


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift(Comparison):
    """One metric in one arm against control. Intervals are at 1 - alpha of this row, adjusted like its p-value."""

    metric: str
    unit: str
    role: str                # primary, secondary, guardrail
    better: str              # higher, lower
    arm: str
    control: str
    pvalue_adjusted: float   # Holm within the role; equal to pvalue in a family of one
    total: float             # diff x users of the arm: what the campaign added; nan for ratios
    total_lower: float
    total_upper: float
    margin: float            # guardrail: relative loss that can be borne, else nan
    pvalue_margin: float     # guardrail: one-sided, H0: the loss is the margin or more, else nan
    verdict: str             # better, worse, cannot_tell; guardrails: safe, broken, cannot_tell


def uplifts(facts: Facts) -> list[Uplift]:
    """All metrics of a randomised campaign in the order primary, secondary, guardrail; empty without arms."""
    if facts.campaign.arms is None:
        return []
    return [uplift for role in ("primary", "secondary", "guardrail") for uplift in _family(facts, role)]


def compare(facts: Facts, name: str, arm: str, alpha: float = ALPHA) -> Comparison:
    """One metric, one arm against control, by the test that fits the metric's kind."""
    metric, control = facts.campaign.metrics[name], facts.campaign.arms.control
    return _compare(_moments(facts, name), metric.kind, arm, control, alpha)


def _moments(facts: Facts, name: str) -> dict | None:
    """Arm -> moments; None where the data end before the time that the metric is counted over."""
    metric = facts.campaign.metrics[name]
    parts = metric.ratio or [name]
    if not is_covered(facts, name):
        return None
    wide = facts_of(facts, parts)
    if metric.ratio:
        return ratio_moments(wide, *parts)
    return {arm: own for (arm, _), own in moments(wide, parts).items()}


def _compare(own: dict | None, kind: str, arm: str, control: str, alpha: float) -> Comparison:
    if own is None or arm not in own or control not in own:
        shape = {"ratio": "ratio", "any": "proportion"}.get(kind, "mean")
        return Comparison.missing(shape, "data_end_before" if own is None else "empty_arm")
    if kind == "ratio":
        return compare_ratios(own[arm], own[control], alpha)
    if kind == "any":
        did = {a: round(own[a].mean * own[a].n) for a in (arm, control)}
        return compare_proportions(did[arm], own[arm].n, did[control], own[control].n, alpha)
    return compare_means(own[arm], own[control], alpha)


def _family(facts: Facts, role: str) -> Iterator[Uplift]:
    """The metrics of one role in every arm. Guardrails are not adjusted: each of them has to hold."""
    campaign = facts.campaign
    control = campaign.arms.control
    pairs = [(name, arm) for name in campaign.metric(role) for arm in campaign.arms.shares if arm != control]
    own = {name: _moments(facts, name) for name in campaign.metric(role)}
    raw = [_compare(own[name], campaign.metrics[name].kind, arm, control, ALPHA) for name, arm in pairs]
    pvalues = [found.pvalue for found in raw]
    adjusted = pvalues if role == "guardrail" else holm(pvalues)
    alphas = [ALPHA] * len(raw) if role == "guardrail" else compatible_alphas(pvalues, adjusted, ALPHA)
    for (name, arm), pvalue, alpha in zip(pairs, adjusted, alphas, strict=True):
        metric = campaign.metrics[name]
        found = _compare(own[name], metric.kind, arm, control, alpha)
        n = 0 if metric.ratio else found.n_treatment
        margin = math.nan if metric.margin is None else metric.margin
        p_margin = math.nan
        if role == "guardrail" and not found.reason:
            p_margin = noninferiority_pvalue(own[name][arm], own[name][control], metric.kind, margin, metric.better)
        yield Uplift(
            **asdict(found), metric=name, unit="share" if metric.kind == "any" else metric.unit, role=role,
            better=metric.better, arm=arm, control=control, pvalue_adjusted=pvalue,
            total=found.diff * n if n else math.nan, total_lower=found.diff_lower * n if n else math.nan,
            total_upper=found.diff_upper * n if n else math.nan, margin=margin, pvalue_margin=p_margin,
            verdict=(_held(found, margin, metric.better) if role == "guardrail"
                     else _verdict(found, pvalue, metric.better)))


def _verdict(found: Comparison, pvalue: float, better: str) -> str:
    if math.isnan(pvalue) or pvalue >= ALPHA:
        return "cannot_tell"
    return "better" if (found.diff > 0) == (better == "higher") else "worse"


def _held(found: Comparison, margin: float, better: str) -> str:
    """Safe when the whole relative interval stays inside the margin, broken when it is all outside."""
    lower, upper = found.rel_diff_lower, found.rel_diff_upper
    if better == "lower":
        lower, upper = -upper, -lower
    if math.isnan(lower) or math.isnan(upper):
        return "cannot_tell"
    return "safe" if lower > -margin else "broken" if upper < -margin else "cannot_tell"
