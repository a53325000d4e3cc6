"""What people get wrong in data files, and what must be said of it."""

from __future__ import annotations

import gzip
import os
from random import Random

from analysis.data.columns import REQUIRED
from tests.bad_inputs import Inputs, Kind, Taken, Told

KINDS: dict[str, Kind] = {}
FILES = {"users": "users", "assignments": "arms", "events": "events", "orders": "orders"}   # table -> its file
NUMBER, TIME = "are not a number, such as", "are not a time like 2025-11-11 20:00:00, such as"


def kind(make: Kind) -> Kind:
    KINDS[make.__name__.replace("_", " ")] = make
    return make


def _pick(draw: Random, inputs: Inputs, *tables: str) -> tuple[str, str]:
    """A table that is not spoilt yet, claimed, and its file."""
    free = [table for table in tables or FILES if table not in inputs.taken]
    if not free:
        raise Taken
    table = draw.choice(free)
    inputs.take(table)
    return table, f"data/{FILES[table]}.csv"


def _told(table: str, *words: str) -> list[Told]:
    return [Told(f"sources.{table}", words)]


def _cell(draw: Random, inputs: Inputs, file: str, column: str, value: str) -> None:
    """Write a value into one row, not the header."""
    lines = inputs.files[file].decode().splitlines()
    i, at = draw.randrange(1, len(lines)), lines[0].split(",").index(column)
    cells = lines[i].split(",")
    cells[at] = value
    lines[i] = ",".join(cells)
    inputs.files[file] = ("\n".join(lines) + "\n").encode()


def _moved(inputs: Inputs, table: str, name: str, content: bytes) -> None:
    """The table lies in another file, as the params say."""
    inputs.files[f"data/{name}"] = content
    inputs.put(("sources", table, "path"), f"../data/{name}")


