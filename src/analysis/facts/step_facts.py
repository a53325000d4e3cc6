"""How far each unit of the campaign got through a funnel: one row per unit that entered (rules F1-F12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import BooleanValue, Table

from analysis.facts.calendar import edges, periods
from analysis.facts.fold.feed import matches
from analysis.facts.population import Facts, rows_of
from analysis.facts.reach import Span, micros, reach
from analysis.params.counting import Funnel

OF_ALL, OF_MATURE = 1, 2


def step_facts(facts: Facts, funnel: Funnel, is_mature_only: bool = False) -> Table:
    """One row per unit with at least one entry (with `count: entries`, per entry).

    is_mature_only   look only at entries whose window is over at the end of the data (rule F10)
    Returns unit, entered_at (microseconds since 1970) of the entry that counts, depth (1 .. steps), reached (bits
    of the steps, which differ from depth where steps are optional), seconds_1 .. seconds_k from the entry to each step
    of that attempt (null where not reached), and by_<column> per `funnel.by`.

    The entry that counts is the one of the deepest attempt; of several starts of it, the latest (rule F4).
    """
    return ibis.memtable(_table(_records(facts, funnel), funnel, funnel.by, is_mature_only))


def daily_step_facts(facts: Facts, funnel: Funnel, is_mature_only: bool = False) -> Table:
    """The same, one row per unit and local day of entry, with that `day`: a unit that entered on two days has two."""
    first, last = entry_days(facts, funnel)
    days = periods(first, last, "day")
    is_repeated = funnel.entry == "any" and funnel.count == "units" and len(days) > 1
    made = _records(facts, funnel, is_daily=True) if is_repeated else _records(facts, funnel)
    rows = _table(made, funnel, funnel.by, is_mature_only)
    begun = np.array([micros(at, 0) for at in edges(days, "day", facts.campaign.time_zone)], np.int64)
    place = np.searchsorted(begun, rows["entered_at"].to_numpy(), side="right") - 1
    return ibis.memtable(rows.append_column("day", pa.array(days, pa.date32()).take(pa.array(place))))


def arm_step_facts(facts: Facts, funnel: Funnel) -> Table:
    """One row per user of an arm who entered: the first entry after the assignment, whatever the funnel says (rule F2).

    Returns the columns of `step_facts`, by_variant, and is_mature. Where a step asks for the first time in history,
    rows before the assignment are part of that history; who first entered before it is left out.
    """
    asked = funnel.model_copy(update={"entry": "first", "unit": "user", "count": "units", "attribution": "entry"})
    made = _records(facts, asked, ["variant"], is_since_assignment=True)
    made = made.filter(pc.bit_wise_and(made["scope"], OF_ALL).cast(pa.bool_()))
    rows = _table(made, asked, ["variant"], is_mature_only=False)
    is_mature = pc.equal(pc.bit_wise_and(made["scope"], OF_MATURE), OF_MATURE)
    found = ibis.memtable(rows.append_column("is_mature", is_mature))
    if not _asks_for_history(funnel):
        return found
    people = ibis.memtable(facts.population.select(unit="user_id", since="entered_at").to_pyarrow())
    known = found.inner_join(people, "unit")
    return known.filter(known.entered_at >= known.since.delta(ibis.timestamp("1970-01-01"), unit="microsecond"))


def mature_records(facts: Facts, funnel: Funnel) -> pa.Table:
    """unit, depth, at_1 .. at_k (microseconds since 1970) of the attempts that count whose window is over."""
    made = _records(facts, funnel)
    made = made.filter(pc.equal(pc.bit_wise_and(made["scope"], OF_MATURE), OF_MATURE))
    return made.select(["unit", "depth", *(f"at_{s}" for s in range(1, len(funnel.steps) + 1))])


def has_reached(units: Table, position: int) -> BooleanValue:
    """Optional steps may be left out on the way to later ones: the bits say, not the depth."""
    return (units.reached // 2 ** (position - 1)) % 2 == 1


def all_mature(facts: Facts, funnel: Funnel) -> bool:
    """Whether the window of every entry is over at the end of the data."""
    end = (funnel.period or facts.campaign.period).interval(facts.campaign.time_zone)[1]
    return funnel.window is None or end + funnel.window <= facts.tables.data_until


def entry_days(facts: Facts, funnel: Funnel) -> tuple[date, date]:
    """The first and the last local day of entries."""
    start, end = (funnel.period or facts.campaign.period).interval(facts.campaign.time_zone)
    return facts.campaign.local(start).date(), facts.campaign.local(end - timedelta(microseconds=1)).date()


def rows_without_unit(facts: Facts, funnel: Funnel) -> int:
    """Rows of steps in the time of entries that name no unit, so that no unit can be given them (rule F1)."""
    if funnel.unit == "user":
        return 0                                        # counted where the events were read
    events = rows_of(facts, "events")
    start, end = (funnel.period or facts.campaign.period).interval(facts.campaign.time_zone)
    is_step = ibis.or_(*[matches(events, step) for step in funnel.steps])
    begun, over = (ibis.timestamp(t.replace(tzinfo=None)) for t in (start, end))
    lost = events.filter(is_step, events[funnel.unit].isnull(), events.at >= begun, events.at < over)
    return int(lost.count().execute())


def users_of(facts: Facts, funnel: Funnel, units: Table) -> Table:
    """The same rows with `user`: the unit itself, or each user with a row of that unit (a session's is one)."""
    if funnel.unit == "user":
        return units.mutate(user=units.unit)
    events = rows_of(facts, "events")
    whose = events.select(unit=events[funnel.unit], user=events.user_id).distinct()
    return units.inner_join(ibis.memtable(whose.to_pyarrow()), "unit")


def _table(made: pa.Table, funnel: Funnel, by: Sequence[str], is_mature_only: bool) -> pa.Table:
    wanted = OF_MATURE if is_mature_only else OF_ALL
    made = made.filter(pc.equal(pc.bit_wise_and(made["scope"], wanted), wanted))
    entered_at = made["at_1"]
    if funnel.order == "unordered":                                        # an attempt begins with any step
        ats = [made[f"at_{s}"] for s in range(1, len(funnel.steps) + 1)]
        entered_at = pc.min_element_wise(*ats)
    columns = {"unit": made["unit"], "entered_at": entered_at, "depth": made["depth"], "reached": made["reached"]}
    for s in range(1, len(funnel.steps) + 1):
        columns[f"seconds_{s}"] = pc.divide(pc.cast(pc.subtract(made[f"at_{s}"], entered_at), pa.float64()), 1e6)
    return pa.table(columns | {f"by_{name}": made[name] for name in by})


def _records(facts: Facts, funnel: Funnel, by: Sequence[str] | None = None, is_daily: bool = False,
             is_since_assignment: bool = False) -> pa.Table:
    """The fold's records, made once per funnel, period and grain."""
    by = funnel.by if by is None else by
    key = ("reach", funnel.model_dump_json(), tuple(by), is_daily, is_since_assignment)
    if key not in facts.kept:
        events = rows_of(facts, "events")
        of_users = [c for c in by if c not in events.columns]
        if of_users:                                    # an attribute of users is the same in every row
            people = facts.population.select("user_id", *of_users)
            events = events.left_join(people, "user_id").drop("user_id_right")
        if is_since_assignment and not _asks_for_history(funnel):
            events = events.filter(events.at >= events.entered_at)
        start, end = (funnel.period or facts.campaign.period).interval(facts.campaign.time_zone)
        days = periods(*entry_days(facts, funnel), "day") if is_daily else []
        span = Span(start, end, facts.tables.data_until,
                    tuple(edges(days, "day", facts.campaign.time_zone)) if days else ())
        facts.kept[key] = reach(events, funnel, span, by, is_daily)
    return facts.kept[key]


def _asks_for_history(funnel: Funnel) -> bool:
    return any(step.occurrence != "every" for step in funnel.steps)
