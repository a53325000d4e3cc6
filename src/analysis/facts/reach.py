"""How far each unit of an event log got: the bridge from a funnel's words to the fold and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from analysis.facts.fold.feed import folded, step_rows
from analysis.facts.fold.rules import (
    ALWAYS,
    NESTED,
    NEVER,
    ORDERED,
    PER_DAY,
    PER_ENTRY,
    PER_UNIT,
    STRICT,
    UNORDERED,
    Rules,
)
from analysis.facts.fold.walk import Asked
from analysis.params.counting import Funnel

ORDER = {"ordered": ORDERED, "strict": STRICT, "unordered": UNORDERED, "any": NESTED}


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a funnel looks at, UTC; None where it is open."""

    start: datetime | None      # first instant of entries
    end: datetime | None        # the instant after the last of entries
    until: datetime | None      # end of the data
    days: tuple[datetime, ...] = ()   # where the local days of entry begin, and the end of the last


def reach(events: Table, funnel: Funnel, span: Span, by: Sequence[str] = (), is_daily: bool = False) -> pa.Table:
    """One record per unit that entered: unit, scope, depth, reached, at_1 .. at_k (microseconds since 1970), and `by`.

    events     user_id, event, at (UTC, naive), and properties; on any engine
    by         columns of events; the value that `funnel.attribution` says
    is_daily   one record per unit and local day of entry, instead
    Returns    scope: 1 of all entries, 2 of the mature ones, 3 of both where they are the same; depth 1 .. k;
               reached: bits of the steps, bit 0 for step 1; at: of the attempt that counts, null where not reached.
               With `count: entries` one record per entry; with `attribution: all_steps` one per unit and value.
    """
    rules = _rules(funnel, span, PER_DAY if is_daily else PER_ENTRY if funnel.count == "entries" else PER_UNIT)
    held = by[0] if by and funnel.attribution == "all_steps" else funnel.constant
    attribution = "entry" if funnel.attribution == "all_steps" else funnel.attribution
    columns = list(dict.fromkeys([*by, *([held] if held else [])]))
    named = {c: f"held_{c}" for c in columns}
    rows = step_rows(events, funnel, rules, columns, held).rename({new: old for old, new in named.items()})
    filed = {c: (named[c], attribution) for c in by}
    asked = Asked(rules, filed, named.get(held, ""), is_merged=funnel.attribution != "all_steps")
    batches = list(folded(rows, asked))
    return pa.Table.from_batches(batches) if batches else _nothing(asked, rows.unit.type().to_pyarrow())


def _nothing(asked: Asked, unit: pa.DataType) -> pa.Table:
    numbers = ["scope", "depth", "reached", *(f"at_{s + 1}" for s in range(asked.rules.n_steps))]
    fields = [("unit", unit), *((c, pa.int64()) for c in numbers), *((c, pa.string()) for c in asked.by)]
    return pa.schema(fields).empty_table()


def _rules(funnel: Funnel, span: Span, grouping: int) -> Rules:
    start, end, until = (micros(span.start, NEVER), micros(span.end, ALWAYS), micros(span.until, ALWAYS))
    window = ALWAYS if funnel.window is None else _length(funnel.window)
    in_range = funnel.ranges == "events"
    return Rules(
        n_steps=len(funnel.steps), order=ORDER[funnel.order], window=window, is_first=funnel.entry == "first",
        is_strictly_later=funnel.ties == "strictly_later", grace=_length(funnel.grace), may_reuse=funnel.reuse,
        removes=funnel.excluded == "remove_user", optional=_bits(i - 1 for i in funnel.optional),
        first_ever=_bits(i for i, s in enumerate(funnel.steps) if s.occurrence == "first_ever"),
        first_matching=_bits(i for i, s in enumerate(funnel.steps) if s.occurrence == "first_matching"),
        rows_from=start if in_range else NEVER, rows_until=min(end, until) if in_range else until,
        entry_from=start, entry_until=end, grouping=grouping,
        mature_until=ALWAYS if ALWAYS in (window, until) else until - window + 1,
        days=np.array([micros(day, 0) for day in span.days], np.int64),
        spans=np.array([_bits(range(e.after - 1, (e.before or len(funnel.steps)) - 1)) for e in funnel.exclusions],
                       np.int64))


def micros(at: datetime | None, otherwise: int) -> int:
    """Microseconds since 1970, exactly."""
    return otherwise if at is None else _length(at.replace(tzinfo=None) - datetime(1970, 1, 1))


def _length(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _bits(positions: object) -> int:
    return sum(1 << i for i in positions)  # type: ignore[attr-defined]
