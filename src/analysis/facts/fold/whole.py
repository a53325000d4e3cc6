"""Whole units: what the folds take, and how sorted batches are cut into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Units(NamedTuple):
    """Some units with all their rows, each unit's rows in order."""

    names: pa.Array                  # one per unit
    bounds: np.ndarray               # int64: where each unit's rows begin, and the end of the last
    numbers: dict[str, np.ndarray]   # int64 columns of the rows
    values: dict[str, pa.Array]      # the other columns


Fold = Callable[[Iterable[Units]], Iterator[pa.RecordBatch]]


def fold_sorted(fold: Fold, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What a fold makes of sorted batches: what runs here, and in the executors of a cluster."""
    return fold(whole_units(batches))


def whole_units(batches: Iterable[pa.RecordBatch]) -> Iterator[Units]:
    """The units of batches that are sorted by `unit` and within it."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        cut = int(starts_of(batch.column("unit"))[-1])     # where the batch's last unit begins
        if held and (cut or held[-1].column("unit")[-1] != batch.column("unit")[0]):
            yield _units([*held, batch.slice(0, cut)])
            held = []
        elif cut:
            yield _units([batch.slice(0, cut)])
        held.append(batch.slice(cut))
    if held:
        yield _units(held)


def starts_of(column: pa.Array) -> np.ndarray:
    """Where runs of equal values begin, in sorted order."""
    if len(column) < 2:
        return np.zeros(min(len(column), 1), np.int64)
    differs = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1))
    return np.concatenate([[0], np.flatnonzero(differs.to_numpy(zero_copy_only=False)) + 1])


def is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_timestamp(kind)


def integers(column: pa.Array) -> np.ndarray:
    """int64; of times, the microseconds since 1970."""
    return column.cast(pa.int64()).to_numpy()


def _units(batches: list[pa.RecordBatch]) -> Units:
    rows = pa.concat_batches(batches)
    columns = {name: rows.column(name) for name in rows.schema.names}
    unit = columns.pop("unit")
    starts = starts_of(unit)
    numbers = {name: integers(column) for name, column in columns.items() if is_number(column.type)}
    values = {name: column for name, column in columns.items() if name not in numbers}
    return Units(unit.take(pa.array(starts)), np.append(starts, len(unit)).astype(np.int64), numbers, values)
