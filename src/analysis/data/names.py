"""Columns, arms, events and values that the params name: does the data know them?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from ibis.expr.types import Column, Table

from analysis.data.columns import COLUMNS, TAKEN, TIME
from analysis.params.model import Campaign
from analysis.params.part import suggest
from analysis.params.problem import Problem

Named = tuple[tuple, Sequence[str], str]   # where in the params, the tables that may hold it, the column


def columns_named(campaign: Campaign) -> Iterator[Named]:
    """Columns of the data that the params speak of."""
    for name, metric in campaign.metrics.items():
        if metric.sum:
            yield ("metrics", name, "sum"), [metric.table], metric.sum.split(".")[1]
        for column in metric.where:
            yield ("metrics", name, "where", column), [metric.table], column
    for name, asked in campaign.quantiles.items():
        yield ("quantiles", name, "of"), [asked.table], asked.column
        for column in asked.where:
            yield ("quantiles", name, "where", column), [asked.table], column
    if campaign.population.consent:
        yield ("population", "consent"), ["users"], campaign.population.consent
    for column in campaign.population.where:
        yield ("population", "where", column), ["users"], column
    for i, column in enumerate(campaign.effects.segments):
        yield ("effects", "segments", i), ["users"], column
    if campaign.arms:
        for i, column in enumerate(campaign.arms.strata):
            yield ("arms", "strata", i), ["users"], column
        if campaign.arms.cluster:
            yield ("arms", "cluster"), ["users"], campaign.arms.cluster
    for name, funnel in campaign.funnels.items():
        for i, column in enumerate(funnel.by):
            yield ("funnels", name, "by", i), ["events", "users"], column
        if funnel.unit != "user":
            yield ("funnels", name, "unit"), ["events"], funnel.unit
        if funnel.constant:
            yield ("funnels", name, "constant"), ["events"], funnel.constant
        for column in funnel.where:
            yield ("funnels", name, "where", column), ["events"], column
    if campaign.retention and campaign.retention.by:
        yield ("retention", "by"), ["events", "users"], campaign.retention.by
    for where, match in campaign.matches():
        for key, column in match.columns:
            yield (*where, key, column) if key != "missing" else (*where, key), ["events"], column


def is_wanted(campaign: Campaign, table: str, column: str) -> bool:
    """Whether a report can need a column: ours, what the params name, and all that is known of users."""
    if column in COLUMNS[table] or column in TAKEN:
        return column in COLUMNS[table]
    return table == "users" or any(column == name and table in tables for _, tables, name in columns_named(campaign))


def typed_by(campaign: Campaign, table: str, column: str) -> tuple:
    """Where the params ask for numbers, or for true and false, of a column that by itself may hold anything; () where
    its type is ours."""
    if column in COLUMNS[table]:
        return ()
    return next((where for where, tables, name in columns_named(campaign)
                 if where[-1] in ("sum", "of", "consent") and where[-2] != "where" and name == column
                 and table in tables), ())


def unknown_names(campaign: Campaign, tables: dict[str, Table], unread: Collection[str]) -> Iterator[Problem]:
    """What the params name and the data do not hold.

    tables   those that could be read
    unread   names of those that could not: nothing is said about them
    """
    missing = set()
    for where, names, column in columns_named(campaign):
        known = sorted({c for name in names if name in tables for c in tables[name].columns})
        message = _column(column, names, known, bool(set(names) & set(unread)))
        if message := message or _no_number(where, names, column):
            missing.add(where)
            yield campaign.problem(where, message)
    for name, metric in campaign.metrics.items():
        if metric.table == "users" and "users" in tables and "registered_at" not in tables["users"].columns:
            yield campaign.problem(("metrics", name, metric.kind), (
                "counts users by `registered_at`, which the table has not; name the column that holds it"))
    for where, name, column, values in _values_named(campaign):
        if name in tables and where not in missing:
            found = _distinct(tables[name][column].cast("string"))
            near = [known for value in values for known in get_close_matches(value, found, n=1, cutoff=0.6)]
            if near and not set(values) & set(found):  # with nothing alike it may well be that nothing happened
                yield campaign.problem(where, (
                    f"no row of {name} has {column} {_quoted(values)} (did you mean '{near[0]}'?)"))
    if campaign.arms and "assignments" in tables:
        yield from _arms(campaign, _distinct(tables["assignments"].variant))
    if "events" in tables:
        yield from _events(campaign, _distinct(tables["events"].event))


def _column(column: str, names: Sequence[str], known: Sequence[str], is_unread: bool) -> str:
    """What is wrong with naming this column of these tables; nothing when empty."""
    if column in (TIME.get(name) for name in names):
        return f"'{column}' is a time, and times are for periods"
    if column in TAKEN:
        return f"'{column}' is a name of this program; give the column another one with `columns:` in its source"
    if column in known or is_unread:
        return ""
    return f"{' or '.join(names)} has no column '{column}'{suggest(column, known)}"


def _no_number(where: tuple, names: Sequence[str], column: str) -> str:
    """What is wrong with a sum, or a quantile, of a column of ours that is text."""
    if where[-1] not in ("sum", "of") or COLUMNS[names[0]].get(column) != "string":
        return ""
    return f"'{column}' of {names[0]} is text, and {'sums' if where[-1] == 'sum' else 'quantiles'} are of numbers"


def _values_named(campaign: Campaign) -> Iterator[tuple[tuple, str, str, Sequence[str]]]:
    """Where, which table, which column and the values that rows must have to count."""
    for name, metric in campaign.metrics.items():
        for column, values in metric.where.items():
            yield ("metrics", name, "where", column), metric.table, column, values
    for name, asked in campaign.quantiles.items():
        for column, values in asked.where.items():
            yield ("quantiles", name, "where", column), asked.table, column, values
    for column, values in campaign.population.where.items():
        yield ("population", "where", column), "users", column, values
    for name, funnel in campaign.funnels.items():
        for column, values in funnel.where.items():
            yield ("funnels", name, "where", column), "events", column, values
    for where, match in campaign.matches():
        for column, values in match.where.items():
            yield (*where, "where", column), "events", column, values


def _arms(campaign: Campaign, found: Sequence[str]) -> Iterator[Problem]:
    shares, meant = campaign.arms.shares, set()
    unplanned = [arm for arm in found if arm not in shares]
    for arm in shares:
        if arm not in found:
            near = get_close_matches(arm, unplanned, n=1, cutoff=0.6)
            meant |= {*near}
            yield campaign.problem(("arms", "shares", arm), (
                f"'{arm}' is not a variant; the data has {_quoted(found) or 'none'}"
                + (f" (did you mean '{near[0]}'?)" if near else "")))
    for arm in unplanned:
        if arm not in meant:
            yield campaign.problem(("arms", "shares"), f"the data has the variant '{arm}', which has no planned share")


def _events(campaign: Campaign, found: Sequence[str]) -> Iterator[Problem]:
    if not found:
        return  # a table without rows is told as such
    for where, match in campaign.matches():
        if match.event and match.event not in found:
            yield campaign.problem(where, f"no event is called '{match.event}'{suggest(match.event, found)}")


def _distinct(column: Column) -> list[Any]:
    values = column.name("value").as_table().distinct().to_pyarrow().column(0).to_pylist()
    return sorted(value for value in values if value is not None)


def _quoted(words: Sequence[Any]) -> str:
    return ", ".join(f"'{word}'" for word in words)
