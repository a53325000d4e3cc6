"""Sources become tables of exact names and types, and what cannot be is said with its file and column."""

import gzip
import json
from datetime import datetime

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.params import CampaignError, load
from analysis.params.paths import origins
from tests.data.campaign_folder import EVENTS, refusal, rows, tables
from tests.tables import observed

HEAD = "user_id,event,occurred_at\n"
READ = [("ann", "visit", datetime(2025, 11, 11, 10)), ("bob", "visit", datetime(2025, 11, 12))]
KEYS = ("user_id", "event", "occurred_at")


def source(text: str) -> str:
    return f"sources: {{events: {text}}}\n"


def frame() -> pd.DataFrame:
    return pd.DataFrame(READ, columns=list(KEYS))


@pytest.mark.parametrize(("path", "write"), [
    ("e.csv", lambda path: path.write_text(EVENTS)),
    ("e.csv.gz", lambda path: path.write_bytes(gzip.compress(EVENTS.encode()))),
    ("E.CSV", lambda path: path.write_text(EVENTS)),
    ("semicolons.csv", lambda path: path.write_text(EVENTS.replace(",", ";"))),
    ("tabs.csv", lambda path: path.write_text(EVENTS.replace(",", "\t"))),
    ("windows.csv", lambda path: path.write_bytes(b"\xef\xbb\xbf" + EVENTS.replace("\n", "\r\n").encode())),
    ("ann's file.csv", lambda path: path.write_text(EVENTS)),
    ("活动.csv", lambda path: path.write_text(EVENTS)),
    ("e.parquet", lambda path: frame().to_parquet(path)),
    ("naive-nanos.parquet", lambda path: frame().astype({"occurred_at": "datetime64[ns]"}).to_parquet(path)),
    ("aware.parquet", lambda path: frame().assign(
        occurred_at=frame().occurred_at.dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai")).to_parquet(path)),
])
def test_the_same_rows_in_whatever_format(tmp_path, path, write):
    write(tmp_path / path)
    assert rows(tables(tmp_path, source(f'{{path: "{path}"}}')).events, *KEYS) == READ


def test_a_table_of_a_database(tmp_path):
    with duckdb.connect(str(tmp_path / "shop's.duckdb")) as connection:
        connection.register("made", frame())
        connection.execute('create table "the events" as from made')
    assert rows(tables(tmp_path, source('{path: "shop\'s.duckdb", table: the events}')).events, *KEYS) == READ
    assert refusal(tmp_path, source('{path: "shop\'s.duckdb", table: the event}')) == [
        "sources.events: 'shop's.duckdb' has no table 'the event' (did you mean 'the events'?)"]
    assert "say `table:` too" in refusal(tmp_path, source('{path: "shop\'s.duckdb"}'))[0]


def test_an_address_of_duckdb_is_relative_to_the_params_file_unless_it_begins_with_a_slash(tmp_path):
    (tmp_path / "day").mkdir()
    with duckdb.connect(str(tmp_path / "day" / "shop.db")) as connection:
        connection.register("made", frame())
        connection.execute("create table visits as from made")
    for address in ("duckdb://day/shop.db", f"duckdb://{tmp_path}/day/shop.db"):
        assert rows(tables(tmp_path, source(f'{{path: "{address}", table: visits}}')).events, *KEYS) == READ
    (message,) = refusal(tmp_path, source('{path: "duckdb:///day/shop.db", table: visits}'))
    assert "no file '/day/shop.db'" in message and "duckdb://shop.duckdb is relative to the params file" in message


def test_a_folder_is_all_its_parquet_files_and_one_origin(tmp_path):
    for day in ("2025-11-11", "2025-11-12"):
        (tmp_path / "log" / day).mkdir(parents=True)
        whole = frame()
        whole[whole.occurred_at.dt.strftime("%Y-%m-%d") == day].to_parquet(tmp_path / "log" / day / "0.parquet")
    (tmp_path / "log" / "_SUCCESS").write_text("")
    said = source("{path: log/}")
    assert rows(tables(tmp_path, said).events, *KEYS) == READ
    campaign = load(tmp_path / "week.yml")
    before = origins(campaign, campaign.sources.events[0])
    assert list(before) == ["log/"]
    (tmp_path / "log" / "2025-11-12").rename(tmp_path / "log" / "2025-11-13")
    assert origins(campaign, campaign.sources.events[0]) != before


def test_an_empty_text_is_no_value_whatever_the_file(tmp_path):
    frame().assign(page=["", "home"]).to_parquet(tmp_path / "e.parquet")
    said = source("{path: e.parquet}") + "funnels: {f: {steps: [visit, visit], window: none, by: [page]}}\n"
    assert rows(tables(tmp_path, said).events, "user_id", "page") == [("ann", None), ("bob", "home")]


def test_ids_that_are_whole_numbers_stay_so_unless_they_are_text_in_another_table(tmp_path):
    frame().assign(user_id=[7, 8]).to_parquet(tmp_path / "e.parquet")
    assert rows(tables(tmp_path, source("{path: e.parquet}")).events, "user_id") == [(7,), (8,)]
    (tmp_path / "u.csv").write_text("user_id\n7\n")
    both = tables(tmp_path, "sources: {events: {path: e.parquet}, users: {path: u.csv}}")
    assert rows(both.events, "user_id") == [("7",), ("8",)] and rows(both.users, "user_id") == [("7",)]
    (tmp_path / "more.csv").write_text(EVENTS)
    mixed = tables(tmp_path, "sources: {events: [{path: e.parquet}, {path: more.csv}]}")
    assert rows(mixed.events, "user_id") == [("7",), ("8",), ("ann",), ("bob",)]


def test_a_glob_is_all_its_files_whatever_the_order_of_their_columns(tmp_path):
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "1.csv").write_text(HEAD + "ann,visit,2025-11-11 10:00:00\n")
    (tmp_path / "day" / "2.csv").write_text("event,occurred_at,user_id\nvisit,2025-11-12,bob\n")
    for pattern in ("day/*.csv", "day/[12].csv", f"{tmp_path}/*/?.csv"):
        assert rows(tables(tmp_path, source(f'{{path: "{pattern}"}}')).events, *KEYS) == READ


def test_several_sources_are_one_table(tmp_path):
    frame().iloc[1:].assign(channel=7).to_parquet(tmp_path / "more.parquet")
    made = tables(tmp_path, source("[{path: events.csv}, {path: more.parquet, values: {event: paid}}]")
                  + "funnels: {f: {steps: [visit, paid], window: none, by: [channel]}}",
                  events_csv="user_id,event,occurred_at,channel\nann,visit,2025-11-11 10:00:00,web\n")
    assert rows(made.events, *KEYS, "channel") == [
        ("ann", "visit", datetime(2025, 11, 11, 10), "web"), ("bob", "paid", datetime(2025, 11, 12), "7")]


def test_a_column_that_one_source_lacks_is_null_there(tmp_path):
    made = tables(tmp_path, source("[{path: a.csv}, {path: b.csv}]")
                  + "funnels: {f: {steps: [visit, visit], window: none, by: [channel]}}",
                  a_csv=HEAD + "ann,visit,2025-11-11\n",
                  b_csv=HEAD.replace("\n", ",channel\n") + "bob,visit,2025-11-11,web\n")
    assert rows(made.events, "user_id", "channel") == [("ann", None), ("bob", "web")]


@pytest.mark.parametrize("theirs",
                         ["uid", "the user", "select", "用户", "it's \"me\"", "a;b", "USER_ID", "user.id", "%s", "{0}"])
def test_columns_may_be_called_anything(tmp_path, theirs):
    quoted = theirs.replace('"', '""')
    params = f"sources: {{events: {{path: events.csv, columns: {{user_id: {quoted!r}}}}}}}" if "'" not in theirs else (
        "sources: {events: {path: events.csv, columns: {user_id: \"it's \\\"me\\\"\"}}}")
    made = tables(tmp_path, params, events_csv=EVENTS.replace("user_id", f'"{quoted}"'))
    assert rows(made.events, *KEYS) == READ


def test_a_new_name_comes_before_the_files_own_in_upper_or_lower_case(tmp_path):
    content = "User_ID,user_id,uid,event,occurred_at\nwrong,wrong,ann,visit,2025-11-11\n"
    made = tables(tmp_path, source("{path: events.csv, columns: {user_id: uid}}"), events_csv=content)
    assert rows(made.events, "user_id") == [("ann",)]


def test_columns_may_change_places_and_serve_twice(tmp_path):
    content = "event,user_id,occurred_at\nann,visit,2025-11-11\n"
    made = tables(tmp_path, source("{path: events.csv, columns: {user_id: event, event: user_id, event_id: event}}"),
                  events_csv=content)
    assert rows(made.events, "user_id", "event", "event_id") == [("ann", "visit", "ann")]


def test_columns_of_the_facts_cannot_come_in_under_their_names(tmp_path):
    made = tables(tmp_path, users_csv="user_id,variant,at,tier\nann,x,y,gold\n",
                  events_csv=HEAD.replace("\n", ",variant,at,secret\n") + "ann,visit,2025-11-11,x,y,z\n",
                  params="sources: {events: {path: events.csv}, users: {path: users.csv}}")
    assert set(made.events.columns) == set(KEYS) and set(made.users.columns) == {"user_id", "tier"}


def test_values_and_where(tmp_path):
    content = "uid,app,day\nann,1,2025-11-11\nbob,2,2025-11-12\ncy,3,2025-11-13\ndee,,2025-11-13\n"
    said = "{path: events.csv, columns: {user_id: uid, occurred_at: day}, values: {event: visit}, where: {app: [1, 3]}}"
    assert rows(tables(tmp_path, source(said), events_csv=content).events, "user_id", "event") == [
        ("ann", "visit"), ("cy", "visit")]


@pytest.mark.parametrize("value",
                         ["it's", "a;b", "' or 1=1 --", "😀", "a\"b", "双十一", "%", "\\", "NULL", "a,b",
                          "line\nbreak"])
def test_text_is_text(tmp_path, value):
    data = pd.DataFrame({"user_id": [value, "bob"], "event": [value, "visit"], "occurred_at": "2025-11-11",
                         "app": [value, "x"]})
    data.to_csv(tmp_path / "events.csv", index=False)
    data.to_parquet(tmp_path / "events.parquet")
    for path in ("events.csv", "events.parquet"):
        params = {"path": path, "where": {"app": [value]}}
        made = tables(tmp_path, f"sources: {{events: {_json(params)}}}\nmetrics: {{m: {{any: events, role: primary, "
                      f"where: {{event: {_json(value)}}}}}}}", readme_txt="")
        assert rows(made.events, "user_id", "event") == [(value, value)]


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_ids_are_texts_even_where_pandas_made_them_numbers(tmp_path):
    pd.DataFrame({"user_id": [1.0, None, 20250000000001.0], "event": "visit", "occurred_at": "2025-11-11"}).to_parquet(
        tmp_path / "e.parquet")
    made = tables(tmp_path, source("{path: e.parquet}"))
    assert rows(made.events, "user_id") == [("1",), ("20250000000001",)]
    assert made.rows[0].n_without_key == 1
    made = tables(tmp_path, events_csv=HEAD + "007,visit,2025-11-11\n1e3,visit,2025-11-11\n")
    assert rows(made.events, "user_id") == [("007",), ("1e3",)]


@pytest.mark.parametrize(("written", "zone", "utc"), [
    ("2025-11-11", "UTC", "2025-11-11 00:00"), ("2025-11-11 10:30", "UTC", "2025-11-11 10:30"),
    ("2025/11/11 10:30:05.25", "UTC", "2025-11-11 10:30:05.25"),
    ("2025-11-11T10:30:05Z", "America/New_York", "2025-11-11 10:30:05"),
    ("2025-11-11", "Asia/Shanghai", "2025-11-10 16:00"),
    ("2025-11-11 23:59:59", "Asia/Shanghai", "2025-11-11 15:59:59"),
    ("2025-11-11 10:00:00+08:00", "America/New_York", "2025-11-11 02:00"),
    ("2025-11-11 10:00:00+0800", "UTC", "2025-11-11 02:00"),
    ("2025-11-11 10:00:00-05", "Asia/Shanghai", "2025-11-11 15:00"),
    ("2025-11-11 10:00:00 UTC", "Asia/Shanghai", "2025-11-11 10:00"),
    ("2025-11-01 12:00", "America/New_York", "2025-11-01 16:00"),
    ("2025-11-02 12:00", "America/New_York", "2025-11-02 17:00"),
    (" 2025-11-11 10:00 ", "UTC", "2025-11-11 10:00"),
])
def test_times_are_utc_and_without_a_zone_on_the_campaigns_clock(tmp_path, written, zone, utc):
    period = "period: {start: 2025-11-01, end: 2025-11-12}\nbaseline:\n"
    content = f"{HEAD}ann,visit,{written}\n"
    made = tables(tmp_path, f"{period}time_zone: {zone}", events_csv=content)
    assert rows(made.events, "occurred_at") == [(pd.Timestamp(utc).to_pydatetime(),)]
    made = tables(tmp_path, period + source(f"{{path: events.csv, time_zone: {zone}}}"), events_csv=content)
    assert rows(made.events, "occurred_at") == [(pd.Timestamp(utc).to_pydatetime(),)]


def test_days_of_a_database_or_parquet_file_are_local_days_too(tmp_path):
    frame().assign(occurred_at=[datetime(2025, 11, 11).date()] * 2).to_parquet(tmp_path / "e.parquet")
    made = tables(tmp_path, source("{path: e.parquet}") + "time_zone: Asia/Shanghai")
    assert rows(made.events, "occurred_at") == [(datetime(2025, 11, 10, 16),)] * 2


def test_the_covered_days_are_whole_local_days(tmp_path):
    content = HEAD + "ann,visit,2025-11-11 00:30:00\nann,visit,2025-11-12 23:30:00\n"
    made = tables(tmp_path, "time_zone: Asia/Shanghai", events_csv=content)
    assert [str(made.data_from), str(made.data_until)] == ["2025-11-10 16:00:00+00:00", "2025-11-12 16:00:00+00:00"]
    made = tables(tmp_path, "time_zone: Asia/Shanghai\ndata_until: 2025-11-17")
    assert str(made.data_until) == "2025-11-17 16:00:00+00:00"


def test_what_came_after_the_data_are_said_to_end_is_not_there(tmp_path):
    """As if it had been read on that day; rows without a time are accounted for as ever."""
    (tmp_path / "e.csv").write_text(
        HEAD + "ann,visit,2025-11-11 10:00:00\nbob,visit,2025-11-12 23:59:59\n"
        "cy,visit,2025-11-13 00:00:00\ndee,visit,\n")
    made = tables(tmp_path, source("{path: e.csv}") + "data_until: 2025-11-12")
    assert rows(made.events, "user_id") == [("ann",), ("bob",)]
    assert (made.rows[0].n_read, made.rows[0].n_without_key, str(made.data_until)) == (
        3, 1, "2025-11-13 00:00:00+00:00")
    made = tables(tmp_path, source("{path: e.csv}") + "data_until: 2025-11-11 10:00:01")
    assert rows(made.events, "user_id") == [("ann",)]


def test_rows_without_a_user_do_not_stretch_the_covered_days(tmp_path):
    made = tables(tmp_path, events_csv=EVENTS + ",visit,2020-01-01\n")
    assert str(made.data_from) == "2025-11-11 00:00:00+00:00"


@pytest.mark.parametrize("bad", [
    "yesterday", "1762819200", "1762819200000", "11/12/2025 10:00", "2025-13-01", "infinity", "-infinity",
    "57000-01-01",
    "0001-01-01", "epoch", "2025-11-11 10:00:00 Asia/Shanghai", "2025-11-11 10:00:00+99:00",
    "2025-11-11 25:00:00", "20251111"])
def test_what_is_no_time_is_refused_with_its_column_and_an_example(tmp_path, bad):
    content = EVENTS.replace("occurred_at", "ts") + f"cy,visit,{bad}\n"
    assert refusal(tmp_path, source("{path: events.csv, columns: {occurred_at: ts}}"), events_csv=content) == [
        f"sources.events: 'events.csv' column 'ts': 1 of 3 values are not a time like 2025-11-11 20:00:00, "
        f"such as '{bad}' (its type is string)"]


@pytest.mark.parametrize("values", [
    [1762819200, 1762819201], [1762819200.5, 1.0], [datetime(1, 1, 1), datetime(2025, 11, 11)], [True, False]])
def test_an_epoch_is_refused_and_never_guessed(tmp_path, values):
    kind = "datetime64[us]" if isinstance(values[0], datetime) else None
    frame().assign(occurred_at=pd.Series(values, dtype=kind)).to_parquet(tmp_path / "e.parquet")
    (message,) = refusal(tmp_path, source("{path: e.parquet}"))
    assert "of 2 values are not a time like" in message and "'occurred_at'" in message


ORDERS = ("sources: {orders: {path: orders.csv}, users: {path: users.csv}}\n"
          "metrics: {spend: {sum: orders.amount, role: primary}}\n")
USERS = "user_id,agreed,tier\nann,yes,gold\nbob,no,silver\n"
BOUGHT = "user_id,ordered_at,amount\nann,2025-11-11,9.5\nbob,2025-11-12,1\n"


def test_amounts_and_consent_are_typed(tmp_path):
    made = tables(tmp_path, ORDERS + "population: {consent: agreed}", users_csv=USERS, orders_csv=BOUGHT)
    assert rows(made.orders, "user_id", "amount") == [("ann", 9.5), ("bob", 1.0)]
    assert rows(made.users, "user_id", "agreed") == [("ann", True), ("bob", False)]


def test_every_mistake_of_every_source_is_said_at_once(tmp_path):
    params = ORDERS.replace("}\nmetrics",
                            ", events: {path: evnts.csv}, costs: {path: costs.csv, where: {itm: x}}}\nmetrics") + (
        "population: {consent: agreed}")
    found = refusal(tmp_path, params, events_csv=EVENTS, costs_csv="item,amount\nmedia,1\n",
                    users_csv=USERS.replace("yes", "ja").replace("no", "nein"),
                    orders_csv=BOUGHT.replace("9.5", "€9.50").replace("2025-11-12", "tomorrow"))
    assert found == [
        "population.consent: 'users.csv' column 'agreed': 2 of 2 values are not true or false, "
        "such as 'ja' (its type is string); mend them, or name another column",
        "sources.events: no file 'evnts.csv' (relative to the folder of week.yml) (did you mean 'events.csv'?)",
        "sources.orders: 'orders.csv' column 'ordered_at': 1 of 2 values are not a time like 2025-11-11 20:00:00, "
        "such as 'tomorrow' (its type is string)",
        "sources.orders: 'orders.csv' column 'amount': 1 of 2 values are not a number, "
        "such as '€9.50' (its type is string)",
        "sources.costs: 'costs.csv' has no column 'itm' (did you mean 'item'?)"]


@pytest.mark.parametrize(("path", "is_told"), [
    ("arms.csv", True), ("plan/arms.parquet", True), ("arms-*.csv", False), ("duckdb://arms.duckdb", False)])
def test_arms_that_are_not_drawn_yet_are_told_from_a_wrong_path(tmp_path, monkeypatch, path, is_told):
    monkeypatch.chdir(tmp_path)
    table = ", table: arms" if "duckdb" in path else ""
    params = (f'sources: {{events: {{path: events.csv}}, assignments: {{path: "{path}"{table}}}}}\n'
              "arms: {control: stay, shares: {go: 50%, stay: 50%}}")
    (found,) = refusal(tmp_path, params, events_csv=EVENTS)
    assert found.startswith("sources.assignments: no file '")
    drawing = "; if the arms are not drawn yet: `campaign assign week.yml` draws them and writes it"
    assert found.endswith(drawing) is is_told and ("campaign assign" in found) is is_told


def test_of_several_sources_the_wrong_one_is_named(tmp_path):
    found = refusal(tmp_path, source("[{path: events.csv}, {path: b.csv}, {path: c.csv}]"),
                    events_csv=EVENTS, b_csv="uid,event,occurred_at\n", c_csv=EVENTS.replace("2025-11-12", "soon"))
    assert [message.split(":")[0] for message in found] == ["sources.events.2", "sources.events.3"]
    assert "'b.csv' has no column 'user_id'" in found[0]
    assert "name the one that holds it: `columns: {user_id: ...}`" in found[0]


@pytest.mark.parametrize(("path", "content", "said"), [
    ("e.csv", "", "'e.csv' has no header line"),
    ("e.csv", "\n\n", "'e.csv' has no header line"),
    ("e.csv", HEAD, "sources: no event or order has a user and a time; 0 were read"),
    ("e.csv", HEAD + ",visit,2025-11-11\nann,visit,\n", "no event or order has a user and a time; 2 were read"),
    ("e.csv", EVENTS.encode() + "访问,visit,2025-11-11\n".encode("gbk"), "is not UTF-8"),
    ("e.csv", EVENTS + "cy,visit,2025-11-11,more\n",
     "'e.csv' cannot be read: line 4 has 4 values, and the header has 3 columns"),
    ("e.csv", EVENTS.rstrip("\n").rsplit(",", 1)[0], "line 3 has 2 values, and the header has 3 columns"),
    ("e.csv", EVENTS + 'cy,"vi,2025-11-11\n' + "cy,visit,2025-11-11\n" * 3000,
     "'e.csv' cannot be read: line 4 has a quote (\") that does not close where the value ends"),
    ("e.csv", EVENTS + f"cy,{'x' * 3_000_000},2025-11-11\n", "line 4 is longer than 2000000 bytes; is a quote"),
    ("e.csv", EVENTS + f"cy,{'访问' * 500_000},2025-11-11\n", "a row of it does not end; is a quote (\") not closed?"),
    ("e.csv", EVENTS.replace(",", "^"), "has one column, 'user_id^event^occurred_at'; separate columns by comma"),
    ("e.csv", EVENTS.replace(",", "\x01"), "is not a CSV file: its first line holds the byte 0x1"),
    ("e.csv", EVENTS.encode("utf-16-le"), "is not UTF-8"),
    ("e.csv.gz", EVENTS, "'e.csv.gz' cannot be read as CSV: Not a gzipped file"),
    ("e.csv.gz", gzip.compress(EVENTS.encode() * 9000, mtime=0)[:-30], "'e.csv.gz' cannot be read"),
    ("e.csv.gz", gzip.compress(EVENTS.encode(), mtime=0)[:-8],
     "'e.csv.gz' cannot be read as CSV: Compressed file ended before"),
    ("e.csv.gz", gzip.compress(EVENTS.encode(), mtime=0)[:-8] + bytes(8), "CRC check failed"),
    ("e.parquet", EVENTS, "'e.parquet' cannot be read as Parquet"),
    ("e.duckdb", EVENTS, "'e.duckdb' cannot be read as DuckDB"),
    ("e.xlsx", EVENTS, "'e.xlsx' is not one of .csv, .csv.gz, .parquet, .duckdb, .ddb"),
    ("e.csv", EVENTS.replace("2025-11", "2024-11"),
     "period: no event or order falls into it; the data run from 2024-11-11 to"),
])
def test_a_file_that_says_nothing_is_refused_in_words(tmp_path, path, content, said):
    (tmp_path / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    table = ", table: events" if path.endswith("duckdb") else ""
    found = refusal(tmp_path, source(f"{{path: {path}{table}}}"))
    assert len(found) == 1 and said in found[0], found
    assert str(tmp_path) not in found[0] and "cy," not in found[0]   # no folder of this machine, no row of a person


@pytest.mark.parametrize("path",
                         ["nowhere/e.csv", "*.tsv", "**x.csv", "e" * 300 + ".csv", ".", "",
                          "/nowhere/*.csv",
                                  "https://example.org/e.csv"])
def test_a_path_that_leads_nowhere_is_refused(tmp_path, path):
    (message,) = refusal(tmp_path, source(f'{{path: "{path}"}}'))
    assert "no file" in message or "is not a path" in message or "neither a file nor" in message


def test_a_glob_of_two_kinds_or_of_databases_is_refused(tmp_path):
    (tmp_path / "e.parquet").write_bytes(b"")
    (message,) = refusal(tmp_path, source('{path: "e*"}'), e_csv=EVENTS)
    assert "2 files that cannot be read as one" in message


def test_a_file_of_a_glob_that_lacks_a_column_is_named(tmp_path):
    (message,) = refusal(tmp_path, source('{path: "[ab].csv"}'), a_csv=EVENTS,
                         b_csv=EVENTS.replace("occurred_at", "ts"))
    assert "'b.csv' has not the columns of 'a.csv': occurred_at, ts in only one of them" in message


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(12)), st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_counts_do_not_depend_on_the_order_of_rows_or_the_number_of_files(tmp_path_factory, order, files):
    lines = [f"u{i % 5},{('visit', 'pay')[i % 2]},2025-11-{4 + i:02d},e{i % 9},{i % 7}\n" for i in range(12)]
    head = "user_id,event,occurred_at,event_id,channel\n"
    params = "funnels: {f: {steps: [visit, pay], window: none, by: [channel]}}\n"
    folder = tmp_path_factory.mktemp("one")
    whole = tables(folder, params, events_csv=head + "".join(lines))
    parts = tables(folder, params + source('{path: "part*.csv"}'), **{
        f"part{n}_csv": head + "".join(lines[i] for i in order if files[i] == n) for n in range(3)})
    columns = (*KEYS, "event_id", "channel")
    assert rows(whole.events, *columns) == rows(parts.events, *columns)
    assert (whole.rows, whole.data_from, whole.data_until) == (parts.rows, parts.data_from, parts.data_until)


@pytest.mark.parametrize("content", [
    "user_id,动作,occurred_at\na,付款,2025-11-11".encode("gbk"),
    "user_id,event,occurred_at\na,付款,2025-11-11".encode("gbk"),
    "user_id,event,occurred_at\na,pay,2025-11-11".encode("utf-16")], ids=["header", "rows", "utf-16"])
def test_a_file_in_another_encoding_is_told_as_such(tmp_path, content):
    (message,) = refusal(tmp_path, source("{path: e.csv}"), e_csv=content)
    assert "e.csv'" in message and "is not UTF-8 (Excel" in message and "save it as 'CSV UTF-8'" in message


def test_assignments_of_which_no_user_is_known_are_refused_without_showing_an_id():
    with pytest.raises(CampaignError) as caught:
        observed("arms: {control: a, shares: {a: 50%, b: 50%}}", users="user\n secret1\n secret2",
                 events="user|event|at\n secret1|visit|03-05", assignments="user|variant\n 1|a\n 2|b")
    assert "none of its 2 users is in `users:`; ids have to be written alike" in str(caught.value)
    assert len(caught.value.problems) == 1 and "secret" not in str(caught.value)
