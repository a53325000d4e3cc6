"""Every row is accounted for: used, or left out for the reason that the report prints."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.data.rows import Rows
from tests.data.campaign_folder import refusal, rows, tables

HEAD = "user_id,event,occurred_at,event_id\n"
ORDERS = ("sources: {orders: {path: orders.csv}}\n"
          "metrics: {spend: {sum: orders.amount, role: primary}, saved: {sum: orders.discount}}")


def test_rows_without_user_name_or_time_are_left_out_and_counted(tmp_path):
    made = tables(tmp_path,
                  events_csv=HEAD + ",visit,2025-11-11,1\nann,,2025-11-11,2\nann,visit,,3\nann,visit,2025-11-11,4\n")
    assert rows(made.events, "event_id") == [("4",)]
    assert made.rows == [Rows("events", n_read=4, n_without_key=3, n_during=1, has_ids=True)]


def test_a_row_id_counts_once_and_no_id_is_no_duplicate(tmp_path):
    row = "ann,visit,2025-11-11"
    made = tables(tmp_path, events_csv=HEAD + f"{row},1\n{row},1\n{row},1\n{row},2\n{row},\n{row},\n")
    assert made.rows == [Rows("events", n_read=6, n_duplicate=2, n_during=4, has_ids=True)]
    assert made.events.count().execute() == 4


@pytest.mark.parametrize("flip", [False, True])
def test_of_two_rows_with_one_id_the_same_one_stays_whatever_their_order(tmp_path, flip):
    pair = ["ann,visit,2025-11-12,1\n", "ann,pay,2025-11-11,1\n"]
    made = tables(tmp_path, events_csv=HEAD + "".join(reversed(pair) if flip else pair))
    assert rows(made.events, "event", "event_id") == [("pay", "1")]
    assert made.rows[0].n_duplicate == 1


def test_a_row_without_a_key_does_not_take_the_place_of_one_with_its_id(tmp_path):
    made = tables(tmp_path, events_csv=HEAD + ",aaa,2025-11-11,1\nann,visit,2025-11-11,1\n")
    assert rows(made.events, "user_id") == [("ann",)]
    assert made.rows == [Rows("events", n_read=2, n_without_key=1, n_during=1, has_ids=True)]


def test_without_a_row_id_equal_rows_are_different_events(tmp_path):
    made = tables(tmp_path, events_csv="user_id,event,occurred_at\n" + "ann,visit,2025-11-11\n" * 3)
    assert made.rows == [Rows("events", n_read=3, n_during=3, n_alike=2)]


def test_amounts_that_are_missing_or_not_finite_stay_as_null_and_are_counted(tmp_path):
    body = "".join(f"ann,2025-11-11,{amount},{amount}\n" for amount in ("5", "", "nan", "inf", "-inf", "-3", "0"))
    made = tables(tmp_path, ORDERS, orders_csv="user_id,ordered_at,amount,discount\n" + body)
    assert made.rows == [Rows("orders", n_read=7, n_missing_amount=4, n_during=7, n_alike=3)]
    for column in ("amount", "discount"):
        assert rows(made.orders, column) == [(-3.0,), (0.0,), (5.0,), (None,), (None,), (None,), (None,)]


def test_costs_need_an_item_and_may_lack_an_amount(tmp_path):
    made = tables(tmp_path, "sources: {events: {path: events.csv}, costs: {path: costs.csv}}",
                  events_csv=HEAD + "ann,visit,2025-11-11,1\n", costs_csv="item,amount\nmedia,5\n,5\nprizes,\n")
    assert made.rows[1] == Rows("costs", n_read=3, n_without_key=1, n_missing_amount=1)


@pytest.mark.parametrize(("at", "phase"), [
    ("2025-11-03 23:59:59", "outside"), ("2025-11-04 00:00:00", "before"), ("2025-11-10 23:59:59", "before"),
    ("2025-11-11 00:00:00", "during"), ("2025-11-17 23:59:59.999", "during"), ("2025-11-18 00:00:00", "outside")])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_a_row_falls_into_the_phase_of_its_local_time(tmp_path, at, phase, zone):
    made = tables(tmp_path, f"time_zone: {zone}", events_csv=HEAD + f"ann,visit,{at},1\nann,visit,2025-11-12,2\n")
    counted = {name: getattr(made.rows[0], f"n_{name}") for name in ("before", "during", "after", "outside")}
    counted["during"] -= 1
    assert counted == {"before": 0, "during": 0, "after": 0, "outside": 0, phase: 1}


CELLS = st.tuples(st.sampled_from(["ann", "bob", ""]), st.sampled_from(["visit", "pay", ""]),
                  st.sampled_from(["", "2025-11-01", "2025-11-05", "2025-11-12", "2025-11-20", "2025-12-01"]),
                  st.sampled_from(["", "1", "2", "3"]))


@settings(max_examples=30, deadline=None)
@given(st.lists(CELLS, max_size=15))
def test_every_row_is_in_exactly_one_count(tmp_path_factory, cells):
    cells = [*cells, ("ann", "visit", "2025-11-12", "own")]
    made = tables(tmp_path_factory.mktemp("rows"), "after: {start: 2025-11-18, end: 2025-11-24}",
                  events_csv=HEAD + "".join(",".join(row) + "\n" for row in cells))
    (row,) = made.rows
    kept = [cell for cell in cells if all(cell[:3])]
    ids = [cell[3] for cell in kept if cell[3]]
    assert (row.n_read, row.n_without_key) == (len(cells), len(cells) - len(kept))
    assert row.n_duplicate == len(ids) - len(set(ids))
    used = row.n_before + row.n_during + row.n_after + row.n_outside
    assert row.n_read == row.n_without_key + row.n_duplicate + used
    assert made.events.count().execute() == used


@pytest.mark.parametrize(("table", "content"), [("users", "user_id,tier\n"), ("users", "user_id,tier\n,gold\n"),
                                                ("assignments", "user_id,variant\n")])
def test_a_table_of_users_without_a_user_is_refused(tmp_path, table, content):
    found = refusal(tmp_path, f"sources: {{events: {{path: events.csv}}, {table}: {{path: t.csv}}}}",
                    events_csv=HEAD + "ann,visit,2025-11-11,1\n", t_csv=content)
    assert [message.split(";")[0] for message in found] == [f"sources.{table}: has no row with a user"]


def test_one_empty_table_of_acts_is_a_campaign_in_which_nothing_of_the_kind_happened(tmp_path):
    made = tables(tmp_path, "sources: {events: {path: events.csv}, orders: {path: orders.csv}}",
                  events_csv=HEAD + "ann,visit,2025-11-11,1\n", orders_csv="user_id,ordered_at,amount\n")
    assert made.rows[1] == Rows("orders", n_read=0) and made.orders.count().execute() == 0
