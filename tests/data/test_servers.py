"""What cannot be read from a server is said with its remedy, and nothing that is secret is said."""

import importlib
import re
import socket

import pandas as pd
import pyarrow as pa
import pytest

from analysis.data import engine, summaries
from analysis.params import load
from analysis.params.paths import origins
from tests.data.campaign_folder import refusal, rows, tables
from tests.engines import connected_or_skipped
from tests.experiments import HEAD, PARAMS

EVENTS = pa.table({"user_id": ["ann"], "event": ["visit"], "occurred_at": ["2025-11-11"]})
SECRET = "open-sesame"


def source(path, **said):
    more = "".join(f", {key}: {value}" for key, value in ({"table": "public.visits"} | said).items())
    return f"sources: {{events: {{path: '{path}'{more}}}}}\n"


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server with a table, a role that may only read it, and a database without temporary tables."""
    connection = connected_or_skipped("postgres")
    connection.create_table("visits", EVENTS, overwrite=True)
    connection.raw_sql("create schema if not exists lab").close()
    connection.raw_sql('create or replace view lab."The Visits" as select * from public.visits').close()
    for statement in ("drop role if exists reader", "create role reader login", "drop database if exists locked",
                      "create database locked", "revoke temporary on database locked from public",
                      "grant select on public.visits to reader"):
        connection.raw_sql(statement).close()
    yield f"127.0.0.1:{connection.con.info.port}"
    connection.raw_sql("drop owned by reader").close()
    connection.raw_sql("drop role reader").close()


def test_a_role_that_may_only_read_is_enough(tmp_path, server):
    made = tables(tmp_path, source(f"postgres://reader@{server}/postgres"))
    assert rows(made.events, "user_id", "event") == [("ann", "visit")]
    campaign = load(tmp_path / "week.yml")
    assert origins(campaign, campaign.sources.events[0]) == {f"postgres://{server}/postgres public.visits": ""}


def test_a_table_may_lie_in_any_schema_and_without_one_it_is_public(tmp_path, server):
    for table in ("visits", "public.visits", "lab.The Visits"):
        made = tables(tmp_path, source(f"postgres://tests@{server}/postgres", table=table))
        assert made.rows[0].n_read == 1


@pytest.mark.parametrize(("place", "table", "said"), [
    ("tests@{}/postgres", "public.vists", "' has no table 'public.vists' .did you mean 'public.visits'"),
    ("reader@{}/postgres", "lab.The Visits", "permission denied for"),
    ("tests@{}/nowhere", "t", 'cannot be used: connection failed: .*database "nowhere" does not exist'),
    ("nobody@{}/postgres", "t", 'role "nobody" does not exist'),
    ("reader@{}/locked", "t", "may not make temporary tables, which stand in for what is counted .*: `grant temporary"),
    ("reader@{}/postgres?options=-cdefault_transaction_read_only%3Don", "t", "may not make temporary tables"),
    ("tests@{}/postgres?sslmode=perhaps", "t", "sslmode"),
])
def test_what_postgresql_refuses_is_said(tmp_path, server, monkeypatch, place, table, said):
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    (message,) = refusal(tmp_path, source(f"postgres://{place.format(server)}", table=table, password="SHOP_PASSWORD"))
    assert re.search(said, message), message
    assert message.startswith("sources.events: 'postgres://127.0.0.1") and SECRET not in message


def test_a_value_that_is_no_time_is_told_by_the_server(tmp_path, server):
    connection = connected_or_skipped("postgres")
    for value, said in (("soon", "'occurred_at': 1 of 1 values are not a time like"), ("2025-02-30", "2025-02-30")):
        rows = EVENTS.set_column(2, "occurred_at", pa.array([value]))
        connection.create_table("moments", rows, overwrite=True)
        (message,) = refusal(tmp_path, source(f"postgres://tests@{server}/postgres", table="moments"))
        assert said in message


def test_files_that_cannot_be_read_are_told_beside_a_server(tmp_path, server):
    params = source(f"postgres://tests@{server}/postgres").replace(
        "sources: {", "sources: {users: {path: users.csv}, orders: {path: nowhere.csv}, ")
    found = refusal(tmp_path, params, users_csv="uid\nann\n")
    assert [message.split(":")[0] for message in found] == ["sources.users", "sources.orders"]


def test_spark_says_what_table_it_has_not(tmp_path):
    connected_or_skipped("spark")
    (message,) = refusal(tmp_path, source("spark://local", table="visits_of_nobody"))
    assert message.startswith("sources.events: 'spark://local' has no table 'visits_of_nobody'")
    (message,) = refusal(tmp_path, source("spark://local", table="shop.visits"))
    assert "'spark://local shop.visits' cannot be read: [SCHEMA_NOT_FOUND]" in message
    (message,) = refusal(tmp_path, source("spark://local", table="/nowhere/visits"))
    assert "'spark://local /nowhere/visits' cannot be read: [PATH_NOT_FOUND]" in message


def test_sessions_of_others_keep_their_zone_and_their_views(tmp_path):
    session = connected_or_skipped("spark")._session
    session.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    session.createDataFrame(EVENTS).createOrReplaceGlobalTempView("visits")
    try:
        assert tables(tmp_path, source("spark://local", table="global_temp.visits")).rows[0].n_read == 1
        assert session.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
        assert [table.name for table in session.catalog.listTables() if table.name.startswith("source")] == []
    finally:
        session.conf.set("spark.sql.session.timeZone", "UTC")


def nobody_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("path", ["postgres://ana@{}/shop", "spark://{}", "sc://{}"])
def test_a_server_that_does_not_answer_is_said_at_once(tmp_path, monkeypatch, path):
    monkeypatch.setattr(engine, "import_module", lambda name: None)
    place = nobody_listens()
    (message,) = refusal(tmp_path, source(path.format(place)))
    port = place.split(":")[1]
    assert message.startswith(f"sources.events: no answer from 127.0.0.1 at port {port} (Connection refused)")


def test_a_password_that_is_not_set_is_said_without_repeating_what_stands_there(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "import_module", lambda name: None)
    (message,) = refusal(tmp_path, source("postgres://ana@db/shop", password="HUNTER2"))
    assert message == ("sources.events: the environment variable that `password:` names is not set; "
                       "set it, and run again")


@pytest.mark.parametrize(("path", "extra"), [
    ("postgres://db/shop", "postgres"), ("spark://local", "spark"), ("sc://db", "spark")])
def test_a_driver_that_is_not_installed_is_named(tmp_path, monkeypatch, path, extra):
    def absent(name):
        if name in ("psycopg", "pyspark"):
            raise ModuleNotFoundError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(engine, "import_module", absent)
    (message,) = refusal(tmp_path, source(path))
    assert message.endswith(f"needs a driver that is not installed: pip install 'campaign-analysis[{extra}]'")


def test_what_a_driver_says_is_said_without_the_password(monkeypatch, tmp_path):
    class Careless:
        def connected(self, place, password, patience):
            raise RuntimeError(f"login failed for ana:{password}")

    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    monkeypatch.setattr(engine, "import_module", lambda name: Careless())
    monkeypatch.setattr(engine, "_reach", lambda place: None)
    (message,) = refusal(tmp_path, source("postgres://ana@db/shop", password="SHOP_PASSWORD"))
    assert message.endswith("cannot be used: login failed for ana:***")


def test_summaries_may_lie_on_a_server(tmp_path, server):
    looks = pd.DataFrame([["a", "control", "amount", 1, 10, 2.0, None], ["a", "new", "amount", 1, 12, 3.0, 1.5],
                          ["a", "new", "other", 1, 12, 3.0, 1.5]], columns=HEAD)
    connected_or_skipped("postgres").create_table("looks", looks, overwrite=True)
    (tmp_path / "tests.yml").write_text(PARAMS.replace(
        "{path: looks.csv}", f"{{path: 'postgres://tests@{server}/postgres', table: public.looks}}"), "utf-8")
    found = summaries.read(load(tmp_path / "tests.yml"))
    looks.to_csv(tmp_path / "looks.csv", index=False)
    (tmp_path / "tests.yml").write_text(PARAMS, "utf-8")
    from_file = summaries.read(load(tmp_path / "tests.yml"))
    assert found.rows == from_file.rows and found.rows.n_other_metrics == 1
    pd.testing.assert_frame_equal(found.frame, from_file.frame)
