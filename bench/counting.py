"""Ours and the peers in turn, in one run: python bench/counting.py 1_000_000 10_000_000 [--into bench/RESULTS.md]

Every contestant runs in a process of its own; imports and compiled code that is kept are not timed. Ratios are CPU
seconds against chDB's built-in for the same question and against the bare scan of the columns: the median of the runs.
Logs are kept in a folder of the system's temporary files.
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
FUNNEL, RETENTION = "Funnel, 4 steps, 7 days, any entry", "Retention, daily cohorts by day"
MOMENTS = "Orders and revenue per user to moments per arm"
QUESTIONS = {
    FUNNEL: ["scan", "funnel", "funnel_sorted", "chdb_funnel", "polars_funnel", "pandas_funnel"],
    RETENTION: ["scan", "retention", "retention_sorted", "chdb_retention", "duckdb_retention", "polars_retention"],
    MOMENTS: ["moments", "chdb_moments", "duckdb_moments", "polars_moments", "pandas_moments"]}
OURS = {FUNNEL: ["funnel", "funnel_sorted"], RETENTION: ["retention", "retention_sorted"], MOMENTS: ["moments"]}
SLOW = {"pandas_funnel": 20_000_000, "polars_funnel": 20_000_000, "polars_retention": 20_000_000}   # more do not fit
MOST_ORDERS = 10_000_000
LARGE = 50_000_000          # rows from which a contestant runs once


def measured(name: str, log: Path, n_runs: int) -> dict:
    """Median cost of a contestant; its counts and highest memory."""
    runs = []
    for _ in range(n_runs):
        command = [sys.executable, HERE / "contestants.py", name, log]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {"counts": runs[0]["counts"], "peak_mb": max(r["peak_mb"] for r in runs),
            **{key: statistics.median(r[key] for r in runs) for key in ("cpu", "wall")}}


def table(question: str, sizes: list[int], found: dict) -> str:
    lines = [f"### {question}", "", "| | rows | CPU s | x chDB | x scan | wall s | peak MB | counts |",
             "|---|---|---|---|---|---|---|---|"]
    for size in sizes:
        rows = {name: found[size, name] for name in QUESTIONS[question] if (size, name) in found}
        chdb = next((r["cpu"] for name, r in rows.items() if name.startswith("chdb")), math.nan)
        scan = rows["scan"]["cpu"] if "scan" in rows else math.nan
        lines += [f"| {name} | {size:,} | {r['cpu']:.2f} | {r['cpu'] / chdb:.2f} | {r['cpu'] / scan:.1f} | "
                  f"{r['wall']:.2f} | {r['peak_mb']:.0f} | {r['counts'] if name != 'scan' else ''} |"
                  for name, r in rows.items()]
    for name in OURS[question]:
        asked = [size for size in sizes if (size, name) in found]
        if len(asked) > 1:
            first, last = asked[0], asked[-1]
            exponent = math.log(found[last, name]["cpu"] / found[first, name]["cpu"]) / math.log(last / first)
            lines += ["", f"Exponent of `{name}` from {first:,} to {last:,} rows: {exponent:.2f}"]
    return "\n".join(lines).replace("nan", "")


def agree(question: str, size: int, found: dict) -> None:
    """Stop where a contestant counts otherwise than the rest."""
    counts = {name: str(found[size, name]["counts"]) for name in QUESTIONS[question]
              if (size, name) in found and name != "scan"}
    if len(set(counts.values())) > 1:
        raise SystemExit(f"{question}, {size:,} rows: the counts differ: {counts}")


def main() -> None:
    from log import write, write_orders

    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--into", type=Path, help="file for the tables")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "campaign-analysis-bench"
    folder.mkdir(exist_ok=True)
    found: dict[tuple[int, str], dict] = {}
    for size in asked.sizes:
        for question, names in QUESTIONS.items():
            if question == MOMENTS and size > MOST_ORDERS:
                continue
            log = folder / f"{'orders' if question == MOMENTS else 'log'}_{size}.parquet"
            if not log.exists():
                (write_orders if question == MOMENTS else write)(size, log)
            for name in names:
                if (size, name) not in found and size <= SLOW.get(name, size):
                    found[size, name] = measured(name, log, asked.runs if size < LARGE else 1)
                    print(size, name, found[size, name], flush=True)
            agree(question, size, found)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    tables = [table(question, asked.sizes, found) for question in QUESTIONS]
    text = "\n\n".join([f"{os.cpu_count()} cores, {memory:.0f} GiB", *tables])
    print(text)
    if asked.into:
        asked.into.write_text(f"# Counting: last run\n\n{text}\n", "utf-8")


if __name__ == "__main__":
    main()
