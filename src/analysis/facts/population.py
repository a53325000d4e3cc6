"""Who counts: one row per user, with the arm and the moment from which the user's rows count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, reduce
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, Column, Scalar, Table

from analysis.data.columns import TIME
from analysis.data.read import Tables
from analysis.data.zone import local_day
from analysis.params.model import Campaign


@dataclass(frozen=True, slots=True)
class Left:
    """Users, and the reasons why some were left out; each user is counted at the first reason that holds."""

    n_known: int             # users of the users table, or of all tables where there is none
    n_no_consent: int
    n_not_in_population: int  # outside `population.where`
    n_two_arms: int          # assigned to more than one arm
    n_unassigned: int        # without an assignment (and no name for such users)
    n_too_late: int          # registered or assigned after the period
    n_users: int             # who count
    n_rows_of_unknown: int   # events and orders of users that no users table knows
    n_assigned: int          # users with an assignment
    n_assigned_unknown: int  # of them, whom no users table knows
    n_contradicting: int     # listed more than once in the users table, with different values


@dataclass(frozen=True)
class Facts:
    """A campaign with its population; every other fact is asked for by its function."""

    campaign: Campaign
    tables: Tables
    population: Table        # user_id, variant, entered_at (UTC), and the attributes of users; one row per user
    left: Left
    kept: dict[object, Any] = field(default_factory=dict, compare=False)   # what is made once and asked for often

    @cached_property
    def groups(self) -> dict[str, int]:
        """Users per arm or group, control first and then by name."""
        counts = _counts(self.population, "variant")
        control = self.campaign.arms.control if self.campaign.arms else None
        return {group: counts[group] for group in sorted(counts, key=lambda group: (group != control, group))}

    @cached_property
    def last_entry(self) -> datetime:
        """When the last user entered, UTC without a mark; long ago without users."""
        last = self.population.entered_at.max().to_pyarrow().as_py()
        return datetime.min if last is None else last.replace(tzinfo=None)


def observe(campaign: Campaign, tables: Tables) -> Facts:
    """The campaign's population, counted once and kept in the engine."""
    known = _users(campaign, tables)
    judged = _judge(campaign, tables, known).cache()
    counts = _counts(judged, "why")
    population = judged.filter(judged.why == "").drop("why").cache()
    left = Left(
        n_known=sum(counts.values()), n_users=counts.get("", 0), n_rows_of_unknown=_unknown_rows(tables, judged),
        **_assigned(tables, judged), n_contradicting=_contradicting(tables, sum(counts.values())),
        **{f"n_{why}": counts.get(why, 0)
           for why in ("no_consent", "not_in_population", "two_arms", "unassigned", "too_late")})
    return Facts(campaign, tables, population, left)


def _counts(table: Table, column: str) -> dict[str, int]:
    return {row[column]: row["n"] for row in table[column].value_counts(name="n").to_pyarrow().to_pylist()}


def _users(campaign: Campaign, tables: Tables) -> Table:
    """One row per user with attributes; where there is no users table, whoever was assigned or did something."""
    if tables.users is not None:
        users = tables.users
        return users.group_by("user_id").aggregate(**{c: _least(users[c]) for c in users.columns if c != "user_id"})
    named = [t.select("user_id") for t in (tables.assignments, tables.events, tables.orders) if t is not None]
    if tables.assignments is not None and not campaign.population.unassigned:
        named = named[:1]
    return reduce(lambda a, b: a.union(b), named).distinct()


def _least(column: Column) -> Scalar:
    return column.all() if column.type().is_boolean() else column.min()  # not every engine has a least truth value


