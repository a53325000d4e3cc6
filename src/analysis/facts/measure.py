"""Means, variances and covariances per arm: all that the engine hands on for a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import ibis
import numpy as np
from ibis.expr.types import FloatingColumn, Table

from analysis.stats.moments import JointMoments, Moments, PairedMoments, RatioMoments

BATCH = 50_000   # rows: with all columns of a comparison they stay in the cache while they are summed


def moments(wide: Table, names: Sequence[str], by: str = "variant") -> dict[tuple[str, str], Moments]:
    """(arm, metric) -> moments; n counts what is not null. A pass for the centres, one for the rest."""
    centred, centre = _centred(wide, names)
    found = _query(centred, [by], {
        **{f"n_{name}": centred[name].count() for name in names},
        **{f"mean_{name}": centred[name].mean() for name in names},
        **{f"var_{name}": centred[name].var(how="sample") for name in names}})
    return {(row[by], name): Moments(
                row[f"n_{name}"], centre[name] + _float(row[f"mean_{name}"]), _float(row[f"var_{name}"]))
            for row in found for name in names}


def _centred(wide: Table, names: Sequence[str]) -> tuple[Table, dict[str, float]]:
    """The metrics less their mean over all users, and those means: sums of what is left keep their digits.

    Where somebody has nothing the centre is 0: the mean of users who all have nothing must be 0 and not nearly so, for
    nothing can be divided by it.
    """
    row = wide.aggregate(**{f"m_{i}": wide[name].mean() for i, name in enumerate(names)},
                         **{f"s_{i}": wide[name].abs().min() for i, name in enumerate(names)}
                         ).to_pyarrow().to_pylist()[0]
    centre = {name: own if row[f"s_{i}"] and math.isfinite(own := _float(row[f"m_{i}"])) else 0.0
              for i, name in enumerate(names)}
    return wide.mutate(**{name: wide[name] - centre[name] for name in names}), centre


def ratio_moments(wide: Table, numerator: str, denominator: str, by: str = "variant") -> dict[str, RatioMoments]:
    """arm -> moments of the two metrics and their covariance."""
    return {key[0]: own[0].ratio(numerator, denominator)
            for key, own in joint_moments(wide, [(numerator, denominator)], [by]).items()}


def joint_moments(
    wide: Table, sets: Sequence[Sequence[str]], by: Sequence[str] = ("variant",), groups: Sequence[Any] = ()
) -> dict[tuple, list[JointMoments]]:
    """Values of `by` -> moments of each set of metrics, over the users of whom no metric of the set is null.

    groups   the values of a single `by` that are wanted, others are left out. With many users their rows are summed by
             compiled code, which costs less than the engine's own sums

    One pass over the users for all sets: a mean for each metric, a variance or covariance for each pair within a set.
    Where something is null a second pass leaves its users out, set by set.
    """
    columns = list(dict.fromkeys(name for names in sets for name in names))
    pairs = list(dict.fromkeys((a, b) for names in sets for i, a in enumerate(names) for b in names[:i + 1]))
    if groups and (streamed := _streamed(wide, by[0], groups, columns, pairs)) is not None:
        return {(group,): [_joint(row, centre, names) for names in sets] for group, (row, centre) in streamed.items()}
    if groups:
        wide = wide.filter(wide[by[0]].isin(groups))
    centred, centre = _centred(wide, columns)
    found = _query(centred, by, {"n": centred.count(), **{f"n_{i}": centred[c].count() for i, c in enumerate(columns)},
                                 **_moments_of(centred, columns, pairs)})
    if any(row[f"n_{i}"] != row["n"] for row in found for i in range(len(columns))):
        if len(sets) == 1:
            return joint_moments(wide.drop_null(columns), sets, by)
        apart = [joint_moments(wide, [names], by) for names in sets]
        return {key: [own[key][0] for own in apart] for key in apart[0] if all(key in own for own in apart)}
    return {tuple(row[column] for column in by): [_joint(row, centre, names) for names in sets] for row in found}


def _streamed(
    wide: Table, by: str, groups: Sequence[Any], columns: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> dict[Any, tuple[dict[str, Any], dict[str, float]]] | None:
    """Group -> its row as `_joint` reads it, and the centre: the rows are summed here, in one compiled pass.

    None where something is null, and on other engines.
    """
    engine = wide.get_backend()
    if engine.name != "duckdb":
        return None
    from analysis.facts.fold.products import summed  # compiled code is loaded only for many rows
    from analysis.facts.fold.route import position

    values = {f"x{i}": wide[name].cast("float64") for i, name in enumerate(columns)}
    rows = wide.select(group=position(wide[by], list(groups)), **values)
    place = {name: i for i, name in enumerate(columns)}
    places = [(place[a], place[b]) for a, b in pairs]
    found = summed(engine.con.sql(engine.compile(rows)).to_arrow_reader(BATCH), len(groups), places)
    if found is None:
        return None
    n, centre, means, products = found
    return {group: _row(n[g], means[g], products[g], places, centre, columns)
            for g, group in enumerate(groups) if n[g]}


def _row(
    n: float, mean: np.ndarray, products: np.ndarray, pairs: Sequence[tuple[int, int]], centre: np.ndarray,
    columns: Sequence[str],
) -> tuple[dict[str, Any], dict[str, float]]:
    row: dict[str, Any] = {"n": int(n), **{f"m_{i}": value for i, value in enumerate(mean.tolist())}}
    for (a, b), product in zip(pairs, products.tolist(), strict=True):
        row[f"c_{a}_{b}"] = (product - n * mean[a] * mean[b]) / (n - 1) if n > 1 else None
    return row, dict(zip(columns, centre.tolist(), strict=True))


def _moments_of(wide: Table, columns: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    place = {name: i for i, name in enumerate(columns)}
    wanted: dict[str, Any] = {f"m_{place[name]}": wide[name].mean() for name in columns}
    for a, b in pairs:
        wanted[f"c_{place[a]}_{place[b]}"] = (
            wide[a].var(how="sample") if a == b else wide[a].cov(wide[b], how="sample"))
    return wanted


def _joint(row: dict[str, Any], centre: dict[str, float], names: Sequence[str]) -> JointMoments:
    at = [[*centre].index(name) for name in names]
    cov = np.array([[_float(row.get(f"c_{a}_{b}", row.get(f"c_{b}_{a}"))) for b in at] for a in at])
    mean = np.array([centre[name] + _float(row[f"m_{i}"]) for name, i in zip(names, at, strict=True)])
    return JointMoments(row["n"], tuple(names), mean, cov)


def _query(wide: Table, by: Sequence[str], wanted: dict[str, object]) -> list[dict]:
    return wide.group_by(list(by)).aggregate(**wanted).to_pyarrow().to_pylist()


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