@kind
def missing_file(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    del inputs.files[file]
    return _told(table, f"no file '../{file}' (relative to the folder of spring.yml)")


@kind
def misspelt_file(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.put(("sources", table, "path"), f"../{file.replace('.csv', 's.csv')}")
    return _told(table, "no file", f"(did you mean '{file.removeprefix('data/')}'?)")


@kind
def missing_folder(draw: Random, inputs: Inputs) -> list[Told]:
    table, _ = _pick(draw, inputs)
    inputs.put(("sources", table, "path"), f"../dta/{FILES[table]}.csv")
    return _told(table, "no file", "its folder does not exist or is empty")


@kind
def folder_instead_of_file(draw: Random, inputs: Inputs) -> list[Told]:
    table, _ = _pick(draw, inputs)
    inputs.files["data/empty/"] = b""
    inputs.put(("sources", table, "path"), draw.choice(["../data", "../data/empty", "../data/empty/"]))
    return _told(table, "no file '../data")


@kind
def folder_of_a_files_name(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    del inputs.files[file]
    inputs.files[f"{file}/"] = b""
    return _told(table, f"no file '../{file}'")


@kind
def empty_file(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[file] = draw.choice([b"", b"\n", b"\n\n\n", b"\xef\xbb\xbf", b"   \n"])
    return _told(table, f"'{FILES[table]}.csv' has no header line")


@kind
def header_only(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("*")
    table = draw.choice(list(FILES))
    both = ["events", "orders"] if table in ("events", "orders") else [table]
    for name in both:
        file = f"data/{FILES[name]}.csv"
        inputs.files[file] = inputs.files[file].split(b"\n")[0] + draw.choice([b"", b"\n"])
    if len(both) == 2:
        return [Told("sources", ("no event or order has a user and a time; 0 were read",), n_more=1)]
    if table == "assignments":
        return [Told("arms.shares.campaign", ("'campaign' is not a variant; the data has none",)),
                Told("arms.shares.holdout", ("'holdout' is not a variant; the data has none",))]
    return [Told("sources.users", ("has no row with a user; 0 were read",), n_more=1)]


@kind
def nobody(draw: Random, inputs: Inputs) -> list[Told]:
    """All ids are empty."""
    inputs.take("*")
    lines = inputs.files["data/users.csv"].decode().splitlines()
    inputs.files["data/users.csv"] = "\n".join(
        [lines[0], *(line[line.index(","):] for line in lines[1:])]).encode()
    return [Told("sources.users", ("has no row with a user; 12 were read",), n_more=1)]


@kind
def missing_column(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    column = draw.choice(REQUIRED[table])
    other = draw.choice(["uid", "客户", f"{column}s", "x"])
    inputs.files[file] = inputs.files[file].replace(column.encode(), other.encode(), 1)
    return _told(table, f"has no column '{column}'", f"`columns: {{{column}: ...}}`")


@kind
def renamed_column_that_is_not_there(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    key = draw.choice(["columns: {user_id: usr_id}", "where: {usr_id: u1}"])
    inputs.put(("sources", table), f"{{path: ../{file}, {key}}}")
    return _told(table, "has no column 'usr_id' (did you mean 'user_id'?)")


@kind
def column_twice(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    head, rest = inputs.files[file].split(b"\n", 1)
    first, second = head.split(b",")[:2]
    inputs.files[file] = head.replace(second, first, 1) + b"\n" + rest
    return _told(table, f"'{FILES[table]}.csv' has two columns '{first.decode()}'")


@kind
def text_among_numbers(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs, "orders")
    value = draw.choice(
        ["€9.50", "9.50 CNY", "n/a", "NULL", "-", "1.234.5", "nine", "0x1F", "####", "9;5", "1e", "１２"])
    _cell(draw, inputs, file, "amount", value)
    return _told(table, "column 'amount': 1 of ", NUMBER, f"'{value}'")


@kind
def decimal_comma(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs, "orders")
    value = draw.choice(["9,50", "1,234.50", "1.234,50"])
    _cell(draw, inputs, file, "amount", f'"{value}"')
    return _told(table, "column 'amount'", NUMBER, f"'{value}'")


@kind
def impossible_time(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs, "events", "orders")
    value = draw.choice([
        "2025-02-30 10:00:00", "2025-11-11 25:00:00", "2025-13-01", "0001-01-01", "9999-12-31", "1762819200",
        "1762819200000", "infinity", "yesterday", "11/12/2025", "2025-11", "10:00", "epoch", "45972.41667",
        "2025年11月11日"])
    column = {"events": "occurred_at", "orders": "ordered_at"}[table]
    _cell(draw, inputs, file, column, value)
    return _told(table, f"column '{column}': 1 of", TIME, f"'{value}'")


@kind
def zones_of_many_kinds(draw: Random, inputs: Inputs) -> list[Told]:
    """Z, +08:00 and no zone at all go together; names of zones are not read."""
    table, file = _pick(draw, inputs, "events", "orders")
    column = {"events": "occurred_at", "orders": "ordered_at"}[table]
    for good in ("2025-11-11T10:00:00Z", "2025-11-11 10:00:00+08:00"):
        _cell(draw, inputs, file, column, good)
    value = draw.choice(["2025-11-11 10:00:00 Asia/Shanghai", "2025-11-11 10:00:00 CET", "2025-11-11 10:00:00+99:00",
                         "2025-11-11 10:00:00 +8"])
    _cell(draw, inputs, file, column, value)
    return _told(table, f"column '{column}'", TIME, f"'{value}'")


@kind
def another_time(draw: Random, inputs: Inputs) -> list[Told]:
    """All of it is of last year."""
    inputs.take("*")
    for file in ("data/events.csv", "data/orders.csv"):
        inputs.files[file] = inputs.files[file].replace(b"2025-", b"2024-")
    return [Told("period", ("no event or order falls into it; the data run from 2024-11-04 to 2024-11-",))]


@kind
def unknown_variant(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("assignments")
    rows = inputs.files["data/arms.csv"]
    if draw.random() < 0.5:
        _cell(draw, inputs, "data/arms.csv", "variant", "vip")
        return [Told("arms.shares", ("the data has the variant 'vip', which has no planned share",))]
    wrong = draw.choice(["Holdout", "hold_out", "control group", "holdоut"])
    inputs.files["data/arms.csv"] = rows.replace(b"holdout", wrong.encode())
    more = [Told("arms.shares", (f"the data has the variant '{wrong}'",))] if wrong == "control group" else []
    return [Told("arms.shares.holdout", ("'holdout' is not a variant; the data has ", f"'{wrong}'")), *more]


@kind
def ids_written_otherwise(draw: Random, inputs: Inputs) -> list[Told]:
    """Users of the assignments are not those of the users table."""
    inputs.take("*")
    wrong = draw.choice([b"\nU", b"\n0", b"\nx-u"])
    inputs.files["data/arms.csv"] = inputs.files["data/arms.csv"].replace(b"\nu", wrong)
    return _told("assignments", "none of its 12 users is in `users:`")


@kind
def truncated_gzip(draw: Random, inputs: Inputs) -> list[Told]:
    """Cut in the data, in the sums at its end, or between them, where all rows are there; or changed on the way."""
    table, file = _pick(draw, inputs)
    whole = gzip.compress(inputs.files[file])
    cut = draw.choice([whole[:-9], whole[:-8], whole[:-1], whole[:len(whole) // 2], whole[:-6] + b"\0" * 6, whole[:15]])
    _moved(inputs, table, f"{FILES[table]}.csv.gz", cut)
    return _told(table, f"{FILES[table]}.csv.gz' cannot be read as CSV: ",
                 "it is damaged, cut off or no gzip file")


@kind
def no_gzip(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    _moved(inputs, table, f"{FILES[table]}.csv.gz", inputs.files[file])
    return _told(table, f"{FILES[table]}.csv.gz' cannot be read as CSV: Not a gzipped file")


@kind
def no_parquet(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    content = draw.choice([inputs.files[file], b"", b"PAR1", b"PAR1" + draw.randbytes(300) + b"PAR1", b"\0" * 500])
    _moved(inputs, table, f"{FILES[table]}.parquet", content)
    return _told(table, f"{FILES[table]}.parquet' cannot be read as Parquet: ")


@kind
def no_database(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[f"data/{table}.duckdb"] = draw.choice([inputs.files[file], draw.randbytes(5000)])
    inputs.put(("sources", table), f"{{path: ../data/{table}.duckdb, table: {table}}}")
    return _told(table, f"{table}.duckdb' cannot be read as DuckDB: ")


@kind
def other_kind_of_file(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    name = f"{FILES[table]}.{draw.choice(['xlsx', 'txt', 'json', 'csv.zip', 'csv.bak', 'tsv'])}"
    _moved(inputs, table, name, inputs.files[file])
    return _told(table, f"'../data/{name}' is not one of .csv, .csv.gz, .parquet, .duckdb")


@kind
def two_kinds_in_a_glob(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[file.replace(".csv", ".parquet")] = b""
    inputs.put(("sources", table, "path"), f'"../data/{FILES[table]}.*"')
    return _told(table, "is 2 files that cannot be read as one; name each as a source")


@kind
def unlike_files_in_a_glob(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[file.replace(".csv", "-2.csv")] = inputs.files[file].replace(b"user_id", b"uid", 1)
    inputs.put(("sources", table, "path"), f'"../data/{FILES[table]}*.csv"')
    return _told(table, "has not the columns of", "uid, user_id in only one of them")


@kind
def wrong_delimiter(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[file] = inputs.files[file].replace(b",", draw.choice([b"^", b" ", b"\x01", b":"]))
    return _told(table, "separate columns by comma, semicolon, tab or |")


@kind
def another_delimiter_below_the_header(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    head, rest = inputs.files[file].split(b"\n", 1)
    inputs.files[file] = head + b"\n" + rest.replace(b",", b";")
    return _told(table, f"{FILES[table]}.csv' cannot be read: line 2 has 1 values, and the header has")


@kind
def quote_that_never_closes(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    lines = inputs.files[file].split(b"\n")
    i = draw.randrange(1, len(lines) - 1)
    lines[i] = b'"' + lines[i]
    inputs.files[file] = b"\n".join(lines)
    return _told(table, f"{FILES[table]}.csv' cannot be read: line ", "quote")


@kind
def ragged_rows(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    lines = inputs.files[file].split(b"\n")
    i = draw.randrange(1, len(lines) - 1)
    lines[i] = draw.choice([lines[i] + b",more", lines[i].rsplit(b",", 1)[0]])
    inputs.files[file] = b"\n".join(lines)
    return _told(table, f"{FILES[table]}.csv' cannot be read: line {i + 1} has ", "and the header has")


@kind
def another_encoding(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    text = inputs.files[file].decode()
    rows = text.replace("u3,", "用户3,")
    inputs.files[file] = draw.choice([
        rows.encode("gbk"), text.replace("u3,", "客戶3,").encode("big5"), text.encode("utf-16"),
        text.encode("utf-16-le"),
        text.replace("user_id", "用户,user_id").replace("\nu", "\n,u").encode("gbk"), text.encode("utf-32")])
    return _told(table, f"{FILES[table]}.csv'", "is not UTF-8", "save it as 'CSV UTF-8'")


@kind
def bytes_of_no_text(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[file] = draw.choice([b"\x89PNG\r\n\x1a\n" + draw.randbytes(500), draw.randbytes(3000),
                                      b"PK\x03\x04" + draw.randbytes(400), b"\0" * 400])
    return _told(table, f"{FILES[table]}.csv'")


@kind
def endless_cell(draw: Random, inputs: Inputs) -> list[Told]:
    """A million characters where a number is due; what is said of it stays short."""
    table, file = _pick(draw, inputs, "orders", "events")
    column = {"events": "occurred_at", "orders": "amount"}[table]
    _cell(draw, inputs, file, column, draw.choice(["x", "9x", "价"]) * 1_000_000)
    return _told(table, f"{FILES[table]}.csv'")


@kind
def endless_header(draw: Random, inputs: Inputs) -> list[Told]:
    table, file = _pick(draw, inputs)
    inputs.files[file] = b"x" * 2_000_000 + b"," + inputs.files[file]
    return _told(table, f"{FILES[table]}.csv'")


@kind
def consent_in_other_words(draw: Random, inputs: Inputs) -> list[Told]:
    inputs.take("users")
    inputs.files["data/users.csv"] = inputs.files["data/users.csv"].replace(b"yes", draw.choice(["ja", "是"]).encode())
    return [Told("population.consent", ("column 'agreed': 12 of 12 values are not true or false",))]


@kind
def column_that_the_data_lack(draw: Random, inputs: Inputs) -> list[Told]:
    where, value, table, words = draw.choice([
        (("metrics", "amount", "sum"), "orders.amuont", "orders",
         "orders has no column 'amuont' (did you mean 'amount'?)"),
        (("quantiles", "basket", "of"), "orders.total", "orders", "orders has no column 'total'; there is "),
        (("funnels", "purchase", "by", 0), "chanel", "events", "(did you mean 'channel'?)"),
        (("effects", "segments", 0), "town", "users", "users has no column 'town'; there is "),
        (("population", "consent"), "agreed_on", "users", "users has no column 'agreed_on' (did you mean 'agreed'?)"),
        (("retention",), "{every: day, by: plattform}", "events", "has no column 'plattform'"),
        (("arms", "strata"), "[citty]", "users", "users has no column 'citty' (did you mean 'city'?)")])
    inputs.take(table, *(["users"] if where == ("retention",) else []))
    inputs.put(where, value)
    at = ".".join(str(key + 1) if isinstance(key, int) else key for key in where)
    return [Told({"retention": "retention.by", "arms.strata": "arms.strata.1"}.get(at, at), (words,), n_more=1)]


@kind
def value_that_the_data_lack(draw: Random, inputs: Inputs) -> list[Told]:
    where, value, table, at, words = draw.choice([
        (("funnels", "purchase", "steps"), "[vist, pay]", "events", "funnels.purchase.steps.1",
         "no event is called 'vist' (did you mean 'visit'?)"),
        (("funnels", "purchase", "steps"), "[visit, ship]", "events", "funnels.purchase.steps.2",
         "no event is called 'ship'; there is pay, refund, visit"),
        (("activity",), "{event: Visit}", "events", "activity.event", "(did you mean 'visit'?)"),
        (("metrics", "refunds", "where"), "{event: refnd}", "events", "metrics.refunds.where.event",
         "no row of events has event 'refnd' (did you mean 'refund'?)"),
        (("population", "where"), "{tier: [Gold]}", "users", "population.where.tier",
         "no row of users has tier 'Gold' (did you mean 'gold'?)")])
    inputs.take(table)
    inputs.put(where, value)
    return [Told(at, (words,))]


if os.geteuid():   # to root every file is open

    @kind
    def file_that_nobody_may_read(draw: Random, inputs: Inputs) -> list[Told]:
        table, file = _pick(draw, inputs)
        inputs.locked.append(file)
        return _told(table, f"{file}' cannot be read", "ermission")
