"""Who is active: lifecycle, windows, stickiness, recency and worth of a campaign's users."""

import math
import random
from datetime import date, timedelta
from itertools import pairwise

from analysis.results.activity import activity
from analysis.results.ltv import values
from analysis.results.recency import recency
from tests.tables import observed

BEGIN = date(2024, 2, 1)


def random_days(seed=1, n_users=40, n_days=60, without=()):
    """User -> days of activity."""
    draw = random.Random(seed)
    found = {}
    for user in range(n_users):
        rate = draw.choice([0.05, 0.2, 0.6])
        own = [i for i in range(n_days) if draw.random() < rate and i not in without]
        found[f"u{user}"] = [BEGIN + timedelta(days=i) for i in own]
    found["u0"] = [BEGIN + timedelta(days=i) for i in range(n_days) if i not in without]     # every day has an event
    return found


def log(days):
    return "user|event|at\n" + "\n".join(f" {user}|x|{day:%m-%d} 12:00" for user, own in days.items() for day in own)


def asked(days, params="activity: {every: day}", **tables):
    return observed(f"period: {{start: 2024-03-05, end: 2024-03-31}}\ndata_until: 2024-03-31\n{params}",
                    events=log(days), **tables)


def test_states_of_a_day_as_counted_user_by_user():
    days = random_days()
    for row in activity(asked(days)).lifecycle:
        day, before = row.period, row.period - timedelta(days=1)
        active = {user for user, own in days.items() if day in own}
        was = {user for user, own in days.items() if before in own}
        seen = {user for user, own in days.items() if any(d < day for d in own)}
        assert (row.n_new, row.n_current, row.n_resurrected, row.n_dormant) == (
            len(active - seen), len(active & was), len((active & seen) - was), len(was - active))


def test_active_now_is_active_before_plus_who_came_less_who_went():
    rows = activity(asked(random_days(2), "activity: {every: week}")).lifecycle
    for one, row in pairwise(rows):
        before = one.n_new + one.n_current + one.n_resurrected
        assert row.n_current + row.n_dormant == before


def test_windows_of_1_7_and_30_days_as_counted_user_by_user():
    days = random_days(3)
    found = activity(asked(days)).active
    assert found[0].day == date(2024, 3, 5)
    for row in found:
        for width, n in ((1, row.n_day), (7, row.n_week), (30, row.n_month)):
            window = {row.day - timedelta(days=i) for i in range(width)}
            expected = sum(bool(window & set(own)) for own in days.values())
            assert n == expected, (row, width)


def test_a_window_that_reaches_before_the_data_is_not_known():
    params = "period: {start: 2024-02-03, end: 2024-02-09}\nactivity: {every: day}"
    found = activity(asked(random_days(), params)).active
    assert [(row.day.day, math.isnan(row.n_week), math.isnan(row.n_day)) for row in found][3:6] == [
        (6, True, False), (7, False, False), (8, False, False)]
    assert {row.reason for row in found} == {"data_begin"}


def test_a_day_without_data_voids_what_touches_it():
    rows = activity(asked(random_days(4, without=[40]), "activity: {every: day}"))
    missing = BEGIN + timedelta(days=40)
    assert {row.period: row.reason for row in rows.lifecycle if row.reason} == {
        missing: "gap", missing + timedelta(days=1): "gap"}
    gone = [row.day for row in rows.active if math.isnan(row.n_week)]
    assert gone == [missing + timedelta(days=i) for i in range(7)]


def test_a_period_that_runs_still_and_the_first_of_the_data_are_marked():
    rows = activity(asked(random_days(), "period: {start: 2024-02-01, end: 2024-03-31}\n"
                                         "data_until: 2024-03-29\nactivity: {every: week}")).lifecycle
    assert [row.reason for row in rows] == ["data_begin", *[""] * 7, "not_over"]


def test_stickiness_counts_users_by_their_number_of_periods():
    days = random_days(5)
    found = activity(asked(days)).stickiness
    n = {user: sum(day >= date(2024, 3, 5) for day in own) for user, own in days.items()}
    assert [(row.n_exactly, row.n_at_least) for row in found] == [
        (sum(k == i for k in n.values()), sum(k >= i for k in n.values())) for i in range(1, 28)]
    assert found[0].share_at_least == 1.0


ORDERS = ("user|at|amount\n a|03-05 10:00|10\n a|03-05 20:00|20\n a|03-29|30\n b|03-01|5\n c|04-02|99")


def test_recency_looks_from_the_campaigns_last_day_and_never_from_the_datas():
    facts = asked({"a": [BEGIN], "b": [BEGIN], "c": [BEGIN], "d": [BEGIN]},
                  "data_until: 2024-04-10\nactivity: {recency: [7, 30]}", orders=ORDERS)
    found = {(row.least, row.most): row for row in recency(facts)}
    assert {key: row.n_users for key, row in found.items()} == {(0, 7): 1, (8, 30): 1, (None, None): 2}
    late = found[0, 7]
    assert (late.days_since_last, late.last_minus_first, late.orders, late.amount, late.repeating) == (2, 24, 3, 60, 1)
    assert found[8, 30].amount_share == 5 / 65 and math.isnan(found[None, None].days_since_last)


def test_worth_is_cumulative_and_young_cohorts_stay_out_of_the_total():
    facts = observed("retention: {start: in, every: day, n_periods: 2}\ndata_until: 2024-03-08",
                     events="user|event|at\n a|in|03-05 10:00\n b|in|03-05 12:00\n c|in|03-07 10:00",
                     orders="user|at|amount\n a|03-05 09:00|99\n a|03-05 11:00|4\n a|03-06 11:00|6\n c|03-07 11:00|8")
    found = {(row.cohort, row.n_days): (row.value, row.n_users, row.reason) for row in values(facts)}
    first = date(2024, 3, 5)
    assert [found[first, n] for n in (1, 2, 3)] == [(2.0, 2, ""), (5.0, 2, ""), (5.0, 2, "")]
    assert [found[None, n] for n in (1, 2, 3)] == [(4.0, 3, ""), (5.0, 2, ""), (5.0, 2, "")]
    assert found[date(2024, 3, 7), 2][2] == "not_over" and math.isnan(found[date(2024, 3, 7), 2][0])
