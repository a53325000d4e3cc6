"""Levels before, during and after, by group; and day by day."""

import math

import pytest

from analysis.facts.measure import moments
from analysis.facts.user_facts import user_facts
from analysis.results.phases import daily, phases
from analysis.stats.intervals import mean_interval, wilson
from analysis.stats.moments import Moments
from tests.shops import shop, shop_facts
from tests.tables import observed

METRICS = """
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  orders: {count: orders}
  basket: {ratio: [money, orders]}
  week: {count: orders, window: 7 days}
"""
MONEY = "metrics: {money: {sum: orders.amount, role: primary}}\n"
GROUPS = "population: {unassigned: others}\n"
PHASES = "baseline: {start: 2024-02-19, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-17}\n"
ORDERS = ("user|at|amount\n ann|02-18|1\n ann|02-19|10\n ann|02-27|14\n bob|02-20|6\n ann|03-04|30\n bob|03-05|10\n"
          " ann|03-12|5")


def level(found, metric, phase, group=""):
    return next(row for row in found if (row.metric, row.phase, row.group) == (metric, phase, group))


def test_levels_are_per_user_and_campaign_length():
    found = phases(observed(METRICS.replace("  week: {count: orders, window: 7 days}\n", "") + PHASES, orders=ORDERS),
                   ["money", "buyers", "orders", "basket"])
    assert [level(found, "money", phase).mean for phase in ("before", "during", "after")] == [7.5, 20.0, 2.5]
    assert [level(found, "money", phase).total for phase in ("before", "during", "after")] == [15.0, 40.0, 5.0]
    assert [level(found, "buyers", phase).mean for phase in ("before", "during", "after")] == [0.75, 1.0, 0.5]
    assert level(found, "basket", "before").mean == 10.0 and math.isnan(level(found, "basket", "before").total)
    assert level(found, "buyers", "during").unit == "share" and level(found, "money", "during").unit == "CNY"
    assert (level(found, "buyers", "during").mean_lower, level(found, "buyers", "during").mean_upper) == wilson(2, 2)


def test_a_share_over_several_blocks_is_a_mean_and_bounded_as_one():
    found = phases(observed("metrics: {buyers: {any: orders, role: primary}}\n" + PHASES, orders=ORDERS), ["buyers"])
    row = level(found, "buyers", "before")  # ann bought in both blocks, bob in one
    assert (row.mean_lower, row.mean_upper) == mean_interval(Moments(2, 0.75, 0.125))


def test_metrics_of_another_time_have_no_phases():
    facts = shop_facts(METRICS + "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n", seed=1)
    found = phases(facts, list(facts.campaign.metrics))
    assert {row.metric for row in found} == {"money", "buyers", "orders", "basket"}


def test_groups_stand_apart_and_add_up():
    facts = shop_facts(MONEY + GROUPS, seed=2)
    everybody = observed(MONEY + PHASES, **{name: table for name, table in shop(2).items() if name != "assignments"})
    together = phases(everybody, ["money"])
    for phase in ("before", "during", "after"):
        groups = [row for row in phases(facts, ["money"]) if row.phase == phase]
        assert {row.group for row in groups} == {"stay", "go", "others"}
        assert sum(row.total for row in groups) == pytest.approx(level(together, "money", phase).total)


def test_a_phase_that_the_data_do_not_cover_has_a_reason_and_no_level():
    found = phases(observed(MONEY + "data_until: 2024-03-14\n" + PHASES,
                            orders=ORDERS), ["money"])
    row = level(found, "money", "after")
    assert (row.reason, row.is_cut, row.days, row.days_planned) == ("phase_not_covered", True, 4.0, 7.0)
    assert math.isnan(row.mean) and math.isnan(row.total) and level(found, "money", "during").reason == ""


def test_a_baseline_cut_by_the_data_is_the_mean_of_its_whole_blocks():
    found = phases(observed(MONEY + PHASES,
                            orders=ORDERS.replace(" ann|02-18|1\n ann|02-19|10\n", "")), ["money"])
    row = level(found, "money", "before")  # the data begin on 20 February: one block, 26 February to 3 March
    assert (row.mean, row.is_cut, row.days) == (7.0, True, 13.0)


def test_one_user_has_a_level_without_an_interval():
    row = level(phases(observed(MONEY + PHASES,
                                orders="user|at|amount\n ann|02-18|1\n ann|03-05|7"), ["money"]), "money", "during")
    assert (row.mean, row.n_users, row.reason) == (7.0, 1, "too_few_users") and math.isnan(row.mean_lower)


def test_days_are_per_user_of_the_group_and_empty_ones_are_zero():
    found = daily(observed(MONEY + PHASES, orders=ORDERS), "money")
    by_day = {row.day.isoformat(): row for row in found}
    assert (by_day["2024-02-19"].value, by_day["2024-02-20"].value, by_day["2024-02-21"].value) == (5.0, 3.0, 0.0)
    assert by_day["2024-03-03"].phase == "before" and by_day["2024-03-04"].phase == "during"
    assert by_day["2024-03-12"].phase == "after" and "2024-02-18" not in by_day and len(found) == 23


def test_the_days_of_the_campaign_add_up_to_its_level():
    facts = shop_facts(MONEY + GROUPS, seed=3)
    days = daily(facts, "money")
    for row in phases(facts, ["money"]):
        total = sum(day.value for day in days if (day.group, day.phase) == (row.group, row.phase))
        assert total / (2 if row.phase == "before" else 1) == pytest.approx(row.mean)


def test_without_phases_there_is_no_course():
    assert daily(observed("metrics: {money: {sum: orders.amount, role: primary}}", orders=ORDERS), "money") == []


def test_bounds_are_those_of_the_mean():
    facts = shop_facts("metrics: {orders: {count: orders, role: primary}}\n" + GROUPS, seed=4)
    own = moments(user_facts(facts, ["orders"], "during"), ["orders"])["go", "orders"]
    row = level(phases(facts, ["orders"]), "orders", "during", "go")
    assert (row.mean_lower, row.mean_upper) == mean_interval(own)
