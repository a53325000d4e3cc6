"""The effect by day, and its slope: against least squares on the rows, and in data where it is known."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import WLS

from analysis.results.novelty import novelty
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from tests.tables import observed

PARAMS = ("metrics: {money: {sum: orders.amount, role: primary, unit: CNY}}\n"
          "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n")
DAYS = pd.date_range("2024-03-04", "2024-03-10")


def log(seed, slope=0.0, n=300, persistent=0.0):
    """Every user orders every day; the effect starts at 10 and changes by `slope` a day."""
    draw = np.random.default_rng(seed)
    arm = draw.integers(0, 2, n)
    values = 50 + persistent * draw.normal(0, 20, (n, 1)) + draw.normal(0, 20, (n, len(DAYS)))
    values += arm[:, None] * (10 + slope * np.arange(len(DAYS)))
    users = np.array([f"u{i}" for i in range(n)])
    assigned = pd.DataFrame({"user_id": users, "variant": np.array(["stay", "go"])[arm]})
    orders = pd.DataFrame({"user_id": np.repeat(users, len(DAYS)), "amount": values.ravel(),
                           "ordered_at": np.tile(DAYS + pd.Timedelta(hours=9), n)})
    return assigned, orders, values, arm


def facts_of(assigned, orders, params=PARAMS):
    return observed(params, assignments=assigned, orders=orders)


def test_the_slope_is_weighted_least_squares_through_the_daily_effects():
    assigned, orders, values, arm = log(1, slope=-1.5)
    (row,), days = novelty(facts_of(assigned, orders))
    effect = values[arm == 1].mean(0) - values[arm == 0].mean(0)
    var = values[arm == 1].var(0, ddof=1) / (arm == 1).sum() + values[arm == 0].var(0, ddof=1) / (arm == 0).sum()
    line = WLS(effect, np.column_stack([np.ones(7), np.arange(7)]), weights=1 / var).fit()
    assert [day.diff for day in days] == pytest.approx(list(effect))
    assert row.slope == pytest.approx(line.params[1])
    assert (row.first, row.last) == pytest.approx((line.params[0], line.params[0] + 6 * line.params[1]))
    assert (row.n_days, row.n_users) == (7, 300) and row.slope_lower < row.slope < row.slope_upper


def test_a_fading_effect_is_seen_and_a_steady_one_is_not():
    (fading,), _ = novelty(facts_of(*log(2, slope=-3.0)[:2]))
    (steady,), _ = novelty(facts_of(*log(2)[:2]))
    assert fading.pvalue_adjusted < 1e-4 and fading.slope_upper < 0
    assert steady.pvalue_adjusted > 0.05 and steady.slope_lower < 0 < steady.slope_upper


def test_users_who_do_nothing_on_a_day_are_zero_that_day():
    assigned, orders, values, arm = log(3)
    (_, days), (_, kept) = (novelty(facts_of(assigned, own)) for own in (orders, orders[orders["amount"] > 50]))
    values = np.where(values > 50, values, 0)
    assert [day.diff for day in kept] == pytest.approx(list(values[arm == 1].mean(0) - values[arm == 0].mean(0)))
    assert [day.n_treatment for day in kept] == [day.n_treatment for day in days]


@pytest.mark.parametrize(("params", "reason"), [
    (PARAMS.replace("role: primary", "role: primary, window: 2 days"), "own_windows"),
    (PARAMS.replace("metrics: {money:", "metrics: {n: {count: orders}, basket: {ratio: [money, n], role: primary}, "
                    "money:").replace("{sum: orders.amount, role: primary, unit: CNY}", "{sum: orders.amount}"),
     "ratio_metric")])
def test_a_metric_without_days_says_why(params, reason):
    rows, days = novelty(facts_of(*log(4)[:2], params))
    assert [row.reason for row in rows] == [reason] and days == [] and math.isnan(rows[0].slope)


def test_a_short_campaign_has_no_slope():
    facts = observed("period: {start: 2024-03-04, end: 2024-03-05}\n" + PARAMS, assignments=log(5)[0],
                     orders=log(5)[1])
    assert novelty(facts)[0][0].reason == "too_few_days"


@pytest.mark.calibration
@pytest.mark.parametrize("persistent", [0.0, 2.0])
def test_a_steady_effect_fades_in_5_percent_of_runs(persistent):
    """By the users' own sums, as the method takes them: also where a user's days hang together."""
    draw = np.random.default_rng(6)
    alarms = 0
    for _ in range(2000):
        values = persistent * draw.normal(0, 20, (120, 1)) + draw.gamma(0.5, 20, (120, 7))
        trend = values @ ((np.arange(7) - 3) / 28)
        arms = [Moments(60, own.mean(), own.var(ddof=1)) for own in (trend[:60], trend[60:])]
        alarms += compare_means(*arms).pvalue < 0.05
    assert alarms / 2000 == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 2000))
