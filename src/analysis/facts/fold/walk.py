"""Whole units through the fold, and records out of it: what every engine runs, Spark inside its executors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.facts.fold.attribute import attributed
from analysis.facts.fold.prepare import bits_of
from analysis.facts.fold.rules import NEVER, Rules
from analysis.facts.fold.units import fold
from analysis.facts.fold.whole import Units, starts_of

NO_MASK = np.empty(0, np.int64)      # the rank says it all


@dataclass(frozen=True, slots=True)
class Asked:
    """What a walk makes: the rules, and the columns of the records that are properties of rows."""

    rules: Rules
    by: dict[str, tuple[str, str]]    # name -> (column of the rows, attribution)
    held: str = ""                    # column whose value stays the same through an attempt
    is_merged: bool = True            # one record per unit, not per unit and held value


def records(asked: Asked, pieces: Iterable[Units]) -> Iterator[pa.RecordBatch]:
    """Records of all units: unit, scope, depth, reached, at_1 .. at_k (microseconds, null where not reached), and `by`.

    pieces   at, rank, mask (unless the rank says it), columns of `by` and `held`; rows in order of held, at and rank
    """
    for units in pieces:
        yield _records(asked, units)


def _records(asked: Asked, units: Units) -> pa.RecordBatch:
    bounds, names, at, rules = units.bounds, units.names, units.numbers["at"], asked.rules
    if asked.held:                            # a unit's attempts with one value are judged by themselves
        starts = np.union1d(bounds[:-1], starts_of(units.values[asked.held]))
        names = names.take(pa.array(np.searchsorted(bounds, starts, side="right") - 1))
        bounds = np.append(starts, bounds[-1])
    rank, mask = units.numbers["rank"], units.numbers.get("mask", NO_MASK)
    unit, scope, depth, reached, times, rows = fold(bounds, at, rank, mask, rules)
    made = {"unit": names.take(pa.array(unit)), "scope": pa.array(scope), "depth": pa.array(depth),
            "reached": pa.array(reached)}
    made |= {f"at_{s + 1}": pa.array(times[:, s], mask=times[:, s] == NEVER) for s in range(rules.n_steps)}
    if asked.by:
        bits = bits_of(rank, mask)
        counts = (bits & ((1 << rules.n_steps) - 1) > 0) & (at >= rules.rows_from) & (at < rules.rows_until)
        for name, (column, attribution) in asked.by.items():
            made[name] = attributed(units.values[column], counts, bounds, unit, rows, attribution)
    found = pa.RecordBatch.from_pydict(made)
    return _best(rules, found) if asked.held and asked.is_merged else found


def _best(rules: Rules, found: pa.RecordBatch) -> pa.RecordBatch:
    """One record per unit and scope of those of its held values: the deepest, then the one that was there first.

    Where only the first entry counts, the value that it had.
    """
    times = np.stack([found.column(f"at_{s + 1}").fill_null(NEVER).to_numpy() for s in range(rules.n_steps)], axis=1)
    entered, last = times[:, 0], times.max(axis=1)
    depth, scope = found.column("depth").to_numpy(), found.column("scope").to_numpy()
    unit = np.searchsorted(starts_of(found.column("unit")), np.arange(len(found)), side="right")
    kept: dict[tuple, tuple] = {}
    for i in range(len(found)):
        rank = (entered[i], -depth[i], last[i]) if rules.is_first else (-depth[i], last[i], entered[i])
        for bit in (1, 2):
            if scope[i] & bit and rank < kept.get((unit[i], bit), ((np.inf, 0, 0),))[0]:
                kept[unit[i], bit] = (rank, i)
    chosen = [(i, bit) for (_, bit), (_, i) in kept.items()]
    best = found.take(pa.array([i for i, _ in chosen], pa.int64()))
    scopes = pa.array([bit for _, bit in chosen], pa.int64())
    return best.set_column(best.schema.get_field_index("scope"), "scope", scopes)
