"""What a planned campaign can learn from the time before it: the same campaign, imagined to end where the past ends.

An imagined campaign is a campaign like any other, so a plan measures with the very functions that the review will
compare with. Nobody got it, so all its users are in one nameless arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import ibis
from ibis.expr.types import Table

from analysis.data.columns import TIME
from analysis.data.read import Tables
from analysis.data.read_past import read_past
from analysis.data.zone import micros, wall
from analysis.facts.population import Facts, observe
from analysis.params.metric import Metric
from analysis.params.model import Arms, Campaign
from analysis.params.period import Period

DAY = timedelta(days=1)
LAST = "last_at"       # UTC: a user's last event or order
ONE_ARM = Arms.model_construct(control="", shares={"": 1.0}, cluster="", strata=[])


@dataclass(frozen=True)
class Past:
    """A campaign before it begins, and its users so far."""

    campaign: Campaign     # as it is planned
    facts: Facts           # all the time before, as one period
    people: Table          # one row per user who may be in the campaign: user_id, last_at, attributes
    n_excluded: int        # users whom the params exclude
    kept: dict[object, Any] = field(default_factory=dict, compare=False)

    @property
    def tables(self) -> Tables:
        return self.facts.tables

    @property
    def is_listed(self) -> bool:
        """Whether a users table says who there is. Otherwise those can be in the campaign who come while it runs."""
        return self.tables.users is not None

    @cached_property
    def n_people(self) -> int:
        return int(self.people.count().execute())

    @property
    def days(self) -> float:
        """How long the past is, on the campaign's clock."""
        local = self.campaign.local
        return (local(self.tables.data_until) - local(self.tables.data_from)) / DAY


def look_back(campaign: Campaign) -> Past:
    """What is known before the campaign: its users counted once and kept in the engine. Raises CampaignError."""
    past = read_past(campaign)
    facts = observe(past.campaign, past.tables)
    people = facts.population.drop("variant", "entered_at")
    if past.excluded is not None:
        out = past.excluded.rename(out="user_id")
        people = people.anti_join(out, people.user_id.cast("string") == out.out)
    people = people.left_join(_last_rows(past.tables), "user_id").drop("user_id_right").cache()
    n_left = facts.left.n_users - int(people.count().execute())
    return Past(campaign, facts, people, n_left)


def _last_rows(tables: Tables) -> Table:
    """One row per user with an event or order: user_id, last_at."""
    rows = [tables.get(name).select("user_id", at=tables.get(name)[TIME[name]])
            for name in ("events", "orders") if tables.get(name) is not None]
    both = rows[0].union(rows[1]) if len(rows) > 1 else rows[0]
    return both.group_by("user_id").aggregate(**{LAST: both.at.max()})


def imagined(past: Past, days: float, metric: Metric) -> Facts:
    """The campaign as if it had lasted `days` and ended in time for all that a metric counts to lie in the past.

    The time before keeps its distance and length, in whole blocks of the imagined campaign; without a `baseline:` it
    is one block right before. Users are those who were known at the start (without a users table: who came since).
    """
    key = ("imagined", *_moves(past, days, metric))
    if key not in past.kept:
        past.kept[key] = _imagined(past, *key[1:])
    return past.kept[key]


def reaches(past: Past, days: float, metric: Metric) -> bool:
    """Whether the past is long enough for what a metric counts in an imagined campaign."""
    length, later = _moves(past, days, metric)
    return past.days * DAY >= (later if metric.over == "after" else length + later)


def _moves(past: Past, days: float, metric: Metric) -> tuple[timedelta, timedelta]:
    """Length of the imagined campaign, and of the time after it."""
    if metric.window:
        return metric.window, timedelta()
    return days * DAY, past.campaign.after.length if metric.over != "period" else timedelta()


def eve(past: Past) -> Facts:
    """The campaign about to begin where the past ends, everybody in it: what its time before says by then.

    The time before is the params' own if it is over, else as much of it right before; one block without `baseline:`.
    """
    if "eve" not in past.kept:
        planned, start = past.campaign, past.campaign.local(past.tables.data_until)
        length, base = planned.period.length, planned.baseline
        if base is None or planned.end_of(base.end) > past.tables.data_until:
            base = Period(start=start - (base.length if base else length), end=start)
        campaign = planned.model_copy(update={
            "period": Period(start=start, end=start + length), "baseline": base, "after": None, "data_until": None,
            "arms": None, "effects": planned.effects.model_copy(update={"segments": []})})
        people = past.people.drop(LAST).mutate(
            variant=ibis.literal(""), entered_at=ibis.timestamp(past.tables.data_until.replace(tzinfo=None)))
        past.kept["eve"] = Facts(campaign, past.tables, people, past.facts.left)
    return past.kept["eve"]


