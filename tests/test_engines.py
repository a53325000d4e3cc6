"""One meaning, several engines: the same campaign from files, DuckDB, PostgreSQL and Spark gives the same counts."""

import math
from dataclasses import astuple
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from analysis.data.read import read
from analysis.facts import observe
from analysis.facts.compared import arm_moments, leverage
from analysis.facts.day_facts import day_moments
from analysis.facts.drawn_from import people
from analysis.facts.measure import moments, paired_moments, ratio_moments
from analysis.facts.past import active, imagined, look_back, stretch_totals
from analysis.facts.population import rows_per_day
from analysis.facts.running_facts import entered, so_far
from analysis.facts.tick_facts import rows_per_tick, sums_per_tick
from analysis.facts.user_facts import daily_facts, user_facts, window_facts
from analysis.facts.user_rows import user_rows
from analysis.params import load
from tests.engines import connected_or_skipped

CAMPAIGN = """
title: Clocks go back
question: What happened?
owner: tests
time_zone: America/New_York
period: {start: 2024-11-01, end: 2024-11-03}
baseline: {start: 2024-10-26, end: 2024-10-31}
after: {start: 2024-11-04, end: 2024-11-06}
data_until: 2024-11-06
arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier]}
population: {consent: agreed, where: {tier: [apple, Banana, Zoë]}}
metrics:
  money: {sum: orders.amount, role: primary}
  visits: {count: events, where: {event: visit}}
  web: {any: events, where: {channel: ["1", "2"]}}
  average: {ratio: [money, visits]}
"""
NAIVE, AWARE = pa.timestamp("us"), pa.timestamp("us", "UTC")
TEXT = pa.string()


def at(*days):
    return [None if day is None else datetime.fromisoformat(f"2024-{day}") for day in days]


TABLES = {
    "users": pa.table({
        "user_id": pa.array(["ann", "ann", "bob", "cy", "dee", "eve", None, "fay"], TEXT),
        "tier": pa.array(["apple", "Banana", "Zoë", "Banana", "apple", "pear", "apple", "apple"], TEXT),
        "agreed": pa.array([True, True, True, True, True, True, True, None])}),
    "assignments": pa.table({
        "user_id": pa.array(["ann", "bob", "cy", "dee", "dee", "eve", "fay"], TEXT),
        "variant": pa.array(["stay", "go", "go", "go", "stay", "stay", "go"], TEXT),
        "assigned_at": pa.array(at("11-01", "11-02 12:30", "11-03 01:30", "11-01", "11-01", "11-01", "11-01"), NAIVE)}),
    "events": pa.table({  # times on the campaign's clock: 01:30 on 3 November comes twice, 02:30 on 10 March never
        "user_id": pa.array(["ann"] * 6 + ["bob"] * 4 + ["cy", "who", None, "ann", "bob", "cy"], TEXT),
        "event": pa.array(["visit"] * 8 + ["pay", "Pay", "visit", "visit", "visit", None, "visit", "visit"], TEXT),
        "occurred_at": pa.array(at(
            "10-26", "10-28 23:59:59.999999", "11-01 00:00", "11-03 00:59:59", "11-03 01:30", "11-03 23:59:59.5",
            "11-02 12:29:59", "11-02 12:30", "11-03 01:30", "11-03 01:30", "11-05 03:00", "11-01", "11-01", "11-01",
            None, "03-10 02:30"), NAIVE),
        "event_id": pa.array(["1", "2", "3", "4", "5", "5", "7", "8", "9", "9", None, None, "13", "14", "15", "2"]),
        "channel": pa.array([1.0, 2.0, None, 2.5, 1.0, 1.0, 2.0, None, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])}),
    "orders": pa.table({
        "user_id": pa.array(["ann", "ann", "bob", "bob", "cy", "cy", "ann", "bob"], TEXT),
        "ordered_at": pa.array(at("11-01 03:59:59", "11-01 04:00", "11-03 05:30", "11-03 06:30", "11-04 04:59:59",
                                  "11-04 05:00", "10-27 12:00", "10-30 12:00"), AWARE),
        "amount": pa.array([0.1, 0.2, math.nan, 1e6, math.inf, None, 12.3, 4.5])}),
}
HOMES = ["csv", "parquet", "folder", "duckdb", "postgres", "spark"]


def sources(home, folder):
    """Where each table lies when its home is this one; tables that a server does not have are files."""
    return {name: {"csv": in_csv, "parquet": in_parquet, "folder": in_folder, "duckdb": in_duckdb,
                   "postgres": in_postgres, "spark": on_spark}[home](folder, name, rows)
            for name, rows in TABLES.items()}


def in_csv(folder, name, rows):
    frame = rows.to_pandas()
    for column in frame.select_dtypes("datetimetz"):
        frame[column] = frame[column].dt.tz_convert("Asia/Shanghai")   # written with its zone
    frame.to_csv(folder / f"{name}.csv", index=False, float_format="%g")
    return {"path": f"{name}.csv"}


