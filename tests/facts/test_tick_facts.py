"""What everybody did on each day, and how many rows came."""

import numpy as np
import pytest

from analysis.facts.tick_facts import cells_of, last_row_at, rows_per_tick, sums_per_tick
from tests.running import OPENS, tables
from tests.running import watched as running
from tests.tables import observed, rows

PARAMS = """
arms: {control: a, shares: {a: 50%, b: 50%}}
metrics: {money: {sum: orders.amount, role: primary}, orders: {count: orders}, bought: {any: orders},
  each: {ratio: [money, orders]}, visits: {count: events}}
data_until: 2024-03-05
"""
ORDERS = "user|at|amount\n zoe|02-01|9\n ann|03-03|1\n ann|03-04|2\n ann|03-04|3\n bob|03-04 06:00|7\n bob|03-05|5"
EVENTS = "user|at|event\n zoe|02-01|x\n bob|03-03|x\n bob|03-03 23:59|x\n ann|03-05 23:00|x\n zoe|03-05|x"


def small():
    return observed(PARAMS, assignments="user|variant|at\n ann|a|03-01\n bob|b|03-04 12:00", orders=ORDERS,
                    events=EVENTS)


def test_one_row_per_user_and_day_with_all_metrics_and_none_before_entry():
    assert rows(cells_of(small()), "user_id", "tick", "money", "orders", "bought", "visits") == [
        ("ann", 0, 1.0, 1.0, 1.0, 0.0), ("ann", 1, 5.0, 2.0, 1.0, 0.0), ("ann", 2, 0.0, 0.0, 0.0, 1.0),
        ("bob", 0, 0.0, 0.0, 0.0, 2.0), ("bob", 2, 5.0, 1.0, 1.0, 0.0)]


def test_sums_over_the_users_of_an_arm():
    found = sums_per_tick(small())
    assert found.keys() == {(0, "a"), (1, "a"), (2, "a"), (0, "b"), (2, "b")}
    assert found[1, "a"].of == {"money": 5.0, "orders": 2.0, "bought": 1.0, "visits": 0.0}
    assert found[1, "a"].squares["money"] == 25.0 and found[1, "a"].products == {("money", "orders"): 10.0}


def test_rows_of_whomever_and_when_the_last_came():
    assert rows_per_tick(small(), "events") == {0: 2, 2: 2}
    assert str(last_row_at(small(), "orders")) == "2024-03-05 00:00:00"


def test_by_the_hour_rows_before_are_hours_and_users_have_none_before():
    facts = observed(PARAMS.replace("data_until: 2024-03-05", "period: {start: 2024-03-04, end: 2024-03-04}"),
                     assignments="user|variant|at\n ann|a|03-01\n bob|b|03-01", orders=ORDERS, events=EVENTS)
    assert rows_per_tick(facts, "orders") == {-23: 1, 1: 2, 7: 1}
    assert {tick for tick, _ in sums_per_tick(facts)} == {1, 7}


def test_eight_weeks_before_are_enough_and_the_first_day_of_the_data_is_none_of_them():
    facts = running(days=2)
    assert min(rows_per_tick(facts, "events")) == 2 - OPENS
    assert min(tick for tick, _ in sums_per_tick(facts)) == 2 - OPENS
    early = observed(PARAMS, assignments="user|variant\n ann|a\n bob|b",
                     events="user|at|event\n ann|01-01|x\n ann|01-07|x\n ann|01-08|x\n bob|03-04|x", orders=ORDERS)
    assert min(rows_per_tick(early, "events")) == 1 - 56


def test_totals_of_a_drawn_campaign():
    own, facts = tables(seed=3, n=60, days=3), running(seed=3, n=60, days=3)
    arms = own["assignments"].set_index("user_id")["variant"]
    orders = own["orders"].assign(day=own["orders"]["ordered_at"].dt.day, month=own["orders"]["ordered_at"].dt.month)
    orders = orders[(orders["month"] == 3) & (orders["day"] == 5)]
    orders = orders[orders["user_id"].map(arms) == "go"]
    found = sums_per_tick(facts)[2, "go"]
    assert found.of["money"] == pytest.approx(orders["amount"].sum())
    assert found.of["buyers"] == orders["user_id"].nunique() and found.of["orders"] == len(orders)
    assert found.squares["money"] == pytest.approx(np.square(orders.groupby("user_id")["amount"].sum()).sum())
