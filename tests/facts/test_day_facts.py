"""The campaign day by day: whole days, zeros included, users from the start; against pandas."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analysis.facts.day_facts import day_moments, days_of, from_the_start, trend_facts
from tests.shops import shop
from tests.tables import observed, rows

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
PAID = "metrics: {money: {sum: orders.amount, role: primary}, buyers: {any: orders}}\n"
ORDERS = "user|at|amount\n ann|03-04 10:00|5\n ann|03-04 11:00|2\n bob|03-06|3\n cy|03-06|4\n z|03-03|1"
ASSIGNED = "user|variant|assigned_at\n ann|go|2024-03-01\n bob|stay|2024-03-04\n cy|go|2024-03-05\n dee|stay|"


def small(params="", **tables):
    return observed(ARMS + PAID + params, **{"orders": ORDERS, "assignments": ASSIGNED, **tables})


def march(*days):
    return [date(2024, 3, day) for day in days]


def test_who_was_assigned_when_the_campaign_began_is_there_from_the_start():
    assert rows(from_the_start(small()), "user_id", "variant") == [("ann", "go"), ("bob", "stay"), ("dee", "stay")]


@pytest.mark.parametrize(("params", "expected"), [
    ("", march(4, 5, 6, 7, 8, 9, 10)),
    ("closed: [2024-03-05, 2024-03-10]\n", march(4, 6, 7, 8, 9)),
    ("data_until: 2024-03-06\n", march(4, 5, 6)),
    ("data_until: 2024-03-06 12:00\n", march(4, 5)),
    ("data_until: 2024-03-03\nbaseline: {start: 2024-02-26, end: 2024-03-03}\n", []),
    ("period: {start: 2024-03-04 08:00, end: 2024-03-06 20:00}\n", march(5))])
def test_days_are_whole_covered_and_open(params, expected):
    assert days_of(small(params)) == expected


def test_days_are_those_of_the_campaigns_clock():
    """30 March has 24 hours, 31 March 23."""
    facts = small("time_zone: Europe/Berlin\nperiod: {start: 2024-03-30, end: 2024-03-31}\n"
                  "data_until: 2024-03-31\n", orders="user|at|amount\n ann|03-30 00:30|5\n ann|03-31 23:30|2",
                  assignments="user|variant\n ann|go\n bob|stay\n cy|go")
    assert days_of(facts) == march(30, 31)
    assert [own["go"].mean[0] for own in day_moments(facts, "money").values()] == [2.5, 1.0]


def test_who_did_nothing_on_a_day_is_zero_that_day():
    found = day_moments(small(), "money")
    assert [*found] == march(4, 5, 6, 7, 8, 9, 10)
    assert {day.day: own["go"].mean[0] for day, own in found.items() if own["go"].mean[0]} == {4: 7.0}
    assert found[date(2024, 3, 6)]["stay"].mean[0] == 1.5 and found[date(2024, 3, 6)]["stay"].n == 2


def test_moments_of_each_day_are_those_of_all_users_from_the_start():
    tables = shop(seed=3, n=150)
    facts = observed(ARMS + PAID, **tables)
    arm = tables["assignments"].set_index("user_id")["variant"]
    orders = tables["orders"].assign(day=tables["orders"]["ordered_at"].dt.date)
    for name, how in (("money", "sum"), ("buyers", "size")):
        for day, own in day_moments(facts, name).items():
            of_day = getattr(orders[orders["day"] == day].groupby("user_id")["amount"], how)().reindex(arm.index)
            values = (of_day.fillna(0.0) > 0).astype(float) if name == "buyers" else of_day.fillna(0.0)
            for variant in ("go", "stay"):
                users = values[arm == variant]
                assert own[variant].n == len(users) and own[variant].mean[0] == pytest.approx(users.mean())
                assert own[variant].cov[0, 0] == pytest.approx(users.var(), abs=1e-12)


def test_a_trend_is_each_users_weighted_sum_over_the_days():
    weights = {date(2024, 3, 4): -1.0, date(2024, 3, 5): 0.5, date(2024, 3, 6): 2.0}
    found = rows(trend_facts(small(), "money", weights), "user_id", "trend")
    assert found == [("ann", -7.0), ("bob", 6.0), ("dee", 0.0)]  # cy came later


def test_the_mean_trend_is_the_trend_of_the_daily_means():
    tables = shop(seed=5, n=200)
    tables["assignments"]["assigned_at"] = np.where(np.arange(200) % 4, "2024-03-01", "2024-03-06")
    facts = observed(ARMS + PAID, **tables)
    daily = day_moments(facts, "money")
    weights = {day: float(i - 3) for i, day in enumerate(daily)}
    users = trend_facts(facts, "money", weights).to_pandas()
    for arm, trend in users.groupby("variant")["trend"]:
        assert trend.mean() == pytest.approx(sum(w * daily[day][arm].mean[0] for day, w in weights.items()))
        assert len(trend) == next(iter(daily.values()))[arm].n


def test_nobody_from_the_start_is_no_arm_of_any_day():
    facts = small(assignments="user|variant|assigned_at\n ann|go|2024-03-06\n bob|stay|2024-03-07")
    assert all(own == {} for own in day_moments(facts, "money").values())
    assert isinstance(trend_facts(facts, "money", {date(2024, 3, 4): 1.0}).to_pandas(), pd.DataFrame)
