"""What arms are compared by: a row per user with the time before beside it, and its moments, all against pandas."""

import ibis
import numpy as np
import pandas as pd
import pytest

from analysis.facts.compared import (
    HISTORY,
    arm_moments,
    before,
    cluster_counts,
    cluster_sums,
    compared,
    covariates,
    leverage,
)
from analysis.facts.measure import joint_moments, moments
from tests.people import METRICS, TIME_BEFORE, WEEK, people
from tests.shops import PHASES, shop
from tests.tables import observed, rows

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
PAID = "metrics: {money: {sum: orders.amount, role: primary}, orders: {count: orders}}\n"
BASELINE = "baseline: {start: 2024-02-19, end: 2024-03-03}\n"
ORDERS = ("user|at|amount\n ann|02-19|10\n ann|02-27|14\n bob|02-20|6\n ann|03-04|30\n bob|03-05|10\n"
          " cy|03-06|12\n cy|03-12|8\n dee|02-18|1")
ASSIGNED = "user|variant\n ann|go\n bob|stay\n cy|go\n dee|stay"
USERS = "user|registered_at|tier\n ann|2024-01-01|gold\n bob|2024-03-03|\n cy|2024-03-04|gold\n dee||7"


def small(params="", **tables):
    return observed(ARMS + PAID + params, **{"orders": ORDERS, "assignments": ASSIGNED, **tables})


def test_the_time_before_stands_beside_the_campaign():
    found = compared(small(BASELINE), ["money"])
    assert rows(found, "user_id", "variant", "money", "money:before") == [
        ("ann", "go", 30.0, 12.0), ("bob", "stay", 10.0, 3.0), ("cy", "go", 12.0, 0.0), ("dee", "stay", 0.0, 0.0)]


def test_who_was_registered_by_the_end_of_the_time_before_has_a_history():
    found = compared(small(BASELINE, users=USERS), ["money"])
    assert rows(found, "user_id", HISTORY) == [("ann", 1.0), ("bob", 1.0), ("cy", 0.0), ("dee", 0.0)]


def test_columns_of_users_are_text_and_empty_where_a_user_has_none():
    params = "effects: {segments: [tier]}\n"
    assert rows(compared(small(params, users=USERS), ["money"]), "user_id", "tier") == [
        ("ann", "gold"), ("bob", ""), ("cy", "gold"), ("dee", "7")]


@pytest.mark.parametrize(("params", "users", "expected"), [
    (BASELINE, None, ["money:before"]), (BASELINE, USERS, ["money:before", HISTORY]), ("", USERS, []),
    (BASELINE.replace("02-19", "01-22"), None, ["money:before"]),   # cut to the blocks that the data cover
    (BASELINE.replace("02-19, end: 2024-03-03", "01-01, end: 2024-01-07"), None, [])])   # before the data
def test_there_is_something_to_adjust_by_only_where_the_data_cover_the_time_before(params, users, expected):
    facts = small(params, **({} if users is None else {"users": users}))
    assert covariates(facts, ["money"]) == expected
    assert set(expected) <= set(compared(facts, ["money"]).columns)


@pytest.mark.parametrize(("how", "expected"), [
    ("window: 2 days", [30.0, 10.0, 12.0, 0.0]), ("over: after", [0.0, 0.0, 8.0, 0.0]),
    ("over: both", [30.0, 10.0, 20.0, 0.0])])
def test_metrics_of_any_time_are_held_against_the_time_before_the_campaign(how, expected):
    facts = observed(f"{ARMS}{BASELINE}after: {{start: 2024-03-11, end: 2024-03-17}}\n"
                     f"metrics: {{money: {{sum: orders.amount, role: primary, {how}}}}}\n",
                     orders=ORDERS, assignments=ASSIGNED)
    found = rows(compared(facts, ["money"]), "user_id", "money", "money:before")
    assert [row[1] for row in found] == expected and [row[2] for row in found] == [12.0, 3.0, 0.0, 0.0]


