"""What each treatment did to each metric at its last look, with the error rate kept over all experiments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pandas import DataFrame

from analysis.data.summaries import Summaries
from analysis.params.experiments import Experiments
from analysis.results.experiments.looks import TREATMENT, adjusted, compare, is_adjusted, plain
from analysis.results.experiments.splits import ArmSplit, distrusted
from analysis.stats.adjust import reduction
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.multiplicity import benjamini_hochberg, compatible_alphas, holm

CORRECTIONS = {"holm": holm, "bh": benjamini_hochberg}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Comparison):
    """One metric of one treatment against its control. Intervals are at 1 - alpha of this row.

    Alpha is adjusted like the p over all treatments of the metric. Those of experiments that are not to be trusted
    count in that family, which was declared before the data, and cannot be claimed: their adjusted p is nan.
    """

    experiment: str
    arm: str
    control: str
    metric: str
    unit: str
    role: str                 # primary, secondary
    better: str               # higher, lower
    at: float                 # days since the start, of the last look
    n_looks: int
    is_trusted: bool          # whether the experiment passed the test of its split
    pvalue_adjusted: float    # by the correction that the params ask for; nan where it is not trusted or has no p
    pvalue_any_time: float    # of the last look, right however often one looked
    first_below_at: float     # days: first look with a p below ALPHA, what peeking would have claimed; nan if none
    first_any_time_at: float  # days: the same for the p that looking at any time allows; nan if none
    rel_detectable: float     # `detectable` as a share of the control
    reduction: float          # share of the variance that the time before took away; nan where it is not known
    pvalue_plain: float       # without the time before; pvalue where it is not known
    diff_plain: float
    verdict: str              # better, worse, cannot_tell, not_trusted


def effects(summaries: Summaries, looked: DataFrame, split: Sequence[ArmSplit]) -> list[Effect]:
    """One per metric and treatment, by metric (the primary one first), experiment and arm.

    looked   what `looks` gives
    """
    ends = looked.groupby(TREATMENT).tail(1)
    barred = distrusted(split)
    first = {name: _first(looked, name) for name in ("pvalue", "pvalue_any_time")}
    n_looks = looked.groupby(TREATMENT)["at"].size().to_dict()
    return [effect for metric in summaries.params.ordered_metrics
            for effect in _family(summaries.params, metric, ends[ends["metric"] == metric].to_dict("records"),
                                  barred, first, n_looks)]


def adjusted_pvalues(pvalues: Sequence[float], correction: str) -> list[float]:
    """By the correction's name in the params."""
    return CORRECTIONS[correction](pvalues)


def _first(looked: DataFrame, column: str) -> dict[tuple[str, str, str], float]:
    """Treatment -> days until that p was first below ALPHA."""
    below = looked[looked[column] < ALPHA]
    return below.groupby(TREATMENT)["at"].first().to_dict()


def _family(
    params: Experiments, metric: str, ends: list[dict[str, Any]], barred: set[str],
    first: dict[str, dict[tuple[str, str, str], float]], n_looks: dict[tuple[str, str, str], int],
) -> Iterator[Effect]:
    """All treatments of one metric, adjusted together."""
    own = params.metrics[metric]
    pvalues = [math.nan if end["experiment"] in barred else end["pvalue"] for end in ends]
    raised = adjusted_pvalues(pvalues, params.correction)
    for end, pvalue, alpha in zip(ends, raised, compatible_alphas(pvalues, raised), strict=True):
        key = tuple(end[name] for name in TREATMENT)
        found, bare, is_trusted = compare(end, alpha), plain(end, alpha), end["experiment"] not in barred
        yield Effect(
            **asdict(found), experiment=end["experiment"], arm=end["arm"], control=params.control, metric=metric,
            unit=params.unit(metric), role=own.role, better=own.better, at=end["at"], n_looks=n_looks[key],
            is_trusted=is_trusted, pvalue_adjusted=pvalue, pvalue_any_time=end["pvalue_any_time"],
            first_below_at=first["pvalue"].get(key, math.nan),
            first_any_time_at=first["pvalue_any_time"].get(key, math.nan),
            rel_detectable=found.detectable / found.value_control if found.value_control > 0 else math.nan,
            reduction=reduction(adjusted(end), "treatment", "control") if is_adjusted(end) else math.nan,
            pvalue_plain=bare.pvalue, diff_plain=bare.diff,
            verdict=_verdict(found, pvalue, own.better) if is_trusted else "not_trusted")


def _verdict(found: Comparison, pvalue: float, better: str) -> str:
    if math.isnan(pvalue) or pvalue >= ALPHA:
        return "cannot_tell"
    return "better" if (found.diff > 0) == (better == "higher") else "worse"
