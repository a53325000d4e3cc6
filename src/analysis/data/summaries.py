"""A table of summaries -> one frame, checked: for experiments of which no user's rows are at hand.

Summaries are few (a row per experiment, arm, metric and look), so they come to Python as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ibis.expr.types import Table
from pandas import DataFrame, Series

from analysis.data.engine import Engine
from analysis.data.rows import finite
from analysis.data.typed import Shape, typed
from analysis.params.experiments import Experiments
from analysis.params.part import suggest
from analysis.params.paths import Unreadable
from analysis.params.problem import CampaignError, Problem

KEY = ["experiment", "arm", "metric", "at"]
REQUIRED = [*KEY, "n", "mean", "variance"]
BEFORE = ["pre_mean", "pre_variance", "covariance"]   # of the same users before the experiment; all or none
TYPES = dict.fromkeys(["experiment", "arm", "metric"], "string") | dict.fromkeys(
    ["at", "n", "mean", "variance", *BEFORE], "float64")
ROUNDING = 1e-6   # by which a covariance may be larger than the variances allow


@dataclass(frozen=True, slots=True)
class SummaryRows:
    """What became of the rows of a table of summaries."""

    n_read: int
    n_other_metrics: int       # left out: of metrics that the params do not name
    n_unpaired: int            # left out: of a treatment at a time at which its control has no row
    n_without_variance: int    # kept rows without a variance: their means stand, nothing can be tested there
    n_too_few: int             # kept rows of fewer than 2 users
    n_shrunk: int              # kept rows with fewer users than the look before


@dataclass(frozen=True, slots=True)
class Summaries:
    """The experiments of a params file, look by look."""

    params: Experiments
    frame: DataFrame           # one row per experiment, arm, metric and at, ordered by them; metric as the params call
    #                            it; n, mean, variance (nan: not given) and, where the users are known, BEFORE
    rows: SummaryRows

    @property
    def has_before(self) -> bool:
        """Whether it is known how users were before the experiment."""
        return "pre_mean" in self.frame.columns


def read(params: Experiments) -> Summaries:
    """Open, rename, type-check and check the table. Raises CampaignError with all that is wrong."""
    source = params.experiments
    try:
        engine = Engine.of(source if source.address and source.address.is_server else None)
        with engine.telling(source):
            table = finite(typed(engine.opened(params, source), Shape(TYPES, REQUIRED, params.time_zone), source))
            frame = _frame(table)
    except Unreadable as error:
        raise CampaignError([params.problem(("experiments",), message) for message in error.args]) from None
    if problems := list(_problems(params, frame)):
        raise CampaignError(problems)
    return _kept(params, frame)


def _frame(table: Table) -> DataFrame:
    wanted = [column for column in (*REQUIRED, *BEFORE) if column in table.columns]
    return table.select(wanted).to_pandas()


def _kept(params: Experiments, frame: DataFrame) -> Summaries:
    """The rows of the params' metrics under their names; treatment rows only where the control has one."""
    names = {params.key(name): name for name in params.metrics}
    own = frame[frame["metric"].isin(list(names))]
    own = own.assign(metric=own["metric"].map(names), n=own["n"].astype("int64")).sort_values(KEY, ignore_index=True)
    look = [column for column in KEY if column != "arm"]
    controls = own.loc[own["arm"] == params.control, look].assign(has_control=True)
    is_paired = own[look].merge(controls, how="left", on=look)["has_control"].notna().to_numpy()
    kept = own[is_paired].reset_index(drop=True)
    return Summaries(params, kept, SummaryRows(
        n_read=len(frame), n_other_metrics=len(frame) - len(own), n_unpaired=len(own) - len(kept),
        n_without_variance=int(kept["variance"].isna().sum()), n_too_few=int((kept["n"] < 2).sum()),
        n_shrunk=int((kept.groupby(KEY[:3])["n"].diff() < 0).sum())))


def _problems(params: Experiments, frame: DataFrame) -> Iterator[Problem]:
    """All that is wrong with the rows, and all that the params name and the rows do not hold."""
    if frame.empty:
        yield params.problem(("experiments",), "has no row")
        return
    for message in (*_values(frame), *_before(frame)):
        yield params.problem(("experiments",), message)
    yield from _metrics(params, frame)
    yield from _arms(params, frame)


