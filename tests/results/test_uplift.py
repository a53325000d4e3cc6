"""Effects of a whole campaign: families, guardrails, and a defined answer where there is none."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS

from analysis.facts import compared, measure
from analysis.results.uplift import compare, uplifts
from analysis.stats.clusters import ClusterSums, compare_clusters
from analysis.stats.multiplicity import benjamini_hochberg, holm
from tests.shops import PHASES, shop, shop_facts
from tests.tables import observed

METRICS = """
metrics:
  money: {sum: orders.amount, role: primary, unit: CNY}
  buyers: {any: orders}
  orders: {count: orders}
  basket: {ratio: [money, orders]}
  later: {sum: orders.amount, role: guardrail, margin: 30%, over: after}
  shown: {count: events, role: described}
"""
ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
THREE = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"


def test_roles_in_order_and_described_metrics_are_not_tested():
    found = uplifts(shop_facts(METRICS + ARMS, seed=1))
    assert [(row.role, row.metric) for row in found] == [
        ("primary", "money"), ("secondary", "buyers"), ("secondary", "orders"), ("secondary", "basket"),
        ("guardrail", "later")]
    assert [row.kind for row in found] == ["mean", "proportion", "mean", "ratio", "mean"]
    assert found[1].unit == "share"


PLAIN = "effects: {adjust: none}\n"


def test_as_computed_from_the_rows():
    tables = shop(seed=2, n=400)
    found = {row.metric: row for row in uplifts(shop_facts(METRICS + ARMS + PLAIN, seed=2, n=400))}
    orders = tables["orders"]
    during = orders[(orders["ordered_at"] >= "2024-03-04") & (orders["ordered_at"] < "2024-03-11")]
    money = tables["assignments"].set_index("user_id").assign(
        money=during.groupby("user_id")["amount"].sum()).fillna({"money": 0.0})
    go, stay = (money[money["variant"] == arm]["money"] for arm in ("go", "stay"))
    welch = stats.ttest_ind(go, stay, equal_var=False)
    assert found["money"].pvalue == pytest.approx(welch.pvalue)
    assert (found["money"].diff_lower, found["money"].diff_upper) == pytest.approx(tuple(welch.confidence_interval()))
    assert found["money"].total == pytest.approx((go.mean() - stay.mean()) * len(go))
    assert found["buyers"].diff == pytest.approx((go > 0).mean() - (stay > 0).mean())
    assert found["basket"].value_treatment == pytest.approx(
        during[during["user_id"].isin(go.index)]["amount"].mean())
    assert math.isnan(found["basket"].total)


def test_what_users_did_before_takes_noise_off_as_least_squares_does():
    tables = shop(seed=2, n=400)
    found = {row.metric: row for row in uplifts(shop_facts(METRICS + ARMS, seed=2, n=400))}
    people = tables["assignments"].set_index("user_id")
    for name, first, last in (("during", "2024-03-04", "2024-03-11"), ("before", "2024-02-19", "2024-03-04")):
        orders = tables["orders"]
        own = orders[(orders["ordered_at"] >= first) & (orders["ordered_at"] < last)]
        people[name] = own.groupby("user_id")["amount"].sum().reindex(people.index).fillna(0.0)
    x = np.column_stack([np.ones(400), people["variant"] == "go", people["before"]])
    theirs = OLS(people["during"].to_numpy(), x.astype(float)).fit()
    row = found["money"]
    assert row.method == "adjusted" and row.diff == pytest.approx(theirs.params[1])
    assert row.value_treatment - row.value_control == pytest.approx(row.diff)
    plain = OLS(people["during"].to_numpy(), x[:, :2].astype(float)).fit()
    assert row.reduction == pytest.approx(1 - (theirs.bse[1] / plain.bse[1]) ** 2, abs=0.02)
    assert [found[name].method for name in ("buyers", "orders", "basket", "later")] == [
        "score", "adjusted", "adjusted", "adjusted"]


def with_users(params, seed, **columns):
    """A shop whose users have further columns."""
    tables = shop(seed=seed, n=400)
    users = tables["assignments"][["user_id"]].assign(**{
        name: make(np.random.default_rng(seed), 400) for name, make in columns.items()})
    return observed(params + PHASES, users=users, **tables), tables, users


def test_strata_are_weighted_and_shares_too():
    params = METRICS + "arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier]}\n" + PLAIN
    facts, tables, users = with_users(params, 3, tier=lambda draw, n: draw.choice(["gold", "grey"], n, p=[0.3, 0.7]))
    found = {row.metric: row for row in uplifts(facts)}
    orders = tables["orders"]
    during = orders[(orders["ordered_at"] >= "2024-03-04") & (orders["ordered_at"] < "2024-03-11")]
    people = users.merge(tables["assignments"], on="user_id").set_index("user_id")
    people["money"] = during.groupby("user_id")["amount"].sum().reindex(people.index).fillna(0.0)
    people["buyers"] = people["money"] > 0
    for name in ("money", "buyers"):
        level = people.groupby(["tier", "variant"])[name].mean().unstack()
        weight = people["tier"].value_counts(normalize=True)
        assert found[name].method == "strata"
        assert found[name].diff == pytest.approx(((level["go"] - level["stay"]) * weight).sum())


def test_small_strata_are_put_together():
    params = METRICS + "arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier]}\n"
    facts, _, _ = with_users(params, 4, tier=lambda draw, n: np.where(np.arange(n) < 8, np.arange(n).astype(str), "x"))
    assert all(not row.reason for row in uplifts(facts))


def test_users_of_a_cluster_hang_together():
    params = METRICS + "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: shop}\n"
    tables = shop(seed=5, n=400)
    number = tables["assignments"].groupby("variant").cumcount() % 8
    shops = tables["assignments"]["variant"] + number.astype(str)
    users = tables["assignments"][["user_id"]].assign(shop=shops)
    found = {row.metric: row for row in uplifts(observed(params + PHASES, users=users, **tables))}
    orders = tables["orders"]
    during = orders[(orders["ordered_at"] >= "2024-03-04") & (orders["ordered_at"] < "2024-03-11")]
    money = during.groupby("user_id")["amount"].sum().reindex(users["user_id"]).fillna(0.0).to_numpy()
    groups = [own for _, own in pd.Series(money).groupby(shops.to_numpy())]
    sums = {arm: ClusterSums(*np.array([(len(own), own.sum(), len(own), own.var()) for own in part]).T)
            for arm, part in (("go", groups[:8]), ("stay", groups[8:]))}
    expected = compare_clusters(sums["go"], sums["stay"], "mean")
    assert found["money"].method == "clusters" and found["money"].pvalue == pytest.approx(expected.pvalue)
    assert found["buyers"].kind == "proportion" and found["buyers"].method == "clusters"


def test_a_campaign_that_was_looked_at_early_needs_more_to_be_told():
    often = METRICS + ARMS + "effects: {looks: {method: always_valid}}\n"
    planned = METRICS + ARMS + "effects: {looks: {method: obrien_fleming, planned: 5}}\n"
    for params in (often, planned):
        plain, looked = uplifts(shop_facts(METRICS + ARMS, seed=6)), uplifts(shop_facts(params, seed=6))
        for one, other in zip(plain, looked, strict=True):
            assert other.pvalue == pytest.approx(one.pvalue, rel=1e-9)   # low digits of parallel sums differ
            assert other.pvalue_adjusted > one.pvalue_adjusted * (1 - 1e-9)
            assert other.diff_upper - other.diff_lower > one.diff_upper - one.diff_lower
            assert (other.pvalue_adjusted < 0.05) == (not other.diff_lower <= 0 <= other.diff_upper)


def test_families_of_secondary_metrics_are_corrected_apart():
    metrics = METRICS.replace("{any: orders}", "{any: orders, family: reach}")
    found = {row.metric: row for row in uplifts(shop_facts(metrics + ARMS, seed=3))}
    assert found["buyers"].pvalue_adjusted == found["buyers"].pvalue
    both = [found["orders"].pvalue, found["basket"].pvalue]
    assert [found["orders"].pvalue_adjusted, found["basket"].pvalue_adjusted] == holm(both)
    bh = uplifts(shop_facts(METRICS + ARMS + "effects: {correction: benjamini_hochberg}\n", seed=3))
    own = [row for row in bh if row.role == "secondary"]
    assert [row.pvalue_adjusted for row in own] == benjamini_hochberg([row.pvalue for row in own])


def test_holm_holds_within_a_role_and_over_the_arms_and_guardrails_stand_alone():
    found = uplifts(shop_facts(METRICS + THREE, seed=3, n=300, arms=("stay", "go", "run")))
    for role, size in (("primary", 2), ("secondary", 6), ("guardrail", 2)):
        own = [row for row in found if row.role == role]
        raw, adjusted = [row.pvalue for row in own], [row.pvalue_adjusted for row in own]
        assert len(own) == size and {row.arm for row in own} == {"go", "run"}
        assert adjusted == (raw if role == "guardrail" else holm(raw))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 2.0]), st.integers(2, 150), st.booleans())
def test_significant_exactly_when_the_interval_shown_leaves_out_zero(seed, lift, n, has_three):
    arms = ("stay", "go", "run") if has_three else ("stay", "go")
    params = METRICS + (THREE if has_three else ARMS)
    for row in uplifts(shop_facts(params, seed=seed, lift=lift, n=max(n, 20), arms=arms)):
        if row.reason:
            assert math.isnan(row.pvalue) and row.verdict == "cannot_tell"
            continue
        p = row.pvalue if row.role == "guardrail" else row.pvalue_adjusted
        assert (p < 0.05) == (not row.diff_lower <= 0 <= row.diff_upper)
        if not math.isnan(row.rel_diff_lower):
            assert (p < 0.05) == (not row.rel_diff_lower <= 0 <= row.rel_diff_upper)
        if row.role != "guardrail":
            assert row.verdict == ("cannot_tell" if p >= 0.05 else "better" if row.diff > 0 else "worse")
        assert_reasoned(row)


def assert_reasoned(row):
    """Never nan without a reason, but for what the row's kind and role have none of."""
    for field in fields(row):
        value = getattr(row, field.name)
        if not isinstance(value, float) or not math.isnan(value):
            continue
        if field.name.startswith("rel_"):
            assert row.rel_reason or row.reason
        elif field.name.startswith("total"):
            assert row.kind == "ratio" or row.reason
        elif field.name == "reduction":
            assert row.method not in ("adjusted", "strata") or row.reason
        elif field.name in ("margin", "pvalue_margin"):
            assert row.role != "guardrail" or row.reason or row.rel_reason
        else:
            assert row.reason


