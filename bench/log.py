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


def write_orders(n_orders: int, path: Path, seed: int = 8) -> None:
    """Write orders (user_id, amount, ordered_at) of a tenth as many people, who lie beside them (user_id, variant)."""
    rng = np.random.default_rng(seed)
    n_people = n_orders // 10
    arms = pa.array(rng.choice(["a", "b"], n_people))
    pq.write_table(pa.table({"user_id": np.arange(n_people), "variant": arms}), people_of(path), compression="zstd")
    schema = pa.schema([("user_id", pa.int64()), ("amount", pa.float64()), ("ordered_at", pa.timestamp("us"))])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for begin in range(0, n_orders, PIECE):
            n = min(PIECE, n_orders - begin)
            users = (n_people * rng.random(n) ** 2).astype(np.int64)              # some never order, some often
            at = START + rng.integers(0, DAYS * 86_400, n).astype("timedelta64[s]")
            amounts = np.round(rng.lognormal(3, 1, n), 2)
            writer.write_table(pa.table([users, amounts, at.astype("datetime64[us]")], schema=schema),
                               row_group_size=500_000)


def people_of(path: Path) -> Path:
    return path.with_name(f"people_of_{path.name}")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
