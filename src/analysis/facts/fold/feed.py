"""Rows of an engine made ready for the fold: filtered, conditions turned into bits; nothing is counted here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import ibis
import pyarrow as pa
from ibis.expr.types import BooleanValue, IntegerValue, Table

from analysis.facts.fold.route import between, instants, is_any_of, position, through
from analysis.facts.fold.rules import ALWAYS, EXCLUSION_BIT, NAMED_BIT, STRICT, Rules
from analysis.facts.fold.walk import Asked, records
from analysis.params.counting import Funnel, Match


def matches(rows: Table, match: Match) -> BooleanValue:
    """Whether a row is meant; never null."""
    asked = [rows.event == match.event] if match.event else []
    asked += [rows[c].cast("string").isin(values) for c, values in match.where.items()]
    asked += [rows[c].isnull() for c in match.missing]
    asked += [rows[c].try_cast("float64").between(*bounds) for c, bounds in match.range.items()]
    return ibis.and_(*asked).fill_null(False) if asked else ibis.literal(True)


def step_rows(events: Table, funnel: Funnel, rules: Rules, columns: list[str], held: str) -> Table:
    """One row per event that can matter: unit, at, rank, mask (unless the rank says it), and `columns`.

    events   user_id, event, at (UTC), and properties
    """
    unit = events[_unit(funnel)]
    kept = [unit.notnull(), events.at.notnull(), *([events[held].notnull()] if held else [])]
    kept += [events[c].cast("string").isin(values) for c, values in funnel.where.items()]
    events = _within_reach(events.filter(kept), rules)
    named = [match.event for match in (*funnel.steps, *funnel.exclusions)]
    if rules.order != STRICT and all(named):
        events = events.filter(is_any_of(events.event, list(dict.fromkeys(named))))     # the rest stays in the engine
    columns_of = {c: events[c].cast("string") for c in columns}
    columns_of |= {"unit": events[_unit(funnel)], "at": instants(events.at)}
    if is_plain(funnel):
        return events.select(**columns_of, rank=position(events.event, named))
    steps = [matches(events, step) for step in funnel.steps]
    excluded = [matches(events, exclusion) for exclusion in funnel.exclusions]
    bits = [(flag, i) for i, flag in enumerate(steps)]
    bits += [(flag, EXCLUSION_BIT + i) for i, flag in enumerate(excluded)]
    bits += [(matches(events, Match(event=step.event)), NAMED_BIT + i)
             for i, step in enumerate(funnel.steps) if step.occurrence == "first_ever"]
    rank = 32 * _rank(steps) + _rank(steps[::-1], len(steps) + 1)
    rows = events.select(**columns_of, rank=rank.cast("int16"), mask=_mask(bits))
    return rows if rules.order == STRICT else rows.filter(rows.mask > 0)


def is_plain(funnel: Funnel) -> bool:
    """Whether every row matches one step and nothing else, so that its rank says all: the mask is left out."""
    names = [step.event for step in funnel.steps]
    is_bare = all(step.event and not step.columns and step.occurrence == "every" for step in funnel.steps)
    return is_bare and len(set(names)) == len(names) and not funnel.exclusions and funnel.order != "strict"


def _unit(funnel: Funnel) -> str:
    return "user_id" if funnel.unit == "user" else funnel.unit


def _mask(bits: list[tuple[BooleanValue, int]]) -> IntegerValue:
    return sum((ibis.ifelse(flag, ibis.literal(1 << bit, "int64"), ibis.literal(0, "int64")) for flag, bit in bits[1:]),
               ibis.ifelse(bits[0][0], ibis.literal(1 << bits[0][1], "int64"), ibis.literal(0, "int64")))


def _rank(flags: list[BooleanValue], mirror: int = 0) -> IntegerValue:
    """Number of the first step that matches (of the last, counted from the end by `mirror`), 0 where none does."""
    return ibis.cases(*[(flag, abs(mirror - i)) for i, flag in enumerate(flags, 1)], else_=0).cast("int64")


def _within_reach(events: Table, rules: Rules) -> Table:
    """Without rows that no entry can reach; where a step asks for the first time in history, all of them."""
    if rules.first_ever | rules.first_matching:
        return events
    since = rules.rows_from
    until = rules.rows_until
    if ALWAYS not in (rules.window, rules.entry_until):
        until = min(until, rules.entry_until + rules.window)
    return between(events, since, until)


def folded(rows: Table, asked: Asked) -> Iterator[pa.RecordBatch]:
    """Records of the units that the rows of `step_rows` belong to."""
    first = [c for c in (asked.held, "at", "rank") if c]
    rest = [c for c in rows.columns if c not in ("unit", *first)]
    return through(rows, [*first, *rest], partial(records, asked), record_columns(asked))


def record_columns(asked: Asked) -> str:
    """Columns of the records, in Spark's words."""
    ats = ", ".join(f"at_{s + 1} bigint" for s in range(asked.rules.n_steps))
    by = "".join(f", `{name}` string" for name in asked.by)
    return f"unit, scope bigint, depth bigint, reached bigint, {ats}{by}"
