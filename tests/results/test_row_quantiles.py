"""Quantiles of rows in a campaign: which rows count, whose they are, and what cannot be compared."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.results.quantiles import quantiles
from analysis.stats.multiplicity import holm
from analysis.stats.quantiles import Rows, compare_quantiles
from tests.shops import PHASES, shop
from tests.tables import observed

PARAMS = ("metrics: {money: {sum: orders.amount, role: primary}}\n"
          "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
          "quantiles: {large: {of: orders.amount, at: 90%, unit: CNY}, median: {of: orders.amount, at: 50%}}\n")


def rows_of(tables, arm, unit="user_id"):
    """The campaign's orders of an arm, by pandas."""
    orders = tables["orders"].merge(tables["assignments"], on="user_id")
    own = orders[(orders["ordered_at"] >= "2024-03-04") & (orders["ordered_at"] < "2024-03-11")
                 & (orders["variant"] == arm)]
    return Rows(own["amount"].to_numpy(), pd.factorize(own[unit])[0])


def test_orders_of_the_period_hang_together_by_user():
    tables = shop(seed=1, n=400)
    found = quantiles(observed(PARAMS + PHASES, **tables))
    assert [(row.name, row.q, row.unit, row.arm) for row in found] == [
        ("large", 0.9, "CNY", "go"), ("median", 0.5, "", "go")]
    plain = [compare_quantiles(rows_of(tables, "go"), rows_of(tables, "stay"), row.q) for row in found]
    assert [row.pvalue for row in found] == pytest.approx([one.pvalue for one in plain])
    assert [row.diff for row in found] == pytest.approx([one.diff for one in plain])
    assert found[0].n_rows_treatment == len(rows_of(tables, "go").values)
    assert [row.pvalue_adjusted for row in found] == pytest.approx(holm([row.pvalue for row in found]))


@pytest.mark.parametrize("seed", range(8))
def test_told_exactly_when_every_interval_shown_leaves_out_zero(seed):
    tables = shop(seed=seed, n=200)
    dearer = tables["assignments"].set_index("user_id")["variant"].reindex(tables["orders"]["user_id"]) == "go"
    tables["orders"]["amount"] *= np.where(dearer, 1 + seed / 10, 1)
    for row in quantiles(observed(PARAMS + PHASES, **tables)):
        is_told = row.pvalue_adjusted < 0.05
        assert (row.diff_lower > 0 or row.diff_upper < 0) == is_told
        assert (row.rel_diff_lower > 0 or row.rel_diff_upper < 0) == is_told
        assert row.verdict == ("cannot_tell" if not is_told else "better" if row.diff > 0 else "worse")


def test_only_rows_that_are_meant_and_after_entry_count():
    facts = observed(
        PARAMS.replace("at: 90%, unit: CNY", "at: 50%, where: {shop: [a]}"),
        assignments="user_id|variant|assigned_at\n u|go|2024-03-05\n v|go|2024-03-04\n w|stay|2024-03-04\n"
                    " x|stay|2024-03-04",
        orders="user|at|amount|shop\n u|03-04 10:00|99|a\n u|03-06|1|a\n v|03-06|3|a\n v|03-12|99|a\n v|03-06|99|b\n"
               " w|03-05|2|a\n x|03-05|2|a\n x|03-06||a")
    row = next(row for row in quantiles(facts) if row.name == "large")
    assert (row.value_treatment, row.n_rows_treatment, row.value_control) == (2.0, 2, 2.0)


def test_rows_of_a_cluster_hang_together():
    tables = shop(seed=5, n=200)
    users = tables["assignments"][["user_id"]].assign(
        store=tables["assignments"]["variant"] + (tables["assignments"].groupby("variant").cumcount() % 9).astype(str))
    facts = observed(PARAMS.replace("go: 50%}}", "go: 50%}, cluster: store}") + PHASES, users=users, **tables)
    tables["assignments"] = tables["assignments"].merge(users, on="user_id")
    plain = compare_quantiles(rows_of(tables, "go", "store"), rows_of(tables, "stay", "store"), 0.9)
    assert quantiles(facts)[0].pvalue == pytest.approx(plain.pvalue)


@pytest.mark.parametrize(("until", "orders", "reason"), [
    ("2024-03-09", "u|03-05|1\n w|03-05|2", "data_end_before"), ("2024-03-31", "u|03-05|1", "empty_arm"),
    ("2024-03-31", "u|03-05|1\n w|03-05|2", "too_few_users")])
def test_what_cannot_be_compared_says_why(until, orders, reason):
    facts = observed(f"data_until: {until}\n" + PARAMS, assignments="user|variant\n u|go\n v|go\n w|stay\n x|stay",
                     orders="user|at|amount\n " + orders)
    for row in quantiles(facts):
        assert (row.reason, row.verdict) == (reason, "cannot_tell") and math.isnan(row.pvalue)


@pytest.mark.parametrize(("said", "message"), [
    ("quantiles: {x: {of: orders, at: 90%}}", "is not table.column"),
    ("quantiles: {x: {of: users.age, at: 90%}}", "is not a table of rows"),
    ("quantiles: {x: {of: orders.amount, at: 100%}}", "must lie between 0% and 100%"),
    ("quantiles: {money: {of: orders.amount, at: 90%}}", "is the name of a metric too"),
    ("quantiles: {x: {of: events.seconds, at: 90%}}", "has no `events:`"),
    ("quantiles: {x: {of: orders.amuont, at: 90%}}", "did you mean 'amount'?")])
def test_a_mistake_is_said_in_one_line(said, message):
    from analysis.params import CampaignError

    with pytest.raises(CampaignError, match=message.replace("?", r"\?")) as caught:
        observed(PARAMS.split("quantiles")[0] + said, assignments="user|variant\n u|go\n w|stay",
                 orders="user|at|amount\n u|03-05|1\n w|03-05|2")
    assert len(caught.value.problems) == 1


def test_without_arms_there_is_nothing_to_compare():
    assert quantiles(observed("metrics: {money: {sum: orders.amount, role: primary}}", **shop(1))) == []