def test_a_metric_may_be_called_like_a_column_of_ours():
    metrics = "metrics: {has_history: {count: orders, role: primary}}\n"
    found = compared(observed(ARMS + BASELINE + metrics, orders=ORDERS, assignments=ASSIGNED, users=USERS),
                     ["has_history"])
    assert rows(found, "has_history", HISTORY) == [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (1.0, 1.0)]


# --- moments, on a shop ---

SEGMENTED = "arms: {control: stay, shares: {stay: 50%, go: 50%}, strata: [tier]}\n"


def shop_with_users(params, seed=1, n=300, **columns):
    tables = shop(seed=seed, n=n)
    draw = np.random.default_rng(seed)
    users = tables["assignments"][["user_id"]].assign(tier=draw.choice(["gold", "grey", None], n), **columns)
    return observed(METRICS + params + PHASES, users=users, **tables), people(tables, users)


def assert_moments(found, own, names):
    assert found.n == len(own) and found.mean == pytest.approx(own[names].mean().to_numpy())
    assert found.cov == pytest.approx(own[names].cov().to_numpy(), rel=1e-9, abs=1e-9)


def test_moments_of_each_arm_hold_the_metric_and_the_time_before():
    facts, own = shop_with_users(ARMS)
    one, two = arm_moments(facts, [["money", "orders"], ["buyers"]])
    for arm, users in own.groupby("variant"):
        assert one[()][arm].names == ("money", "orders", "money:before", "orders:before")
        assert_moments(one[()][arm], users, [*one[()][arm].names])
        assert_moments(two[()][arm], users, ["buyers", "buyers:before"])


def test_moments_by_stratum_and_a_segment_that_is_a_stratum_too():
    facts, own = shop_with_users(SEGMENTED)
    (found,) = arm_moments(facts, [["money"]], ["tier"])
    (again,) = arm_moments(facts, [["money"]], ["tier", "tier"])
    assert found.keys() == {("",), ("gold",), ("grey",)} and again.keys() == {key * 2 for key in found}
    for (tier, arm), users in own.fillna({"tier": ""}).groupby(["tier", "variant"]):
        assert_moments(found[(tier,)][arm], users, ["money", "money:before"])
        assert_moments(again[tier, tier][arm], users, ["money", "money:before"])


@pytest.mark.parametrize("seed", range(5))
def test_an_arm_that_has_nothing_has_exactly_nothing(seed):
    """Nearly nothing would be a level to divide by: a relative effect of 1e17, or revenue per no order."""
    draw = np.random.default_rng(seed)
    values = np.concatenate([draw.gamma(0.5, 20, 900) * (draw.random(900) < 0.3), np.zeros(777)])
    wide = ibis.memtable({"variant": ["a"] * 900 + ["b"] * 777, "x": values})
    assert moments(wide, ["x"])["b", "x"].mean == 0.0
    for groups in ((), ("a", "b")):
        assert joint_moments(wide, [["x"]], groups=groups)[("b",)][0].mean[0] == 0.0


# --- clusters ---

CLUSTERED = "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: shop}\n"


def clustered(params="", seed=2, n=200):
    """Six shops per arm; a few users have none."""
    tables = shop(seed=seed, n=n)
    arm = tables["assignments"]["variant"]
    shops = (arm + (tables["assignments"].groupby("variant").cumcount() % 6).astype(str)).where(np.arange(n) % 50 > 0)
    users = tables["assignments"][["user_id"]].assign(shop=shops, tier=np.where(np.arange(n) % 3, "x", "y"))
    return observed(METRICS + CLUSTERED + PHASES + params, users=users, **tables), people(tables, users)


@pytest.mark.parametrize("parts", [["money"], ["money", "orders"]])
def test_sums_of_each_cluster(parts):
    facts, own = clustered()
    for phase, mark in (("during", ""), ("before", ":before")):
        found = cluster_sums(facts, parts, phase=phase)[""]
        for arm in ("go", "stay"):
            groups = own[own["variant"] == arm].groupby("shop")
            assert found[arm].n_users.tolist() == groups.size().tolist()
            assert found[arm].numerator == pytest.approx(groups["money" + mark].sum().to_numpy())
            assert found[arm].var == pytest.approx(groups["money" + mark].var().to_numpy())
            bottom = groups["orders" + mark].sum() if len(parts) > 1 else groups.size()
            assert found[arm].denominator == pytest.approx(bottom.to_numpy())