def _values(frame: DataFrame) -> Iterator[str]:
    n, n_rows = frame["n"], len(frame)
    for column in (*KEY, "n"):
        yield from _said(frame, frame[column].isna(), f"have no {column}", "")
    yield from _said(frame, frame["at"] <= 0, "have an `at` of 0 or less: it counts days since the start", "at")
    yield from _said(frame, (n < 0) | (n % 1 > 0), "have an `n` that is no number of users", "n")
    yield from _said(frame, (n > 0) & frame["mean"].isna(), "have users and no mean", "")
    yield from _said(frame, frame["variance"] < 0, "have a variance below 0", "variance")
    twice = frame.duplicated(KEY, keep=False) & frame[KEY].notna().all(axis=1)
    if twice.any():
        first = frame[twice].iloc[0]
        yield (f"{int(twice.sum()):,} of {n_rows:,} rows share experiment, arm, metric and `at` with another, such as "
               f"{', '.join(repr(first[column]) for column in KEY[:3])}, {first['at']:g}: one row per look")


def _before(frame: DataFrame) -> Iterator[str]:
    """What is wrong with what is known of the time before."""
    there = [column for column in BEFORE if column in frame.columns]
    if there and len(there) < len(BEFORE):
        missing = [column for column in BEFORE if column not in there]
        yield f"has {', '.join(there)} and no {', '.join(missing)}: the three go together"
    if len(there) < len(BEFORE):
        return
    yield from _said(frame, frame["pre_variance"] < 0, "have a pre_variance below 0", "pre_variance")
    most = np.sqrt(frame["variance"].clip(lower=0) * frame["pre_variance"].clip(lower=0)) * (1 + ROUNDING)
    yield from _said(frame, frame["covariance"].abs() > most,
                     "have a covariance that is larger than variance and pre_variance allow", "covariance")


def _said(frame: DataFrame, is_bad: Series, what: str, column: str) -> Iterator[str]:
    """One sentence about the rows that are bad, with the first value of `column` among them."""
    if n := int(is_bad.sum()):
        example = f", such as {frame.loc[is_bad, column].iloc[0]:g}" if column else ""
        yield f"{n:,} of {len(frame):,} rows {what}{example}"


def _metrics(params: Experiments, frame: DataFrame) -> Iterator[Problem]:
    found = sorted(frame["metric"].dropna().unique())
    for name, metric in params.metrics.items():
        key = params.key(name)
        where = ("metrics", name, "key") if metric.key else ("metrics", name)
        own = frame.loc[frame["metric"] == key, "mean"]
        if key not in found:
            yield params.problem(where, f"no row has the metric '{key}'{suggest(key, found)}")
        elif metric.kind == "share" and (n := int(((own < 0) | (own > 1)).sum())):
            yield params.problem(("metrics", name, "kind"), (
                f"is a share, and {n:,} of {len(own):,} means are not between 0 and 1, such as "
                f"{own[(own < 0) | (own > 1)].iloc[0]:g}; a mean of another number is `kind: mean`"))


def _arms(params: Experiments, frame: DataFrame) -> Iterator[Problem]:
    found = sorted(frame["arm"].dropna().unique())
    for arm in params.shares:
        if arm not in found and arm != params.control:
            yield params.problem(("shares", arm), f"no row has the arm '{arm}'{suggest(arm, found)}")
    for arm in found:
        if arm not in params.shares:
            yield params.problem(("shares",), f"the data has the arm '{arm}', which has no planned share")
    if params.control not in found:
        yield params.problem(("control",), f"no row has the arm '{params.control}'{suggest(params.control, found)}")
        return
    arms = frame.groupby("experiment")["arm"].agg(set)
    without = [name for name, own in arms.items() if params.control not in own]
    alone = [name for name, own in arms.items() if own == {params.control}]
    for names, what in ((without, "have no"), (alone, "have no arm beside the")):
        if names:
            yield params.problem(("control",), (
                f"{len(names):,} of {len(arms):,} experiments {what} control '{params.control}', such as "
                f"'{names[0]}'"))
