"""What users did on each day (hour) of a running campaign, and on the days before it; and how many rows came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
from ibis.expr.types import Table

from analysis.data.columns import TIME
from analysis.facts.population import Facts, rows_of
from analysis.facts.ticks import is_hourly, tick_of, ticks
from analysis.facts.user_facts import value_of
from analysis.params.model import Metric

HISTORY = timedelta(days=56)   # before the campaign, that says how days differ


def cells_of(facts: Facts) -> Table:
    """One row per user of the population and tick with a row of some metric: user_id, tick, metrics (zero, never null).

    Ticks before the campaign (0, -1, ...) are days, up to eight weeks of them, and there are none by the hour. Rows of
    the campaign count from the user's entry on. Made once, and kept in the engine.
    """
    if "cells" not in facts.kept:
        metrics = {name: metric for name, metric in facts.campaign.metrics.items()
                   if metric.is_per_user and metric.has_phases}
        facts.kept["cells"] = _cells(facts, metrics).cache()
    return facts.kept["cells"]


def _cells(facts: Facts, metrics: Mapping[str, Metric]) -> Table:
    made = None
    for source in dict.fromkeys(metric.table for metric in metrics.values()):
        own = {name: metric for name, metric in metrics.items() if metric.table == source}
        rows = _rows(facts, source)
        cells = rows.group_by("user_id", "tick").aggregate(**{name: value_of(rows, m) for name, m in own.items()})
        if made is None:
            made = cells
        else:
            both = made.outer_join(cells, ["user_id", "tick"])
            keys = {key: ibis.coalesce(both[key], both[f"{key}_right"]) for key in ("user_id", "tick")}
            made = both.mutate(**keys).drop("user_id_right", "tick_right")
    return made.mutate(**{name: made[name].fill_null(0.0) for name in metrics})


def _rows(facts: Facts, source: str) -> Table:
    """Rows of the population from the history to the last tick, with the tick that each lies in."""
    campaign = facts.campaign
    since, until = span_of(facts)
    opens = campaign.period.interval(campaign.time_zone)[0]
    first = campaign.instant(campaign.first_day)   # the day on which it begins is its own from its first instant
    start, opens, first, end = (ibis.timestamp(t.replace(tzinfo=None)) for t in (since, opens, first, until))
    rows = rows_of(facts, source)
    rows = rows.filter((rows.at >= start) & (rows.at < end) & (
        (rows.at < first) | ((rows.at >= opens) & (rows.at >= rows.entered_at))))
    return rows.mutate(tick=tick_of(campaign, rows.at, since, until), block=ibis.literal(0))


def span_of(facts: Facts) -> tuple[datetime, datetime]:
    """From the first day of the history (by the hour: from the campaign's begin) to the end of the last tick, UTC."""
    campaign, seen = facts.campaign, ticks(facts)
    opens = campaign.period.interval(campaign.time_zone)[0]
    return (opens if is_hourly(campaign) else min(_history(facts), opens)), seen[-1].ends if seen else opens


def _history(facts: Facts) -> datetime:
    """Where the days before the campaign begin; the first day of the data may be half a one and is none of them."""
    campaign = facts.campaign
    second = campaign.instant(campaign.local(facts.tables.data_from).date() + timedelta(days=1))
    return max(second, campaign.instant(campaign.first_day - HISTORY))


@dataclass(frozen=True, slots=True)
class Sums:
    """What all users of an arm did on one tick: sums over users, by metric without a ratio."""

    of: dict[str, float]                         # metric -> sum
    squares: dict[str, float]                    # metric -> sum of squares of the users' values
    products: dict[tuple[str, str], float]       # the two parts of a ratio -> sum of the products of the users' values


def sums_per_tick(facts: Facts) -> dict[tuple[int, str], Sums]:
    """(tick, arm) -> sums of every metric of the period; absent where nobody did anything."""
    cells, metrics = cells_of(facts), facts.campaign.metrics.values()
    named = cells.inner_join(facts.population.select("user_id", "variant"), "user_id")
    names = [name for name in cells.columns if name not in ("user_id", "tick")]
    pairs = [tuple(m.ratio) for m in metrics if m.ratio and set(m.ratio) <= set(names)]
    wanted = {f"s_{i}": named[name].sum() for i, name in enumerate(names)}
    wanted |= {f"q_{i}": (named[name] * named[name]).sum() for i, name in enumerate(names)}
    wanted |= {f"p_{i}": (named[a] * named[b]).sum() for i, (a, b) in enumerate(pairs)}
    found = named.group_by("tick", "variant").aggregate(**wanted).to_pyarrow().to_pylist()
    return {(row["tick"], row["variant"]): Sums(
        {name: row[f"s_{i}"] for i, name in enumerate(names)}, {name: row[f"q_{i}"] for i, name in enumerate(names)},
        {pair: row[f"p_{i}"] for i, pair in enumerate(pairs)}) for row in found}


def rows_per_tick(facts: Facts, name: str) -> dict[int, int]:
    """Tick -> rows of one table, of whomever; ticks without a row are absent. By the hour, those before are hours."""
    campaign, table = facts.campaign, facts.tables.get(name)
    until = span_of(facts)[1]
    since = min(_history(facts), campaign.instant(campaign.first_day))
    table = table.rename(at=TIME[name])
    start, end = (ibis.timestamp(t.replace(tzinfo=None)) for t in (since, until))
    inside = table.filter((table.at >= start) & (table.at < end))
    inside = inside.mutate(tick=tick_of(campaign, inside.at, since, until))
    found = inside.group_by("tick").aggregate(n=inside.count()).to_pyarrow().to_pylist()
    return {row["tick"]: row["n"] for row in found}


def rows_in(facts: Facts, name: str, stretches: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """Rows of one table in each stretch of time (UTC, the end exclusive), of whomever."""
    table, bounds = facts.tables.get(name), [[t.replace(tzinfo=None) for t in stretch] for stretch in stretches]
    at = table[TIME[name]]
    found = table.aggregate(**{f"n_{i}": ((at >= ibis.timestamp(start)) & (at < ibis.timestamp(end))).sum()
                               for i, (start, end) in enumerate(bounds)}).to_pyarrow().to_pylist()[0]
    return [int(found[f"n_{i}"] or 0) for i in range(len(bounds))]


def last_row_at(facts: Facts, name: str) -> datetime | None:
    """When the last row of a table came, UTC without a mark."""
    table = facts.tables.get(name)
    found = table[TIME[name]].max().to_pyarrow().as_py()
    return found and found.replace(tzinfo=None)