@pytest.mark.parametrize(("harm", "margin", "verdict"), [
    (0.0, "60%", "safe"), (-0.6, "5%", "broken"), (0.0, "1%", "cannot_tell")])
@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_guardrail_is_safe_inside_its_margin_and_broken_outside(harm, margin, verdict, better):
    metrics = ("metrics: {money: {sum: orders.amount, role: primary}, kept: {count: orders, role: guardrail, "
               f"margin: {margin}, better: {better}}}}}\n")
    harm = {"higher": harm, "lower": -harm * 3}[better]
    found = uplifts(shop_facts(metrics + ARMS, seed=5, n=1_500, lift=harm, spread=False))[-1]
    assert (found.role, found.verdict) == ("guardrail", verdict)
    if verdict != "cannot_tell":
        assert (found.pvalue_margin < 0.025) == (verdict == "safe")


@pytest.mark.parametrize(("orders", "reason"), [
    ("z|03-05|1", "no_conversions"), ("z|03-05|1\n a|03-05|2\n b|03-05|2\n c|03-05|2\n d|03-05|2", "all_converted")])
def test_nobody_or_everybody_converting_is_no_p_but_an_interval(orders, reason):
    facts = observed("metrics: {buyers: {any: orders, role: primary}}\n" + ARMS, orders="user|at|amount\n" + orders,
                     assignments="user|variant\n a|go\n b|go\n c|stay\n d|stay")
    row = uplifts(facts)[0]
    assert (row.reason, row.diff, row.verdict) == (reason, 0.0, "cannot_tell") and math.isnan(row.pvalue)
    assert row.diff_lower < 0 < row.diff_upper
    assert_reasoned(row)


