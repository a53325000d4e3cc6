"""Arrow batches of sorted rows through the fold, unit by unit: what every engine runs, Spark inside its executors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.facts.fold.attribute import attributed
from analysis.facts.fold.rules import NEVER, RANK_BITS, Rules
from analysis.facts.fold.units import fold


@dataclass(frozen=True, slots=True)
class Asked:
    """What a walk makes: the rules, and the columns of the records that are properties of rows."""

    rules: Rules
    by: dict[str, tuple[str, str]]    # name -> (column of the rows, attribution)
    held: str = ""                    # column whose value stays the same through an attempt
    is_merged: bool = True            # one record per unit, not per unit and held value


def records(asked: Asked, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Records of all units: unit, scope, depth, reached, at_1 .. at_k (microseconds, null where not reached), and `by`.

    batches   unit, key, mask (unless the rank says it), columns of `by` and `held`; sorted by unit, held and key
    """
    for table in whole_units(batches):
        yield _fold(asked, table)


def whole_units(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in pieces that end where a unit ends."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        cut = int(starts_of(batch.column("unit"))[-1])     # where the batch's last unit begins
        if held and (cut or held[-1].column("unit")[-1] != batch.column("unit")[0]):
            yield pa.Table.from_batches([*held, batch.slice(0, cut)])
            held = []
        elif cut:
            yield pa.Table.from_batches([batch.slice(0, cut)])
        held.append(batch.slice(cut))
    if held:
        yield pa.Table.from_batches(held)


def starts_of(column: pa.Array) -> np.ndarray:
    """Where runs of equal values begin, in sorted order."""
    if len(column) < 2:
        return np.zeros(min(len(column), 1), np.int64)
    differs = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1))
    return np.concatenate([[0], np.flatnonzero(differs.to_numpy(zero_copy_only=False)) + 1])


def mask_of(key: np.ndarray) -> np.ndarray:
    """The bit of the one step that a row matches, from its rank."""
    return np.left_shift(1, (key & 31) - 1)


def _fold(asked: Asked, table: pa.Table) -> pa.RecordBatch:
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    starts = starts_of(columns["unit"])
    if asked.held:
        starts = np.union1d(starts, starts_of(columns[asked.held]))
    bounds = np.append(starts, table.num_rows).astype(np.int64)
    key = columns["key"].to_numpy()
    mask = columns["mask"].to_numpy().astype(np.int64) if "mask" in columns else mask_of(key)
    unit, scope, depth, reached, times, rows = fold(bounds, key, mask, asked.rules)
    names = columns["unit"].take(pa.array(bounds[unit]))
    made = {"unit": names, "scope": pa.array(scope), "depth": pa.array(depth), "reached": pa.array(reached)}
    made |= {f"at_{s + 1}": pa.array(times[:, s], mask=times[:, s] == NEVER) for s in range(asked.rules.n_steps)}
    at, rules = key >> RANK_BITS, asked.rules
    counts = (mask & ((1 << rules.n_steps) - 1) > 0) & (at >= rules.rows_from) & (at < rules.rows_until)
    for name, (column, attribution) in asked.by.items():
        made[name] = attributed(columns[column], counts, bounds, unit, rows, attribution)
    found = pa.RecordBatch.from_pydict(made)
    return _best(asked.rules, found) if asked.held and asked.is_merged else found


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
