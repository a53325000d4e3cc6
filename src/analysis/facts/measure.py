"""Means, variances and covariances per arm: all that the engine hands on for a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence

import ibis
from ibis.expr.types import FloatingColumn, Table

from analysis.stats.moments import Moments, PairedMoments, RatioMoments


def moments(wide: Table, names: Sequence[str], by: str = "variant") -> dict[tuple[str, str], Moments]:
    """(arm, metric) -> moments; centred in the engine, so that large values do not cancel."""
    found = _query(wide, by, {
        **{f"mean_{name}": wide[name].mean() for name in names},
        **{f"var_{name}": wide[name].var(how="sample") for name in names}})
    return {(row[by], name): Moments(row["n"], _float(row[f"mean_{name}"]), _float(row[f"var_{name}"]))
            for row in found for name in names}


def ratio_moments(wide: Table, numerator: str, denominator: str, by: str = "variant") -> dict[str, RatioMoments]:
    """arm -> moments of the two metrics and their covariance."""
    top, bottom = wide[numerator], wide[denominator]
    wanted = {
        "mean_numerator": top.mean(), "mean_denominator": bottom.mean(), "var_numerator": top.var(how="sample"),
        "var_denominator": bottom.var(how="sample"), "cov": top.cov(bottom, how="sample")}
    found = _query(wide, by, wanted)
    return {row[by]: RatioMoments(row["n"], *(_float(row[c]) for c in wanted)) for row in found}


def _query(wide: Table, by: str, wanted: dict[str, object]) -> list[dict]:
    return wide.group_by(by).aggregate(n=wide.count(), **wanted).to_pyarrow().to_pylist()


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def paired_moments(during: Table, before: Table, parts: Sequence[str]) -> PairedMoments:
    """Moments of a metric over the same users in two phases.

    parts    [metric], or [numerator, denominator]: then of its influence values, whose mean is the ratio of the sums
             and whose variance is the delta method's
    """
    both = during.select("user_id", *parts).inner_join(before.select("user_id", *parts), "user_id")
    both = both.mutate(during=_values(both, parts, ""), before=_values(both, parts, "_right"))
    row = both.aggregate(
        n=both.count(), mean_during=both.during.mean(), mean_before=both.before.mean(),
        var_during=both.during.var(how="sample"), var_before=both.before.var(how="sample"),
        cov=both.during.cov(both.before, how="sample")).to_pyarrow().to_pylist()[0]
    return PairedMoments(row["n"], *(_float(row[c]) for c in PairedMoments.__slots__[1:]))


def _values(both: Table, parts: Sequence[str], suffix: str) -> FloatingColumn:
    if len(parts) == 1:
        return both[parts[0] + suffix]
    top, bottom = both[parts[0] + suffix], both[parts[1] + suffix]
    sums = both.aggregate(top=top.mean(), bottom=bottom.mean()).to_pyarrow().to_pylist()[0]
    if not sums["bottom"]:
        return ibis.null("float64")
    ratio = sums["top"] / sums["bottom"]
    return ratio + (top - ratio * bottom) / sums["bottom"]
