"""The time before a campaign: who is in it, how long it is, and imagined campaigns that lie in it as a whole."""

import pytest

from analysis.facts.compared import arm_moments
from analysis.facts.past import active, eve, imagined, reaches, stretch_totals
from analysis.facts.user_facts import user_facts
from tests.tables import before, rows

MONEY = "metrics: {money: {sum: orders.amount, role: primary}, buyers: {any: orders}, orders: {count: orders}}\n"
USERS = """user|registered_at|staff
    ann|2024-01-01|no
    bob|2024-03-01 12:00|no
    cyd|2024-01-01|yes
    new|2024-03-05|no"""
ORDERS = """user|at|amount
    ann|02-25 10:00|8
    ann|03-02 10:00|5
    ann|03-03 10:00|7
    bob|03-03 23:59:59|2
    ann|03-04 00:00|100
    bob|03-05 10:00|100"""


def shop(params="", users=USERS, orders=ORDERS):
    return before(MONEY + params, users=users, orders=orders)


def test_rows_of_the_period_and_later_are_not_there():
    past = shop()
    assert past.tables.orders.count().execute() == 4
    assert str(past.tables.data_until) == "2024-03-04 00:00:00+00:00" and past.days == 8


def test_users_who_come_later_are_not_known_yet():
    past = shop()
    assert rows(past.people, "user_id") == [("ann",), ("bob",), ("cyd",)] and past.n_people == 3


def test_the_past_ends_with_the_data_where_these_end_before_the_campaign():
    past = shop("data_until: 2024-03-01\n")
    assert str(past.tables.data_until) == "2024-03-02 00:00:00+00:00"
    assert past.tables.orders.count().execute() == 1


def test_without_a_word_on_where_the_data_end_they_end_with_the_day_of_the_last_row():
    past = before("data_until: \nperiod: {start: 2024-05-01, end: 2024-05-02}\n" + MONEY, orders=ORDERS)
    assert str(past.tables.data_until) == "2024-03-06 00:00:00+00:00"


def test_consent_and_conditions_are_respected():
    assert shop("population: {where: {staff: ['no']}}\n").n_people == 2
    assert shop("population: {where: {staff: ['no']}}\n").facts.left.n_not_in_population == 1


def test_an_imagined_campaign_ends_where_the_past_does():
    facts = imagined(shop(), 2, shop().campaign.metrics["money"])
    assert [str(x) for x in facts.campaign.period.interval("UTC")] == [
        "2024-03-02 00:00:00+00:00", "2024-03-04 00:00:00+00:00"]
    assert rows(user_facts(facts, ["money", "buyers"], "during"), "user_id", "money", "buyers") == [
        ("ann", 12.0, 1.0), ("bob", 2.0, 1.0), ("cyd", 0.0, 0.0)]


def test_users_are_those_who_were_known_at_its_start():
    facts = imagined(shop(), 3, shop().campaign.metrics["money"])   # bob came in the middle of its first day
    assert rows(facts.population, "user_id") == [("ann",), ("cyd",)]


def test_without_a_users_table_they_are_those_who_came_while_it_ran():
    past = before(MONEY, orders=ORDERS)
    names = [len(rows(imagined(past, n, past.campaign.metrics["money"]).population)) for n in (1, 2, 8)]
    assert names == [2, 2, 2] and active(past, [1, 2, 8]) == [2, 2, 2]
    past = before(MONEY, orders=ORDERS + "\n dan|02-26|1")
    assert active(past, [1, 2, 8]) == [2, 2, 3]


def test_the_time_before_keeps_its_distance_and_length():
    past = shop("period: {start: 2024-03-04, end: 2024-03-04}\nbaseline: {start: 2024-02-28, end: 2024-03-02}\n")
    facts = imagined(past, 2, past.campaign.metrics["money"])
    assert [str(x) for x in facts.campaign.baseline.interval("UTC")] == [
        "2024-02-26 00:00:00+00:00", "2024-03-01 00:00:00+00:00"]


