"""One contestant on one log, in a process of its own: python bench/contestants.py NAME LOG prints counts and cost."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from moments import chdb_moments, duckdb_moments, moments, pandas_moments, polars_moments

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
        depths = reach(events, asked, span)["depth"].to_numpy()          # open data: every record is of all entries
        return [int((depths >= k).sum()) for k in range(1, len(STEPS) + 1)]

    return run


def funnel_sorted(path: str) -> Callable[[], list]:
    """The same fold fed by the engine's ORDER BY: what engines other than DuckDB do, seen on DuckDB."""
    _sort_in_the_engine()
    return funnel(path)


def retention_sorted(path: str) -> Callable[[], list]:
    _sort_in_the_engine()
    return retention(path)


def _sort_in_the_engine() -> None:
    from analysis.facts.fold import route

    route.ROUTES["duckdb"] = route.by_sorting


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


def duckdb_retention(path: str) -> Callable[[], list]:
    """A bit per day and user, then users by mask."""
    con = _duckdb()
    query = (f"with users as (select bit_or(1::bigint << date_diff('day', date '2024-01-01', occurred_at)) as days "
             f"from '{path}' group by user_id), masks as (select days, count(*) as n from users group by days), "
             "first as (select n, days >> (log2(days & -days))::int as days from masks) "
             "select k, sum(n) from first, (values (0), (1), (7)) as v(k) where (days >> k) & 1 = 1 "
             "group by k order by k")
    return lambda: [int(n) for _, n in con.sql(query).fetchall()]


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
    scan, funnel, funnel_sorted, chdb_funnel, polars_funnel, pandas_funnel,
    retention, retention_sorted, chdb_retention, duckdb_retention, polars_retention,
    moments, chdb_moments, duckdb_moments, polars_moments, pandas_moments)}


def _peak() -> float:
    """Most memory held so far, in MB; getrusage would count the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(name: str, path: str) -> None:
    run = CONTESTANTS[name](path)
    gc.collect()
    gc.freeze()                                  # what imports left behind is not the contestant's
    cpu, wall = time.process_time(), time.perf_counter()
    counts = run()
    print(json.dumps({"counts": counts, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall,
                      "peak_mb": _peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
