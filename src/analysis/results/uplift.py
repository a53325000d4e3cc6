"""What the campaign did: every metric, each arm against control, with the error rate kept for each family."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from analysis.facts.population import Facts
from analysis.results.contrast import Contrast, contrast
from analysis.results.looks import at_end, at_end_one_sided
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.multiplicity import benjamini_hochberg, compatible_alphas, holm

CORRECTIONS = {"holm": holm, "benjamini_hochberg": benjamini_hochberg}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift(Comparison):
    """One metric in one arm against control. Intervals are at 1 - alpha of this row, adjusted like its p-value."""

    metric: str
    unit: str
    role: str                # primary, secondary, guardrail
    family: str              # of secondary metrics that are corrected together; "" where the params name none
    method: str              # "welch", "delta", "score", "adjusted", "strata", "clusters"
    reduction: float         # share of the variance that the adjustment took away; nan without one
    better: str              # higher, lower
    arm: str
    control: str
    pvalue_adjusted: float   # for looking early and then for the family; of guardrails for looking early alone
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
    return [uplift for role, names in families(facts) for uplift in _family(facts, role, names)]


def compare(facts: Facts, name: str, arm: str) -> Comparison:
    """One metric, one arm against control: the effect as `uplifts` shows it, so that nothing else is ever said of it.

    Of a described metric, which is not tested there, at its own level.
    """
    for role, names in families(facts):
        if name in names:
            return next(row for row in _family(facts, role, names) if (row.metric, row.arm) == (name, arm))
    return _described(facts, name, arm)


def _described(facts: Facts, name: str, arm: str) -> Comparison:
    """Not corrected for other metrics; at the level that looking early leaves."""
    found, control = contrast(facts, name), facts.campaign.arms.control
    plain = found.compare(arm, control)
    look = at_end(facts, name, plain.pvalue, plain.n_treatment + plain.n_control)
    if look.reason == "too_early":
        return Comparison.missing(found.shape, look.reason)
    return plain if plain.reason else found.compare(arm, control, look.alpha_nominal)


def families(facts: Facts) -> Iterator[tuple[str, list[str]]]:
    """Role and metrics of each family, which is judged as a whole. Guardrails stand alone: each of them has to hold."""
    campaign = facts.campaign
    yield "primary", campaign.metric("primary")
    secondary = campaign.metric("secondary")
    for family in dict.fromkeys(campaign.metrics[name].family for name in secondary):
        yield "secondary", [name for name in secondary if campaign.metrics[name].family == family]
    for name in campaign.metric("guardrail"):
        yield "guardrail", [name]


def _family(facts: Facts, role: str, names: Sequence[str]) -> Iterator[Uplift]:
    """The metrics of one family in every arm.

    First each p is turned into what it is worth after looking early, then all are corrected together; each interval is
    drawn at the level that tells the same story.
    """
    campaign = facts.campaign
    control = campaign.arms.control
    own = {name: contrast(facts, name) for name in names}
    pairs = [(name, arm) for name in names for arm in campaign.arms.shares if arm != control]
    plain = [own[name].compare(arm, control) for name, arm in pairs]
    n = [found.n_treatment + found.n_control for found in plain]
    looked = [at_end(facts, name, found.pvalue, users).pvalue
              for (name, _), found, users in zip(pairs, plain, n, strict=True)]
    correct = (lambda pvalues: pvalues) if role == "guardrail" else (
        CORRECTIONS[campaign.effects.correction] if role == "secondary" else holm)
    adjusted = correct(looked)
    alphas = [ALPHA] * len(pairs) if role == "guardrail" else compatible_alphas(looked, adjusted, ALPHA)
    for (name, arm), found, users, pvalue, alpha in zip(pairs, plain, n, adjusted, alphas, strict=True):
        nominal = at_end(facts, name, found.pvalue, users, alpha).alpha_nominal if users else alpha
        yield _uplift(facts, own[name], arm, role, found.pvalue, pvalue, nominal)


def _uplift(facts: Facts, own: Contrast, arm: str, role: str, raw: float, pvalue: float, alpha: float) -> Uplift:
    campaign, metric = facts.campaign, facts.campaign.metrics[own.name]
    control = campaign.arms.control
    found = Comparison.missing(own.shape, "too_early") if math.isnan(alpha) else own.compare(arm, control, alpha)
    pvalue = math.nan if found.reason else pvalue
    n = 0 if metric.ratio else found.n_treatment
    margin = math.nan if metric.margin is None else metric.margin
    p_margin = math.nan
    if role == "guardrail" and not found.reason:
        p_margin = at_end_one_sided(facts, own.name, own.margin_pvalue(arm, control, margin, metric.better, alpha),
                                    found.n_treatment + found.n_control)
    return Uplift(
        **{**asdict(found), "pvalue": raw}, metric=own.name, unit="share" if metric.kind == "any" else metric.unit,
        role=role, family=metric.family, method=own.method, reduction=own.reduction.get(arm, math.nan),
        better=metric.better, arm=arm, control=control, pvalue_adjusted=pvalue,
        total=found.diff * n if n else math.nan, total_lower=found.diff_lower * n if n else math.nan,
        total_upper=found.diff_upper * n if n else math.nan, margin=margin, pvalue_margin=p_margin,
        verdict=(guarded(found, margin, metric.better) if role == "guardrail"
                 else judged(found, pvalue, metric.better)))


def judged(found: Comparison, pvalue: float, better: str) -> str:
    """Better, worse, or cannot_tell, by the p that counts."""
    if math.isnan(pvalue) or pvalue >= ALPHA:
        return "cannot_tell"
    return "better" if (found.diff > 0) == (better == "higher") else "worse"


def guarded(found: Comparison, margin: float, better: str) -> str:
    """Safe when the whole relative interval stays inside the margin, broken when it is all outside."""
    lower, upper = found.rel_diff_lower, found.rel_diff_upper
    if better == "lower":
        lower, upper = -upper, -lower
    if math.isnan(lower) or math.isnan(upper):
        return "cannot_tell"
    return "safe" if lower > -margin else "broken" if upper < -margin else "cannot_tell"
