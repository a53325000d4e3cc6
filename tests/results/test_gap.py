"""Gaps between chosen groups, and what came to everybody."""

import math

import pytest

from analysis.results.gap import gap, seasons
from analysis.results.phases import phases
from tests.shops import shop_facts
from tests.tables import observed

METRICS = "metrics: {money: {sum: orders.amount, role: primary, unit: CNY}}\n"
BEFORE = "baseline: {start: 2024-02-26, end: 2024-03-03}\n"
CHOSEN = "population: {unassigned: others}\n" + METRICS
ORDERS = ("user|at|amount\n ann|02-25|1\n ann|02-26|100\n bob|02-27|20\n ann|03-04|110\n bob|03-05|40\n cy|03-05|20")


def gap_of(params, **tables):
    facts = observed(params, **tables)
    return gap(facts, phases(facts, ["money"]))


def test_the_gap_between_chosen_groups_stands_beside_the_one_before():
    found = gap_of(CHOSEN + BEFORE, orders=ORDERS, assignments="user|variant\n ann|sent")
    assert (found.high, found.low, found.during, found.before, found.unit) == ("sent", "others", 80.0, 90.0, "CNY")


def test_without_a_time_before_the_earlier_gap_is_not_known():
    found = gap_of(CHOSEN + BEFORE.replace("02-26", "02-19").replace("03-03", "02-25"), orders=ORDERS,
                   assignments="user|variant\n ann|sent")
    assert (found.during, found.reason) == (80.0, "phase_not_covered") and math.isnan(found.before)


@pytest.mark.parametrize("params", [METRICS + BEFORE, CHOSEN + BEFORE + "data_until: 2024-03-08\n"])
def test_no_gap_without_two_groups_or_with_the_period_not_over(params):
    assigned = {"assignments": "user|variant\n ann|sent"} if "unassigned" in params else {}
    assert gap_of(params, orders=ORDERS, **assigned) is None


ARMS = METRICS + "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"


def test_arms_drawn_by_chance_have_no_gap_and_no_arms_no_season():
    facts = shop_facts(ARMS, seed=1)
    assert gap(facts, phases(facts, ["money"])) is None
    assert seasons(observed(CHOSEN + BEFORE + "goals: [{metric: money, target: +5%}]", orders=ORDERS,
                            assignments="user|variant\n ann|sent")) == []


def test_the_season_is_the_controls_own_change_for_goals_against_the_time_before():
    said = ARMS + "goals: [{metric: money, target: +5%}, {metric: money, target: 100, priority: 2}]\n"
    facts = shop_facts(said, seed=2, n=300)
    rows = {(row.group, row.phase): row for row in phases(facts, ["money"])}
    found = seasons(facts)
    assert len(found) == 1 and found[0].control == "stay" and found[0].n == facts.groups["stay"]
    assert found[0].change == pytest.approx(rows["stay", "during"].mean / rows["stay", "before"].mean - 1)
    assert found[0].change_lower < found[0].change < found[0].change_upper


def test_a_season_that_cannot_be_estimated_has_a_reason():
    said = ARMS + BEFORE + "goals: [{metric: money, target: +5%}]\n"
    found = seasons(observed(said, orders="user|at|amount\n x|02-25|1\n ann|03-04|3",
                             assignments="user|variant\n ann|stay\n bob|stay\n cy|go"))[0]
    assert found.reason == "zero_baseline" and math.isnan(found.change)