def test_sums_of_each_cluster_within_segments():
    facts, own = clustered("effects: {segments: [tier]}\n")
    found = cluster_sums(facts, ["money"], "tier")
    for (tier, arm), users in own.groupby(["tier", "variant"]):
        assert found[tier][arm].numerator == pytest.approx(users.groupby("shop")["money"].sum().to_numpy())


def test_the_time_before_is_known_while_the_campaign_runs():
    facts, own = clustered("data_until: 2024-03-06\n")
    found = cluster_sums(facts, ["money"], phase="before")[""]["go"]
    groups = own[own["variant"] == "go"].groupby("shop")
    assert found.numerator == pytest.approx(groups["money:before"].sum().to_numpy())


@pytest.mark.parametrize(("shops", "expected"), [
    ("s1 s1 s2 s2", ({"go": 1, "stay": 1}, 2, 0, 0)), ("s1 s2 s3 s4", ({"go": 2, "stay": 2}, 4, 0, 0)),
    ("s1 s1 s1 s2", ({"go": 1, "stay": 2}, 2, 1, 0)), (" s1 s2 s2", ({"go": 1, "stay": 1}, 2, 0, 1)),
    ("   ", ({}, 0, 0, 4))])
def test_clusters_per_arm_in_two_arms_and_users_without_one(shops, expected):
    users = "user|shop\n" + "\n".join(
        f"{user}|{shop}" for user, shop in zip(["ann", "cy", "bob", "dee"], shops.split(" "), strict=True))
    facts = observed(CLUSTERED + PAID, orders=ORDERS, assignments=ASSIGNED, users=users)
    assert cluster_counts(facts) == expected


def test_users_whom_nobody_assigned_put_no_cluster_into_two_arms():
    users = "user|shop\n ann|s1\n cy|s1\n bob|s2\n dee|s3\n eve|s1\n fay|s2\n gil|"
    facts = observed(CLUSTERED + PAID + "population: {unassigned: rest}\n", orders=ORDERS, assignments=ASSIGNED,
                     users=users)
    assert facts.groups["rest"] == 3 and cluster_counts(facts) == ({"go": 1, "stay": 2}, 3, 0, 0)


# --- leverage ---

def test_leverage_is_one_users_share_of_the_squares():
    facts, own = shop_with_users(ARMS)
    for parts in (["money"], ["money", "orders"]):
        squares = [(own[before(part)] - own[before(part)].mean()) ** 2 for part in parts]
        assert leverage(facts, parts) == pytest.approx(max(own.max() / own.sum() for own in squares))


def test_only_users_of_an_arm_weigh():
    params = BASELINE + "population: {unassigned: rest}\n"
    alone, among = (leverage(small(params, users="user\n ann\n bob\n cy\n dee\n eve", orders=ORDERS + more), ["money"])
                    for more in ("", "\n eve|02-20|5000"))
    assert alone == pytest.approx(among) == pytest.approx((12 - 3.75) ** 2 / (8.25**2 + 0.75**2 + 2 * 3.75**2))


def test_nothing_before_has_no_leverage():
    assert np.isnan(leverage(small(), ["money"]))
    facts = small(BASELINE, orders="user|at|amount\n z|02-18|1\n ann|03-05|3")
    assert np.isnan(leverage(facts, ["money"]))


def test_the_helpers_of_these_tests_cut_time_as_the_campaign_does():
    assert (WEEK[0][0], TIME_BEFORE[-1][1]) == ("2024-03-04", "2024-03-04")
    assert pd.Timestamp(TIME_BEFORE[0][0]) == pd.Timestamp("2024-02-19")
