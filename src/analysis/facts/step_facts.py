"""How far each unit got through a funnel: one row per unit that entered (rules F1-F6, F9-F12)."""

from __future__ import annotations

from datetime import datetime, timedelta

import ibis
from ibis.expr.types import IntegerValue, Table

from analysis.data.zone import micros
from analysis.facts.population import Facts, rows_of
from analysis.params.model import Funnel

INSTANT = timedelta(microseconds=1)  # the unit of time


def step_facts(facts: Facts, funnel: Funnel, is_mature_only: bool = False) -> Table:
    """One row per unit with at least one entry.

    is_mature_only   look only at entries whose window is over at the end of the data (rule F10)
    Returns unit, entered_at (microseconds since 1970) of the entry that counts, depth (1 .. steps),
    seconds_1 .. seconds_k from that entry to each step (null where not reached), and by_<column> per `funnel.by`.

    The entry that counts is the one whose attempt is the first to get deepest; of several, the latest (rule F4).
    """
    period = funnel.period or facts.campaign.period
    start, end = period.interval(facts.campaign.time_zone)
    if is_mature_only and funnel.window is not None:
        end = min(end, facts.tables.data_until - funnel.window + INSTANT)
    rows = _step_rows(facts, funnel, _micros(start), _micros(end))
    units = _in_any_order(rows, funnel) if funnel.order == "any" else _in_order(rows, funnel)
    positions = range(1, len(funnel.steps) + 1)
    units = units.mutate(
        depth=sum((units[f"at_{i}"].notnull().cast("int64") for i in positions), ibis.literal(0)),
        **{f"seconds_{i}": (units[f"at_{i}"] - units.entered_at) / 1e6 for i in positions})
    kept = ["unit", "entered_at", "depth", *(f"seconds_{i}" for i in positions), *(f"by_{c}" for c in funnel.by)]
    return _with_segments(facts, funnel, units, rows).select(*kept)


def _step_rows(facts: Facts, funnel: Funnel, start: int, end: int) -> Table:
    """Events of the steps, in the order that counts: unit, user_id, at (microseconds), is_1 .. is_k, is_entry, order.

    start, end   of the entries; only rows that can matter: of units with an entry, up to the end of the last window
    """
    events = rows_of(facts, "events")
    unit = events["user_id" if funnel.unit == "user" else funnel.unit]
    rows = events.filter(events.event.isin(funnel.steps) & unit.notnull()).select(
        "user_id", "event", unit=unit.cast("string"), at=micros(events.at),
        tie=events.event_id if "event_id" in events.columns else ibis.null("string"),  # equal rows: either may be first
        **{f"by_{c}": events[c].cast("string") for c in _of_events(facts, funnel)})
    last = _micros(facts.tables.data_until) - 1
    if funnel.window is not None:
        last = min(last, end + _length(funnel.window))
    matches = {i: rows.event == step for i, step in enumerate(funnel.steps, 1)}
    rows = rows.filter(rows.at.between(start, last)).mutate(
        is_entry=matches[1] & (rows.at < end), **{f"is_{i}": flag for i, flag in matches.items()},
        lowest=ibis.cases(*[(flag, i) for i, flag in matches.items()]),
        highest=ibis.cases(*[(flag, i) for i, flag in reversed(matches.items())]))
    rows = rows.semi_join(rows.filter(rows.is_entry), "unit")
    rows = rows.mutate(order=ibis.row_number().over(
        ibis.window(group_by="unit", order_by=[rows.at, rows.lowest, rows.highest, rows.tie])))
    if funnel.entry == "first":
        first = rows.at.min(where=rows.is_entry).over(ibis.window(group_by="unit"))
        rows = rows.mutate(is_entry=rows.is_entry & (rows.at == first))
    return rows


def _in_order(rows: Table, funnel: Funnel) -> Table:
    """One row per unit: unit, entered_at, and at_i, when the attempt from that entry reached step i.

    s_i of a row is the latest entry from which it reaches step i: the latest start is always the best start. On the
    way of the attempt that counts no later entry lies, so its rows are the first that bear its start.
    """
    before = ibis.window(rows=(None, -1), group_by="unit", order_by="order")
    rows = rows.mutate(s1=ibis.ifelse(rows.is_entry, rows.at, ibis.null("int64")))
    steps = range(1, len(funnel.steps) + 1)
    for i in steps[1:]:
        rows = rows.mutate(start=rows[f"s{i - 1}"].max().over(before))
        counts = rows[f"is_{i}"] & rows.start.notnull()
        if funnel.window is not None:
            counts &= rows.at - rows.start <= _length(funnel.window)
        rows = rows.mutate(**{f"s{i}": ibis.ifelse(counts, rows.start, ibis.null("int64"))})
    firsts = rows.group_by("unit").aggregate(
        **{f"from_{i}": rows[f"s{i}"].argmin(rows.order, where=rows[f"s{i}"].notnull()) for i in steps})
    units = firsts.select("unit", entered_at=ibis.coalesce(*[firsts[f"from_{i}"] for i in reversed(steps)]))
    rows = rows.inner_join(units, "unit")
    return rows.group_by("unit", "entered_at").aggregate(
        **{f"at_{i}": rows.at.min(where=rows[f"s{i}"] == rows.entered_at) for i in steps})


def _in_any_order(rows: Table, funnel: Funnel) -> Table:
    """One row per unit: unit, entered_at, and at_i, when steps 1 to i had all happened, in whatever order."""
    steps = range(1, len(funnel.steps) + 1)
    firsts = rows.group_by("unit").aggregate(
        entered_at=rows.at.min(where=rows.is_entry), **{f"t_{i}": rows.at.min(where=rows[f"is_{i}"]) for i in steps})

    def done(i: int) -> IntegerValue:
        times = [firsts.entered_at, *(firsts[f"t_{j}"] for j in range(2, i + 1))]
        complete = ibis.and_(*[time.notnull() for time in times])
        return ibis.ifelse(complete, ibis.greatest(*times), ibis.null("int64"))

    return firsts.select("unit", "entered_at", **{f"at_{i}": done(i) for i in steps})


def _with_segments(facts: Facts, funnel: Funnel, units: Table, rows: Table) -> Table:
    """Each unit with the values that its breakdowns had at entry (rule F11)."""
    of_events = _of_events(facts, funnel)
    of_users = [c for c in funnel.by if c not in of_events]
    entries = rows.filter(rows.is_entry).group_by("unit", entered_at="at").aggregate(
        user_id=rows.user_id.min(), **{f"by_{c}": rows[f"by_{c}"].min() for c in of_events})
    if of_users:
        people = facts.population
        attributes = people.select("user_id", **{f"by_{c}": people[c].cast("string") for c in of_users})
        entries = entries.left_join(attributes, "user_id").drop("user_id_right")
    return units.left_join(entries, ["unit", "entered_at"])


def _of_events(facts: Facts, funnel: Funnel) -> list[str]:
    """The breakdowns that are properties of events; the others are attributes of users."""
    return [c for c in funnel.by if c in facts.tables.events.columns]


def _length(window: timedelta) -> int:
    return window // INSTANT


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
