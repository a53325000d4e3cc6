"""Did each experiment get the users that it was planned to get? Where it did not, its effects are not counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pandas import DataFrame

from analysis.data.summaries import Summaries
from analysis.results.trust import ALPHA as GATE
from analysis.stats.split import split_test

CLOSER_LOOK = 0.01   # a p below it is shown; only one below GATE bars an experiment


@dataclass(frozen=True, slots=True)
class ArmSplit:
    """Users of one treatment against its control's, at the last look."""

    experiment: str
    arm: str
    control: str
    n_treatment: int
    n_control: int
    share: float           # of the treatment among the users of both
    planned_share: float
    pvalue: float
    state: str             # "fail": p < GATE, "warn": p < CLOSER_LOOK, "ok"
    reason: str = ""       # why there is no p: "no_users"


def splits(summaries: Summaries) -> list[ArmSplit]:
    """One per experiment and treatment, in their order.

    Users are those of the first metric that the experiment has, the primary one before the others.
    """
    return [split for _, own in summaries.frame.groupby("experiment") for split in _experiment(summaries, own)]


def distrusted(found: Sequence[ArmSplit]) -> set[str]:
    """Experiments with an arm whose split failed: users went missing, and nobody knows from which of the arms."""
    return {split.experiment for split in found if split.state == "fail"}


def _experiment(summaries: Summaries, own: DataFrame) -> Iterator[ArmSplit]:
    params = summaries.params
    metric = next(name for name in params.ordered_metrics if name in set(own["metric"]))
    rows = own[own["metric"] == metric]
    users = {(row.arm, row.at): int(row.n) for row in rows.itertuples()}
    for arm, last in rows.groupby("arm")["at"].max().items():
        if arm != params.control:
            yield _split(rows["experiment"].iloc[0], arm, params.control, users[arm, last],
                         users[params.control, last], params.shares)


def _split(
    experiment: str, arm: str, control: str, n_treatment: int, n_control: int, shares: dict[str, float]
) -> ArmSplit:
    planned = {name: shares[name] for name in (arm, control)}
    n = n_treatment + n_control
    found = split_test({arm: n_treatment, control: n_control}, planned)
    state = "fail" if found.pvalue < GATE else "warn" if found.pvalue < CLOSER_LOOK else "ok"
    return ArmSplit(experiment, arm, control, n_treatment, n_control, n_treatment / n if n else float("nan"),
                    planned[arm] / sum(planned.values()), found.pvalue, state, found.reason)
