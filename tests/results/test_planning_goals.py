"""Goals before a campaign: the five questions, how far metrics move by themselves, and pairs that pull apart."""

import numpy as np
import pytest

from analysis.results.planning.smart import smart
from analysis.results.planning.stretches import changes, levels
from analysis.results.planning.tensions import tensions
from tests.shops import shop
from tests.tables import before

DAY = """
period: {start: 2024-03-04, end: 2024-03-04}
baseline: {start: 2024-03-01, end: 2024-03-03}
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  orders: {count: orders}
  basket: {ratio: [money, orders], unit: CNY}
"""
TOTALS = [9, 11, 10, 10, 10, 20, 10, 10]   # of eight days, the last of them 3 March
USERS = "user\n ann\n bob"


def goals(*said, more="", totals=TOTALS, users=USERS):
    rows = "".join(f"\n ann|{day}|{n}" for day, n in zip(
        ["02-25", "02-26", "02-27", "02-28", "02-29", "03-01", "03-02", "03-03"], totals, strict=True))
    return before(DAY + more + f"goals: [{', '.join(said)}]\n", orders="user|at|amount" + rows, users=users)


def test_each_stretch_is_compared_with_the_mean_of_those_before_it():
    latest_first = [(float(n),) for n in reversed(TOTALS)]
    found = list(changes(latest_first, 3))
    assert found[0] == pytest.approx(10 / np.mean([10, 20, 10]) - 1)
    assert found[2] == pytest.approx(20 / np.mean([10, 10, 10]) - 1)
    assert len(found) == 6                                     # the last two have less than half of three before them
    assert found[-1] == pytest.approx(10 / np.mean([11, 9]) - 1)


def test_a_ratio_is_compared_by_its_sums():
    found = list(changes([(6.0, 2.0), (2.0, 2.0), (6.0, 4.0)], 2))
    assert found[0] == pytest.approx(3 / ((2 + 6) / (2 + 4)) - 1)
    assert list(changes([(6.0, 2.0), (0.0, 0.0), (6.0, 4.0)], 1)) == []


def test_how_often_a_target_comes_about_by_itself_and_how_far_it_went():
    [row] = smart(goals("{metric: money, target: +40%}"))
    assert (row.n_stretches, row.n_reached, row.farthest) == (6, 1, pytest.approx(1.0))
    assert row.achievable == "by_itself" and row.against == "before"
    assert row.level == pytest.approx(np.mean([20, 10, 10])) and row.target == pytest.approx(1.4 * row.level)
    [row] = smart(goals("{metric: money, target: +120%}"))
    assert (row.n_reached, row.achievable, row.farthest_reason) == (0, "", "")


def test_a_level_is_compared_with_the_levels_of_the_past():
    [row] = smart(goals("{metric: money, target: 15}"))
    assert (row.n_stretches, row.n_reached, row.farthest, row.achievable) == (8, 1, 20.0, "by_itself")
    assert row.target_change == pytest.approx(15 / row.level - 1)
    [row] = smart(goals("{metric: money, target: 8, measure: per_user}"))
    assert (row.n_reached, row.farthest) == (1, 10.0)          # two users


@pytest.mark.parametrize(("goal", "found"), [
    ("{metric: money, target: 12}", "already_there"),
    ("{metric: money, target: +5%, baseline: control, measure: per_user}", "against_control"),
    ("{metric: money, target: +300%, baseline: 20}", "")])
def test_what_else_is_said_of_a_target(goal, found):
    arms = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
    assert smart(goals(goal, more=arms))[0].achievable == found


def test_lower_is_better_turns_it_around():
    [row] = smart(goals("{metric: money, target: -30%}", more="metrics: {money: {sum: orders.amount, role: primary, "
                                                              "better: lower}}\n"))
    assert (row.n_reached, row.farthest) == (0, pytest.approx(-0.25)) and row.achievable == ""


def test_a_short_past_says_nothing_of_how_often():
    more = "period: {start: 2024-03-04, end: 2024-03-06}\nbaseline: {start: 2024-03-01, end: 2024-03-03}\n"
    [row] = smart(goals("{metric: money, target: +40%}", more=more))
    assert (row.n_stretches, row.achievable) == (1, "few_stretches")
    [row] = smart(goals("{metric: money, target: +40%}", more=more, totals=[0, 0, 0, 0, 0, 0, 0, 0]))
    assert row.achievable == "never_happened"


def test_a_metric_without_a_unit_is_not_specific():
    found = smart(goals("{metric: money, target: +40%}", "{metric: orders, target: +4%, priority: 2}",
                        "{metric: buyers, target: +4%, priority: 3}"))
    assert [row.specific for row in found] == ["", "no_unit", ""]
    assert [row.unit for row in found] == ["CNY", "", "users"]


