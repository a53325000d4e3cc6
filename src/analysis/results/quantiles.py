"""What the campaign did to quantiles of rows: large orders, slow pages. Users' rows hang together, and are kept so."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from analysis.facts.population import Facts
from analysis.facts.row_facts import rows_compared
from analysis.facts.user_facts import span
from analysis.results.looks import looked
from analysis.results.uplift import judged
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.multiplicity import compatible_alphas, holm
from analysis.stats.quantiles import QuantileComparison, compare_quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileEffect(QuantileComparison):
    """One quantile in one arm against control. Intervals are at 1 - alpha of this row, adjusted like its p-value."""

    name: str
    unit: str
    better: str
    arm: str
    control: str
    pvalue_adjusted: float   # for looking early, then Holm over all quantiles and arms
    verdict: str             # better, worse, cannot_tell


def quantiles(facts: Facts) -> list[QuantileEffect]:
    """The quantiles that the params name, each arm; empty without arms."""
    campaign = facts.campaign
    if campaign.arms is None:
        return []
    control, pairs = campaign.arms.control, []
    stretch = span(facts, "during")
    is_over = stretch is not None and stretch.n_blocks == stretch.n_planned
    for name, asked in campaign.quantiles.items():
        rows = rows_compared(facts, asked) if is_over else {}
        pairs += [(name, asked, arm, rows.get(arm), rows.get(control))
                  for arm in campaign.arms.shares if arm != control]
    found = [_compare(asked.at, own, base) for _, asked, _, own, base in pairs]
    days = stretch.days_planned if stretch else 0.0
    seen = [looked(facts, row.pvalue, (row.n_treatment + row.n_control) * days).pvalue for row in found]
    adjusted, made = holm(seen), []
    alphas = compatible_alphas(seen, adjusted)
    for (name, asked, arm, own, base), row, p, alpha in zip(pairs, found, adjusted, alphas, strict=True):
        clock = (row.n_treatment + row.n_control) * days
        nominal = looked(facts, row.pvalue, clock, alpha).alpha_nominal if not row.reason else alpha
        shown = row if row.reason or math.isnan(nominal) else _compare(asked.at, own, base, nominal)
        made.append(QuantileEffect(
            **{**asdict(shown), "pvalue": row.pvalue}, name=name, unit=asked.unit, better=asked.better, arm=arm,
            control=control, pvalue_adjusted=p, verdict=judged(shown, p, asked.better)))
    return made


def _compare(q: float, own: object, base: object, alpha: float = ALPHA) -> QuantileComparison:
    missing = Comparison.missing("quantile", "data_end_before" if own is None or base is None else "empty_arm")
    if own is None or base is None or not len(own.values) or not len(base.values):
        return QuantileComparison(**asdict(missing), q=q, n_rows_treatment=0, n_rows_control=0)
    return compare_quantiles(own, base, q, alpha)
