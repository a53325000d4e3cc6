"""What a user did in a phase, one rule per test, and the identities that hold for any log."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.facts.user_facts import daily_facts, facts_of, span, user_facts, window_facts
from tests.tables import observed, rows

METRICS = """
metrics:
  visits: {count: events, where: {event: visit}, role: primary}
  active: {any: events}
  money: {sum: orders.amount}
  big: {count: orders, where: {kind: [big, huge]}}
  days: {ratio: [visits, active]}
"""
PHASES = "baseline: {start: 2024-02-19, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-17}\n"
EARLY = " old|visit|02-01"  # the log begins before the baseline


def events(*lines):
    return "user|event|at\n" + "\n".join([EARLY, *lines])


def facts_with(*lines, params=METRICS, orders="", **tables):
    orders = "user|at|amount|kind\n old|02-01|9|big\n old|02-01|9|huge\n old|03-04|0|small" + orders
    return observed(params, events=events(*lines), orders=orders, **tables)


def of(user, table):
    return next(row[1:] for row in rows(table, "user_id", *table.columns[2:]) if row[0] == user)


def test_a_user_who_did_nothing_has_zero_and_never_null():
    facts = facts_with()
    assert of("old", user_facts(facts, ["visits", "active", "money", "big"], "during")) == (0.0, 0.0, 0.0, 0.0)


def test_sum_count_and_any_of_the_rows_that_the_metric_asks_for():
    facts = facts_with("ann|visit|03-04", "ann|visit|03-10 23:59:59", "ann|other|03-05", "ann|visit|03-03 23:59:59",
                       orders="\n ann|03-05|2.5|big\n ann|03-06|4|small\n ann|03-06|1|huge\n ann|03-07||")
    assert of("ann", user_facts(facts, ["visits", "active", "money", "big"], "during")) == (2.0, 1.0, 7.5, 2.0)


def test_an_amount_that_is_no_number_counts_as_zero():
    facts = facts_with(orders="\n ann|03-05|nan|\n ann|03-05|inf|\n ann|03-06|3|\n bob|03-06|nan|")
    assert rows(user_facts(facts, ["money"], "during"), "user_id", "money") == [
        ("ann", 3.0), ("bob", 0.0), ("old", 0.0)]


def test_what_came_before_entry_does_not_count_during_and_counts_before():
    facts = facts_with(
        "ann|visit|03-05 11:59:59", "ann|visit|03-05 12:00", "ann|visit|03-02", params=METRICS + PHASES,
        assignments="user|variant|at\n ann|sent|03-05 12:00\n old|sent|03-01")
    assert of("ann", user_facts(facts, ["visits"], "during")) == (1.0,)
    assert of("ann", user_facts(facts, ["visits"], "before")) == (0.5,)


def test_the_baseline_is_the_mean_over_blocks_as_long_as_the_campaign():
    facts = facts_with("ann|visit|02-19", "ann|visit|02-25 23:59", "ann|visit|03-03 23:59", params=METRICS + PHASES)
    assert (span(facts, "before").n_blocks, span(facts, "before").days) == (2, 14.0)
    assert of("ann", user_facts(facts, ["visits", "active"], "before")) == (1.5, 1.0)


def test_any_is_the_share_of_the_blocks_with_a_row():
    facts = facts_with("ann|visit|02-19", "ann|visit|02-20", "bob|visit|02-19", "bob|visit|02-26",
                       params=METRICS + PHASES)
    assert of("ann", user_facts(facts, ["active"], "before")) == (0.5,)
    assert of("bob", user_facts(facts, ["active"], "before")) == (1.0,)


def test_blocks_that_the_data_do_not_cover_are_left_out():
    params = "metrics: {visits: {count: events, role: primary}}\n" + PHASES
    facts = observed(params, events="user|event|at\n ann|visit|02-20\n ann|visit|02-27\n bob|visit|03-05")
    stretch = span(facts, "before")
    assert (stretch.n_blocks, stretch.n_planned, stretch.days, stretch.days_planned) == (1, 2, 13.0, 14.0)
    assert of("ann", user_facts(facts, ["visits"], "before")) == (1.0,)  # not the visit of the first, cut block


def test_a_phase_that_the_data_do_not_reach_is_refused():
    facts = facts_with(params=METRICS + PHASES + "data_until: 2024-03-16")
    assert span(facts, "after").n_blocks == 0
    with pytest.raises(ValueError, match="no block of the phase after"):
        user_facts(facts, ["visits"], "after")


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 168), ("America/New_York", 167), ("Asia/Shanghai", 168)])
def test_days_are_the_zones_and_a_day_with_a_change_of_clocks_is_one_day(zone, hours):
    facts = facts_with("ann|visit|03-04 00:00", "ann|visit|03-10 23:59", "bob|visit|03-11 00:00",
                       "bob|visit|03-03 23:59", params=METRICS + PHASES + f"time_zone: {zone}")
    stretch = span(facts, "during")
    assert (stretch.end - stretch.start).total_seconds() == hours * 3600
    assert rows(user_facts(facts, ["visits"], "during"), "user_id", "visits") == [("ann", 2), ("bob", 0), ("old", 0)]


def test_blocks_are_cut_on_the_wall_clock_when_clocks_change_between_them():
    params = METRICS + ("time_zone: America/New_York\nperiod: {start: 2024-03-18, end: 2024-03-24}\n"
                        "baseline: {start: 2024-03-04, end: 2024-03-17}")
    facts = facts_with("ann|visit|03-10 23:30", "ann|visit|03-11 00:30", "bob|visit|03-10 00:30",
                       "bob|visit|03-10 23:30", "bob|visit|03-20", params=params)
    assert of("ann", user_facts(facts, ["active"], "before")) == (1.0,)  # one visit in either block
    assert of("bob", user_facts(facts, ["active"], "before")) == (0.5,)


NO_RATIO = METRICS.replace("  days: {ratio: [visits, active]}\n", "")
WINDOW = NO_RATIO.replace("where: {event: visit}", "window: 2 days", 1)


def test_the_window_runs_from_entry_and_its_end_counts():
    facts = facts_with("ann|visit|03-04 11:59:59", "ann|visit|03-04 12:00", "ann|visit|03-06 12:00",
                       "ann|visit|03-06 12:00:01", params=WINDOW, assignments="user|variant|at\n ann|sent|03-04 12:00")
    assert of("ann", window_facts(facts, ["visits"], timedelta(days=2))) == (2.0,)
    assert of("ann", facts_of(facts, ["visits"])) == (2.0,)


def test_users_whose_window_is_open_at_the_end_of_the_data_are_left_out():
    facts = facts_with(params=WINDOW + "data_until: 2024-03-11 12:00",
                       assignments="user|variant|at\n ann|sent|03-09 12:00\n bob|sent|03-09 12:00:01")
    assert rows(facts_of(facts, ["visits"]), "user_id") == [("ann",)]


def test_a_window_is_elapsed_time_whatever_the_clocks_do():
    params = WINDOW + "time_zone: America/New_York"
    facts = facts_with("ann|visit|03-10 13:00", "bob|visit|03-10 13:00:01", params=params,
                       assignments="user|variant|at\n ann|sent|03-08 12:00\n bob|sent|03-08 12:00")
    assert of("ann", facts_of(facts, ["visits"])) == (1.0,) and of("bob", facts_of(facts, ["visits"])) == (0.0,)


@pytest.mark.parametrize(("over", "expected"), [("after", 2.0), ("both", 3.0)])
def test_over_the_time_after_or_both_is_one_stretch_from_entry(over, expected):
    params = NO_RATIO.replace("visits: {", f"visits: {{over: {over}, ")
    params += PHASES.replace("2024-03-17", "2024-03-24")  # two blocks long
    facts = facts_with("ann|visit|03-05 11:00", "ann|visit|03-05 13:00", "ann|visit|03-11", "ann|visit|03-24 23:59",
                       "ann|visit|03-25", params=params, assignments="user|variant|at\n ann|sent|03-05 12:00")
    assert of("ann", facts_of(facts, ["visits"])) == (expected,)


def test_copies_of_an_event_count_once_and_a_row_without_a_user_not_at_all():
    log = "event_id|user|event|at\n 1|ann|visit|03-05\n 1|ann|visit|03-05\n 2||visit|03-05\n |ann|visit|03-05"
    facts = observed("metrics: {visits: {count: events, role: primary}}", events=log)
    assert rows(user_facts(facts, ["visits"], "during"), "user_id", "visits") == [("ann", 2.0)]


def a_log(seed, n=4_000):
    """Any user at any minute of eight weeks, entries spread over the campaign."""
    draw = np.random.default_rng(seed)
    log = pd.DataFrame({
        "user_id": [f"u{i}" for i in draw.integers(0, 150, n)],
        "event": draw.choice(["visit", "other"], n),
        "occurred_at": pd.Timestamp("2024-02-05") + pd.to_timedelta(draw.integers(0, 56 * 1440, n), unit="min"),
        "amount": draw.integers(0, 400, n) / 4, "kind": draw.choice(["big", "small"], n)})
    users = log["user_id"].drop_duplicates()
    assigned = pd.DataFrame({
        "user_id": users, "variant": draw.choice(["a", "b"], len(users)),
        "assigned_at": pd.Timestamp("2024-03-01") + pd.to_timedelta(draw.integers(0, 9 * 24, len(users)), unit="h")})
    return log, assigned


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Asia/Shanghai")])
def test_totals_add_up_however_they_are_cut(seed, zone):
    log, assigned = a_log(seed)
    orders = log.rename(columns={"occurred_at": "ordered_at"})
    params = METRICS + PHASES + f"time_zone: {zone}"
    facts = observed(params, events=log, orders=orders, assignments=assigned)
    again = observed(params, events=log.sample(frac=1, random_state=seed), assignments=assigned.iloc[::-1],
                     orders=orders.iloc[::-1])
    joined = log.merge(assigned, on="user_id")
    for phase, start, end in (("before", "2024-02-19", "2024-03-04"), ("during", "2024-03-04", "2024-03-11"),
                              ("after", "2024-03-11", "2024-03-18")):
        wide = user_facts(facts, ["visits", "active", "money", "big"], phase)
        assert rows(wide) == rows(user_facts(again, ["visits", "active", "money", "big"], phase))
        frame = wide.to_pandas()
        assert frame["user_id"].is_unique and len(frame) == facts.left.n_users and not frame.isna().any().any()
        inside = joined[(joined["occurred_at"] >= start) & (joined["occurred_at"] < end)]
        if phase == "during":
            inside = inside[inside["occurred_at"] >= inside["assigned_at"]]
        blocks = 2 if phase == "before" else 1
        assert frame["visits"].sum() * blocks == (inside["event"] == "visit").sum()
        assert frame["money"].sum() * blocks == pytest.approx(inside["amount"].sum())
        for name in ("visits", "money"):
            days = daily_facts(facts, name).to_pandas()
            days = days[(days["day"] >= pd.Timestamp(start)) & (days["day"] < pd.Timestamp(end))]
            by_group = frame.groupby("variant")[name].sum() * blocks
            assert days.groupby("variant")["value"].sum().to_dict() == pytest.approx(by_group.to_dict())


def test_a_ratio_by_day_is_the_ratio_of_the_days_totals():
    facts = facts_with("ann|visit|03-05", "ann|visit|03-05", "bob|visit|03-05", "bob|other|03-06")
    found = {str(day)[:10]: value for day, value in rows(daily_facts(facts, "days"), "day", "value")}
    assert found == {"2024-03-05": 1.5, "2024-03-06": 0.0}
