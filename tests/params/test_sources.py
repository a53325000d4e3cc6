"""Addresses of databases: what they may say, and that no secret stands in them or comes out again."""

import pytest

from analysis.params.address import Address, address
from tests.params.campaign_file import campaign, mistakes

ORDERS = "orders: {path: shop.duckdb, table: orders}"


def said(folder, source):
    """The messages of the mistakes of a campaign whose orders come from there."""
    return [message for _, _, message in mistakes(folder, (ORDERS, f"orders: {source}"))]


@pytest.mark.parametrize(("path", "expected"), [
    ("events.csv", None), ("C:\\data\\events.csv", None), ("events/**/*.parquet", None),
    ("duckdb://shop.duckdb", Address("duckdb", database="shop.duckdb")),
    ("duckdb:///data/a%20shop.db", Address("duckdb", database="/data/a shop.db")),
    ("postgres://db.example.com/shop", Address("postgres", "db.example.com", 5432, "", "shop")),
    ("postgresql://ana%40x@db:6000/shop?sslmode=require",
     Address("postgres", "db", 6000, "ana@x", "shop", (("sslmode", "require"),))),
    ("spark://master:7077", Address("spark", "master", 7077)),
    ("spark://local", Address("spark", "local")),
    ("sc://spark.example.com/;use_ssl=true", Address("sc", "spark.example.com", 15002, options=(("use_ssl", "true"),))),
])
def test_what_an_address_says(path, expected):
    assert address(path) == expected


def test_reports_show_an_address_without_its_user_and_options():
    place = address("postgres://ana@db.example.com:5432/shop?application_name=x")
    assert place.shown == "postgres://db.example.com:5432/shop"


@pytest.mark.parametrize(("source", "message"), [
    ("{path: 'mysql://db/shop', table: t}",
     "'mysql://' is neither a file nor a database that can be read; there is duckdb, postgres, sc, spark"),
    ("{path: 'postgre://db/shop', table: t}", "(did you mean 'postgres'?)"),
    ("{path: 's3://bucket/e.parquet'}", "'s3://' is neither a file nor"),
    ("{path: 'duckdb://', table: t}", "names no file; write it like duckdb://shop.duckdb"),
    ("{path: 'postgres://db', table: t}", "is not an address like postgres://analyst@db.example.com:5432/shop"),
    ("{path: 'postgres:///shop', table: t}", "is not an address like"),
    ("{path: 'postgres://db:port/shop', table: t}", "is not an address like"),
    ("{path: 'spark://m:7077/shop', table: t}", "is not an address like spark://master.example.com:7077"),
    ("{path: 'postgres://ana@db/shop'}", "'postgres://db:5432/shop' is a database: say `table:` too"),
    ("{path: 'spark://local', table: t, password: TOKEN}", "`password:` is for a database at postgres:// or sc://"),
    ("{path: orders.csv, password: TOKEN}", "`password:` is for a database at postgres:// or sc://"),
])
def test_an_address_that_cannot_be_used_is_a_mistake(tmp_path, source, message):
    (found,) = said(tmp_path, source)
    assert message in found


@pytest.mark.parametrize("source", [
    "{path: 'postgres://ana:hunter2@db.example.com/shop', table: t}",
    "{path: 'postgres://ana:hunter2@db.example.com:x/shop', table: t}",
    "{path: 'postgres://ana:@db.example.com/shop?password=hunter2', table: t}",
    "{path: 'postgres://ana@db.example.com/shop?PASSWORD=hunter2', table: t}",
    "{path: 'sc://spark.example.com/;token=hunter2', table: t}",
    "{path: 'postgres://ana@db.example.com/shop', table: t, password: hunter2}",
])
def test_a_secret_in_the_file_is_a_mistake_that_does_not_repeat_it(tmp_path, source):
    (found,) = said(tmp_path, source)
    assert "hunter2" not in found and "ana" not in found.replace("analyst", "").replace("ANALYTICS", "")
    assert "`password:`" in found or "is not an address like" in found


def test_two_servers_in_one_campaign_are_a_mistake(tmp_path):
    found = mistakes(tmp_path, (ORDERS, "orders: {path: 'postgres://db/shop', table: orders}"),
                     ("users: {path: users.csv}", "users: {path: 'spark://local', table: users}"))
    assert [(where, message.split(":")[0]) for _, where, message in found] == [
        ("sources", "one campaign is counted on one server, and these are 'spark")]
    assert "'spark://local' and 'postgres://db:5432/shop'" in found[0][2]


def test_tables_of_one_server_and_files_are_one_campaign(tmp_path):
    place = "{path: 'postgresql://db/shop', table: orders, password: SHOP_PASSWORD}"
    made = campaign(tmp_path, (ORDERS, f"orders: {place}"),
                    ("users: {path: users.csv}", "users: {path: 'postgres://db:5432/shop', table: users}"))
    assert made.sources.server.table == "users" and made.sources.orders[0].shown == "postgres://db:5432/shop orders"