def _imagined(past: Past, length: timedelta, later: timedelta) -> Facts:
    planned, local = past.campaign, past.campaign.local(past.tables.data_until)
    end = local - later
    start = end - length
    gap, before = timedelta(), length
    if planned.baseline:
        first, closes = planned.baseline.interval("UTC")
        gap = planned.period.interval("UTC")[0] - closes
        before = max(1, (closes - first) // length) * length
    arms = ONE_ARM.model_copy(update={"cluster": planned.arms.cluster, "strata": planned.arms.strata}
                              if planned.arms else {})
    campaign = planned.model_copy(update={
        "period": Period(start=start, end=end), "baseline": Period(start=start - gap - before, end=start - gap),
        "after": Period(start=end, end=local) if later else None, "data_until": None, "arms": arms,
        "effects": planned.effects.model_copy(update={"segments": []})})
    return Facts(campaign, past.tables, _population(past, campaign), past.facts.left)


def _population(past: Past, campaign: Campaign) -> Table:
    """user_id, the nameless arm, the start of the campaign, and the attributes."""
    opens = ibis.timestamp(campaign.period.interval(campaign.time_zone)[0].replace(tzinfo=None))
    people = past.people
    if not past.is_listed:
        people = people.filter(people[LAST] >= opens)
    elif "registered_at" in people.columns:
        people = people.filter(people.registered_at.isnull() | (people.registered_at < opens))
    return people.drop(LAST).mutate(variant=ibis.literal(""), entered_at=opens)


def active(past: Past, days: Sequence[float]) -> list[int]:
    """How many users had an event or order within the last so many days, for each number of days; one pass."""
    end = past.campaign.local(past.tables.data_until)
    since = [ibis.timestamp(past.campaign.instant(end - n * DAY).replace(tzinfo=None)) for n in days]
    found = past.people.aggregate(**{f"n_{i}": (past.people[LAST] >= at).sum() for i, at in enumerate(since)})
    return [int(n or 0) for n in found.to_pyarrow().to_pylist()[0].values()]


def stretch_totals(past: Past, names: Sequence[str], most: int) -> list[dict[str, float]]:
    """Totals of each metric over all users in each of the last stretches as long as the campaign, the latest first.

    names    metrics without a ratio; of `any` the total is the number of users who did
    most     stretches at most; those that the past covers as a whole count
    """
    length = past.campaign.period.length
    n = min(most, int(past.days * DAY / length))
    found: list[dict[str, float]] = [dict.fromkeys(names, 0.0) for _ in range(n)]
    sources = dict.fromkeys(past.campaign.metrics[name].table for name in names) if n else ()
    for source in sources:
        own = [name for name in names if past.campaign.metrics[name].table == source]
        for row in _by_stretch(past, source, own, n):
            found[row["stretch"]] |= {name: float(row[name] or 0) for name in own}
    return found


def _by_stretch(past: Past, source: str, names: Sequence[str], n: int) -> list[dict[str, Any]]:
    campaign, tables = past.campaign, past.tables
    end, length = campaign.local(tables.data_until), campaign.period.length
    rows = tables.get(source).rename(at=TIME[source])
    since = ibis.timestamp(campaign.instant(end - n * length).replace(tzinfo=None))
    rows = rows.filter(rows.at >= since).semi_join(past.people, "user_id")
    # wall clock, as in `user_facts`; a moment before the end is in the first stretch
    behind = micros(ibis.timestamp(end)) - 1 - micros(wall(rows.at, campaign.time_zone, tables.within))
    rows = rows.mutate(stretch=behind // round(length.total_seconds() * 1e6))
    made = {name: _total(rows, campaign.metrics[name]) for name in names}
    return rows.group_by("stretch").aggregate(**made).to_pyarrow().to_pylist()


def _total(rows: Table, metric: Metric) -> ibis.expr.types.NumericScalar:
    where = ibis.and_(*[rows[c].cast("string").isin(v) for c, v in metric.where.items()]) if metric.where else None
    if metric.kind == "sum":
        return rows[metric.sum.split(".")[1]].sum(where=where)
    if metric.kind == "any":
        return rows.user_id.nunique(where=where)
    return rows.count() if where is None else rows.count(where=where)
