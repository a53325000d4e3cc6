"""From rows per user to effects: four metrics, one a ratio, one adjusted by the time before, and the split of the arms.

    python bench/effects.py [4_000_000] [--runs 5]

Ours and tea-tasting (on DuckDB and on Polars) in turn, in one run, each in a process of its own, once from a Parquet
file and once with the users in the backend's own memory; imports and a first run on a few users are not timed. The file
lies in a folder of the system's temporary files. Ratios are medians of CPU and of wall clock seconds to the faster
backend of tea-tasting.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CONTESTANTS = ["ours", "tea_tasting_duckdb", "tea_tasting_polars"]
WRITE = """
copy (select i as user_id, case when hash(i) % 2 = 0 then 'stay' else 'go' end as variant,
        least(orders, 1)::double as converted, orders, orders * spend as revenue, taste * 10 as revenue_before
      from (select i, (hash(i + 1) % 10000) / 5000.0 as taste, (hash(i + 2) % 1000) / 20.0 as spend,
                   (hash(i + 3) % 4)::double as orders from range({n}) t(i)))
to '{path}' (format parquet)"""


def ours(path: str, few: str, is_in_memory: bool) -> Callable[[], list[float]]:
    import ibis

    from analysis.facts.measure import joint_moments
    from analysis.stats.adjust import adjust, compare_adjusted
    from analysis.stats.proportions import compare_proportions
    from analysis.stats.split import split_test

    sets = [["converted"], ["orders"], ["revenue", "revenue_before"], ["revenue", "orders"]]
    connection = ibis.duckdb.connect(threads=2)

    def run(path: str = path) -> list[float]:
        wide = users if users is not None else connection.read_parquet(path)
        found = joint_moments(wide, sets, groups=["go", "stay"])
        own = [{arm: sets[i] for (arm,), sets in found.items()} for i in range(len(sets))]
        did = {arm: (round(one.mean[0] * one.n), one.n) for arm, one in own[0].items()}
        split = split_test({arm: n for arm, (_, n) in did.items()}, {"stay": 0.5, "go": 0.5})
        effects = [compare_proportions(*did["go"], *did["stay"]),
                   compare_adjusted(adjust([own[1]], ["orders"]), "go", "stay"),
                   compare_adjusted(adjust([own[2]], ["revenue"], ["revenue_before"]), "go", "stay"),
                   compare_adjusted(adjust([own[3]], ["revenue", "orders"]), "go", "stay")]
        return [*(effect.diff for effect in effects), split.pvalue]

    users = None
    run(few)
    users = connection.create_table("users", connection.read_parquet(path)) if is_in_memory else None
    return run


def _tea_tasting() -> Callable[[object], list[float]]:
    import tea_tasting as tt

    experiment = tt.Experiment(
        converted=tt.Mean("converted"), orders=tt.Mean("orders"),
        revenue=tt.Mean("revenue", covariate="revenue_before"), per_order=tt.RatioOfMeans("revenue", "orders"),
        split=tt.SampleRatio())

    def run(data: object) -> list[float]:
        found = experiment.analyze(data, control="stay")
        effects = [found[name] for name in ("converted", "orders", "revenue", "per_order")]
        return [*(effect.treatment - effect.control for effect in effects), found["split"].pvalue]

    return run


def tea_tasting_duckdb(path: str, few: str, is_in_memory: bool) -> Callable[[], list[float]]:
    import ibis

    analyse, connection = _tea_tasting(), ibis.duckdb.connect(threads=2)
    analyse(connection.read_parquet(few))
    if is_in_memory:
        users = connection.create_table("users", connection.read_parquet(path))
        return lambda: analyse(users)
    return lambda: analyse(connection.read_parquet(path))


def tea_tasting_polars(path: str, few: str, is_in_memory: bool) -> Callable[[], list[float]]:
    import polars as pl

    analyse = _tea_tasting()
    analyse(pl.scan_parquet(few))
    if is_in_memory:
        users = pl.read_parquet(path)
        return lambda: analyse(users)
    return lambda: analyse(pl.scan_parquet(path))


def one(name: str, path: str, few: str, where: str) -> None:
    """Run a contestant once and print what it cost."""
    run = globals()[name](path, few, where == "memory")
    cpu, wall = time.process_time(), time.perf_counter()
    answers = run()
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "answers": answers}))


def written(folder: Path, n: int) -> str:
    """The Parquet file of so many users."""
    path = folder / f"users_{n}.parquet"
    if not path.exists():
        import duckdb

        duckdb.sql(WRITE.format(n=n, path=path))
    return str(path)


def compare(users: int, runs: int, where: str, folder: Path) -> str:
    """Every contestant in turn, and the table of what they cost."""
    path, few = written(folder, users), written(folder, 1_000)
    costs: dict[str, list[dict]] = {name: [] for name in CONTESTANTS}
    for _ in range(runs):   # in turn, so that a busy machine is busy for all
        for name in CONTESTANTS:
            done = subprocess.run([sys.executable, __file__, "--one", name, path, few, where], check=True,
                                  capture_output=True, text=True)
            costs[name].append(json.loads(done.stdout.splitlines()[-1]))
    for name, own in costs.items():   # theirs takes theta from both arms as one, and corrects the split for continuity
        for mine, theirs in zip(costs["ours"][0]["answers"], own[0]["answers"], strict=True):
            if abs(mine - theirs) > 2e-3 * abs(mine):
                raise SystemExit(f"{name} answers {own[0]['answers']}, ours {costs['ours'][0]['answers']}")
    median = {name: {key: statistics.median(run[key] for run in own) for key in ("cpu", "wall")}
              for name, own in costs.items()}
    best = {key: min(median[name][key] for name in CONTESTANTS[1:]) for key in ("cpu", "wall")}
    lines = [f"### {users:,} users in {where} to four effects and the split, median of {runs}", "",
             "| | CPU s | x best tea-tasting | wall s | x best tea-tasting |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(
        f"| {name} | {own['cpu']:.2f} | {own['cpu'] / best['cpu']:.2f} | {own['wall']:.2f} | "
        f"{own['wall'] / best['wall']:.2f} |" for name, own in median.items())])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("users", nargs="?", type=int, default=4_000_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / "campaign-analysis-bench"
    folder.mkdir(exist_ok=True)
    for where in ("memory", "a file"):
        print(compare(asked.users, asked.runs, where, folder), end="\n\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main()