@pytest.mark.parametrize(("first", "second", "found"), [
    ("{metric: money, target: +40%}", "{metric: orders, target: +4%, priority: 2}", ["", ""]),
    ("{metric: orders, target: +4%}", "{metric: money, target: +40%, priority: 2}", ["not_primary", ""]),
    ("{metric: money, target: +40%}", "{metric: orders, target: +4%}", ["many_first", "many_first"])])
def test_one_goal_comes_first_and_is_about_the_primary_metric(first, second, found):
    assert [row.relevant for row in smart(goals(first, second))] == found


def test_a_deadline_that_nobody_said_is_the_end_of_the_period():
    found = smart(goals("{metric: money, target: +40%}", "{metric: orders, target: +4%, deadline: 2024-04-01}"))
    assert [(row.time_bound, str(row.deadline)) for row in found] == [("no_deadline", "2024-03-04"), ("", "2024-04-01")]


def test_a_goal_after_the_campaign_is_measured_in_its_own_time():
    more = ("after: {start: 2024-03-05, end: 2024-03-06}\nmetrics: {money: {sum: orders.amount, role: primary}, "
            "later: {sum: orders.amount, over: after}}\n")
    [row] = smart(goals("{metric: later, target: 35}", more=more))
    assert row.level == 20.0 and row.farthest_reason == "few_stretches"   # 10 and 10 on the last two days


# --- pairs ---

def pair(*said, more="", **how):
    made = shop(seed=3, n=200)
    users = made.pop("assignments")[["user_id"]]
    params = DAY + "baseline: {start: 2024-03-03, end: 2024-03-03}\n" + more + f"goals: [{', '.join(said)}]\n"
    return before(params, users=users, **made)


def test_a_ratio_and_what_it_is_divided_by_pull_apart():
    [row] = tensions(pair("{metric: basket, target: +4%}", "{metric: orders, target: +4%, priority: 2}"))
    assert (row.structure, row.pulls, row.decides) == ("divided_by", True, "basket")
    [row] = tensions(pair("{metric: basket, target: +4%}", "{metric: money, target: +4%, priority: 2}"))
    assert row.structure == ""


def test_the_same_rows_later_pull_and_the_guardrail_decides():
    more = ("after: {start: 2024-03-05, end: 2024-03-06}\nmetrics: {money: {sum: orders.amount, role: primary}, "
            "later: {sum: orders.amount, over: after, role: guardrail, margin: 5%}}\n")
    [row] = tensions(pair("{metric: money, target: +4%}", more=more))
    assert (row.structure, row.decides, row.reason) == ("moved_forward", "later", "not_at_one_time")


def test_the_same_to_go_both_ways_pulls():
    more = ("metrics: {money: {sum: orders.amount, role: primary}, "
            "spent: {sum: orders.amount, better: lower}}\n")
    [row] = tensions(pair("{metric: money, target: +4%}", "{metric: spent, target: -4%}", more=more))
    assert (row.structure, row.decides) == ("opposite", "")
    assert row.correlation == pytest.approx(-1) and row.n_apart == row.n_moves > 0


def test_correlation_is_that_of_the_users_over_the_planned_length():
    made = shop(seed=3, n=200)
    orders = made["orders"][made["orders"]["ordered_at"].dt.date.astype(str) == "2024-03-03"]
    users = made["assignments"]["user_id"]
    money = orders.groupby("user_id")["amount"].sum().reindex(users).fillna(0.0).to_numpy()
    n = orders.groupby("user_id")["amount"].size().reindex(users).fillna(0.0).to_numpy()
    [row] = tensions(pair("{metric: money, target: +4%}", "{metric: orders, target: +4%, priority: 2}"))
    assert row.n_users == 200 and row.correlation == pytest.approx(np.corrcoef(money, n)[0, 1]) and not row.pulls
    [row] = tensions(pair("{metric: basket, target: +4%}", "{metric: orders, target: +4%, priority: 2}"))
    added = money - money.sum() / n.sum() * n
    assert row.correlation == pytest.approx(np.corrcoef(added, n)[0, 1])


def test_moves_from_one_stretch_to_the_next_are_counted():
    past = pair("{metric: money, target: +4%}", "{metric: orders, target: +4%, priority: 2}")
    both = [[level[0] for level in levels(past, name)] for name in ("money", "orders")]
    steps = np.sign(np.diff(both[0])) * np.sign(np.diff(both[1]))
    [row] = tensions(past)
    assert (row.n_moves, row.n_apart) == (int((steps != 0).sum()), int((steps < 0).sum()))


def test_goals_alone_have_no_pairs_and_none_have_no_answers():
    assert tensions(pair("{metric: money, target: +4%}")) == []
    past = pair()
    assert smart(past) == [] and tensions(past) == []
