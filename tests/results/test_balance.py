"""Were the arms alike before? Against scipy on the rows."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.results.balance import balance
from analysis.results.trust import checks
from tests.people import METRICS, assert_reasoned, people
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
THREE = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"
CLUSTERED = "arms: {control: stay, shares: {stay: 50%, go: 50%}, cluster: shop}\n"


def test_every_metric_without_a_ratio_by_welch_and_in_standard_deviations():
    tables = shop(seed=1, n=300, arms=("stay", "go", "run"))
    own = people(tables)
    found = balance(observed(METRICS + THREE + PHASES, **tables))
    assert [(row.metric, row.arm) for row in found] == [
        (name, arm) for name in ("money", "buyers", "orders") for arm in ("go", "run")]
    for row in found:
        there, here = (own.loc[own["variant"] == arm, f"{row.metric}:before"] for arm in (row.arm, "stay"))
        assert row.pvalue == pytest.approx(stats.ttest_ind(there, here, equal_var=False).pvalue)
        spread = math.sqrt((there.var() + here.var()) / 2)
        assert row.standardised == pytest.approx((there.mean() - here.mean()) / spread)
        assert row.pvalue_adjusted == pytest.approx(min(1.0, 6 * row.pvalue))
        assert (row.n_users, row.value_control) == (len(there) + len(here), pytest.approx(here.mean()))


def test_metrics_of_another_time_have_none_before():
    metrics = "metrics: {money: {sum: orders.amount, role: primary}, soon: {any: orders, window: 2 days}, " \
              "late: {count: orders, over: after}}\n"
    assert [row.metric for row in balance(observed(metrics + ARMS + PHASES, **shop(seed=1, n=60)))] == ["money"]


@pytest.mark.parametrize("params", [METRICS + ARMS, METRICS + "no_control_group: none\n" + PHASES])
def test_no_arms_or_no_time_before_is_no_balance(params):
    tables = shop(seed=1, n=60)
    if "arms" not in params:
        tables.pop("assignments")
    assert balance(observed(params, **tables)) == []


def clustered(n_shops=8, data_until="2024-03-31", shift=0.0):
    tables = shop(seed=3, n=320)
    variant = tables["assignments"]["variant"]
    shops = variant + (tables["assignments"].groupby("variant").cumcount() % n_shops).astype(str)
    go = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == "go"
    tables["orders"].loc[go, "amount"] += shift
    users = tables["assignments"][["user_id"]].assign(shop=shops)
    return (observed(f"data_until: {data_until}\n" + METRICS + CLUSTERED + PHASES, users=users, **tables),
            people(tables, users))


def test_clusters_are_compared_as_clusters():
    """Shops of one size: the t test of their means, pooled by Welch."""
    facts, own = clustered()
    row = balance(facts)[0]
    means = own.groupby(["variant", "shop"])["money:before"].mean()
    sizes = own.groupby("shop").size()
    assert np.ptp(sizes) <= 6
    theirs = stats.ttest_ind(means["go"], means["stay"], equal_var=False)
    assert row.pvalue == pytest.approx(theirs.pvalue, rel=0.1)
    alone = stats.ttest_ind(*(own.loc[own["variant"] == arm, "money:before"] for arm in ("go", "stay")))
    assert row.pvalue != pytest.approx(alone.pvalue, rel=1e-3)


def test_the_time_before_is_compared_while_the_campaign_runs():
    running, over = (balance(clustered(data_until=until)[0]) for until in ("2024-03-06", "2024-03-31"))
    assert [row.pvalue for row in running] == pytest.approx([row.pvalue for row in over])


def test_too_few_clusters_have_a_difference_and_no_p():
    found = balance(clustered(n_shops=4)[0])
    for row in found:
        assert row.reason == "too_few_clusters" and math.isfinite(row.standardised)
        assert math.isnan(row.pvalue) and math.isnan(row.pvalue_adjusted)
        assert_reasoned(row)


def test_a_metric_that_nobody_had_counts_for_no_test():
    metrics = METRICS + "  never: {count: events, where: {event: none}}\n"
    found = {row.metric: row for row in balance(observed(metrics + ARMS + PHASES, **shop(seed=2, n=100)))}
    assert found["never"].reason == "zero_variance" and math.isnan(found["never"].pvalue_adjusted)
    assert found["money"].pvalue_adjusted == pytest.approx(min(1.0, 3 * found["money"].pvalue))


@pytest.mark.parametrize("assigned", ["a|go\n b|go\n c|stay", "a|go\n b|stay", "a|go\n a|stay\n b|go"])
def test_a_user_or_nobody_in_an_arm_is_no_test(assigned):
    facts = observed(METRICS + ARMS + PHASES, orders="user|at|amount\n a|02-20|3\n z|02-18|1\n a|03-05|2",
                     assignments="user|variant\n" + assigned)
    for row in balance(facts):
        assert row.reason and math.isnan(row.pvalue_adjusted)
        assert_reasoned(row)
    assert all(row.name != "balance" for row in checks(facts))


def test_the_check_is_of_the_metric_that_differs_most_surely():
    tables = shop(seed=3, n=400)
    early = tables["orders"]["ordered_at"] < "2024-03-04"
    go = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == "go"
    tables["orders"].loc[early & go, "amount"] *= 2
    facts = observed(METRICS + ARMS + PHASES, **tables)
    worst = min(balance(facts), key=lambda row: row.pvalue)
    check = next(row for row in checks(facts) if row.name == "balance")
    assert (check.subject, check.pvalue, check.found) == ("money", worst.pvalue_adjusted, worst.standardised)
