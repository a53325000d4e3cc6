"""What to know of the summaries before they are believed, and the answer that the report opens with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.data.summaries import Summaries
from analysis.results.experiments.splits import CLOSER_LOOK, GATE, ArmSplit, distrusted
from analysis.results.trust import Check


@dataclass(frozen=True, slots=True)
class Compared:
    """How many experiments were compared, and how many of them can be trusted."""

    answer: str                # "compared", or "do_not_trust" when no experiment can be
    reasons: tuple[str, ...]   # "split": some experiments cannot be trusted
    metric: str                # the primary one
    n_experiments: int
    n_trusted: int
    n_barred: int              # not to be trusted
    n_treatments: int
    n_trusted_treatments: int  # of experiments that can be trusted
    n_barred_treatments: int
    n_split_noted: int         # treatments with a split p < CLOSER_LOOK
    n_split_by_chance: float   # that would have one if all users were split as planned
    n_split_failed: int        # with a split p < GATE
    most_looks: int            # at one treatment; 1 where nobody could have peeked


def verdict(summaries: Summaries, found: Sequence[ArmSplit]) -> Compared:
    """Counts of experiments; what their treatments did is in the tallies."""
    barred, experiments = distrusted(found), {split.experiment for split in found}
    n_out = sum(split.experiment in barred for split in found)
    return Compared(
        answer="do_not_trust" if barred == experiments else "compared", reasons=("split",) if barred else (),
        metric=summaries.params.ordered_metrics[0], n_experiments=len(experiments),
        n_trusted=len(experiments - barred), n_barred=len(barred), n_treatments=len(found),
        n_trusted_treatments=len(found) - n_out, n_barred_treatments=n_out,
        n_split_noted=sum(split.pvalue < CLOSER_LOOK for split in found), n_split_by_chance=CLOSER_LOOK * len(found),
        n_split_failed=sum(split.pvalue < GATE for split in found),
        most_looks=int(summaries.frame.groupby(["experiment", "metric", "arm"])["at"].size().max()))


def checks(summaries: Summaries, found: Sequence[ArmSplit]) -> list[Check]:
    """All checks, the worst first; a failed split bars its own experiment and not the others."""
    barred, experiments, rows = distrusted(found), {split.experiment for split in found}, summaries.rows
    state = "fail" if barred == experiments else "warn" if barred else "ok"
    n_own = rows.n_read - rows.n_other_metrics
    own = [Check("split", state, len(barred), GATE, math.nan, len(experiments)),
           *(Check(name, "warn" if n else "ok", n, 0, math.nan, n_own) for name, n in (
               ("without_variance", rows.n_without_variance), ("too_few", rows.n_too_few),
               ("shrunk", rows.n_shrunk), ("unpaired", rows.n_unpaired)))]
    order = {"fail": 0, "warn": 1, "ok": 2}
    return sorted(own, key=lambda check: order[check.state])
