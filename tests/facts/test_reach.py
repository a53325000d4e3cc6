"""The fold against exhaustive search, and what must not matter: order of rows, number of files, engine."""

import random
from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.facts.fold import route, spread
from analysis.facts.reach import Span, reach
from analysis.params.counting import Funnel
from tests.engines import connected_or_skipped, loaded
from tests.oracle import judge

START = datetime(2024, 1, 1, tzinfo=UTC)
N_USERS = 5_000
ABC = {"steps": ["a", "b", "c"], "window": "4 seconds"}
FUNNELS = {
    "ordered": ABC,
    "no_window": {**ABC, "window": "none"},
    "first_entry": {**ABC, "entry": "first"},
    "repeated_step": {**ABC, "steps": ["a", "b", "a"]},
    "any_event": {**ABC, "steps": ["a", {}, "b"]},
    "four_steps": {**ABC, "steps": ["a", "b", "a", "b"]},
    "strictly_later": {**ABC, "ties": "strictly_later"},
    "strictly_later_repeated": {**ABC, "steps": ["a", "b", "a"], "ties": "strictly_later"},
    "reuse": {**ABC, "steps": ["a", {}, "b", "b"], "reuse": True},
    "grace": {**ABC, "grace": "1 second"},
    "optional": {**ABC, "steps": ["a", "b", "c", "x"], "optional": [2, 3]},
    "optional_last": {**ABC, "optional": [3]},
    "excluded": {**ABC, "exclusions": ["x"]},
    "excluded_late": {**ABC, "exclusions": [{"event": "x", "after": 2, "before": 3}]},
    "excluded_twice": {**ABC, "steps": ["a", "b", "a"],
                       "exclusions": [{"event": "x", "before": 2}, {"event": "z", "after": 2}]},
    "excluded_no_window": {**ABC, "window": "none", "exclusions": ["x"]},
    "removed": {**ABC, "exclusions": ["x"], "excluded": "remove_user"},
    "removed_late": {**ABC, "exclusions": [{"event": "x", "after": 2}], "excluded": "remove_user"},
    "strict": {**ABC, "order": "strict"},
    "strict_repeated": {**ABC, "steps": ["a", "b", "a"], "order": "strict"},
    "unordered": {**ABC, "order": "unordered"},
    "unordered_repeated": {**ABC, "steps": ["a", "b", "a"], "order": "unordered"},
    "unordered_any": {**ABC, "steps": ["a", {}, "b"], "order": "unordered"},
    "constant": {**ABC, "constant": "value"},
    "constant_first": {**ABC, "constant": "value", "entry": "first"},
    "first_ever": {**ABC, "steps": [{"event": "a", "occurrence": "first_ever"}, "b", "a"]},
    "first_matching": {**ABC, "steps": ["a", {"event": "b", "occurrence": "first_matching"}, "c"]},
}


def drawn(seed: int, n_users: int = N_USERS) -> dict[str, list[tuple]]:
    """user -> (seconds, event, value); few times and few events, so that ties, repeats and exclusions abound."""
    draw = random.Random(seed)

    def event() -> tuple:
        return draw.randrange(9), draw.choice("aaabbbccxz"), draw.choice("vw")

    return {f"u{u}": [event() for _ in range(draw.randrange(1, 10))] for u in range(n_users)}


def log(users: dict[str, list[tuple]]) -> pa.Table:
    rows = [(user, event, (START + timedelta(seconds=at)).replace(tzinfo=None), value)
            for user, events in users.items() for at, event, value in events]
    text, time = pa.string(), pa.timestamp("us")
    schema = pa.schema([("user_id", text), ("event", text), ("at", time), ("value", text)])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def span(since: int, until: int) -> Span:
    return Span(START + timedelta(seconds=since), START + timedelta(seconds=until), None)


def best(record: dict, funnel: Funnel) -> tuple:
    """depth, entry, end of the attempt (seconds), steps reached; as the oracle says it."""
    ats = [record[f"at_{s + 1}"] for s in range(len(funnel.steps))]
    seconds = [None if at is None else at / 1e6 - START.timestamp() for at in ats]
    known = [s for s in seconds if s is not None]
    return record["depth"], seconds[0], known[-1], frozenset(s for s in range(len(ats)) if record["reached"] >> s & 1)


@pytest.fixture(params=["gathered", "spilled", "sorted"])
def by_route(request, monkeypatch):
    """How rows come to the fold: put together by unit in memory or through a file, or sorted by the engine."""
    if request.param == "sorted":
        monkeypatch.setitem(route.ROUTES, "duckdb", route.by_sorting)
    if request.param == "spilled":
        for place, name, value in ((route, "BATCH", 4_096), (spread, "MEMORY", 100_000), (spread, "ENOUGH", 1)):
            monkeypatch.setattr(place, name, value)


@pytest.mark.usefixtures("by_route")
@pytest.mark.parametrize("name", FUNNELS)
def test_the_fold_agrees_with_exhaustive_search(name):
    funnel, users = Funnel.model_validate(FUNNELS[name]), drawn(7)
    events = loaded(connected_or_skipped("duckdb"), "drawn", log(users))
    found = {r["unit"]: best(r, funnel) for r in reach(events, funnel, span(0, 7)).to_pylist() if r["scope"] & 1}
    for user, own in users.items():
        expected = judge(own, funnel, 0, 7)
        assert found.get(user, (0, None, None, frozenset())) == expected, (user, sorted(own))


def sorted_records(table: pa.Table) -> list[dict]:
    return sorted(table.to_pylist(), key=lambda r: (r["unit"], r["scope"]))


@pytest.mark.usefixtures("by_route")
@pytest.mark.parametrize("name", FUNNELS)
def test_counts_do_not_depend_on_the_order_of_rows_or_the_number_of_files(name, tmp_path):
    funnel, rows = Funnel.model_validate(FUNNELS[name]), log(drawn(11, 500))
    order = list(range(len(rows)))
    random.Random(3).shuffle(order)
    for i in range(4):
        pq.write_table(rows.take(order[i::4]), tmp_path / f"{i}.parquet")
    whole, parts = ibis.duckdb.connect(), ibis.duckdb.connect()
    expected = reach(whole.create_table("log", rows), funnel, span(1, 8), ["value"])
    found = reach(parts.read_parquet(str(tmp_path / "*.parquet")), funnel, span(1, 8), ["value"])
    assert sorted_records(found) == sorted_records(expected)


@pytest.mark.parametrize("engine", ["postgres", "spark"])
@pytest.mark.parametrize("name", ["ordered", "repeated_step", "removed", "unordered", "constant_first", "first_ever"])
def test_counts_do_not_depend_on_the_engine(engine, name):
    funnel, rows = Funnel.model_validate(FUNNELS[name]), log(drawn(13, 1_000))
    tables = [loaded(connected_or_skipped(e), "drawn", rows) for e in ("duckdb", engine)]
    expected, found = (sorted_records(reach(table, funnel, span(1, 8), ["value"])) for table in tables)
    assert found == expected
