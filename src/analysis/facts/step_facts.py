"""How far each unit of the campaign got through a funnel: one row per unit that entered (rules F1-F12)."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from analysis.facts.population import Facts, rows_of
from analysis.facts.reach import Span, reach
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
    made = _records(facts, funnel)
    wanted = OF_MATURE if is_mature_only else OF_ALL
    made = made.filter(pc.equal(pc.bit_wise_and(made["scope"], wanted), wanted))
    entered_at = made["at_1"]
    if funnel.order == "unordered":                                        # an attempt begins with any step
        ats = [made[f"at_{s}"] for s in range(1, len(funnel.steps) + 1)]
        entered_at = pc.min_element_wise(*ats)
    columns = {"unit": made["unit"], "entered_at": entered_at, "depth": made["depth"], "reached": made["reached"]}
    for s in range(1, len(funnel.steps) + 1):
        columns[f"seconds_{s}"] = pc.divide(pc.cast(pc.subtract(made[f"at_{s}"], entered_at), pa.float64()), 1e6)
    return ibis.memtable(pa.table(columns | {f"by_{name}": made[name] for name in funnel.by}))


def _records(facts: Facts, funnel: Funnel) -> pa.Table:
    """The fold's records, made once per funnel and period."""
    key = ("reach", funnel.model_dump_json())
    if key not in facts.kept:
        events = rows_of(facts, "events")
        of_users = [c for c in funnel.by if c not in events.columns]
        if of_users:                                    # an attribute of users is the same in every row
            people = facts.population.select("user_id", *of_users)
            events = events.left_join(people, "user_id").drop("user_id_right")
        start, end = (funnel.period or facts.campaign.period).interval(facts.campaign.time_zone)
        facts.kept[key] = reach(events, funnel, Span(start, end, facts.tables.data_until), funnel.by)
    return facts.kept[key]
