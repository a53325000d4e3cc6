"""What units did next after a step: those who were lost there, and those who went on."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from analysis.data.columns import TIME
from analysis.data.zone import micros
from analysis.facts.population import Facts, rows_of
from analysis.facts.reach import micros as micros_at
from analysis.facts.step_facts import mature_records
from analysis.params.counting import Funnel

CODES = 1 << 11    # a time and one of so many names fit one integer until the year 2106; of more, the last are one


def next_events(facts: Facts, funnel: Funnel) -> list[dict]:
    """One row per step but the last, fate and event: position, is_lost, event, n (units whose next event it was).

    Units (with `count: entries`, entries) whose window is over and who got to the step: lost where it was their
    deepest, else gone on. The next event is the first of any name that the unit has later than that step and within
    the window from the entry (or until the data end); "" where there is none. Of several at one instant the first by
    name, whatever the order of the rows.
    """
    records = _records(facts, funnel)
    if not len(records):
        return []
    known = ibis.memtable(records)
    pairs = _followed(facts, funnel, known).cache()        # one pass over the log
    names = sorted(pairs.select("event").distinct().to_pyarrow()["event"].to_pylist())
    codes = pa.table({"event": pa.array(names, pa.string()),
                      "code": pa.array([min(i, CODES - 1) for i in range(len(names))], pa.int64())})
    pairs = pairs.inner_join(ibis.memtable(codes), "event").inner_join(known.drop("unit", "until"), "record")
    packed = pairs.at * CODES + pairs.code
    positions = range(1, len(funnel.steps))
    first = pairs.group_by("record").aggregate(
        **{f"next_{i}": packed.min(where=pairs.at > pairs[f"at_{i}"]) for i in positions}).to_pyarrow()
    fates = known.left_join(ibis.memtable(first), "record")
    names = [*names[:CODES - 1], "…"] if len(names) > CODES else names
    return [row | {"event": "" if (code := row.pop("code")) is None else names[code]}
            for i in positions for row in _fates(fates, i)]


def _followed(facts: Facts, funnel: Funnel, records: Table) -> Table:
    """record, event, at: rows of the records' units after the entry, to the end of the window."""
    if funnel.unit == "user":                               # the records are of users who count
        events = facts.tables.events.rename(unit="user_id", at=TIME["events"])
    else:
        events = rows_of(facts, "events").drop("user_id").rename(unit=funnel.unit)
    events = events.select("unit", "event", at=micros(events.at))
    pairs = events.inner_join(records.select("record", "unit", "at_1", "until"), "unit")
    return pairs.filter(pairs.at > pairs.at_1, pairs.at <= pairs.until).select("record", "event", "at")


def _records(facts: Facts, funnel: Funnel) -> pa.Table:
    """record (a number), unit, depth, at_1 .. at_k, until: the last instant of the window, or of the data."""
    made = mature_records(facts, funnel)
    over = pa.array([micros_at(facts.tables.data_until, 0) - 1] * len(made), pa.int64())
    until = over if funnel.window is None else pc.add(made["at_1"], round(funnel.window.total_seconds() * 1e6))
    return made.append_column("until", until).append_column("record", pa.array(range(len(made)), pa.int64()))


def _fates(fates: Table, i: int) -> list[dict]:
    got_here = fates.filter(fates.depth >= i, fates[f"at_{i}"].notnull())
    counted = got_here.group_by(is_lost=got_here.depth == i, code=got_here[f"next_{i}"] % CODES).aggregate(
        n=got_here.count())
    return [{"position": i, **row} for row in counted.to_pyarrow().to_pylist()]
