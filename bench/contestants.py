"""One contestant on one log, in a process of its own: python bench/contestants.py NAME LOG prints counts and cost."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

STEPS = ["view", "product", "cart", "checkout"]
WINDOW = 7 * 86_400
START, DAYS = datetime(2024, 1, 1, tzinfo=UTC), 30
EMPTY = "select 1::bigint as user_id, 'view' as event, timestamp '2024-01-02' as at"
NAMES = ", ".join(f"'{step}'" for step in STEPS)


def scan(path: str) -> Callable[[], list]:
    """Only reads the columns: what no counting can do without."""
    con = _duckdb()
    query = f"select sum(user_id), sum(epoch_us(occurred_at)), sum(length(event)) from '{path}'"
    return lambda: [int(n) for n in con.sql(query).fetchone()]


def funnel(path: str) -> Callable[[], list]:
    """This package on DuckDB."""
    import ibis

    from analysis.facts.reach import Span, reach
    from analysis.params.counting import Funnel

    con = ibis.duckdb.from_connection(_duckdb())
    asked = Funnel.model_validate({"steps": STEPS, "window": "7 days"})
    span = Span(START, START + timedelta(days=DAYS), None)      # one question, as the peers answer it
    reach(con.sql(EMPTY), asked, span)                          # compiled code is loaded before the clock runs

    def run() -> list:
        events = con.read_parquet(path).rename(at="occurred_at")
        records = reach(events, asked, span).to_pandas()
        records = records[records["scope"] % 2 == 1]
        return [int((records["depth"] >= k).sum()) for k in range(1, len(STEPS) + 1)]

    return run


def chdb_funnel(path: str) -> Callable[[], list]:
    import chdb

    tests = ", ".join(f"event = '{step}'" for step in STEPS)
    query = (f"select level, count() from ("
             f"select user_id, windowFunnel({WINDOW})(toDateTime(occurred_at), {tests}) as level from "
             f" file('{path}', Parquet) where event in ({NAMES}) group by user_id) group by level "
             "settings max_threads = 2")

    def run() -> list:
        levels = pairs(chdb.query(query, "CSV"))
        return [sum(n for level, n in levels.items() if level >= k) for k in range(1, len(STEPS) + 1)]

    return run


def polars_funnel(path: str) -> Callable[[], list]:
    """As-of joins: for each step the latest start that reached the step before."""
    import polars as pl

    def run() -> list:
        log = pl.scan_parquet(path).filter(pl.col("event").is_in(STEPS)).collect().sort("occurred_at")
        reached = log.filter(pl.col("event") == STEPS[0]).select("user_id", "occurred_at", start="occurred_at")
        counts = [reached["user_id"].n_unique()]
        for step in STEPS[1:]:
            own = log.filter(pl.col("event") == step).select("user_id", "occurred_at")
            reached = own.join_asof(reached, on="occurred_at", by="user_id", check_sortedness=False).filter(
                pl.col("occurred_at") - pl.col("start") <= timedelta(seconds=WINDOW))
            counts.append(reached["user_id"].n_unique())
        return counts

    return run


def pandas_funnel(path: str) -> Callable[[], list]:
    """Sort, then a grouped running maximum of the starts per step."""
    import pandas as pd

    def run() -> list:
        log = pd.read_parquet(path, filters=[("event", "in", STEPS)])
        log["step"] = log["event"].map({step: k for k, step in enumerate(STEPS)}).astype("int8")
        log["at"] = log.pop("occurred_at").astype("datetime64[s]").astype("int64")
        log = log.sort_values(["user_id", "at", "step"], kind="stable")
        start = log["at"].where(log["step"] == 0)
        counts = [log.loc[start.notna(), "user_id"].nunique()]
        for k in range(1, len(STEPS)):
            latest = start.groupby(log["user_id"]).cummax().groupby(log["user_id"]).ffill()
            start = latest.where((log["step"] == k) & (log["at"] - latest <= WINDOW))
            counts.append(log.loc[start.notna(), "user_id"].nunique())
        return [int(n) for n in counts]

    return run


def retention(path: str) -> Callable[[], list]:
    """This package on DuckDB: first-time cohorts by day, any event, 29 days after."""
    import ibis

    from analysis.facts.activity_facts import Look, counted
    from analysis.params.counting import Retention

    con = ibis.duckdb.from_connection(_duckdb())
    asked = Retention.model_validate({"every": "day", "n_periods": DAYS - 1})
    look = Look(date(2024, 1, 1), date(2024, 1, DAYS), "UTC", START + timedelta(days=DAYS))

    counted(con.sql(EMPTY), asked, look)

    def run() -> list:
        cells = counted(con.read_parquet(path).rename(at="occurred_at"), asked, look)
        return [sum(cell.n_on for cell in cells if cell.cell == k) for k in (0, 1, 7)]

    return run


def chdb_retention(path: str) -> Callable[[], list]:
    """Users' sets of days, then pairs of first day and day."""
    import chdb

    query = (f"select toUInt16(day - first) as k, sum(n) from ("
             f"select first, arrayJoin(days) as day, count() as n from ("
             f"select groupUniqArray(toUInt16(toDate(occurred_at))) as days, arrayMin(days) as first from "
             f"file('{path}', Parquet) group by user_id) group by first, day) group by k settings max_threads = 2")

    def run() -> list:
        found = pairs(chdb.query(query, "CSV"))
        return [found[k] for k in (0, 1, 7)]

    return run


def polars_retention(path: str) -> Callable[[], list]:
    import polars as pl

    def run() -> list:
        days = pl.scan_parquet(path).select("user_id", day=pl.col("occurred_at").dt.date()).unique()
        found = days.with_columns(first=pl.col("day").min().over("user_id")).select(
            k=(pl.col("day") - pl.col("first")).dt.total_days()).group_by("k").len().collect()
        counts = dict(found.iter_rows())
        return [counts[k] for k in (0, 1, 7)]

    return run


def pairs(lines: object) -> dict[int, int]:
    """Lines of two numbers."""
    return {int(key): int(value) for key, value in (line.split(",") for line in str(lines).splitlines())}


def _duckdb():
    import duckdb

    return duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})


CONTESTANTS = {f.__name__: f for f in (
    scan, funnel, chdb_funnel, polars_funnel, pandas_funnel, retention, chdb_retention, polars_retention)}


def main(name: str, path: str) -> None:
    run = CONTESTANTS[name](path)
    cpu, wall = time.process_time(), time.perf_counter()
    counts = run()
    print(json.dumps({"counts": counts, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall,
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