ZEROS = "user|at|amount\n a|03-05|0\n z|03-06|3"


@pytest.mark.parametrize(("assigned", "until", "reason"), [
    ("a|go\n b|go\n c|stay\n d|stay", "2024-03-31", "zero_variance"),            # all zeros
    ("a|go\n b|stay", "2024-03-31", "too_few_users"),                            # one user per arm
    ("a|go\n b|go\n c|stay\n c|go\n", "2024-03-31", "empty_arm"),                # control lost its one user
    ("a|go\n a|stay", "2024-03-31", "empty_arm"),                                # nobody is left
    ("a|go\n b|go\n c|stay\n d|stay", "2024-03-09", "data_end_before")])         # the period is not over
def test_there_is_an_answer_with_a_reason_where_nothing_can_be_estimated(assigned, until, reason):
    metrics = METRICS.replace(", over: after", "").replace("  shown: {count: events, role: described}\n", "")
    facts = observed(f"data_until: {until}\n" + metrics + ARMS, orders=ZEROS, assignments="user|variant\n" + assigned)
    rows = uplifts(facts)
    assert rows[0].reason == reason and len(rows) == 5
    for row in rows:
        assert row.verdict == "cannot_tell"
        assert_reasoned(row)


def test_a_metric_of_the_time_after_waits_for_it_and_the_others_do_not():
    rows = {row.metric: row.reason for row in uplifts(observed(
        METRICS + ARMS + "baseline: {start: 2024-02-26, end: 2024-03-03}\nafter: {start: 2024-03-11, end: 2024-03-17}\n"
        "data_until: 2024-03-16", **shop(4)))}
    assert rows == {"money": "", "buyers": "", "orders": "", "basket": "", "later": "data_end_before"}


