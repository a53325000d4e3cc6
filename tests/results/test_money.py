"""Costs: what was stated, what the table holds, what a metric sums to."""

import math

import pytest

from analysis.results.money import Cost, costs
from tests.tables import observed

METRICS = "metrics: {off: {sum: orders.discount, role: primary}}\n"
ORDERS = "user|at|amount|discount\n ann|03-05|9|10\n bob|03-06|9|20\n bob|03-11|9|50\n bob|03-03|9|70"


def test_items_stand_dearest_first_and_the_total_last():
    found = costs(observed(METRICS + "costs: {coupons: off, people: '1,000'}", orders=ORDERS,
                           costs="item|amount\n media|300\n media|200\n prizes|"))
    assert found == [
        Cost("people", 1000.0, 1000 / 1530, "params"), Cost("media", 500.0, 500 / 1530, "costs"),
        Cost("coupons", 30.0, 30 / 1530, "off"), Cost("prizes", 0.0, 0.0, "costs"), Cost("", 1530.0, 1.0, "total")]


@pytest.mark.parametrize(("params", "variants"), [
    ("arms: {control: stay, shares: {stay: 50%, go: 50%}}\n", "ann|stay\n bob|go"),
    ("population: {unassigned: others}\n", "bob|go")], ids=["control", "unassigned"])
def test_what_people_without_the_campaign_were_given_is_no_cost_of_it(params, variants):
    found = costs(observed(METRICS + params + "costs: {coupons: off}", orders=ORDERS,
                           assignments=f"user|variant\n {variants}"))
    assert [row.amount for row in found] == [20.0, 20.0]


def test_a_metric_of_a_period_that_is_not_over_is_not_known_and_so_is_the_total():
    found = costs(observed(METRICS + "data_until: 2024-03-08\ncosts: {coupons: off, people: 5}", orders=ORDERS))
    assert [(row.item, row.reason) for row in found] == [
        ("people", "period_not_over"), ("coupons", "period_not_over"), ("", "period_not_over")]
    assert found[0].amount == 5.0 and math.isnan(found[1].amount) and math.isnan(found[2].amount)


def test_a_total_of_nothing_has_no_shares():
    found = costs(observed(METRICS + "costs: {coupons: 0}", orders=ORDERS))
    assert [(row.amount, row.reason) for row in found] == [(0.0, "zero_total")] * 2 and math.isnan(found[0].share)


def test_no_costs_said_none_shown():
    assert costs(observed(METRICS, orders=ORDERS)) == []


@pytest.mark.parametrize("item", ["people", ""])
def test_a_refund_lowers_the_total(item):
    found = {row.item: row.amount for row in costs(observed(
        METRICS + "costs: {people: 100}", orders=ORDERS, costs="item|amount\n refund|-40"))}
    assert found[item] == {"people": 100.0, "": 60.0}[item]
