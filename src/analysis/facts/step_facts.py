"""How far each unit got through a funnel: one row per unit that entered (rules F1-F6, F9-F12)."""

from __future__ import annotations

from datetime import datetime

import ibis
from ibis.expr.types import IntegerValue, Table

from analysis.data.zone import micros
from analysis.facts.population import Facts, rows_of
from analysis.params.model import Funnel


def step_facts(facts: Facts, funnel: Funnel, is_mature_only: bool = False) -> Table:
    """One row per unit with at least one entry.

    is_mature_only   look only at entries whose window is over at the end of the data (rule F10)
    Returns unit, entered_at (microseconds since 1970) of the entry that counts, depth (1 .. steps),
    seconds_1 .. seconds_k from the entry to each step (null where not reached), and a column per `funnel.by`.

    The entry that counts is the one of the deepest attempt; of several starts of it, the latest (rule F4).
    """
    period = funnel.period or facts.campaign.period
    start, end = period.interval(facts.campaign.time_zone)
    until = facts.tables.data_until
    if is_mature_only and funnel.window is not None:
        end = min(end, until - funnel.window)
    rows = _step_rows(facts, funnel, _micros(start), _micros(end), _micros(until))
    units = _in_any_order(rows, funnel) if funnel.order == "any" else _in_order(rows, funnel)
    k = len(funnel.steps)
    depth = sum((units[f"at_{i}"].notnull().cast("int64") for i in range(2, k + 1)), ibis.literal(1))
    entered_at = ibis.coalesce(*[units[f"from_{i}"] for i in range(k, 0, -1)])
    units = units.mutate(depth=depth, entered_at=entered_at, **{
        f"seconds_{i}": (units[f"at_{i}"] - units[f"from_{i}"]) / 1e6 for i in range(1, k + 1)})
    kept = ["unit", "entered_at", "depth", *(f"seconds_{i}" for i in range(1, k + 1))]
    return _with_segments(facts, funnel, units, rows).select(*kept, *funnel.by)


def _step_rows(facts: Facts, funnel: Funnel, start: int, end: int, until: int) -> Table:
    """Events of the steps in the order that counts, with is_1 .. is_k and is_entry; times in microseconds."""
    events = rows_of(facts, "events")
    unit = "user_id" if funnel.unit == "user" else funnel.unit
    rows = events.filter(events.event.isin(funnel.steps) & events[unit].notnull())
    rows = _within_reach(rows, funnel, unit, start, end)
    matches = {i: rows.event == step for i, step in enumerate(funnel.steps, 1)}
    rows = rows.mutate(
        unit=rows[unit].cast("string"), at=micros(rows.at),
        lowest=ibis.cases(*[(flag, i) for i, flag in matches.items()]),
        highest=ibis.cases(*[(flag, i) for i, flag in reversed(matches.items())]),
        **{f"is_{i}": flag for i, flag in matches.items()})
    rows = rows.filter(rows.at < until)
    ties = [rows[c] for c in ("event_id",) if c in rows.columns]  # equal rows may stand in either order
    rows = rows.mutate(
        is_entry=rows.is_1 & (rows.at >= start) & (rows.at < end),
        order=ibis.row_number().over(ibis.window(group_by="unit", order_by=[rows.at, rows.lowest, rows.highest, *ties])))
    if funnel.entry == "first":
        first = rows.at.min(where=rows.is_entry).over(ibis.window(group_by="unit"))
        rows = rows.mutate(is_entry=rows.is_entry & (rows.at == first))
    return rows


def _within_reach(rows: Table, funnel: Funnel, unit: str, start: int, end: int) -> Table:
    """Only rows that can matter: of units with an entry, and between the first entry and the last window's end."""
    at = micros(rows.at)
    entries = rows.filter((rows.event == funnel.steps[0]) & (at >= start) & (at < end))
    if funnel.order == "ordered":
        rows = rows.filter(micros(rows.at) >= start)
        if funnel.window is not None:
            rows = rows.filter(micros(rows.at) <= end + round(funnel.window.total_seconds() * 1e6))
    return rows.semi_join(entries.select(unit).distinct(), unit)


def _in_order(rows: Table, funnel: Funnel) -> Table:
    """One row per unit: at_i, when step i was first reached, and from_i, the latest entry that reached it in time.

    s_i of a row is the latest entry from which it reaches step i: the latest start is always the best start.
    """
    before = ibis.window(rows=(None, -1), group_by="unit", order_by="order")
    rows = rows.mutate(s1=ibis.ifelse(rows.is_entry, rows.at, ibis.null("int64")))
    steps = range(1, len(funnel.steps) + 1)
    for i in steps[1:]:
        rows = rows.mutate(start=rows[f"s{i - 1}"].max().over(before))
        counts = rows[f"is_{i}"] & rows.start.notnull()
        if funnel.window is not None:
            counts &= rows.at - rows.start <= round(funnel.window.total_seconds() * 1e6)
        rows = rows.mutate(**{f"s{i}": ibis.ifelse(counts, rows.start, ibis.null("int64"))})
    reached = {i: rows[f"s{i}"].notnull() for i in steps}
    units = rows.group_by("unit").aggregate(
        **{f"at_{i}": rows.at.min(where=reached[i]) for i in steps},
        **{f"from_{i}": rows[f"s{i}"].argmin(rows.order, where=reached[i]) for i in steps})
    return units.filter(units.at_1.notnull())


def _in_any_order(rows: Table, funnel: Funnel) -> Table:
    """One row per unit that entered: step i is reached when steps 1 to i have all happened, in whatever order."""
    steps = range(1, len(funnel.steps) + 1)
    firsts = rows.group_by("unit").aggregate(
        entered=rows.at.min(where=rows.is_entry), **{f"t_{i}": rows.at.min(where=rows[f"is_{i}"]) for i in steps})
    firsts = firsts.filter(firsts.entered.notnull())

    def done(i: int) -> IntegerValue:
        times = [firsts.entered, *(firsts[f"t_{j}"] for j in range(2, i + 1))]
        complete = ibis.and_(*[time.notnull() for time in times])
        return ibis.ifelse(complete, ibis.greatest(*times), ibis.null("int64"))

    return firsts.mutate(
        **{f"at_{i}": done(i) for i in steps},
        **{f"from_{i}": ibis.ifelse(done(i).notnull(), firsts.entered, ibis.null("int64")) for i in steps})


def _with_segments(facts: Facts, funnel: Funnel, units: Table, rows: Table) -> Table:
    """Each unit with the values that its breakdowns had at entry (rule F11)."""
    of_events = [c for c in funnel.by if c in facts.tables.events.columns]
    of_users = [c for c in funnel.by if c not in of_events]
    entries = rows.filter(rows.is_1).select("unit", "user_id", entered_at=rows.at, **{c: rows[c] for c in of_events})
    entries = entries.group_by("unit", "entered_at").aggregate(
        user_id=entries.user_id.min(), **{c: entries[c].cast("string").min() for c in of_events})
    if of_users:
        attributes = facts.population.select("user_id", **{c: facts.population[c].cast("string") for c in of_users})
        entries = entries.left_join(attributes, "user_id").drop("user_id_right")
    return units.left_join(entries, ["unit", "entered_at"])


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