def test_a_goal_can_ask_for_one_comparison():
    facts = shop_facts(METRICS + ARMS, seed=6)
    assert compare(facts, "money", "go").pvalue == uplifts(facts)[0].pvalue


def test_without_arms_there_is_no_effect():
    tables = shop(1)
    assert uplifts(observed("metrics: {money: {sum: orders.amount, role: primary}}", **tables)) == []


def test_the_order_of_rows_and_the_names_of_arms_do_not_matter():
    tables = shop(7)
    again = {name: table.sample(frac=1, random_state=1) for name, table in tables.items()}
    again["assignments"] = again["assignments"].replace({"variant": {"stay": "zebra", "go": "ant"}})
    params = METRICS + "after: {start: 2024-03-11, end: 2024-03-17}\n"
    first = uplifts(observed(params + ARMS, **tables))
    second = uplifts(observed(params + "arms: {control: zebra, shares: {ant: 50%, zebra: 50%}}", **again))
    same(first, second, but=("arm", "control"))
    assert np.isfinite(first[0].pvalue)


@pytest.mark.parametrize("params", [METRICS + ARMS, METRICS + ARMS + PLAIN])
def test_very_many_users_are_summed_otherwise_and_answered_alike(params, monkeypatch):
    few = uplifts(shop_facts(params, seed=3))
    monkeypatch.setattr(compared, "MANY", 0)
    monkeypatch.setattr(measure, "_query", None)   # the engine's own sums
    facts = shop_facts(params, seed=3)
    same(few, uplifts(facts))


def same(first, second, but=()):
    for one, other in zip(first, second, strict=True):
        for name in (field.name for field in fields(one) if field.name not in but):
            values = getattr(one, name), getattr(other, name)
            is_number = isinstance(values[1], float)
            assert values[0] == (pytest.approx(values[1], nan_ok=True) if is_number else values[1])