def in_parquet(folder, name, rows):
    pq.write_table(rows, folder / f"{name}.parquet")
    return {"path": f"{name}.parquet"}


def in_folder(folder, name, rows):
    for part in range(2):
        (folder / name / f"part={part}").mkdir(parents=True)
        pq.write_table(rows.slice(part * 3, 3 if part == 0 else None), folder / name / f"part={part}" / "0.parquet")
    return {"path": f"{name}/"}


def in_duckdb(folder, name, rows):
    with duckdb.connect(str(folder / "shop.db")) as connection:
        connection.register("made", rows)
        connection.execute("set timezone = 'UTC'")
        connection.execute(f'create table "{name}" as from made')
    return {"path": "duckdb://shop.db", "table": name}


def in_postgres(folder, name, rows):
    if name == "assignments":
        return in_csv(folder, name, rows)
    server = connected_or_skipped("postgres")
    server.create_table(name, rows, overwrite=True)
    for column in rows.schema.names:
        if rows.schema.field(column).type == TEXT:  # an order of texts that is not that of their bytes
            server.raw_sql(f'alter table "{name}" alter "{column}" type text collate "en-x-icu"').close()
        if rows.schema.field(column).type == AWARE:
            server.raw_sql(f'alter table "{name}" alter "{column}" type timestamptz').close()
    return {"path": f"postgresql://tests@127.0.0.1:{server.con.info.port}/postgres", "table": f"public.{name}"}


def on_spark(folder, name, rows):
    connected_or_skipped("spark")
    place = in_parquet(folder, name, rows)
    return place if name == "assignments" else {"path": "spark://local", "table": str(folder / place["path"])}


def facts_of_home(home, folder):
    said = yaml.load(CAMPAIGN, yaml.BaseLoader) | {"sources": sources(home, folder)}
    (folder / "clocks.yml").write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    campaign = load(folder / "clocks.yml")
    return observe(campaign, read(campaign))


def told(table, *columns):
    """Rows of a table as sorted tuples: times without a mark, sums to twelve digits."""
    def plain(value):
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        return float(f"{value:.12g}") if isinstance(value, float) else value

    return sorted((tuple(plain(row[c]) for c in columns or table.columns) for row in table.to_pyarrow().to_pylist()),
                  key=repr)


def everything(facts):
    """All that the first layers say of a campaign."""
    tables, phases = facts.tables, ("before", "during", "after")
    names = ["money", "visits", "web"]
    rows_of_users = user_rows(facts, ["money", "visits"])
    wide = {phase: user_facts(facts, names, phase) for phase in phases}
    return {
        "rows": tables.rows, "covered": (tables.data_from, tables.data_until, tables.within),
        "events": told(tables.events, "user_id", "event", "occurred_at", "event_id", "channel"),
        "orders": told(tables.orders, "user_id", "ordered_at", "amount"),
        "left": facts.left, "groups": facts.groups,
        "population": told(facts.population, "user_id", "variant", "entered_at", "tier", "agreed"),
        "facts": {phase: told(wide[phase], "user_id", *names) for phase in phases},
        "window": told(window_facts(facts, ["visits"], facts.campaign.period.length), "user_id", "visits"),
        "daily": [told(daily_facts(facts, name), "variant", "day", "value") for name in ("money", "visits", "average")],
        "per day": {name: rows_per_day(facts, name) for name in ("events", "orders")},
        "so far": told(so_far(facts, names), "user_id", "tick", "days_followed", *names),
        "per tick": ({name: rows_per_tick(facts, name) for name in ("events", "orders")}, entered(facts)),
        "sums": {key: [{name: float(f"{value:.10g}") for name, value in part.items()} for part in (
            own.of, own.squares, own.products)] for key, own in sums_per_tick(facts).items()},
        "compared": [joined({f"{stratum} {arm}": one for stratum, own in found.items() for arm, one in own.items()})
                     for found in arm_moments(facts, [["money"], ["money", "visits"]], ["tier"])],
        "days": {day: joined(own) for day, own in day_moments(facts, "money").items()},
        "rows per user": (rows_of_users.variant.tolist(), {
            name: [float(f"{x:.10g}") for x in column] for name, column in rows_of_users.columns.items()}),
        "leverage": float(f"{leverage(facts, ['money']):.10g}"),
        "moments": {key: rounded(value) for key, value in moments(wide["during"], names).items()},
        "ratio": {arm: rounded(value) for arm, value in ratio_moments(wide["during"], "money", "visits").items()},
        "paired": [rounded(paired_moments(wide["during"], wide["before"], parts))
                   for parts in (["money"], ["money", "visits"])],
    }


def joined(own):
    """Joint moments to ten digits."""
    return {key: (one.n, one.names, [[f"{x:.10g}" for x in row] for row in [one.mean, *one.cov]])
            for key, one in own.items()}


def rounded(answer):
    """As results are published: to ten digits; nan is None, to be equal to itself."""
    return tuple(None if math.isnan(value) else float(f"{value:.10g}") for value in astuple(answer))


