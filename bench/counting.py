"""Ours and the peers in turn, in one run: python bench/counting.py 1_000_000 10_000_000 [--into bench/RESULTS.md]

Every contestant runs in a process of its own; imports and compiled code that is kept are not timed. The ratio is CPU
seconds against chDB's built-in for the same question, the median of three runs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
QUESTIONS = {
    "Funnel, 4 steps, 7 days, any entry": ["scan", "chdb_funnel", "funnel", "polars_funnel", "pandas_funnel"],
    "Retention, daily cohorts by day": ["chdb_retention", "retention", "polars_retention"]}
SLOW = {"pandas_funnel": 20_000_000, "polars_funnel": 20_000_000}     # more rows do not fit beside the others
RUNS = 3


def measured(name: str, log: Path) -> dict:
    """Median cost of a contestant; its counts and highest memory."""
    runs = []
    for _ in range(RUNS):
        command = [sys.executable, HERE / "contestants.py", name, log]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {"counts": runs[0]["counts"], "peak_mb": max(r["peak_mb"] for r in runs),
            **{key: statistics.median(r[key] for r in runs) for key in ("cpu", "wall")}}


def table(question: str, sizes: list[int], found: dict) -> str:
    names = QUESTIONS[question]
    lines = [f"### {question}", "", "| | events | CPU s | x chDB | wall s | peak MB | counts |",
             "|---|---|---|---|---|---|---|"]
    for size in sizes:
        chdb = next(found[size, name]["cpu"] for name in names if name.startswith("chdb"))
        for name in names:
            if (size, name) in found:
                r = found[size, name]
                lines.append(f"| {name} | {size:,} | {r['cpu']:.2f} | {r['cpu'] / chdb:.2f} | {r['wall']:.2f} | "
                             f"{r['peak_mb']:.0f} | {r['counts']} |")
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        ours = next(name for name in names if name in ("funnel", "retention"))
        exponent = math.log(found[last, ours]["cpu"] / found[first, ours]["cpu"]) / math.log(last / first)
        lines += ["", f"Exponent of `{ours}` from {first:,} to {last:,} events: {exponent:.2f}"]
    return "\n".join(lines)


def main() -> None:
    from log import write

    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--into", type=Path, help="file for the tables")
    asked = parser.parse_args()
    folder = Path(tempfile.gettempdir())
    found = {}
    for size in asked.sizes:
        log = folder / f"log_{size}.parquet"
        if not log.exists():
            write(size, log)
        for name in {name: None for names in QUESTIONS.values() for name in names}:
            if size <= SLOW.get(name, size):
                found[size, name] = measured(name, log)
                print(size, name, found[size, name], flush=True)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    tables = [table(question, asked.sizes, found) for question in QUESTIONS]
    text = "\n\n".join([f"{os.cpu_count()} cores, {memory:.0f} GiB", *tables])
    print(text)
    if asked.into:
        asked.into.write_text(f"# Counting: last run\n\n{text}\n", "utf-8")


if __name__ == "__main__":
    main()
