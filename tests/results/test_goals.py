"""Goals: the verdict comes from the interval, for every kind of target and baseline."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.results.goals import Conflict, Goal, conflicts, goals
from analysis.results.uplift import uplifts
from analysis.stats.intervals import mean_interval, wilson
from analysis.stats.moments import Moments
from tests.shops import shop_facts
from tests.tables import observed

METRICS = """
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  orders: {count: orders, unit: orders}
  basket: {ratio: [money, orders], unit: CNY}
  complaints: {count: orders, better: lower, unit: orders}
"""
ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
PHASES = "baseline: {start: 2024-02-19, end: 2024-03-03}\n"
# four users; before: two blocks; during: ann 30, bob 10, cy 20, dee nothing
ORDERS = ("user|at|amount\n ann|02-19|10\n ann|02-27|14\n bob|02-20|6\n cy|02-28|8\n"
          " ann|03-04|30\n bob|03-05|10\n cy|03-06|12\n cy|03-07|8\n dee|02-18|1")


def goal(said, params="", orders=ORDERS, **tables):
    found = goals(observed(f"goals: [{said}]\n{METRICS}{params}", orders=orders, **tables))
    assert len(found) == 1
    return found[0]


def sure(n=200, amount=10):
    """Many users of whom nearly all buy for the same amount: narrow intervals."""
    lines = [f"u{i}|03-05|{amount if i % 10 else amount + 1}" for i in range(n)]
    return "user|at|amount\n z|02-18|1\n" + "\n".join(lines)


@pytest.mark.parametrize(("target", "verdict"), [("1900", "met"), ("2100", "missed"), ("2020", "unknown")])
def test_an_absolute_total_is_met_when_its_whole_interval_reaches_the_target(target, verdict):
    found = goal(f"{{metric: money, target: {target}}}", orders=sure())
    assert (found.verdict, found.observed, found.n) == (verdict, pytest.approx(2020.0), 201)
    assert found.reason == ("reached_within_chance" if verdict == "unknown" else "")
    assert found.lower < 2020 < found.upper


@pytest.mark.parametrize(("target", "reason"), [("2018", "reached_within_chance"), ("2022", "short_within_chance")])
def test_a_goal_not_known_says_on_which_side_of_the_target_the_number_fell(target, reason):
    found = goal(f"{{metric: money, target: {target}}}", orders=sure())
    assert (found.verdict, found.reason) == ("unknown", reason)


@pytest.mark.parametrize(("target", "verdict"), [("220", "met"), ("180", "missed"), ("200", "unknown")])
def test_where_lower_is_better_the_target_is_a_ceiling(target, verdict):
    assert goal(f"{{metric: complaints, target: {target}}}", orders=sure()).verdict == verdict


def test_a_level_per_user_is_the_mean_of_everybody_who_counts():
    found = goal("{metric: money, target: 12, measure: per_user}")
    assert (found.observed, found.n, found.unit, found.against) == (15.0, 4, "CNY", "")
    assert (found.lower, found.upper) == mean_interval(Moments(4, 15.0, (15**2 + 5**2 + 5**2 + 15**2) / 3))


def test_a_total_of_users_who_did_is_a_number_of_users_with_a_score_interval():
    found = goal("{metric: buyers, target: 3}")
    assert (found.observed, found.unit, found.verdict) == (3.0, "users", "unknown")
    assert (found.lower, found.upper) == tuple(4 * bound for bound in wilson(3, 4))
    assert goal("{metric: buyers, target: 30%, measure: per_user}").unit == "share"


def test_a_ratio_is_the_ratio_of_the_sums():
    found = goal("{metric: basket, target: 10}")
    assert (found.observed, found.measure, found.n) == (15.0, "ratio", 4)


def test_a_change_against_before_is_measured_on_the_mean_of_the_blocks():
    found = goal("{metric: money, target: +30%}", PHASES)
    assert (found.baseline, found.observed, found.target) == (19.0, 60.0, pytest.approx(24.7))
    assert found.change == pytest.approx(60 / 19 - 1)
    assert (found.verdict, found.reason) == ("unknown", "unbounded")  # four users say next to nothing


def test_a_change_against_a_number_has_the_bounds_of_the_level():
    found = goal("{metric: money, target: +30%, baseline: 1000}", orders=sure())
    assert (found.against, found.change, found.target, found.verdict) == ("number", pytest.approx(1.02), 1300.0, "met")
    level = goal("{metric: money, target: 1300}", orders=sure())
    assert (found.lower, found.upper) == (pytest.approx(level.lower), pytest.approx(level.upper))


def test_a_change_of_a_number_that_is_not_positive_is_not_known():
    found = goal("{metric: money, target: +30%, baseline: 0}")
    assert (found.verdict, found.reason, found.observed) == ("unknown", "baseline_not_positive", 60.0)


def test_nothing_before_makes_a_change_unknown():
    found = goal("{metric: money, target: +30%}", PHASES, orders="user|at|amount\n ann|03-05|3\n bob|02-18|1")
    assert (found.verdict, found.reason) == ("unknown", "zero_baseline") and math.isnan(found.change)


def test_the_baseline_must_lie_in_the_data():
    found = goal("{metric: money, target: +30%}", PHASES, orders="user|at|amount\n ann|03-01|3\n bob|03-05|1")
    assert (found.verdict, found.reason) == ("unknown", "baseline_not_covered")


def test_a_baseline_that_begins_before_the_data_is_cut_to_whole_blocks():
    found = goal("{metric: money, target: +30%}", PHASES, orders=ORDERS.replace(" dee|02-18|1", " dee|03-05|0")
                 .replace("ann|02-19|10", "ann|02-21|10").replace("bob|02-20", "bob|02-21"))
    assert found.baseline == 22.0  # the second block alone: 14 + 8


def test_an_unfinished_period_is_not_judged():
    found = goal("{metric: money, target: 10}", "data_until: 2024-03-09")
    assert (found.verdict, found.reason) == ("unknown", "period_not_over") and math.isnan(found.observed)


@pytest.mark.parametrize(("until", "reason"), [("2024-03-14", "deadline_not_reached"), ("2024-03-15", "")])
def test_a_deadline_must_lie_in_the_data(until, reason):
    found = goal("{metric: money, target: 1900, deadline: 2024-03-15}", f"data_until: {until}", orders=sure())
    assert found.reason == reason


def test_a_metric_of_the_time_after_waits_for_that_time():
    params = ("after: {start: 2024-03-11, end: 2024-03-17}\n", METRICS.replace("money: {", "money: {over: after, ")
              .replace("  basket: {ratio: [money, orders], unit: CNY}\n", ""))
    late = "".join(params) + "data_until: 2024-03-16"
    assert goal("{metric: money, target: 5}", late).reason == "data_end_before"
    assert goal("{metric: money, target: 5}", "".join(params), orders=ORDERS + "\n ann|03-12|7").observed == 7.0


def test_against_control_every_arm_is_judged_per_user():
    said = "goals: [{metric: money, target: +5%, baseline: control, measure: per_user}]\n"
    arms = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"
    found = goals(shop_facts(METRICS + said + arms, seed=1, n=300, arms=("stay", "go", "run")))
    assert [row.arm for row in found] == ["go", "run"]
    assert all(row.against == "control" and row.baseline == found[0].baseline for row in found)
    assert all(row.lower == pytest.approx(row.baseline * (1 + row.change_lower)) for row in found)


def test_a_change_of_a_control_that_never_did_is_not_known():
    """Its interval has a lower bound, but there is nothing to be a change of."""
    said = "goals: [{metric: buyers, target: +5%, baseline: control, measure: per_user}]\n"
    people = [(f"u{i}", "go" if i % 2 else "stay") for i in range(100)]
    found, = goals(observed(METRICS + said + ARMS, orders="user|at|amount\n" + "\n".join(
        f"{user}|03-05|1" for user, arm in people if arm == "go"), assignments="user|variant\n" + "\n".join(
            "|".join(each) for each in people)))
    assert (found.verdict, found.reason) == ("unknown", "zero_control") and math.isnan(found.change)


def test_against_control_a_goal_is_judged_by_the_interval_that_the_effects_show():
    """Of two arms each has half of the level: a goal that a single interval would call met is not known."""
    said = "goals: [{metric: money, target: +0%, baseline: control, measure: per_user}]\n"
    arms = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"
    verdicts = set()
    for seed in range(6):
        facts = shop_facts(METRICS + said + arms, seed=seed, n=300, arms=("stay", "go", "run"))
        effects = {row.arm: row for row in uplifts(facts) if row.metric == "money"}
        for row in goals(facts):
            own = effects[row.arm]
            assert (row.change_lower, row.change_upper, row.alpha) == (
                own.rel_diff_lower, own.rel_diff_upper, own.alpha)
            assert (row.verdict == "met") == (own.verdict == "better")
            verdicts.add(row.verdict)
    assert verdicts == {"met", "unknown"}


def test_goals_stand_in_the_order_of_their_priority():
    said = "goals: [{metric: orders, target: 1, priority: 3}, {metric: money, target: 1}]\n"
    assert [row.metric for row in goals(observed(said + METRICS, orders=ORDERS))] == ["money", "orders"]


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from([-0.3, 0.0, 0.6, 3.0]), st.sampled_from(["higher", "lower"]),
       st.sampled_from(["-50%", "-10%", "+10%", "+60%"]), st.sampled_from(["before", "control", "3"]))
def test_met_means_that_the_whole_interval_shown_is_beyond_the_target(seed, lift, better, target, baseline):
    metrics = (f"metrics:\n  money: {{sum: orders.amount, role: primary, better: {better}}}\n"
               f"  buyers: {{any: orders, better: {better}}}\n  orders: {{count: orders, better: {better}}}\n"
               f"  basket: {{ratio: [money, orders], better: {better}}}\n")
    asked = ", ".join(f"{{metric: {name}, target: '{target}', baseline: {baseline}, measure: per_user}}"
                      for name in ("money", "buyers", "orders", "basket"))
    for row in goals(shop_facts(metrics + ARMS + f"goals: [{asked}]\n", seed=seed, lift=lift)):
        sign = 1 if better == "higher" else -1
        bounds = ((row.change_lower, row.change_upper, row.target_change), (row.lower, row.upper, row.target))
        for lower, upper, aim in bounds:
            beyond = sorted((sign * (lower - aim), sign * (upper - aim)))
            said = "met" if beyond[0] >= -1e-12 else "missed" if beyond[1] < 1e-12 else "unknown"
            assert row.verdict == ("unknown" if math.isnan(lower) else said)
        assert math.isnan(row.lower) == math.isnan(row.change_lower)
        assert (row.reason == "") == (row.verdict != "unknown")


def judged(metric, verdict, priority, observed=90.0):
    return Goal(metric, "CNY", "total", "", "higher", priority, None, "", math.nan, math.nan, 100.0, observed,
                verdict=verdict)


def test_a_goal_met_and_one_missed_pull_apart_and_the_first_priority_decides():
    found = conflicts([judged("money", "missed", 2), judged("visits", "met", 1)])
    assert found == [Conflict("visits", "money", "met", True, "money", 10.0, "CNY", "total")]


def test_equal_priorities_decide_nothing():
    assert [row.is_decided for row in conflicts([judged("a", "met", 1), judged("b", "missed", 1)])] == [False]


@pytest.mark.parametrize("other", [("b", "met"), ("b", "unknown"), ("a", "missed")])
def test_no_conflict_without_two_metrics_that_end_apart(other):
    assert conflicts([judged("a", "met", 1), judged(*other, 2)]) == []
