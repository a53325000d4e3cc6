"""Rows spread over parts by their unit, so that a part fits the cache; what is too much for memory, in a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from analysis.facts.fold.compiled import compiled

N_PARTS = 256
MEMORY = 512 << 20          # bytes of rows before they go to the file
ENOUGH = 250_000            # rows that are worth a piece of their own


class Spread:
    """Takes batches with a column `part` (0 .. N_PARTS - 1), gives tables that hold whole parts. Close it after use."""

    def __init__(self) -> None:
        self._held: list[tuple[pa.RecordBatch, np.ndarray]] = []      # rows part by part, and where each part begins
        self._sizes = np.zeros(N_PARTS, np.int64)
        self._bytes = 0
        self._file = tempfile.TemporaryFile(prefix="rows")           # noqa: SIM115    closed on exit
        self._writer, self._n_spills = None, 0

    def __enter__(self) -> Spread:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, batch: pa.RecordBatch) -> None:
        place, bounds = by_part(batch.column("part").to_numpy(), N_PARTS)
        rows = batch.drop_columns("part").take(pa.array(place))
        self._held.append((rows, bounds))
        self._sizes += np.diff(bounds)
        self._bytes += rows.nbytes
        if self._bytes > MEMORY:
            self._spill()

    def tables(self) -> Iterator[pa.Table]:
        """All rows, in tables of whole parts; large enough to be worth the call, where the parts are small."""
        reader = None
        if self._writer:
            self._spill()
            self._writer.close()
            reader = pa.ipc.open_file(self._file)
        begin = 0
        for part in range(N_PARTS):
            if self._sizes[begin:part + 1].sum() >= ENOUGH or (part == N_PARTS - 1 and self._sizes[begin:].any()):
                spilled = [reader.get_batch(spill * N_PARTS + p)
                           for spill in range(self._n_spills) for p in range(begin, part + 1)]
                yield pa.Table.from_batches([*spilled, *self._slices(begin, part + 1)])
                begin = part + 1

    def _slices(self, begin: int, end: int) -> list[pa.RecordBatch]:
        return [rows.slice(bounds[begin], bounds[end] - bounds[begin]) for rows, bounds in self._held]

    def _spill(self) -> None:
        """Every part of the rows in memory becomes a batch of the file."""
        if self._held:
            schema = self._held[0][0].schema
            self._writer = self._writer or pa.ipc.new_file(self._file, schema)
            for part in range(N_PARTS):
                self._writer.write_batch(pa.concat_batches(self._slices(part, part + 1)))
            self._n_spills += 1
        self._held, self._bytes = [], 0


@compiled
def by_part(part, n_parts):
    """(index of the rows part by part, where each part begins and the end of the last)"""
    bounds = np.zeros(n_parts + 1, np.int64)
    for p in part:
        bounds[p + 1] += 1
    for p in range(n_parts):
        bounds[p + 1] += bounds[p]
    following, place = bounds[:-1].copy(), np.empty(len(part), np.int32)
    for i in range(len(part)):
        p = part[i]
        place[following[p]] = i
        following[p] += 1
    return place, bounds
