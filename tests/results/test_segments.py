"""The effect within segments, against least squares on each segment's rows, and their test against statsmodels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

from analysis.results.segments import MOST, segments
from analysis.results.uplift import uplifts
from analysis.stats.tails import z_critical
from tests.people import METRICS, assert_lawful, assert_reasoned, influence, people
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
THREE = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"
BY_TIER = "effects: {segments: [tier]}\n"
TIERS = np.array(["gold", "grey", "none"])


def asked(params=ARMS + BY_TIER, metrics=METRICS, tables=None, seed=2, n=360, arms=("stay", "go"), **columns):
    tables = tables or shop(seed=seed, n=n, arms=arms)
    users = tables["assignments"][["user_id"]].assign(**(columns or {"tier": TIERS[np.arange(n) % 3]}))
    facts = observed(metrics + params + PHASES, users=users, **tables)
    return facts, *segments(facts), people(tables, users)


def test_each_segment_is_its_own_least_squares():
    _, found, _, own = asked()
    assert {row.segment for row in found} == set(TIERS)
    for row in found:
        users = own[own["tier"] == row.segment]
        x = np.column_stack([np.ones(len(users)), users["variant"] == "go", users["money:before"]]).astype(float)
        assert row.diff == pytest.approx(OLS(users["money"].to_numpy(), x).fit().params[1])
        assert (row.by, row.n_users, row.n_treatment) == ("tier", len(users), (users["variant"] == "go").sum())


def test_a_ratio_is_compared_within_segments():
    metrics = METRICS.replace(", role: primary", "").replace("[money, orders]}", "[money, orders], role: primary}")
    _, found, _, own = asked(ARMS + "effects: {segments: [tier], adjust: none}\n", metrics)
    for row in found:
        users = own[own["tier"] == row.segment]
        level = influence(users).groupby(users["variant"]).mean()
        assert row.kind == "ratio" and row.diff == pytest.approx(level["go"] - level["stay"])


def test_shares_are_compared_within_segments():
    metrics = METRICS.replace(", role: primary", "").replace("{any: orders}", "{any: orders, role: primary}")
    _, found, _, own = asked(metrics=metrics)
    for row in found:
        level = own[own["tier"] == row.segment].groupby("variant")["buyers"].mean()
        assert (row.kind, row.unit) == ("proportion", "share")
        assert row.diff == pytest.approx(level["go"] - level["stay"])


def test_the_test_is_cochrans_by_statsmodels():
    """From single effects at their own level: how the intervals were corrected does not matter for it."""
    _, found, (test,), _ = asked()
    alone = [segments(facts_of_one(tier))[0][0] for tier in dict.fromkeys(row.segment for row in found)]
    errors = np.array([(row.diff_upper - row.diff_lower) / 2 / z_critical(row.alpha) for row in alone])
    theirs = combine_effects(np.array([row.diff for row in alone]), errors**2)
    assert (test.n_segments, test.by, test.reason) == (3, "tier", "")
    assert test.q == pytest.approx(theirs.q, rel=1e-6) and test.pooled == pytest.approx(theirs.mean_effect_fe, rel=1e-6)
    assert test.pvalue == pytest.approx(theirs.test_homogeneity().pvalue, rel=1e-6)
    assert test.i2 == pytest.approx(max(0.0, theirs.i2), rel=1e-6)


def facts_of_one(tier):
    """The same shop with the users of one segment only: its interval is not corrected for others."""
    tables = shop(seed=2, n=360)
    users = tables["assignments"][["user_id"]].assign(tier=TIERS[np.arange(360) % 3])
    users = users[users["tier"] == tier]
    kept = {name: table[table["user_id"].isin(set(users["user_id"]) | {"nobody"})] for name, table in tables.items()}
    return observed(METRICS + ARMS + BY_TIER + PHASES, users=users, **kept)


def test_an_effect_in_one_segment_alone_is_told_apart():
    tables = shop(seed=3, n=900, lift=0.0)
    tiers = TIERS[np.arange(900) % 3]
    lucky = set(tables["assignments"]["user_id"][(tiers == "gold") & (tables["assignments"]["variant"] == "go")])
    during = tables["orders"]["ordered_at"].between("2024-03-04", "2024-03-10 23:59")
    tables["orders"].loc[during & tables["orders"]["user_id"].isin(lucky), "amount"] *= 3
    _, found, (test,), _ = asked(tables=tables, n=900)
    assert test.pvalue_adjusted < 0.001 and test.i2 > 0.7
    assert {row.segment: row.pvalue_adjusted < 0.05 for row in found} == {"gold": True, "grey": False, "none": False}


def test_holm_is_over_segments_and_arms_of_a_column_and_over_the_tests_of_all():
    params = THREE + "effects: {segments: [tier, city]}\n"
    _, found, tests, _ = asked(params, seed=4, n=420, arms=("stay", "go", "run"), tier=TIERS[np.arange(420) % 3],
                               city=np.array(["x", "y"])[np.arange(420) // 5 % 2])
    for by, size in (("tier", 6), ("city", 4)):
        own = [row for row in found if row.by == by]
        assert len(own) == size
        assert [row.pvalue_adjusted for row in own] == pytest.approx(
            list(multipletests([row.pvalue for row in own], method="holm")[1]))
    assert [(test.by, test.arm) for test in tests] == [("tier", "go"), ("tier", "run"), ("city", "go"), ("city", "run")]
    assert [test.pvalue_adjusted for test in tests] == pytest.approx(
        list(multipletests([test.pvalue for test in tests], method="holm")[1]))


def test_segments_that_are_strata_too_and_strata_within_segments():
    strata = ARMS.replace("}}", "}, strata: [tier]}")
    _, one, _, _ = asked(strata + BY_TIER)
    _, two, _, _ = asked()
    assert [row.diff for row in one] == pytest.approx([row.diff for row in two])
    city = np.array(["x", "y"])[np.arange(360) // 5 % 2]
    _, found, _, own = asked(strata + "effects: {segments: [city], adjust: none}\n", tier=TIERS[np.arange(360) % 3],
                             city=city)
    for row in found:
        users = own[own["city"] == row.segment]
        level = users.groupby(["tier", "variant"])["money"].mean().unstack()
        weight = users["tier"].value_counts(normalize=True)
        assert row.diff == pytest.approx(((level["go"] - level["stay"]) * weight).sum())


def test_largest_first_and_users_without_a_value_are_a_segment():
    tiers = np.where(np.arange(360) % 10 < 5, "b", np.where(np.arange(360) % 10 < 8, "a", None))
    _, found, _, _ = asked(tier=tiers)
    assert [(row.segment, row.n_users) for row in found] == [("b", 180), ("a", 108), ("", 72)]


@pytest.mark.parametrize(("n_values", "with_null", "n_segments"), [
    (MOST, False, MOST), (MOST + 1, False, 0), (MOST, True, 0), (MOST - 1, True, MOST)])
def test_a_column_of_too_many_values_is_a_list_of_users(n_values, with_null, n_segments):
    tiers = [None if with_null and i % 12 == 0 else f"t{i % n_values}" for i in range(360)]
    _, found, (test,), _ = asked(tier=tiers)
    assert len({row.segment for row in found}) == n_segments
    assert (test.reason == "too_many_segments") == (n_segments == 0)


def test_clusters_within_segments_and_too_many_of_them():
    tables = shop(seed=5, n=360)
    variant = tables["assignments"]["variant"]
    shops = variant + (tables["assignments"].groupby("variant").cumcount() % 8).astype(str)
    params = ARMS.replace("}}", "}, cluster: shop}") + "effects: {segments: [tier, many]}\n"
    _, found, tests, own = asked(params, tables=tables, shop=shops, tier=TIERS[np.arange(360) % 3],
                                 many=[str(i % 40) for i in range(360)])
    for row in found:
        level = own[own["tier"] == row.segment].groupby("variant")["money"].mean()
        assert row.by == "tier" and row.diff == pytest.approx(level["go"] - level["stay"])
    assert [test.reason for test in tests] == ["", "too_many_segments"]


@pytest.mark.parametrize(("tiers", "reasons"), [
    (["only"] + ["x"] * 359, ["empty_arm"]), (["only"] * 2 + ["x"] * 358, ["too_few_users"]), (["x"] * 360, [])])
def test_fewer_than_two_segments_with_an_effect_are_no_test(tiers, reasons):
    tables = shop(seed=2, n=360)
    tables["assignments"].loc[:1, "variant"] = ["stay", "go"]
    _, found, (test,), _ = asked(tables=tables, tier=tiers)
    assert (test.reason, test.n_segments) == ("too_few_segments", 1) and math.isnan(test.q)
    assert [row.reason for row in found][1:] == reasons
    for row in [*found, test]:
        assert_reasoned(row)


def test_a_segment_in_which_an_arm_is_missing_says_so_and_the_others_are_compared():
    tables = shop(seed=2, n=360)
    is_go = (tables["assignments"]["variant"] == "go").to_numpy()
    tiers = np.where(is_go & (np.arange(360) < 90), "only go", TIERS[np.arange(360) % 2])
    _, found, (test,), _ = asked(tables=tables, tier=tiers)
    reasons = {row.segment: row.reason for row in found}
    assert reasons == {"gold": "", "grey": "", "only go": "empty_arm"}
    assert (test.n_segments, test.reason) == (2, "")
    assert all(math.isnan(row.pvalue_adjusted) for row in found if row.reason)


def test_in_a_segment_too_one_arm_alone_may_be_too_small():
    tables = shop(seed=4, n=420, arms=("stay", "go", "run"))
    is_run = (tables["assignments"]["variant"] == "run").to_numpy()
    first = np.flatnonzero(is_run)[0]
    tiers = np.where(is_run, "x", np.where(np.arange(420) % 2, "x", "y")).astype(object)
    tiers[first] = "y"
    _, found, tests, _ = asked(THREE + BY_TIER, tables=tables, tier=tiers)
    reasons = {(row.segment, row.arm): row.reason for row in found}
    assert reasons == {("x", "go"): "", ("x", "run"): "", ("y", "go"): "", ("y", "run"): "too_few_users"}
    assert [test.reason for test in tests] == ["", "too_few_segments"]


@pytest.mark.parametrize(("params", "reason"), [
    ("data_until: 2024-03-08\n", "data_end_before"),
    ("population: {where: {tier: [nobody]}}\n", "empty_arm")])
def test_nothing_to_compare_says_why(params, reason):
    _, found, (test,), _ = asked(ARMS + BY_TIER + params)
    assert found == [] and (test.reason, test.n_segments) == (reason, 0)
    assert_reasoned(test)


def test_without_arms_there_are_no_segments():
    facts = observed(METRICS + "no_control_group: none\n", orders="user|at|amount\n a|03-05|3")
    assert segments(facts) == ([], [])


def test_names_of_segments_arms_and_units_do_not_matter():
    tables = shop(seed=6, n=360)
    _, found, (test,), _ = asked(tables=tables)
    renamed = tables | {"assignments": tables["assignments"].replace({"variant": {"stay": "zoo", "go": "ant"}}),
                        "orders": tables["orders"].assign(amount=tables["orders"]["amount"] * 1e6)}
    tiers = np.array(["9", "Z", "b"])[np.arange(360) % 3]
    _, again, (other,), _ = asked("arms: {control: zoo, shares: {ant: 50%, zoo: 50%}}\n" + BY_TIER, tables=renamed,
                                  tier=tiers)
    names = dict(zip(TIERS, ["9", "Z", "b"], strict=True))
    theirs = {row.segment: row for row in again}
    for row in found:
        other_row = theirs[names[row.segment]]
        assert other_row.diff == pytest.approx(row.diff * 1e6) and other_row.pvalue == pytest.approx(row.pvalue)
        assert other_row.rel_diff_lower == pytest.approx(row.rel_diff_lower, nan_ok=True)
    assert (other.q, other.pvalue) == (pytest.approx(test.q), pytest.approx(test.pvalue))


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 10**6), st.integers(10, 200), st.sampled_from([0.0, 1.0, 4.0]), st.integers(2, 9),
       st.sampled_from(["", "strata: [tier]", "cluster: shop"]))
def test_the_law_holds_in_every_segment(seed, n, lift, n_tiers, how):
    tables = shop(seed=seed, n=n, lift=lift)
    tables["assignments"].loc[:1, "variant"] = ["go", "stay"]
    draw = np.random.default_rng(seed)
    shops = tables["assignments"]["variant"] + draw.integers(0, 7, n).astype(str)
    params = ARMS.replace("}}", "}" + (", " + how if how else "") + "}") + BY_TIER
    facts, found, tests, _ = asked(params, tables=tables, tier=draw.integers(0, n_tiers, n), shop=shops)
    for row in found:
        assert_lawful(row, row.pvalue_adjusted, 0.05)
        assert_reasoned(row)
    for test in tests:
        assert_reasoned(test)
    assert len(uplifts(facts)) == 4