@pytest.fixture(scope="module")
def by_files(tmp_path_factory):
    return everything(facts_of_home("parquet", tmp_path_factory.mktemp("parquet")))


@pytest.mark.parametrize("home", [home for home in HOMES if home != "parquet"])
def test_the_same_campaign_gives_the_same_counts_wherever_it_lives(home, by_files, tmp_path):
    found = everything(facts_of_home(home, tmp_path))
    assert found.keys() == by_files.keys()
    for key, value in found.items():
        assert value == by_files[key], key


def test_the_counts_are_what_the_rules_say(by_files):
    assert by_files["population"] == [
        ("ann", "stay", datetime(2024, 11, 1, 4), "Banana", True),       # of two texts the first by its bytes
        ("bob", "go", datetime(2024, 11, 2, 16, 30), "Zoë", True),
        ("cy", "go", datetime(2024, 11, 3, 6, 30), "Banana", True)]      # of 01:30 the second
    events = next(row for row in by_files["rows"] if row.table == "events")
    assert (events.n_read, events.n_without_key, events.n_duplicate) == (16, 3, 3)
    assert by_files["facts"]["during"] == [("ann", 0.2, 3.0, 1.0), ("bob", 1e6, 1.0, 1.0), ("cy", 0.0, 0.0, 0.0)]
    assert by_files["per day"]["events"][datetime(2024, 3, 10).date()] == 1


def past_of_home(home, folder):
    """What a plan of the same campaign, a day later and without Bob, knows of the time before."""
    pd.DataFrame({"user_id": ["bob", "nobody"]}).to_csv(folder / "out.csv", index=False)
    said = yaml.load(CAMPAIGN, yaml.BaseLoader) | {
        "sources": sources(home, folder), "plan": {"exclude": {"path": "out.csv"}},
        "period": {"start": "2024-11-04", "end": "2024-11-04"}, "after": {"start": "2024-11-05", "end": "2024-11-06"}}
    (folder / "ahead.yml").write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    past = look_back(load(folder / "ahead.yml", purpose="plan"))
    names, metrics = ["money", "visits", "web"], past.campaign.metrics
    lately = [imagined(past, days, metrics["money"]) for days in (1, 3)]
    return {
        "past": (past.days, past.n_people, past.n_excluded, past.tables.data_until), "active": active(past, [1, 3, 9]),
        "people": told(past.people, "user_id", "last_at"), "stretches": stretch_totals(past, names, 9),
        "facts": [told(user_facts(facts, names, phase), "user_id", *names)
                  for facts in lately for phase in ("before", "during")],
        "before": {name: values.tolist() for name, values in people(past).before.items()},
    }


@pytest.mark.parametrize("home", [home for home in HOMES if home != "parquet"])
def test_a_plan_knows_the_same_past_wherever_it_lies(home, tmp_path):
    (tmp_path / "files").mkdir()
    found, by_files = past_of_home(home, tmp_path), past_of_home("parquet", tmp_path / "files")
    for key, value in found.items():
        assert value == by_files[key], key
    assert found["past"][1:3] == (3, 1) and found["people"][0][0] == "ann"


@pytest.mark.parametrize(("home", "engine"), [("postgres", "postgres"), ("spark", "pyspark")])
def test_rows_of_a_server_are_counted_there(home, engine, tmp_path):
    tables = facts_of_home(home, tmp_path).tables
    assert {tables.get(name).get_backend().name for name in ("users", "assignments", "events", "orders")} == {engine}


TEXTS = pd.DataFrame({
    "user_id": ["a", "b", "c", "d", "e"],
    "ordered_at": ["2024-11-01", " 2024/11/02 10:30:05.25", "2024-11-02 10:00:00+08:00", "2024-11-02 10:00:00 UTC",
                   "2024-11-02T10:00:00-05"],
    "amount": ["1", " 2.5", "1e2", "-.5", "nan"]})


@pytest.mark.parametrize("home", ["duckdb", "postgres", "spark"])
def test_times_and_numbers_may_be_text_on_every_engine(home, tmp_path):
    rows = pa.Table.from_pandas(TEXTS, preserve_index=False)
    place = {"duckdb": in_duckdb, "postgres": in_postgres, "spark": on_spark}[home](tmp_path, "orders", rows)
    said = yaml.load(CAMPAIGN, yaml.BaseLoader) | {
        "metrics": {"money": {"sum": "orders.amount", "role": "primary"}}, "sources": {"orders": place},
        "no_control_group": "none", "arms": None, "population": {}}
    (tmp_path / "texts.yml").write_text(yaml.safe_dump({key: value for key, value in said.items() if value}), "utf-8")
    assert told(read(load(tmp_path / "texts.yml")).orders, "user_id", "ordered_at", "amount") == [
        ("a", datetime(2024, 11, 1, 4), 1.0), ("b", datetime(2024, 11, 2, 14, 30, 5, 250000), 2.5),
        ("c", datetime(2024, 11, 2, 2), 100.0), ("d", datetime(2024, 11, 2, 10), -0.5),
        ("e", datetime(2024, 11, 2, 15), None)]
