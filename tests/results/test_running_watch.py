"""Data arriving, the split over time, sudden breaks and the outlook of a running campaign."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.results.running.arrival import arrivals, last_rows
from analysis.results.running.breaks import breaks, n_series, watched
from analysis.results.running.course import course
from analysis.results.running.decision import FALSE_ALARMS, decide, watch
from analysis.results.running.outlook import outlook, unseen
from analysis.results.running.split import split, split_check
from analysis.stats.split_looks import split_looks
from tests.running import PARAMS, tables
from tests.running import watched as running
from tests.tables import observed


def states(rows):
    return {(row.table, row.tick): row.state for row in rows if row.state != "ok"}


# --- arriving ---

def test_every_day_has_its_rows_counted_and_expected():
    rows = arrivals(running(days=9), 0.001)
    own = tables(days=9)["orders"]["ordered_at"]
    assert [(row.table, row.tick) for row in rows] == [(name, t) for name in ("events", "orders") for t in range(1, 10)]
    for row in rows[9:]:
        day = pd.Timestamp("2024-03-03") + pd.Timedelta(days=row.tick)
        assert row.n_rows == (own.dt.normalize() == day).sum()
        assert row.lower < row.expected < row.upper and not row.reason


@pytest.mark.parametrize(("how", "wanted"), [
    ({"skip": [9]}, {("events", 9): "none", ("orders", 9): "none"}),
    ({"change": {9: 0.5}}, {("events", 9): "few", ("orders", 9): "few"}),
    ({"change": {9: 2.2}}, {("events", 9): "many", ("orders", 9): "many"}),
    ({"change": {1: 0.4}}, {("events", 1): "few", ("orders", 1): "few"}),
    ({"change": {1: 3.0}}, {}),      # a campaign may lift everything from its first day on
    ({"change": dict.fromkeys(range(1, 10), 1.6)}, {})])
def test_too_few_and_too_many_rows(how, wanted):
    assert states(arrivals(running(days=9, **how), 0.001)) == wanted


def half_a_day(day, rows_of, params=""):
    """The same log, without the rows of some tables that came after nine in the morning of a day."""
    made, until = tables(days=day), pd.Timestamp("2024-03-03 09:00") + pd.Timedelta(days=day)
    for name, at in rows_of.items():
        made[name] = made[name][made[name][at] < until]
    return observed(PARAMS + params + f"data_until: 2024-03-{3 + day:02d}\n", **made)


@pytest.mark.parametrize("day", [3, 9])
def test_a_day_that_is_loaded_in_part_is_noticed_by_its_end(day):
    whole = {row.table: row for row in arrivals(half_a_day(day, {}), 0.001) if row.tick == day}
    assert {row.state for row in whole.values()} == {"ok"}
    cut = half_a_day(day, {"events": "occurred_at"})
    rows = {row.table: row for row in arrivals(cut, 0.001) if row.tick == day}
    assert (rows["events"].state, rows["orders"].state) == ("few", "ok")
    assert rows["events"].n_rows < 0.5 * whole["events"].n_rows
    closed = half_a_day(day, {"events": "occurred_at"}, f"closed: [2024-03-{3 + day:02d}]\n")
    assert [row.reason for row in arrivals(closed, 0.001) if row.reason == "cut_off"] == []
    assert "few_rows" in decide(cut, watch(cut), course(cut)).reasons


def test_closed_days_are_not_missed():
    assert states(arrivals(running("closed: [2024-03-08]", days=9, skip=[5]), 0.001)) == {}
    assert states(arrivals(running(days=9, skip=[5]), 0.001)) == {("events", 5): "none", ("orders", 5): "none"}


def test_an_empty_day_without_a_history_is_missed_where_chance_does_not_explain_it():
    lines = [f"\n u{i}|2024-03-{day:02d} 10:00|x" for day in (4, 5, 6) for i in range(20)]
    log = "user_id|occurred_at|event" + "".join(lines) + "\n zoe|2024-02-01|x"
    facts = observed("metrics: {visits: {count: events, role: primary}}\narms: {control: a, shares: {a: 50%, b: 50%}}\n"
                     "data_until: 2024-03-07", assignments="user|variant\n u1|a\n u2|b", events=log)
    assert states(arrivals(facts, 0.001)) == {("events", 4): "none"}


def by_hour(empty=(), rate=30):
    """Events of one day by the hour after a week of the same hours."""
    rows = [f"\n u{i % 9}|2024-03-{day:02d} {hour:02d}:30:{i % 60:02d}|x" for day in range(1, 9) for hour in range(24)
            for i in range(rate) if (day, hour) not in {(8, own) for own in empty}]
    return observed(
        "period: {start: 2024-03-08, end: 2024-03-08}\nmetrics: {visits: {count: events, role: primary}}\n"
        "arms: {control: a, shares: {a: 50%, b: 50%}}\ndata_until: 2024-03-08",
        assignments="user|variant\n" + "\n".join(f" u{i}|{'ab'[i % 2]}" for i in range(9)),
        events="user_id|occurred_at|event" + "".join(rows))


def test_an_empty_hour_is_missed_when_the_same_hour_had_rows_on_the_days_before():
    rows = arrivals(by_hour(empty=[5]), 0.001)
    assert states(rows) == {("events", 6): "none"} and {row.reason for row in rows} == {"hours"}
    assert {row.expected for row in rows} == {30.0}
    assert states(arrivals(by_hour(empty=[5], rate=2), 0.001)) == {}   # so few may well be none


def test_how_old_the_last_row_is():
    (own,) = last_rows(by_hour(empty=[22, 23]))
    assert own.table == "events" and own.age_seconds == pytest.approx(2 * 3600 + 1770, abs=60)


# --- split ---

def test_the_split_so_far_at_every_look():
    own = tables(n=400, days=6)
    entry = pd.Timestamp("2024-03-04") + pd.to_timedelta(np.random.default_rng(1).integers(0, 6 * 86400, 400), unit="s")
    own["assignments"]["assigned_at"] = entry
    facts = observed(PARAMS + "data_until: 2024-03-09", **own)
    rows = split(facts)
    counts = []
    for tick in range(1, 7):
        inside = own["assignments"][entry < pd.Timestamp("2024-03-04") + pd.Timedelta(days=tick)]
        counts.append(inside["variant"].value_counts().to_dict())
        now = [row for row in rows if row.tick == tick]
        assert {row.arm: row.n_users for row in now} == counts[-1]
        assert {row.pvalue for row in now} == {split_looks(counts, {"stay": 0.5, "go": 0.5}).pvalue}
        assert sum(row.share for row in now) == pytest.approx(1)


def test_a_wrong_split_fails_and_a_right_one_does_not():
    assert split_check(running(days=5)).state == "ok"
    wrong = split_check(running(days=5, to_treatment=0.62))
    assert (wrong.name, wrong.state) == ("split", "fail") and wrong.pvalue < 0.001 and wrong.n == 800


# --- breaks ---

def test_which_series_are_looked_at():
    facts = running("", days=9)
    assert watched(facts) == ["money", "buyers", "basket", "orders", "visits"] and n_series(facts) == 10
    found = breaks(facts, 0.001)
    assert len(found) == 10 * 9 and {row.arm for row in found} == {"", "go"}


def test_levels_and_gaps_are_those_of_the_rows():
    own, facts = tables(days=5), running(days=5)
    orders = own["orders"][own["orders"]["ordered_at"].dt.normalize() == "2024-03-07"]
    arms = own["assignments"].set_index("user_id")["variant"]
    found = {(row.metric, row.arm): row for row in breaks(facts, 0.001) if row.tick == 4}
    assert found["money", ""].value == pytest.approx(orders["amount"].sum() / len(arms))
    assert found["basket", ""].value == pytest.approx(orders["amount"].mean())
    assert found["buyers", ""].value == pytest.approx(orders["user_id"].nunique() / len(arms))
    per = orders.groupby(orders["user_id"].map(arms))["amount"].sum() / arms.value_counts()
    assert found["money", "go"].value == pytest.approx(per["go"] / per["stay"])
    assert found["money", ""].change == pytest.approx(found["money", ""].value / found["money", ""].expected - 1)


def test_a_drop_of_half_is_found_in_what_it_is_of():
    both = {(row.metric, row.arm) for row in breaks(running(days=9, change={9: 0.5}), 0.0005) if row.is_break}
    assert {("money", ""), ("orders", ""), ("visits", "")} <= both and not {arm for _, arm in both if arm}
    one = {(row.metric, row.arm) for row in breaks(running(days=9, change={(9, "go"): 0.4}), 0.0005) if row.is_break}
    assert {("money", "go"), ("orders", "go"), ("visits", "go")} <= one


def test_why_a_day_is_not_judged():
    found = breaks(running(days=9), 0.001)
    assert {row.reason for row in found if row.tick <= 3} == {"new_level"}
    assert {row.reason for row in found if row.tick > 3} == {""}
    own = tables(days=9)
    spread = pd.to_timedelta(np.random.default_rng(1).integers(0, 9 * 86400, 800), unit="s")
    own["assignments"]["assigned_at"] = pd.Timestamp("2024-03-04") + spread
    entering = breaks(observed(PARAMS + "data_until: 2024-03-12", **own), 0.001)
    assert {row.reason for row in entering if not row.arm} == {"users_enter"}
    assert "" in {row.reason for row in entering if row.arm}
    hours = breaks(by_hour(), 0.001)
    assert {row.reason for row in hours if not row.arm} == {"hours"}


def test_money_that_was_taken_back_has_no_logarithm_and_no_range():
    own = tables(days=9)
    day = own["orders"]["ordered_at"].dt.normalize() == "2024-03-12"
    own["orders"].loc[day, "amount"] *= -1
    found = [row for row in breaks(observed(PARAMS + "data_until: 2024-03-12", **own), 0.001)
             if (row.metric, row.tick) == ("money", 9)]
    assert {row.reason for row in found} == {"nothing_seen"}


def test_alarms_are_shared_out_over_all_series():
    facts = running(days=9)
    found = watch(facts)
    wanted = breaks(facts, FALSE_ALARMS / 12)
    assert [row.upper for row in found.breaks] == pytest.approx([row.upper for row in wanted], nan_ok=True)


# --- what is ahead ---

def ahead(params="", **how):
    facts = running(params, **how)
    points = course(facts)
    return facts, points, outlook(facts, decide(facts, watch(facts), points), points)


def test_how_far_from_being_decided():
    _, points, (own,) = ahead(days=6)
    last = next(row for row in points if (row.tick, row.metric) == (6, "money"))
    assert own.needed == pytest.approx((last.diff_upper - last.diff_lower) / 2 / last.value_control)
    assert (own.n_left, own.next_look, own.reason, own.end_reason) == (8, 7, "", "")
    assert 0 <= own.falls <= 0.5 and own.at_end < 1.5 * own.needed


def test_what_the_end_would_show_is_what_it_shows():
    """Forecast on the sixth day, and the smallest visible effect of the last one, at the same level."""
    _, _, (early,) = ahead("effects: {looks: {method: always_valid}}", days=6, n=2000)
    _, points, (late,) = ahead("effects: {looks: {method: always_valid}}", days=14, n=2000)
    last = next(row for row in points if (row.tick, row.metric) == (14, "money"))
    assert early.at_end == pytest.approx(last.detectable / last.value_control, rel=0.2)
    assert math.isnan(late.at_end) and late.end_reason == "period_over" and late.next_look == 0


def test_the_next_planned_look():
    looks = "effects: {looks: {method: pocock, planned: 2}}"
    _, _, (early,) = ahead(looks, days=3)
    assert (early.reason, early.next_look) == ("between_looks", 7) and math.isnan(early.needed)
    _, _, (later,) = ahead(looks, days=9)
    assert (later.reason, later.next_look) == ("", 14) and later.needed > 0


def test_what_stopping_would_leave_unseen():
    facts, _, _ = ahead(days=4)
    rest = unseen(facts, [])
    assert (rest.n_left, rest.weekdays, rest.days_after) == (10, (4, 5, 6), 0.0)   # Monday to Thursday were seen
    after = PARAMS + "after: {start: 2024-03-18, end: 2024-03-31}\ndata_until: 2024-03-20"
    assert unseen(observed(after, **tables()), []).days_after == 11.0
    assert unseen(by_hour(), []).weekdays == ()
