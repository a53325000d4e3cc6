"""Means, variances and covariances per arm: all that the engine hands on for a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ibis.expr.types import Table


@dataclass(frozen=True, slots=True)
class Moments:
    """One metric in one arm."""

    n: int
    mean: float      # per user
    var: float       # sample variance, ddof = 1; nan for fewer than 2 users


@dataclass(frozen=True, slots=True)
class RatioMoments:
    """Two metrics of the same users in one arm, for the ratio of their sums."""

    n: int
    mean_numerator: float
    mean_denominator: float
    var_numerator: float
    var_denominator: float
    cov: float


def moments(wide: Table, names: Sequence[str], by: str = "variant") -> dict[tuple[str, str], Moments]:
    """(arm, metric) -> moments; centred in the engine, so that large values do not cancel."""
    found = _query(wide, by, {f"{kind}_{name}": getattr(wide[name], call)(**how)
                              for name in names for kind, call, how in (("mean", "mean", {}), ("var", "var", {"how": "sample"}))})
    return {(row[by], name): Moments(row["n"], _float(row[f"mean_{name}"]), _float(row[f"var_{name}"]))
            for row in found for name in names}


def ratio_moments(wide: Table, numerator: str, denominator: str, by: str = "variant") -> dict[str, RatioMoments]:
    """arm -> moments of the two metrics and their covariance."""
    top, bottom = wide[numerator], wide[denominator]
    found = _query(wide, by, {
        "mean_numerator": top.mean(), "mean_denominator": bottom.mean(), "var_numerator": top.var(how="sample"),
        "var_denominator": bottom.var(how="sample"), "cov": top.cov(bottom, how="sample")})
    return {row[by]: RatioMoments(row["n"], *(_float(row[c]) for c in RatioMoments.__slots__[1:])) for row in found}


def _query(wide: Table, by: str, wanted: dict[str, object]) -> list[dict]:
    return wide.group_by(by).aggregate(n=wide.count(), **wanted).to_pyarrow().to_pylist()


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
