"""A seeded, skewed event log as Parquet: python bench/log.py 10_000_000 /tmp/log_10m.parquet

30 days, 8 event names, about 20 events a user (log-normal, so that a few are very busy), whole seconds, in time order.
Columns: user_id (int64), event (string), occurred_at (timestamp, UTC).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

EVENTS = ["view", "search", "product", "cart", "checkout", "payment", "share", "help"]
SHARES = [0.42, 0.2, 0.14, 0.09, 0.05, 0.03, 0.05, 0.02]
START, DAYS, PER_USER, PIECE = np.datetime64("2024-01-01", "us"), 30, 20, 5_000_000


def write(n_events: int, path: Path, seed: int = 7) -> None:
    """Write the log piece by piece; memory does not grow with its size but for the users' weights."""
    rng = np.random.default_rng(seed)
    busy = np.cumsum(rng.lognormal(0, 1.2, n_events // PER_USER))
    busy /= busy[-1]
    schema = pa.schema([("user_id", pa.int64()), ("event", pa.string()), ("occurred_at", pa.timestamp("us"))])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for begin in range(0, n_events, PIECE):
            n = min(PIECE, n_events - begin)
            low, high = (int(DAYS * 86_400 * x / n_events) for x in (begin, begin + n))
            seconds = np.sort(rng.integers(low, max(high, low + 1), n))
            events = pa.DictionaryArray.from_arrays(rng.choice(len(EVENTS), n, p=SHARES).astype(np.int8), EVENTS)
            users = np.searchsorted(busy, rng.random(n)).astype(np.int64)
            at = START + (seconds * 1_000_000).astype("timedelta64[us]")
            writer.write_table(pa.table([users, events.cast(pa.string()), at], schema=schema), row_group_size=500_000)


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
