"""Effects look by look: at the end they are the review's, on the way those of a direct computation."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.results.running.course import at_tick, course, left_out
from analysis.results.running.looking import ENOUGH, planned_looks
from analysis.results.uplift import uplifts
from analysis.stats.always_valid import always_valid
from analysis.stats.spending import crossing_probability
from analysis.stats.tails import z_critical
from tests.running import PARAMS, tables, watched
from tests.tables import observed

ALWAYS = "effects: {looks: {method: always_valid}}"
SAME = ("n_treatment", "n_control", "value_treatment", "value_control", "diff", "diff_lower", "diff_upper", "rel_diff",
        "rel_diff_lower", "rel_diff_upper", "pvalue", "pvalue_adjusted", "alpha", "pvalue_margin", "verdict", "method")


def same(first, second):
    for field in SAME:
        one, other = getattr(first, field), getattr(second, field)
        assert one == other if isinstance(one, str) else one == pytest.approx(other, nan_ok=True), field


@pytest.mark.parametrize("looks", [
    ALWAYS, "effects: {looks: {method: always_valid, tightest_at: 4000}}",
    "effects: {looks: {method: obrien_fleming, planned: 4}}", "effects: {looks: {method: pocock, planned: 2}}"])
def test_the_last_look_says_what_the_review_says(looks):
    facts = watched(looks, lift=0.1)
    found, review = at_tick(course(facts), 14), uplifts(facts)
    assert [(row.metric, row.role) for row in found] == [(row.metric, row.role) for row in review]
    for own, other in zip(found, review, strict=True):
        same(own, other)


def test_without_a_plan_one_may_look_at_any_time():
    for own, other in zip(course(watched(days=5)), course(watched(ALWAYS, days=5)), strict=True):
        same(own, other)


def test_a_look_on_the_way_is_welchs_test_of_the_days_so_far():
    own, facts = tables(days=9), watched("effects: {adjust: none}", days=9)
    point = next(row for row in course(facts) if (row.tick, row.metric) == (5, "money"))
    orders = own["orders"]
    orders = orders[(orders["ordered_at"] >= "2024-03-04") & (orders["ordered_at"] < "2024-03-09")]
    people = own["assignments"].set_index("user_id")
    people["money"] = orders.groupby("user_id")["amount"].sum().reindex(people.index).fillna(0.0)
    go, stay = (people[people["variant"] == arm]["money"] for arm in ("go", "stay"))
    welch = stats.ttest_ind(go, stay, equal_var=False)
    look = always_valid(welch.pvalue, 5 * len(people), 14 * len(people))
    assert point.pvalue == pytest.approx(welch.pvalue) and point.pvalue_adjusted == pytest.approx(look.pvalue)
    interval = welch.confidence_interval(1 - look.alpha_nominal)
    assert (point.diff_lower, point.diff_upper) == pytest.approx((interval.low, interval.high))
    assert point.clock == 5 * len(people) and point.method == "welch"


def test_p_is_below_alpha_exactly_when_each_interval_leaves_out_zero():
    n_claims = 0
    for seed in range(3):
        for row in course(watched(lift=0.25, days=10, seed=seed, n=500)):
            if row.reason or row.role == "guardrail":
                continue
            is_claimed = row.pvalue_adjusted < 0.05
            n_claims += is_claimed
            assert is_claimed == (not row.diff_lower <= 0 <= row.diff_upper)
            assert math.isnan(row.rel_diff_lower) or is_claimed == (not row.rel_diff_lower <= 0 <= row.rel_diff_upper)
            assert (row.verdict in ("better", "worse")) == is_claimed
            assert row.fixed_lower >= row.rel_diff_lower or math.isnan(row.rel_diff_lower)
    assert n_claims > 10


def test_days_between_planned_looks_carry_no_claim():
    facts = watched("effects: {looks: {method: pocock, planned: 2}}", lift=0.5)
    assert planned_looks(facts) == {7: 0.5, 14: 1.0}
    rows = [row for row in course(facts) if row.metric == "money"]
    assert [row.tick for row in rows if not row.reason] == [7, 14]
    for row in rows:
        if row.tick not in (7, 14):
            assert (row.reason, row.verdict) == ("between_looks", "cannot_tell")
            assert math.isnan(row.pvalue_adjusted) and math.isnan(row.diff_lower) and row.rel_diff == row.rel_diff


def test_more_planned_looks_than_days_are_one_a_day():
    facts = watched("effects: {looks: {method: pocock, planned: 40}}", days=3)
    assert list(planned_looks(facts)) == list(range(1, 15)) and planned_looks(facts)[14] == 1.0
    assert all(row.reason == "" for row in course(facts))


def test_a_look_is_too_early_while_few_users_of_an_arm_count():
    """A handful of buyers in the smaller arm: their variance is not to be trusted yet."""
    facts = watched(n=600, to_treatment=0.93)
    rows = [row for row in course(facts) if row.metric == "orders"]
    first = next(row.tick for row in rows if not row.reason)
    assert first > 1 and {row.reason for row in rows if row.tick < first} == {"too_early"}
    own = tables(n=600, to_treatment=0.93)
    few = own["assignments"][own["assignments"]["variant"] == "stay"]["user_id"]
    for tick in (first - 1, first):
        until = pd.Timestamp("2024-03-04") + pd.Timedelta(days=tick)
        orders = own["orders"][(own["orders"]["ordered_at"] >= "2024-03-04") & (own["orders"]["ordered_at"] < until)]
        counts = orders.groupby("user_id").size().reindex(few).fillna(0.0)
        counting = len(counts) / (1 + counts.var() / counts.mean() ** 2)
        assert (counting >= ENOUGH) == (tick == first)


@pytest.mark.parametrize(("visits", "verdict"), [(0.0, "safe"), (-0.5, "broken"), (-0.17, "cannot_tell")])
def test_a_guardrail_is_held_against_its_margin(visits, verdict):
    row = at_tick(course(watched(visits=visits, days=8)), 8)[-1]
    assert (row.role, row.verdict) == ("guardrail", verdict)
    assert (row.pvalue_margin < 0.025) == (verdict == "safe")


def test_arms_drawn_by_cluster_are_looked_at_once_at_the_end_unless_planned():
    own = tables(n=600, days=14)
    users = own["assignments"][["user_id"]].assign(
        shop=own["assignments"]["variant"] + (np.arange(600) % 24).astype(str))
    params = PARAMS.replace("shares: {stay: 50%, go: 50%}", "shares: {stay: 50%, go: 50%}, cluster: shop")
    facts = observed(params + "data_until: 2024-03-17", users=users, **own)
    rows = [row for row in course(facts) if row.metric == "money"]
    assert [row.tick for row in rows if not row.reason] == [14] and rows[-1].method == "clusters"
    same(rows[-1], uplifts(facts)[0])


def test_several_arms_share_the_error():
    own = tables(n=900, lift=0.2)
    third = np.random.default_rng(2).random(900) < 1 / 3
    own["assignments"].loc[third, "variant"] = "run"
    params = PARAMS.replace("shares: {stay: 50%, go: 50%}", "shares: {stay: 34%, go: 33%, run: 33%}") + ALWAYS
    facts = observed(params + "\ndata_until: 2024-03-17", **own)
    found = [row for row in at_tick(course(facts), 14) if row.metric == "money"]
    assert [row.arm for row in found] == ["go", "run"]
    for one, other in zip(found, uplifts(facts)[:2], strict=True):
        same(one, other)


def test_what_is_counted_after_is_left_out_and_still_counts_in_its_family():
    after = ("after: {start: 2024-03-18, end: 2024-03-31}\nmetrics:\n  money: {sum: orders.amount, role: primary}\n"
             "  orders: {count: orders}\n  later: {count: orders, over: after}\n"
             "  kept: {count: orders, over: after, role: guardrail, margin: 5%}\n")
    params = PARAMS[:PARAMS.index("metrics:")] + after
    facts = observed(params + "data_until: 2024-03-10", **tables(days=7))
    assert [(row.metric, row.role, row.reason) for row in left_out(facts)] == [
        ("later", "secondary", "counted_after"), ("kept", "guardrail", "counted_after")]
    found = {row.metric: row for row in at_tick(course(facts), 7)}
    assert found.keys() == {"money", "orders"}
    assert found["orders"].alpha < found["money"].alpha   # two secondary metrics were declared


def test_looking_every_day_for_a_year_at_the_tightest_bound_alarms_in_at_most_5_percent():
    """So it does no harm that the planned clock moves while users still enter: no bound is ever tighter than this."""
    tightest = min(z_critical(always_valid(0.5, 1000 * k, 1000).alpha_nominal) for k in np.linspace(0.2, 5, 500))
    assert tightest == pytest.approx(3.035, abs=0.001)
    assert crossing_probability([tightest] * 365, [(i + 1) / 365 for i in range(365)]) < 0.05
