"""Rows that come in any order are put together by unit as a sort would: whatever the unit, the files, the memory."""

import random
from datetime import datetime, timedelta

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.facts.activity_facts import Look, counted
from analysis.facts.fold import route, spread
from analysis.facts.fold.gather import gathered
from analysis.facts.reach import Span, reach
from analysis.params.counting import Funnel, Retention

START = datetime(2024, 1, 1)
UNITS = {"text": (pa.string(), str), "integer": (pa.int64(), int), "negative": (pa.int64(), lambda u: -u * 2**40),
         "float": (pa.float64(), lambda u: u / 4), "bytes": (pa.binary(), lambda u: b"\x00" * u)}


def log(users: list, events: list[str], at: list[int], kind: pa.DataType) -> pa.Table:
    times = pa.array([START + timedelta(seconds=s) for s in at], pa.timestamp("us"))
    return pa.table({"user_id": pa.array(users, kind), "event": events, "at": times})


def records(table) -> list[dict]:
    funnel = Funnel.model_validate({"steps": ["a", "b", "c"], "window": "1 hour"})
    found = reach(table, funnel, Span(START, START + timedelta(days=1), None))
    return sorted(found.to_pylist(), key=lambda r: (str(r["unit"]), r["scope"]))


@pytest.fixture
def through_a_file(monkeypatch):
    for place, name, value in ((route, "BATCH", 4_096), (spread, "MEMORY", 100_000), (spread, "ENOUGH", 1)):
        monkeypatch.setattr(place, name, value)


@pytest.fixture
def sorting(monkeypatch):
    def switch() -> None:
        monkeypatch.setitem(route.ROUTES, "duckdb", route.by_sorting)
    return switch


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("memory", ["enough", "little"])
def test_shuffled_rows_of_several_files_count_as_sorted_ones(unit, memory, tmp_path, sorting, request):
    if memory == "little":
        request.getfixturevalue("through_a_file")
    draw, n = random.Random(5), 20_000
    kind, made = UNITS[unit]
    rows = log([made(draw.randrange(300)) for _ in range(n)], draw.choices("abcx", k=n),
               [draw.randrange(90_000) for _ in range(n)], kind)
    for i in range(3):
        pq.write_table(rows.slice(i * n // 3, n // 3), tmp_path / f"{i}.parquet")
    files = ibis.duckdb.connect().read_parquet(str(tmp_path / "*.parquet"))
    found = records(files)
    sorting()
    assert len(found) > 250 and found == records(files)


def test_a_bot_with_very_many_rows_in_no_order_counts_as_one(sorting):
    draw, n = random.Random(6), 300_000
    users = [7] * n + [8, 8, 8]
    events = [*draw.choices("abc", k=n), "a", "b", "c"]
    at = [draw.randrange(80_000) for _ in range(n)] + [1, 2, 3]
    table = ibis.duckdb.connect().create_table("log", log(users, events, at, pa.int64()))
    found = records(table)
    sorting()
    assert [r["unit"] for r in found] == [7, 8] and found == records(table)


def test_rows_without_a_user_or_a_time_are_dropped():
    rows = log(["ann", None, "bea", "bea"], ["a", "a", "a", "b"], [1, 1, 1, 2], pa.string())
    times = rows["at"].to_pylist()
    times[3] = None
    table = ibis.duckdb.connect().create_table("log", rows.set_column(2, "at", pa.array(times, pa.timestamp("us"))))
    assert [(r["unit"], r["depth"]) for r in records(table)] == [("ann", 1), ("bea", 1)]


def test_times_that_are_not_in_microseconds_are_read_as_such():
    rows = log(["ann", "ann"], ["a", "b"], [1, 2], pa.string())
    for unit in ("s", "ms", "ns"):
        table = ibis.duckdb.connect().create_table(
            "log", rows.set_column(2, "at", rows["at"].cast(pa.timestamp(unit))))
        epoch = int((START - datetime(1970, 1, 1)).total_seconds())
        assert [(r["at_1"], r["at_2"]) for r in records(table)] == [((epoch + 1) * 10**6, (epoch + 2) * 10**6)]


@pytest.mark.parametrize("by", ["", "event"])
@pytest.mark.parametrize("who", ["first_time", "recurring"])
def test_returns_are_counted_alike_from_shuffled_and_from_sorted_rows(by, who, sorting):
    draw, n = random.Random(9), 20_000
    rows = log([draw.randrange(900) for _ in range(n)], draw.choices("abc", k=n),
               [draw.randrange(20 * 86_400) for _ in range(n)], pa.int64())
    table = ibis.duckdb.connect().create_table("log", rows)
    asked = Retention.model_validate({"every": "day", "n_periods": 5, "by": by, "who": who})
    look = Look(START.date(), (START + timedelta(days=9)).date(), "UTC", (START + timedelta(days=20)).astimezone())
    found = counted(table, asked, look)
    sorting()
    assert sum(cell.n_on for cell in found) > 1_000 and found == counted(table, asked, look)


def test_units_come_whole_each_with_its_rows_in_order():
    draw = random.Random(2)
    rows = [(draw.randrange(40), draw.randrange(50), draw.choice(["x", "y", None])) for _ in range(5_000)]
    batches = [pa.RecordBatch.from_pylist([
        {"unit": u, "at": at, "text": text, "part": u % spread.N_PARTS} for u, at, text in rows[i:i + 700]
    ], pa.schema([("unit", pa.int64()), ("at", pa.int64()), ("text", pa.string()), ("part", pa.uint8())]))
        for i in range(0, 5_000, 700)]
    found = [(u, at, text) for units in gathered(batches, ["at", "text"]) for k, u in enumerate(units.names.to_pylist())
             for at, text in zip(*(c[units.bounds[k]:units.bounds[k + 1]].tolist() for c in (
                 units.numbers["at"], units.values["text"].to_numpy(zero_copy_only=False))), strict=True)]
    own = {u: sorted(((at, text) for v, at, text in rows if v == u), key=lambda r: (r[0], r[1] is None, r[1] or ""))
           for u in range(40)}
    order = list(dict.fromkeys(u for u, _, _ in found))
    assert len(order) == 40 and found == [(u, at, text) for u in order for at, text in own[u]]
