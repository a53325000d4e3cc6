"""Methods: plain functions of moments, counts or arrays with flat frozen results; they know no campaign, no engine.

Each can be had from here, `from analysis.stats import Moments, compare_means`; its module is imported only then, so
that `analysis.stats` itself costs nothing. What they calculate: docs/methods.md; by example: notebooks/methods.ipynb.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

METHODS = """
adjust: Adjusted adjust adjust_shuffled compare_adjusted pair_of reduction
always_valid: Look always_valid
assignment: assign
bayes_counts: BetaPrior GammaPrior posterior_proportions posterior_rates
bayes_normal: NormalPrior posterior_normal posterior_of posterior_pair stop_any_time
bootstrap: bootstrap_means bootstrap_ratios
breaks: Day Departure departures
clusters: ClusterSums Clustering cluster_level clustering compare_clusters
comparison: Comparison
fieller: fieller
heterogeneity: Heterogeneity heterogeneity
intervals: Change mean_interval paired_change ratio_interval wilson
levels: Level mean_level ratio_level
logrank: AtRisk logrank
means: compare_means
moments: JointMoments Moments PairedMoments RatioMoments merged
multiplicity: benjamini_hochberg compatible_alphas holm
noninferiority: noninferiority_means noninferiority_proportions noninferiority_pvalue noninferiority_ratios
pairs: Pair compare_pair independent margin_pvalue relative_bounds
permutation: compare_permuted permutation_critical permutation_pvalue
posterior: Posterior
power: Plan mde power users
power_baseline: Baseline clustered cuped mean_baseline r_squared ratio_baseline share_baseline
power_guardrail: noninferiority_margin noninferiority_power noninferiority_users
power_holdout: Holdout holdout mde_by_share
power_lift: holdout_row lift_holdout lift_power lift_users lifted smallest_lift
proportions: compare_proportions fisher_pvalue
quantiles: QuantileComparison Rows compare_quantiles
ranks: RankComparison compare_ranks
ratios: compare_ratios
score: score_difference score_ratio score_z
shuffles: FalseAlarms Shuffles false_alarms shuffled statistics together
spending: boundaries crossing_probability group_sequential obrien_fleming pocock
split: Split split_test
split_looks: SplitLooks split_looks
winsor: WinsorisedComparison compare_capped compare_winsorised winsor_cap
"""
MODULE = {name: module for module, names in (line.split(": ") for line in METHODS.strip().splitlines())
          for name in names.split()}   # of each name
__all__ = sorted(MODULE)


def __getattr__(name: str) -> Any:
    if name not in MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{MODULE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]


class _Methods(ModuleType):
    """Some modules are called like the method they hold. Here such a name always means the method, also once the import
    system wants to leave the module under it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in MODULE or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Methods
