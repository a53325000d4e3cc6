"""Contestants for per-user metrics to moments per arm: purchases and amount of every assigned user, zeros included.

Each takes the orders' file (user_id, amount, ordered_at); the people (user_id, variant) lie beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from log import DAYS, people_of

START = datetime(2024, 1, 1, tzinfo=UTC)
QUERY = """
select variant, count(*), avg(n), {var}(n), avg(total), {var}(total) from (
    select p.variant, coalesce(o.n, 0) as n, coalesce(o.total, 0) as total from {people} p left join (
        select user_id, count(*) as n, sum(amount) as total from {orders} group by user_id) o
    on o.user_id = p.user_id) w
group by variant order by variant"""


def moments(path: str) -> Callable[[], list]:
    """This package on DuckDB: user facts of a campaign's period, then moments."""
    import ibis

    from analysis.data.read import Tables
    from analysis.facts.measure import moments as moments_of
    from analysis.facts.population import Facts
    from analysis.facts.user_facts import user_facts
    from analysis.params.model import Campaign

    con = ibis.duckdb.from_connection(_duckdb())
    campaign = Campaign.model_validate({
        "title": "bench", "question": "bench", "owner": "bench", "sources": {"orders": {"path": path}},
        "period": {"start": "2024-01-01", "end": f"2024-01-{DAYS}"},
        "arms": {"control": "a", "shares": {"a": "50%", "b": "50%"}},
        "metrics": {"orders": {"count": "orders", "role": "primary"}, "revenue": {"sum": "orders.amount"}}})
    names = ["orders", "revenue"]

    def ask(people: ibis.Table, orders: ibis.Table) -> dict:
        people = people.mutate(entered_at=ibis.timestamp(START.replace(tzinfo=None)))
        tables = Tables(con, None, None, None, orders, None, data_from=START, data_until=START + timedelta(days=DAYS))
        facts = Facts(campaign, tables, people, None)                           # type: ignore[arg-type]
        return moments_of(user_facts(facts, names, "during"), names)

    ask(con.sql("select 1::bigint as user_id, 'a' as variant"),                 # imports end before the clock runs
        con.sql("select 1::bigint as user_id, 1::double as amount, timestamp '2024-01-02' as ordered_at"))

    def run() -> list:
        found = ask(con.read_parquet(people_of(Path(path))), con.read_parquet(path))
        return [round(getattr(found[arm, name], part), 4) for arm in "ab" for name in names for part in ("mean", "var")]

    return run


def duckdb_moments(path: str) -> Callable[[], list]:
    con = _duckdb()
    query = QUERY.format(var="var_samp", people=f"'{people_of(Path(path))}'", orders=f"'{path}'")
    return lambda: [round(value, 4) for row in con.sql(query).fetchall() for value in row[2:]]


def chdb_moments(path: str) -> Callable[[], list]:
    import chdb

    people, orders = (f"file('{p}', Parquet)" for p in (people_of(Path(path)), path))
    query = QUERY.format(var="varSamp", people=people, orders=orders) + " settings max_threads = 2"

    def run() -> list:
        lines = str(chdb.query(query, "CSV")).splitlines()
        return [round(float(value), 4) for line in lines for value in line.split(",")[2:]]

    return run


def polars_moments(path: str) -> Callable[[], list]:
    import polars as pl

    def run() -> list:
        users = pl.scan_parquet(path).group_by("user_id").agg(n=pl.len(), total=pl.col("amount").sum())
        wide = pl.scan_parquet(people_of(Path(path))).join(users, on="user_id", how="left").with_columns(
            pl.col("n", "total").fill_null(0).cast(pl.Float64))
        found = wide.group_by("variant").agg(
            pl.col("n").mean().alias("a"), pl.col("n").var().alias("b"), pl.col("total").mean().alias("c"),
            pl.col("total").var().alias("d")).sort("variant").collect()
        return [round(value, 4) for row in found.iter_rows() for value in row[1:]]

    return run


def pandas_moments(path: str) -> Callable[[], list]:
    import pandas as pd

    def run() -> list:
        users = pd.read_parquet(path, columns=["user_id", "amount"]).groupby("user_id")["amount"].agg(["size", "sum"])
        wide = pd.read_parquet(people_of(Path(path))).join(users, on="user_id").fillna({"size": 0, "sum": 0})
        found = wide.groupby("variant")[["size", "sum"]].agg(["mean", "var"])
        return [round(value, 4) for row in found.to_numpy().tolist() for value in row]

    return run


def _duckdb():
    import duckdb

    return duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