@pytest.mark.parametrize(("days", "blocks"), [(1, 4), (2, 2), (3, 1), (4, 1), (7, 1)])
def test_the_time_before_is_whole_blocks(days, blocks):
    past = shop("period: {start: 2024-03-04, end: 2024-03-04}\nbaseline: {start: 2024-02-29, end: 2024-03-03}\n")
    facts = imagined(past, days, past.campaign.metrics["money"])
    assert facts.campaign.baseline.length / facts.campaign.period.length == blocks


AFTER = """
period: {start: 2024-03-04, end: 2024-03-04}
after: {start: 2024-03-05, end: 2024-03-06}
metrics:
  money: {sum: orders.amount, role: primary}
  later: {sum: orders.amount, over: after}
  in_all: {sum: orders.amount, over: both}
  soon: {sum: orders.amount, window: 36 hours}
"""


@pytest.mark.parametrize(("name", "amount", "days"), [
    ("money", 7.0, 1), ("later", 12.0, 5), ("in_all", 12.0, 1), ("in_all", 20.0, 6), ("soon", 7.0, 1)])
def test_what_is_counted_later_lies_in_the_past_as_well(name, amount, days):
    past = before(AFTER, orders="user|at|amount\n" + "\n".join(ORDERS.splitlines()[1:4]) + "\n ann|03-02 12:00|0")
    facts = imagined(past, days, past.campaign.metrics[name])
    [[own]] = [list(one.values()) for one in arm_moments(facts, [[name]])]
    assert own[""].mean[0] == amount


@pytest.mark.parametrize(("name", "days", "is_long_enough"), [
    ("money", 8, True), ("money", 9, False), ("later", 7, True), ("in_all", 6, True), ("in_all", 7, False),
    ("soon", 99, True)])
def test_a_past_that_is_too_short_is_told(name, days, is_long_enough):
    past = before(AFTER, orders=ORDERS)
    assert reaches(past, days, past.campaign.metrics[name]) == is_long_enough


def test_stretches_are_counted_back_from_the_end():
    past = shop("period: {start: 2024-03-04, end: 2024-03-05}\n")
    found = stretch_totals(past, ["money", "buyers", "orders"], 10)
    assert [row["money"] for row in found] == [14.0, 0.0, 0.0, 8.0]     # four stretches of two days in eight days
    assert found[0] == {"money": 14.0, "buyers": 2.0, "orders": 3.0}
    assert len(stretch_totals(past, ["money"], 3)) == 3


def test_stretches_keep_to_the_clock_of_the_campaign():
    zone = "time_zone: America/New_York\nperiod: {start: 2024-03-12, end: 2024-03-12}\n"   # clocks change on the 10th
    past = before(zone + MONEY, orders="user|at|amount\n ann|03-08 00:00|1\n ann|03-09 00:00|2\n ann|03-09 23:59:59|4\n"
                                       " ann|03-10 00:00|8\n ann|03-10 23:59:59|16\n ann|03-11 00:00|32")
    assert [row["money"] for row in stretch_totals(past, ["money"], 9)] == [32.0, 24.0, 6.0, 1.0]


def test_the_eve_takes_the_time_before_that_the_params_name_if_it_is_over():
    past = shop("period: {start: 2024-03-04, end: 2024-03-04}\nbaseline: {start: 2024-03-02, end: 2024-03-03}\n")
    assert rows(user_facts(eve(past), ["money"], "before"), "user_id", "money") == [
        ("ann", 6.0), ("bob", 1.0), ("cyd", 0.0)]
    future = shop("period: {start: 2024-09-04, end: 2024-09-04}\nbaseline: {start: 2024-09-02, end: 2024-09-03}\n"
                  "data_until: 2024-03-03\n")
    assert rows(user_facts(eve(future), ["money"], "before"), "user_id", "money")[0] == ("ann", 6.0)
