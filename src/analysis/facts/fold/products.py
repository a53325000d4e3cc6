"""Sums and products of many users' metrics in one compiled pass over Arrow batches: what moments are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from analysis.facts.fold.compiled import compiled


def summed(
    batches: Iterable[pa.RecordBatch], n_groups: int, pairs: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Counts, means and sums of products by group, about a centre; None where a value is null.

    batches   first column: the group's number, 1 to n_groups, or null for rows that do not count; then k columns of
              floats
    pairs     places among the k columns whose products are wanted
    Returns   n (groups,), centre (k,), means (groups, k) and products (groups, pairs) of what is left of the centre

    The centre is the mean of the first rows: near enough to all means that nothing cancels. It is 0 where one of them
    has nothing; and a group in which nobody has anything has a mean of exactly minus the centre, not nearly so.
    """
    places = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    found: tuple[np.ndarray, ...] | None = None
    for batch in _one_ahead(batches):
        group, *columns = batch.columns
        if any(column.null_count for column in columns):
            return None
        if batch.num_rows:
            rows = np.stack([column.to_numpy() for column in columns])
            if found is None:
                first = rows[:, :1_000]
                centre = np.where((first == 0).any(axis=1), 0.0, first.mean(axis=1))
                shape = n_groups + 1, len(rows)   # the first for rows that do not count
                found = (np.zeros(n_groups + 1), centre, np.zeros(shape), np.zeros((n_groups + 1, len(places))),
                         np.zeros(shape, dtype=np.bool_))
            _add(group.fill_null(0).to_numpy(), rows, places, *found)
    if found is None:
        return None
    n, centre, sums, products, has_any = found
    n, sums, products, has_any = n[1:], sums[1:], products[1:], has_any[1:]
    means = np.where(has_any, sums / np.maximum(n, 1)[:, None], -centre)
    return n, centre, means, products


def _one_ahead(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The engine makes the next batch while this one is summed; neither holds the interpreter's lock."""
    coming = iter(batches)
    with ThreadPoolExecutor(1) as engine:
        batch = engine.submit(next, coming, None)
        while (this := batch.result()) is not None:
            batch = engine.submit(next, coming, None)
            yield this


@compiled
def _add(group, rows, places, n, centre, sums, products, has_any):
    left = np.empty(rows.shape[0])
    for i in range(rows.shape[1]):
        g = group[i]
        n[g] += 1
        for k in range(rows.shape[0]):
            left[k] = rows[k, i] - centre[k]
            sums[g, k] += left[k]
            has_any[g, k] |= rows[k, i] != 0
        for p in range(places.shape[0]):
            products[g, p] += left[places[p, 0]] * left[places[p, 1]]
