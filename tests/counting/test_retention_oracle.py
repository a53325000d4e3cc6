"""The fold against plain search: random users with ties, repeats, changes of the clocks, and every option."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import ibis
import pyarrow as pa
import pytest

from analysis.facts.activity_facts import Look, counted
from analysis.params.counting import Retention
from tests.counting import retention_oracle

ROUNDS, USERS = 125, 40               # 5,000 users
ZONES = ("UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Chatham")
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)    # clocks change on 10 March and 7 April


def asked_at_random(draw: random.Random) -> Retention:
    every = draw.choice(["day", "day", "week", "month"])
    clock = draw.choice(["calendar", "calendar", "24h"])
    return Retention(
        start={"event": draw.choice(["", "a", "b"])}, returning={"event": draw.choice(["", "a", "b"])}, every=every,
        week_start=draw.choice(["monday", "sunday"]) if every == "week" else "monday", clock=clock,
        n_periods=draw.randint(1, 6), who=draw.choice(["first_time", "first_matching", "recurring"]),
        brackets=[draw.randint(1, 3) for _ in range(3)] if draw.random() < 0.3 else [],
        min_occurrences=draw.choice([1, 1, 1, 2, 3]))


def log_at_random(draw: random.Random) -> list[tuple]:
    """Users with a handful of events; hours are coarse, so that many fall together, and some on the midnight."""
    rows = []
    for user in range(USERS):
        at = BEGIN + timedelta(hours=draw.randrange(0, 24 * 40))
        for _ in range(draw.choice([1, 2, 3, 5, 9, 14])):
            rows.append((f"u{user}", draw.choice("aab"), at))
            at += draw.choice([timedelta(0), timedelta(minutes=30), timedelta(hours=draw.randrange(1, 60)),
                               timedelta(days=draw.randrange(1, 20)), timedelta(microseconds=1)])
    draw.shuffle(rows)
    return rows


def events_of(connection, rows: list[tuple]):
    table = pa.table({"user_id": [r[0] for r in rows], "event": [r[1] for r in rows],
                      "at": pa.array([r[2].replace(tzinfo=None) for r in rows], pa.timestamp("us"))})
    return connection.create_table("log", table, overwrite=True)


@pytest.fixture(scope="module")
def connection():
    return ibis.duckdb.connect()


def test_as_found_by_plain_search_for_5000_random_users(connection):
    n_compared = 0
    for seed in range(ROUNDS):
        draw = random.Random(seed)
        asked, zone, log = asked_at_random(draw), draw.choice(ZONES), log_at_random(draw)
        first = date(2024, 3, 1) + timedelta(days=draw.randrange(0, 20))
        last = first + timedelta(days=draw.randrange(0, 25))
        until = BEGIN + timedelta(days=draw.randrange(35, 60), hours=draw.randrange(24))
        cells = counted(events_of(connection, log), asked, Look(first, last, zone, until))
        found = {(c.cohort, c.cell): (c.n_users, c.n_on, c.n_on_or_after, c.n_streak, c.n_again)
                 for c in cells if c.n_users}
        expected = retention_oracle.table(log, asked, first, last, zone, until)
        assert found == expected, f"seed {seed}: {asked} in {zone} until {until}"
        n_compared += len(expected)
    assert n_compared > 2000


@pytest.mark.parametrize("seed", range(3))
def test_properties_that_hold_for_any_log(connection, seed):
    draw = random.Random(1000 + seed)
    for _ in range(10):
        asked, log = asked_at_random(draw), log_at_random(draw)
        look = Look(date(2024, 3, 1), date(2024, 4, 15), draw.choice(ZONES), BEGIN + timedelta(days=50))
        cells = counted(events_of(connection, log), asked, look)
        assert cells == counted(events_of(connection, sorted(log)), asked, look), "the order of rows does not matter"
        for one, following in pairwise(cells):
            assert all(0 <= n <= one.n_users for n in (one.n_on, one.n_on_or_after, one.n_streak, one.n_again))
            if not one.cell:
                assert one.n_on == one.n_on_or_after == one.n_users, "period 0 is the cohort"
            if following.cell:
                assert following.n_on_or_after <= one.n_on_or_after and following.n_streak <= one.n_streak
            assert one.n_streak <= one.n_again <= one.n_on <= one.n_on_or_after
