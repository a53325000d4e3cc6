"""Looking early: what the end of a campaign is worth then, by the published formulas, and the law with it."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.results.evidence import evidence
from analysis.results.goals import goals
from analysis.results.looks import at_end, at_end_one_sided, days_per_user
from analysis.results.trust import checks
from analysis.results.uplift import compare, uplifts
from analysis.results.verdict import verdict
from tests.people import METRICS, assert_lawful, assert_reasoned
from tests.shops import PHASES, shop, shop_facts
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
LATER = METRICS + "  later: {sum: orders.amount, role: guardrail, margin: 60%, over: after}\n"


def looked(said, metrics=LATER, seed=6, n=300, **how):
    return shop_facts(metrics + ARMS + (f"effects: {{looks: {said}}}\n" if said else ""), seed=seed, n=n, **how)


@pytest.mark.parametrize(("said", "critical"), [
    ("{method: obrien_fleming, planned: 5}", 2.03103), ("{method: pocock, planned: 5}", 2.38591),
    ("{method: obrien_fleming, planned: 2}", 1.96864)])
def test_planned_looks_leave_the_published_bound_for_the_end(said, critical):
    """Lan & DeMets (1983) with equal looks, two-sided .05."""
    row = uplifts(looked(said))[0]
    assert row.alpha == pytest.approx(2 * stats.norm.sf(critical), abs=1e-4)


def test_any_number_of_looks_asks_for_the_mixture_bound_at_the_users_days():
    facts = looked("{method: always_valid}")
    row = uplifts(facts)[0]
    v = -2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))   # clock x rho^2, where it is tightest at the clock
    critical = math.sqrt((v + 1) / v * (math.log(v + 1) - 2 * math.log(0.05)))
    assert row.alpha == pytest.approx(2 * stats.norm.sf(critical))
    z = stats.norm.isf(row.pvalue / 2)
    assert row.pvalue_adjusted == pytest.approx(min(1, math.sqrt(v + 1) * math.exp(-z * z * v / (2 * (v + 1)))))


def test_where_it_is_tightest_is_what_the_params_say():
    """By hand: 300 users of 7 days each, tightest at 50,000."""
    row = uplifts(looked("{method: always_valid, tightest_at: 50_000}"))[0]
    v = 2100 * (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 50_000
    critical = math.sqrt((v + 1) / v * (math.log(v + 1) - 2 * math.log(0.05)))
    assert row.alpha == pytest.approx(2 * stats.norm.sf(critical))


@pytest.mark.parametrize(("metric", "days"), [
    ("{sum: orders.amount, role: primary}", 7), ("{sum: orders.amount, role: primary, over: after}", 7),
    ("{sum: orders.amount, role: primary, over: both}", 14), ("{any: orders, role: primary, window: 2 days}", 1)])
def test_users_days_are_the_clock_and_users_where_each_has_a_window(metric, days):
    facts = observed("metrics: {it: " + metric + "}\n" + ARMS + PHASES, **shop(seed=1, n=50))
    assert days_per_user(facts, "it") == days


def test_the_days_of_a_ratio_are_those_of_its_parts():
    metrics = ("metrics: {money: {sum: orders.amount, role: primary, over: both}, n: {count: orders, over: both}, "
               "basket: {ratio: [money, n]}}\n")
    assert days_per_user(observed(metrics + ARMS + PHASES, **shop(seed=1, n=50)), "basket") == 14


def test_without_looks_a_p_is_what_it_is():
    facts = looked("")
    assert at_end(facts, "money", 0.03, 300).pvalue == 0.03 and at_end(facts, "money", 0.03, 300).alpha_nominal == 0.05
    assert at_end_one_sided(facts, "money", 0.03, 300) == 0.03


@pytest.mark.parametrize("said", ["{method: always_valid}", "{method: pocock, planned: 4}"])
def test_a_one_sided_p_is_half_of_twice_as_much_and_its_other_side_is_what_is_left(said):
    facts = looked(said)
    for p in (0.001, 0.02, 0.3, 0.5):
        low, high = at_end_one_sided(facts, "money", p, 300), at_end_one_sided(facts, "money", 1 - p, 300)
        assert low == pytest.approx(at_end(facts, "money", min(2 * p, 1.0), 300).pvalue / 2)
        assert low + high == pytest.approx(1.0 if p < 0.5 else 2 * low) and low >= p
    assert math.isnan(at_end_one_sided(facts, "money", math.nan, 300))


@pytest.mark.parametrize("said", ["{method: always_valid}", "{method: obrien_fleming, planned: 3}",
                                  "{method: pocock, planned: 20}"])
@pytest.mark.parametrize("lift", [0.0, 0.6, 3.0])
def test_p_intervals_and_margins_tell_one_story(said, lift):
    facts = looked(said, lift=lift)
    for row in uplifts(facts):
        assert_lawful(row, row.pvalue_adjusted, 0.05)
        assert_lawful(row, row.pvalue, row.alpha)
        assert_reasoned(row)
        if row.role == "guardrail":
            assert (row.pvalue_margin < 0.025) == (row.verdict == "safe")
        one = compare(facts, row.metric, "go")
        assert (one.diff_lower, one.rel_diff_upper) == pytest.approx((row.diff_lower, row.rel_diff_upper), nan_ok=True)


def test_two_looks_cost_little_and_twenty_cost_more():
    rows = [uplifts(looked(said))[0] for said in ("", "{method: pocock, planned: 2}", "{method: pocock, planned: 20}")]
    assert rows[0].pvalue_adjusted < rows[1].pvalue_adjusted < rows[2].pvalue_adjusted
    assert [row.pvalue for row in rows] == pytest.approx([rows[0].pvalue] * 3, rel=1e-9)   # sums of several threads


def test_too_early_is_no_interval_no_verdict_and_no_goal():
    goal = "goals: [{metric: money, target: +5%, baseline: control, measure: per_user}]\n"
    facts = looked("{method: always_valid, tightest_at: 1_000_000_000}", METRICS + goal, lift=3.0)
    for row in uplifts(facts):
        assert (row.reason, row.verdict) == ("too_early", "cannot_tell") and math.isnan(row.pvalue_adjusted)
        assert_reasoned(row)
    assert (goals(facts)[0].verdict, goals(facts)[0].reason) == ("unknown", "too_early")
    answer = verdict(facts, checks(facts), uplifts(facts))
    assert (answer.answer, answer.reasons) == ("cannot_tell", ("too_early",))


def test_where_only_the_corrected_interval_comes_too_early_there_is_no_verdict():
    """In a family of two the level is halved, and at half of it none is drawn any more; the p alone would claim."""
    tables = shop(seed=1, n=400, lift=0.0)
    people = tables["assignments"]
    go = people[people["variant"] == "go"]["user_id"]
    tables["orders"] = go.to_frame().assign(ordered_at="2024-03-05", amount=[50 + i % 3 for i in range(len(go))])
    metrics = ("metrics: {money: {sum: orders.amount, role: primary}, again: {sum: orders.amount}, "
               "never: {count: events, where: {event: none}}}\n")
    reasons = set()
    for tightest in (500_000, 1_500_000, 2_000_000):
        found = {row.metric: row for row in uplifts(observed(
            metrics + ARMS + f"effects: {{adjust: none, looks: {{tightest_at: {tightest}}}}}\n", **tables))}
        for row in found.values():
            assert_lawful(row, row.pvalue_adjusted, 0.05)
            assert row.verdict == ("better" if not row.reason and row.pvalue_adjusted < 0.05 else "cannot_tell")
        reasons.add((found["money"].reason, found["again"].reason))
    assert reasons == {("", ""), ("", "too_early"), ("too_early", "too_early")}


# --- whatever is shown beside the effects keeps to the same looks ---

@pytest.mark.parametrize("looks", ["{method: always_valid}", "{method: obrien_fleming, planned: 5}",
                                   "{method: pocock, planned: 5}"])
@pytest.mark.parametrize("seed", range(3))
def test_segments_days_and_other_methods_claim_no_more_than_looking_early_allows(looks, seed):
    tables = shop(seed=seed, n=300, lift=1.2)
    users = tables["assignments"][["user_id"]].assign(
        tier=np.where(np.arange(300) % 3 == 0, "gold", "grey"))
    params = ("metrics: {money: {sum: orders.amount, role: primary}}\n"
              "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n")
    once = evidence(observed(params + PHASES + "effects: {segments: [tier]}", users=users, **tables))
    params += PHASES + f"effects: {{segments: [tier], looks: {looks}}}"
    often = evidence(observed(params, users=users, **tables))
    for part in ("segments", "segment_tests", "trends"):
        for one, other in zip(getattr(once, part), getattr(often, part), strict=True):
            assert other.pvalue == pytest.approx(one.pvalue, rel=1e-9)
            assert other.pvalue_adjusted >= one.pvalue_adjusted * (1 - 1e-9)
    for one, other in zip(once.segments, often.segments, strict=True):
        assert other.diff_upper - other.diff_lower > one.diff_upper - one.diff_lower
        assert (other.pvalue_adjusted < 0.05) == (not other.diff_lower <= 0 <= other.diff_upper)
    for row in often.trends:
        assert (row.pvalue_adjusted < 0.05) == (not row.slope_lower <= 0 <= row.slope_upper)
    assert {view.method for view in often.views} <= {view.method for view in once.views} and often.views
    for view in often.views:
        assert view.alpha < 0.05
        if not np.isnan(view.diff_lower):
            assert (view.pvalue < view.alpha) == (not view.diff_lower <= 0 <= view.diff_upper)
