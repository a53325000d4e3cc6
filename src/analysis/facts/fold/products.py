"""Sums and products of many users' metrics in one compiled pass over Arrow batches: what moments are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from analysis.facts.fold.compiled import compiled


def summed(
    batches: Iterable[pa.RecordBatch], n_groups: int, pairs: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Counts, sums and sums of products by group, about a centre; None where a value or a group is null.

    batches   first column: the group's number, 0 to n_groups - 1; then k columns of floats
    pairs     places among the k columns whose products are wanted
    Returns   n (groups,), centre (k,), sums (groups, k) and products (groups, pairs) of what is left of the centre

    The centre is the mean of the first rows: near enough to all means that nothing cancels. It is 0 where one of them
    has nothing, so that the sum of a group that has nothing is 0 and not nearly so.
    """
    places = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    found: tuple[np.ndarray, ...] | None = None
    for batch in batches:
        if any(column.null_count for column in batch.columns):
            return None
        if batch.num_rows:
            group, *columns = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
            rows = np.stack(columns)
            if found is None:
                first = rows[:, :1_000]
                centre = np.where((first == 0).any(axis=1), 0.0, first.mean(axis=1))
                found = (np.zeros(n_groups), centre, np.zeros((n_groups, len(rows))), np.zeros((n_groups, len(places))))
            _add(group, rows, places, *found)
    return found  # type: ignore[return-value]


@compiled
def _add(group, rows, places, n, centre, sums, products):
    left = np.empty(rows.shape[0])
    for i in range(rows.shape[1]):
        g = group[i]
        n[g] += 1
        for k in range(rows.shape[0]):
            left[k] = rows[k, i] - centre[k]
            sums[g, k] += left[k]
        for p in range(places.shape[0]):
            products[g, p] += left[places[p, 0]] * left[places[p, 1]]
