"""The users that arms are drawn from, in Python: who they are, and what they did before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.facts.past import LAST, Past, eve
from analysis.facts.user_facts import span, user_facts

MISSING = "(none)"   # in the stratum of a user who has no value of a column


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """One place per user, in the order of their ids, whatever the order of the rows."""

    ids: pa.Array                       # (users,) text or whole numbers
    stratum: list[str]                  # values of the columns of `arms.strata`, "" without any
    cluster: list[str]                  # value of the column `arms.cluster`, "" without one
    before: dict[str, np.ndarray]       # metric -> (users,) mean over the stretches of the time before; may be empty


def people(past: Past) -> People:
    """Everybody who may be in the campaign.

    Rows reach Python here: 8 bytes per user and metric, and the ids.
    """
    arms, names = past.campaign.arms, _metrics(past)
    columns = list(dict.fromkeys([*arms.strata, *([arms.cluster] if arms.cluster else [])]))
    table = past.people.drop(LAST)
    table = table.select("user_id", **{f"of_{i}": table[c].cast("string").fill_null("") for i, c in enumerate(columns)})
    if names:
        did = user_facts(eve(past), names, "before").drop("variant")
        table = table.left_join(did, "user_id").drop("user_id_right")
    found = table.to_pyarrow().sort_by("user_id")
    own = {column: found[f"of_{i}"].to_pylist() for i, column in enumerate(columns)}
    n = found.num_rows
    values = [[value or MISSING for value in own[column]] for column in arms.strata]
    strata = [" / ".join(of_user) for of_user in zip(*values, strict=True)] or [""] * n
    return People(found["user_id"].combine_chunks(), strata, own[arms.cluster] if arms.cluster else [""] * n,
                  {name: found[name].to_numpy().astype(float) for name in names})


def _metrics(past: Past) -> Sequence[str]:
    """Metrics that have a time before, if the past covers it."""
    stretch = span(eve(past), "before")
    if stretch is None or not stretch.n_blocks:
        return []
    return [name for name, metric in past.campaign.metrics.items() if metric.is_per_user and metric.has_phases]
