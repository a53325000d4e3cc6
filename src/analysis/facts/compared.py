"""What arms are compared by: every user's metrics, what the user did before, and the groups the user is in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import ibis
import numpy as np
from ibis.expr.types import Table

from analysis.facts.measure import joint_moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import facts_of, span, user_facts
from analysis.stats.clusters import ClusterSums
from analysis.stats.moments import JointMoments

MANY = 200_000   # users; from here on the compiled sums are worth loading
HISTORY = "registered:before"   # 1 for users who were registered in the time before; no metric is called so


def before(name: str) -> str:
    """The column that holds a metric's level in the time before."""
    return f"{name}:before"


def covariates(facts: Facts, parts: Sequence[str]) -> list[str]:
    """Columns of `compared` that were settled before the campaign: the same metric then, and who was there at all.

    Empty without a baseline inside the data. Users who came later have no history; with the second column beside it a
    zero is as good as any number, the mean too.
    """
    if not is_before_covered(facts):
        return []
    return [*(before(part) for part in parts), *([HISTORY] if "registered_at" in facts.population.columns else [])]


def is_before_covered(facts: Facts) -> bool:
    """Whether the data hold a stretch of the time before; asked often, so found out once."""
    if "is_before_covered" not in facts.kept:
        stretch = span(facts, "before")
        facts.kept["is_before_covered"] = stretch is not None and stretch.n_blocks > 0
    return facts.kept["is_before_covered"]


def compared(facts: Facts, parts: Sequence[str]) -> Table:
    """One row per user: user_id, variant, the metrics `parts` of one time, their `covariates`, and the columns of users
    that arms are compared within or between (text; "" where a user has none), named as in the params."""
    return with_known(facts, facts_of(facts, parts), parts)


def with_known(facts: Facts, wide: Table, parts: Sequence[str]) -> Table:
    """A table with user_id, and beside it what was known of its users before the campaign: see `compared`."""
    known = covariates(facts, parts)
    if known:
        past = user_facts(facts, parts, "before").rename({before(part): part for part in parts}).drop("variant")
        wide = wide.left_join(past, "user_id").drop("user_id_right")
    arms, columns = facts.campaign.arms, dict.fromkeys(facts.campaign.effects.segments)
    columns |= dict.fromkeys([*arms.strata, *([arms.cluster] if arms.cluster else [])])
    people = facts.population
    extra = {column: people[column].cast("string").fill_null("") for column in columns}
    if HISTORY in known:
        opens = ibis.timestamp(span(facts, "before").end.replace(tzinfo=None))
        extra[HISTORY] = (people.registered_at < opens).fill_null(False).cast("float64")
    if not extra:
        return wide
    return wide.left_join(people.select("user_id", **extra), "user_id").drop("user_id_right")


def arm_moments(
    facts: Facts, sets: Sequence[Sequence[str]], by: Sequence[str] = (), arms: Iterable[str] = ()
) -> list[dict[tuple[str, ...], dict[str, JointMoments]]]:
    """For each metric (or numerator and denominator) of one time: values of `by` -> arm -> its joint moments.

    sets   each [metric] or [numerator, denominator]; the moments hold their covariates too. One pass for all of them.
    by     columns of users; a segment may be a stratum as well
    arms   where only these are wanted
    """
    every = list(dict.fromkeys(part for parts in sets for part in parts))
    wanted = [[*parts, *covariates(facts, parts)] for parts in sets]
    columns = list(dict.fromkeys(by))
    groups = [] if columns or facts.left.n_users < MANY else list(arms)
    found = joint_moments(compared(facts, every), wanted, ["variant", *columns], groups)
    made: list[dict[tuple[str, ...], dict[str, JointMoments]]] = [{} for _ in sets]
    for (arm, *values), own in sorted(found.items()):
        place_of = dict(zip(columns, values, strict=True))
        for place, one in zip(made, own, strict=True):
            place.setdefault(tuple(place_of[column] for column in by), {})[arm] = one
    return made


def cluster_sums(
    facts: Facts, parts: Sequence[str], by: str = "", phase: str = "during"
) -> dict[str, dict[str, ClusterSums]]:
    """Value of `by` ("" without it) -> arm -> one row per cluster, by name; users without a cluster do not count.

    phase   "before" for the metrics in the time before
    """
    own_time = facts_of(facts, parts) if phase == "during" else user_facts(facts, parts, phase)
    wide, cluster = with_known(facts, own_time, parts), facts.campaign.arms.cluster
    keys = ["variant", cluster, *([by] if by else [])]
    found = joint_moments(wide.filter(wide[cluster] != ""), [parts], keys)
    made: dict[str, dict[str, list[tuple[float, ...]]]] = {} if by else {"": {}}
    for (arm, _, *value), (own,) in sorted(found.items()):
        sums = own.n * own.mean
        row = (own.n, sums[0], sums[1] if len(parts) > 1 else own.n, own.cov[0, 0])
        made.setdefault(value[0] if value else "", {}).setdefault(arm, []).append(row)
    return {value: {arm: ClusterSums(*np.array(rows, dtype=float).T) for arm, rows in arms.items()}
            for value, arms in made.items()}


def cluster_counts(facts: Facts) -> tuple[dict[str, int], int, int, int]:
    """Arm -> clusters with users in it; clusters; those in more than one arm; users of an arm without a cluster."""
    people, cluster = facts.population, facts.campaign.arms.cluster
    people = people.filter(people.variant.isin([*facts.campaign.arms.shares]))   # others were not drawn
    named = people.select("variant", cluster=people[cluster].cast("string").fill_null(""))
    own = named.filter(named.cluster != "").distinct()
    counts = own.variant.value_counts(name="n").to_pyarrow().to_pylist()
    twice = own.group_by("cluster").aggregate(n=own.count())
    n, n_twice, n_without = (int(t.count().to_pyarrow().as_py())
                             for t in (twice, twice.filter(twice.n > 1), named.filter(named.cluster == "")))
    return {row["variant"]: row["n"] for row in counts}, n, n_twice, n_without


def leverage(facts: Facts, parts: Sequence[str]) -> float:
    """The most that one user weighs in a metric's time before: the share of the squares about the mean; nan without."""
    if not covariates(facts, parts):
        return math.nan
    past = user_facts(facts, parts, "before")
    past = past.filter(past.variant.isin([*facts.campaign.arms.shares]))
    row = past.aggregate(**{
        f"{how}_{i}": getattr(past[part], how)() for i, part in enumerate(parts) for how in ("min", "max", "mean")},
        **{f"var_{i}": past[part].var(how="sample") for i, part in enumerate(parts)}, n=past.count(),
    ).to_pyarrow().to_pylist()[0]
    far = [max(abs(row[f"{end}_{i}"] - row[f"mean_{i}"]) for end in ("min", "max")) for i in range(len(parts))]
    squares = [(row["n"] - 1) * (row[f"var_{i}"] or 0.0) for i in range(len(parts))]
    return max((d * d / s for d, s in zip(far, squares, strict=True) if s > 0), default=math.nan)
