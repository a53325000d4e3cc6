"""A plan measures on the past what the review will compare with, and says what that lets be seen."""

import math
from dataclasses import asdict
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.report.results import plain
from analysis.results.planning.answers import answers
from analysis.results.planning.lengths import judged_days, lengths
from analysis.results.planning.levels import standing, wishes
from analysis.results.planning.measured import measured
from analysis.results.planning.reach import n_compared, reaches_by_days
from tests.shops import shop
from tests.tables import before

METRICS = """
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  basket: {ratio: [money, orders]}
  orders: {count: orders}
"""
ARMS = "arms: {control: stay, shares: {stay: 20%, go: 80%}}\n"
TWICE = ("period: {start: 2024-03-04, end: 2024-03-05}\nbaseline: {start: 2024-02-27, end: 2024-03-03}\n"
         "plan: {days: 5}\n")


@cache
def tables(seed=1, n=300):
    made = shop(seed=seed, n=n)
    users = made.pop("assignments")[["user_id"]]
    return made | {"users": users.assign(city=[f"c{i % 12}" for i in range(n)], tier=["a", "b", "b"] * (n // 3))}


@cache
def past_of(params="", seed=1, n=300):
    return before(METRICS + TWICE + params, **tables(seed, n))


def per_user(made, first, days, column="amount"):
    """Sum (or number, or whether) of orders of each user in so many days from `first` on."""
    orders, first = made["orders"], pd.Timestamp(first)
    own = orders[(orders["ordered_at"] >= first) & (orders["ordered_at"] < first + pd.Timedelta(days=days))]
    grouped = own.groupby("user_id")["amount"]
    found = grouped.sum() if column == "amount" else grouped.size()
    return found.reindex(made["users"]["user_id"]).fillna(0.0).to_numpy(float)


# --- what is measured ---

@pytest.mark.parametrize("days", [1, 2, 5])
def test_mean_and_spread_are_those_of_the_last_days(days):
    made, found = tables(), measured(past_of(ARMS), "money", days)
    own = per_user(made, pd.Timestamp("2024-03-04") - pd.Timedelta(days=days), days)
    assert found.n == 300 and (found.plain.value, found.plain.var) == pytest.approx((own.mean(), own.var(ddof=1)))


def test_the_gain_of_the_time_before_is_its_correlation_with_what_came():
    """Two days against the six before them, three blocks of two."""
    made, found = tables(), measured(past_of(ARMS), "money", 2)
    now, then = per_user(made, "2024-03-02", 2), per_user(made, "2024-02-25", 6)
    assert found.method == "adjusted" and found.reduction == pytest.approx(np.corrcoef(now, then)[0, 1] ** 2)
    assert found.own.factor == pytest.approx(1 - found.reduction)


def test_shares_and_ratios_are_what_the_rows_say():
    made, past = tables(), past_of(ARMS)
    orders, money = per_user(made, "2024-03-02", 2, "n"), per_user(made, "2024-03-02", 2)
    share, basket = measured(past, "buyers", 2), measured(past, "basket", 2)
    assert share.own.value == pytest.approx((orders > 0).mean())
    assert share.method == "score" and math.isnan(share.reduction)
    ratio = money.sum() / orders.sum()
    assert basket.plain.value == pytest.approx(ratio)
    assert basket.plain.var == pytest.approx((money - ratio * orders).var(ddof=1) / orders.mean() ** 2)


def test_strata_take_off_what_lies_between_them():
    arms = "arms: {control: stay, shares: {stay: 20%, go: 80%}, strata: [tier]}\n"
    made, found = tables(), measured(past_of(arms + "effects: {adjust: none}\n"), "buyers", 2)
    did = pd.Series(per_user(made, "2024-03-02", 2, "n") > 0, dtype=float)
    within = did.groupby(made["users"]["tier"])
    expected = sum((n / 300) * var for n, var in zip(within.size(), within.var(ddof=1), strict=True))
    assert found.method == "strata" and found.reduction == pytest.approx(max(0.0, 1 - expected / did.var(ddof=1)))


def test_a_review_that_does_not_adjust_is_planned_without_and_told_what_it_would_gain():
    found = measured(past_of(ARMS + "effects: {adjust: none}\n"), "money", 2)
    assert found.method == "welch" and found.own is found.plain and found.reduction > 0


def test_clusters_are_planned_with_their_own_correlation():
    arms = "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: city}\n"
    made, found = tables(), measured(past_of(arms), "money", 2)
    own = pd.Series(per_user(made, "2024-03-02", 2)).groupby(made["users"]["city"])
    size, k = 25, 12
    between = size * own.mean().var(ddof=1)
    within = own.var(ddof=1).mean()
    icc = (between - within) / (between + (size - 1) * within)
    assert found.method == "clusters" and found.n_clusters == k and found.icc == pytest.approx(icc)
    assert found.own.factor == pytest.approx(1 + (size - 1) * max(icc, 0)) and found.own.cluster_size == size


def test_what_never_happened_cannot_be_planned_with():
    past = past_of(ARMS + "metrics: {gifts: {count: events, where: {event: gift}, role: primary}}\n")
    assert measured(past, "gifts", 2).own.reason == "never_happened"


# --- lengths ---

def test_lengths_end_with_the_past_and_hold_the_planned_one():
    assert lengths(past_of("plan: {}\n")) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert lengths(past_of("plan: {days: 3}\n")) == [1, 2, 3]
    assert lengths(past_of("plan: {days: 60}\n")) == [1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15]   # so long is the past


def test_a_campaign_longer_than_its_past_is_judged_at_what_there_is():
    past = before(METRICS + "period: {start: 2024-03-04, end: 2024-04-02}\n", **tables())
    assert judged_days(past) == 15 and answers(past).needs[0].days_planned == 30


# --- what can be seen ---

def test_the_smallest_effect_is_the_textbooks():
    row = next(row for row in reaches_by_days(past_of(ARMS, n=3000)) if (row.metric, row.days) == ("money", 2))
    own = measured(past_of(ARMS, n=3000), "money", 2).own
    lifted = own.var * own.factor * ((1 + row.smallest) ** 2 / row.n_treatment + 1 / row.n_control)
    effect = (norm.isf(0.025) + norm.isf(0.2)) * math.sqrt(lifted)
    assert (row.n_treatment, row.n_control) == pytest.approx((2400, 600))
    assert row.smallest * row.value == pytest.approx(effect, rel=0.01) and row.smallest < row.smallest_plain


@pytest.mark.parametrize(("params", "name", "n"), [
    (ARMS, "money", 1), (ARMS, "buyers", 3),
    ("arms: {control: stay, shares: {stay: 20%, go: 40%, run: 40%}}\n", "money", 2)])
def test_comparisons_that_are_judged_together_share_the_level(params, name, n):
    past = past_of(params)
    assert n_compared(past, name) == n
    levels = [row.alpha for row in reaches_by_days(past) if row.metric == name]
    assert levels == pytest.approx([0.05 / n] * len(levels))


def test_looking_early_costs_some_of_the_level():
    past = past_of(ARMS + "effects: {looks: {method: pocock, planned: 5}}\n")
    assert next(row.alpha for row in reaches_by_days(past) if row.metric == "money") == pytest.approx(0.0158, abs=0.005)


def test_each_arm_is_planned_with_its_own_users():
    past = past_of("arms: {control: stay, shares: {stay: 50%, go: 40%, run: 10%}}\n")
    found = {row.arm: (row.n_treatment, row.n_control) for row in reaches_by_days(past)}
    assert found == {"go": pytest.approx((120, 150)), "run": pytest.approx((30, 150))}


def test_users_who_are_excluded_do_not_count():
    made = tables()
    past = before(METRICS + TWICE + ARMS, **made | {"users": made["users"].head(100)})
    assert {row.n_users for row in reaches_by_days(past)} == {100}


# --- wishes ---

def test_a_goal_is_a_wish_where_the_plan_says_nothing():
    goals = "goals: [{metric: money, target: +10%}, {metric: buyers, target: 50%, measure: per_user, priority: 2}]\n"
    found = wishes(past_of(ARMS + goals))
    share = standing(past_of(ARMS), "buyers").value
    assert {name: (own.rel_effect, own.source) for name, own in found.items()} == {
        "money": (0.1, "goal"), "buyers": (pytest.approx(0.5 / share - 1), "goal")}
    found = wishes(past_of(ARMS + goals + "plan: {effect: 25%, days: 9}\n"))
    assert (found["money"].rel_effect, found["money"].source) == (0.25, "plan")


@pytest.mark.parametrize("goal", ["{metric: money, target: -10%}", "{metric: orders, target: 1}"])
def test_a_goal_on_the_wrong_side_of_today_is_no_wish(goal):
    assert wishes(past_of(ARMS + f"goals: [{goal}]\n")) == {}


# --- needs, hold-outs and the verdict ---

def test_users_and_days_that_show_the_wish():
    found = answers(past_of(ARMS + "plan: {effect: 25%, days: 9}\n", n=3000))
    need = found.needs[0]
    assert need.verdict == "not_seen" and need.power < 0.8 < 1
    assert need.n_needed > need.n == 3000 and need.days_needed > need.days == 2
    course = {row.days: row.power for row in found.reaches if row.metric == "money"}
    assert course[need.days_needed] >= 0.8 > course[need.days_needed - 1]
    assert found.verdict.answer == "not_feasible" and found.verdict.reasons == ("primary_not_seen",)
    ways = {row.kind: row.value for row in found.remedies}
    assert ways["more_days"] == need.days_needed and ways["larger_effect"] == need.smallest
    assert ways["more_users"] == pytest.approx(need.n_needed)


def test_a_smallest_share_held_out_is_offered_if_there_is_one():
    found = answers(past_of("plan: {effect: 90%, days: 2, holdout: [1%, 50%]}\nno_control_group: all\n", n=3000))
    enough = next(row for row in found.holdouts if row.is_enough)
    assert enough.power == pytest.approx(0.8, abs=1e-4) and enough.smallest == pytest.approx(0.9, abs=1e-3)
    assert enough.forgone == pytest.approx(enough.n_held_out * 0.9 * found.needs[0].value)
    assert [row.share for row in found.holdouts] == [0.01, enough.share, 0.5]
    assert found.verdict.reasons == ("nobody_held_out",)
    assert ("holdout", enough.share) in {(row.kind, row.value) for row in found.remedies}


def test_where_not_even_half_would_do_that_is_the_answer():
    found = answers(past_of("plan: {effect: 1%, days: 2}\n"))
    assert found.verdict.reasons == ("no_holdout_will_do",) and not any(row.is_enough for row in found.holdouts)


def test_a_wish_that_is_seen_is_feasible():
    found = answers(past_of(ARMS + "plan: {effect: 90%, days: 5}\nperiod: {start: 2024-03-04, end: 2024-03-08}\n"
                                   "baseline: {start: 2024-02-28, end: 2024-03-03}\n", n=3000))
    assert found.verdict.answer == "feasible" and found.remedies == [] and found.needs[0].verdict == "seen"


def test_a_guardrail_that_cannot_be_shown_to_hold_is_not_feasible():
    guarded = ("metrics: {money: {sum: orders.amount, role: primary}, "
               "late: {count: orders, role: guardrail, margin: 1%}}\n")
    found = answers(past_of(ARMS + guarded + "plan: {effect: 200%, days: 2}\n", n=3000))
    assert found.verdict.reasons == ("guardrail_not_seen",)
    assert [row.verdict for row in found.needs] == ["seen", "not_seen"]
    assert found.needs[1].smallest > 0.01 and found.needs[1].wished_from == "margin"


@pytest.mark.parametrize(("margin", "verdict"), [("0%", "not_seen"), ("100%", "seen")])
def test_margins_at_both_ends_have_an_answer(margin, verdict):
    guarded = ("metrics: {money: {sum: orders.amount, role: primary}, "
               f"late: {{count: orders, role: guardrail, margin: {margin}}}}}\n")
    need = answers(past_of(ARMS + guarded + "plan: {days: 2}\n")).needs[1]
    assert need.verdict == verdict and math.isnan(need.n_needed) == (margin == "0%")


@pytest.mark.parametrize(("effect", "verdict"), [("0.0000001%", "not_seen"), ("1000%", "not_seen")])
def test_wishes_beyond_all_measure_have_an_answer(effect, verdict):
    need = answers(past_of(f"{ARMS}plan: {{effect: {{money: 5%, buyers: {effect}}}, days: 2}}\n")).needs[1]
    assert (need.metric, need.verdict) == ("buyers", verdict) and math.isnan(need.days_needed)


def test_nobody_left_gives_defined_answers():
    found = answers(past_of(ARMS + "population: {where: {tier: none}}\nplan: {effect: 5%, days: 2}\n"))
    assert {row.reason for row in found.needs} == {"no_users"} and found.verdict.answer == "cannot_tell"


def test_without_a_wish_it_cannot_be_told():
    found = answers(past_of(ARMS))
    assert (found.verdict.answer, found.verdict.reasons) == ("cannot_tell", ("nothing_wished",))
    assert found.needs[0].smallest > 0 and math.isnan(found.needs[0].power)


def test_a_past_with_missing_days_is_not_trusted():
    made = dict(tables(n=3000))
    for name, at in (("orders", "ordered_at"), ("events", "occurred_at")):
        made[name] = made[name][made[name][at].dt.date != pd.Timestamp("2024-03-01").date()]
    found = answers(before(METRICS + TWICE + ARMS + "plan: {effect: 60%, days: 3}\n", **made))
    assert (found.verdict.answer, found.verdict.reasons) == ("do_not_trust", ("missing_days",))


def test_taking_off_the_time_before_is_offered_where_it_alone_would_do():
    wish = "plan: {effect: 25%, days: 3}\n"
    low, high = (answers(past_of(f"{ARMS}effects: {{adjust: {adjust}}}\n{wish}", n=3000)).needs[0]
                 for adjust in ("none", "before"))
    assert low.power_before == pytest.approx(high.power) and math.isnan(high.power_before)
    asked = (low.power + high.power) / 2
    wish = f"plan: {{effect: 25%, days: 3, power: {asked:.4f}}}\n"
    found = answers(past_of(f"{ARMS}effects: {{adjust: none}}\n{wish}", n=3000))
    assert "time_before" in {row.kind for row in found.remedies}


# --- nothing of the campaign's own time ---

def test_what_comes_in_the_campaign_and_after_changes_nothing():
    made = tables()
    goals = "goals: [{metric: money, target: +10%}]\nplan: {effect: 60%}\n"
    cut = dict(made)
    for name, at in (("orders", "ordered_at"), ("events", "occurred_at")):
        cut[name] = made[name][made[name][at] < "2024-03-04"]
        assert len(cut[name]) < len(made[name])
    whole, before_only = (answers(before(METRICS + TWICE + ARMS + goals, **one)) for one in (made, cut))
    assert plain(asdict(whole)) == plain(asdict(before_only))


def test_the_order_of_rows_and_the_unit_of_money_change_nothing():
    made = tables()
    mixed = {name: frame.sample(frac=1, random_state=1) for name, frame in made.items()}
    mixed["orders"] = mixed["orders"].assign(amount=mixed["orders"]["amount"] * 100)
    params = METRICS + TWICE + ARMS + "plan: {effect: 60%, days: 3}\n"
    first, second = (answers(before(params, **one)) for one in (made, mixed))
    for a, b in zip(first.needs, second.needs, strict=True):
        assert (a.smallest, a.power, a.n_needed) == pytest.approx(
            (b.smallest, b.power, b.n_needed), nan_ok=True, rel=1e-6)


def test_an_empty_past_gives_defined_answers():
    past = before(METRICS + "period: {start: 2024-03-04, end: 2024-03-04}\n",
                  orders="user|at|amount\n ann|03-03 23:00|1", users="user\n ann\n bob")
    found = answers(past)
    assert [row.reason for row in found.needs] != [] and found.verdict.answer in ("cannot_tell", "not_feasible")
