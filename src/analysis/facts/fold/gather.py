"""Rows in any order put together by unit, without a sort of the log: exact whatever the type of the unit.

The rows are spread over parts by a hash of the unit; in a part, units get numbers (Arrow's dictionary encoding, which
compares values, not hashes), rows are laid out by number (a counting sort, Seward 1954), and only units whose rows are
not in order already are sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.spread import Spread
from analysis.facts.fold.whole import Units, integers, is_number


def gathered(batches: Iterable[pa.RecordBatch], order: list[str]) -> Iterator[Units]:
    """All units, some at a time.

    batches   unit, part (of the unit), and other columns
    order     columns by which a unit's rows are sorted: all of the others
    """
    with Spread() as spread:
        for batch in batches:
            spread.add(batch)
        for table in spread.tables():
            yield _units(table, order)


def _units(table: pa.Table, order: list[str]) -> Units:
    unit = table.column("unit").combine_chunks().dictionary_encode()
    numbers = [name for name in order if is_number(table.column(name).type)]
    keys = np.empty((len(order), len(table)), np.int64)
    for name, key in zip(order, keys, strict=True):
        column = table.column(name) if name in numbers else _ranks(table.column(name))
        np.concatenate([integers(chunk) for chunk in column.chunks], out=key)
    bounds, place, keys = by_unit(unit.indices.to_numpy(), len(unit.dictionary), keys)
    in_order(bounds, place, keys)
    values = {name: table.column(name).combine_chunks().take(pa.array(place)) for name in order if name not in numbers}
    return Units(unit.dictionary, bounds, {name: keys[order.index(name)] for name in numbers}, values)


def _ranks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Integers in the order of the values, null last."""
    codes = column.combine_chunks().dictionary_encode()
    ranks = pc.rank(codes.dictionary, tiebreaker="dense")
    return pa.chunked_array([ranks.take(codes.indices).cast(pa.int64()).fill_null(len(ranks) + 1)])


@compiled
def by_unit(unit, n_units, keys):
    """(where each unit's rows begin and the end of the last, index of the rows unit by unit, their keys)

    unit   numbers of the rows' units; keys: int64 by column and row
    """
    bounds = np.zeros(n_units + 1, np.int64)
    for u in unit:
        bounds[u + 1] += 1
    for u in range(n_units):
        bounds[u + 1] += bounds[u]
    following, place, laid = bounds[:-1].copy(), np.empty(len(unit), np.int32), np.empty_like(keys)
    for i in range(len(unit)):
        j = following[unit[i]]
        following[unit[i]] += 1
        place[j] = i
        for c in range(len(keys)):
            laid[c, j] = keys[c, i]
    return bounds, place, laid


@compiled
def in_order(bounds, place, keys):
    """Sort the rows of the units whose keys are not in order, by the first key, then by the others."""
    for u in range(len(bounds) - 1):
        begin, end = bounds[u], bounds[u + 1]
        if is_sorted(keys, begin, end):
            continue
        for c in range(len(keys) - 1, -1, -1):
            sorting = np.argsort(keys[c, begin:end], kind="mergesort")
            place[begin:end] = place[begin:end][sorting]
            for d in range(len(keys)):
                keys[d, begin:end] = keys[d, begin:end][sorting]


@compiled
def is_sorted(keys, begin, end):
    for i in range(begin + 1, end):
        for c in range(len(keys)):
            if keys[c, i - 1] < keys[c, i]:
                break
            if keys[c, i - 1] > keys[c, i]:
                return False
    return True