def _judge(campaign: Campaign, tables: Tables, users: Table) -> Table:
    """The users with variant, entered_at and `why` they do not count ("" for those who do)."""
    start, end = (ibis.timestamp(t.replace(tzinfo=None)) for t in campaign.period.interval(campaign.time_zone))
    people = campaign.population
    reasons: list[tuple[BooleanValue, str]] = []
    if people.consent:
        reasons.append((~users[people.consent].fill_null(False), "no_consent"))
    for column, values in people.where.items():
        reasons.append((~users[column].cast("string").isin(values).fill_null(False), "not_in_population"))
    if tables.assignments is None:
        marked = users.mutate(variant=ibis.literal(""), entered_at=start)
    else:
        arms = _arms(tables.assignments, start)
        marked = users.left_join(arms, "user_id").drop("user_id_right")
        if people.unassigned:
            marked = marked.mutate(variant=marked.variant.fill_null(people.unassigned),
                                   entered_at=marked.entered_at.fill_null(start))
        n_arms = marked.n_arms.fill_null(1 if people.unassigned else 0)
        reasons += [(n_arms > 1, "two_arms"), (n_arms == 0, "unassigned"), (marked.entered_at >= end, "too_late")]
    if "registered_at" in marked.columns:
        reasons.append((marked.registered_at >= end, "too_late"))
    flags = [(marked.bind(flag)[0], word) for flag, word in reasons]
    why = ibis.cases(*flags, else_="") if flags else ibis.literal("")
    return marked.mutate(why=why).select(*users.columns, "variant", "entered_at", "why")


def _arms(assignments: Table, start: ibis.expr.types.TimestampScalar) -> Table:
    """One row per assigned user: arm, number of arms, and from when rows count (not before the period)."""
    first = assignments.assigned_at.min().fill_null(start) if "assigned_at" in assignments.columns else start
    return assignments.group_by("user_id").aggregate(
        variant=assignments.variant.min(), n_arms=assignments.variant.nunique(), entered_at=ibis.greatest(first, start))


def _assigned(tables: Tables, known: Table) -> dict[str, int]:
    if tables.assignments is None:
        return {"n_assigned": 0, "n_assigned_unknown": 0}
    assigned = tables.assignments.select("user_id").distinct()
    counts = [assigned, *([assigned.anti_join(known, "user_id")] if tables.users is not None else [])]
    n, *unknown = (int(table.count().to_pyarrow().as_py()) for table in counts)
    return {"n_assigned": n, "n_assigned_unknown": unknown[0] if unknown else 0}


def _contradicting(tables: Tables, n_known: int) -> int:
    """Users whom the users table lists with different values; looked for only where it lists somebody twice."""
    n_rows = sum(row.n_read - row.n_without_key for row in tables.rows if row.table == "users")
    if tables.users is None or n_rows == n_known:
        return 0
    listed = tables.users.distinct().user_id.value_counts(name="n")
    return int(listed.filter(listed.n > 1).count().to_pyarrow().as_py())


def _unknown_rows(tables: Tables, known: Table) -> int:
    if tables.users is None:
        return 0
    kept = [tables.get(name) for name in ("events", "orders")]
    per_user = [t.group_by("user_id").aggregate(n=t.count()) for t in kept if t is not None]
    return sum(int(t.anti_join(known, "user_id").n.sum().fill_null(0).execute()) for t in per_user)


def rows_of(facts: Facts, name: str) -> Table:
    """Rows of one table that belong to the population, with variant and entered_at; time column as `at`."""
    table = facts.tables.get(name)
    people = facts.population.select("user_id", "variant", "entered_at")
    return table.rename(at=TIME[name]).inner_join(people, "user_id")


def rows_per_day(facts: Facts, name: str) -> dict[date, int]:
    """Rows of one table by local day, counted once; days without a row are absent."""
    key = ("rows_per_day", name)
    if key not in facts.kept:
        facts.kept[key] = _per_day(facts, name)
    return facts.kept[key]


def _per_day(facts: Facts, name: str) -> dict[date, int]:
    table = facts.tables.get(name)
    day = local_day(table[TIME[name]], facts.campaign.time_zone, facts.tables.within)
    found = table.group_by(day=day).aggregate(n=table.count()).to_pyarrow().to_pylist()
    return {row["day"]: row["n"] for row in found}
