"""The effect by day, and its slope: against least squares on the rows, and in data where it is known."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import WLS

from analysis.results.novelty import novelty
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from analysis.stats.multiplicity import holm
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


def line(values, arm, at):
    """Weighted least squares through the daily effects of users that are all there from the start."""
    effect = values[arm == 1].mean(0) - values[arm == 0].mean(0)
    var = values[arm == 1].var(0, ddof=1) / (arm == 1).sum() + values[arm == 0].var(0, ddof=1) / (arm == 0).sum()
    return WLS(effect, np.column_stack([np.ones(len(at)), at]), weights=1 / var).fit().params


def test_a_closed_day_is_left_out_and_the_days_around_it_keep_their_distance():
    assigned, orders, values, arm = log(6, slope=-2.0)
    closed = orders["ordered_at"].dt.day.isin([6, 7])
    (row,), days = novelty(facts_of(assigned, orders[~closed], PARAMS + "closed: [2024-03-06, 2024-03-07]\n"))
    at = np.array([0, 1, 4, 5, 6])
    level, slope = line(values[:, at], arm, at)
    assert [day.day.day for day in days] == [4, 5, 8, 9, 10] and row.n_days == 5
    assert (row.slope, row.first, row.last) == pytest.approx((slope, level, level + 6 * slope))


def test_a_day_on_which_nobody_bought_leaves_no_weights():
    assigned, orders, _, _ = log(6)
    (row,), days = novelty(facts_of(assigned, orders[orders["ordered_at"].dt.day != 6]))
    assert row.reason == "zero_variance" and len(days) == 7
    assert [day.reason for day in days] == ["", "", "zero_variance", "", "", "", ""]


def test_who_came_later_is_no_part_of_the_course():
    assigned, orders, values, arm = log(7, slope=-2.0)
    late = np.arange(300) % 3 == 0
    assigned["assigned_at"] = np.where(late, "2024-03-06", "2024-03-02")
    (row,), _ = novelty(facts_of(assigned, orders))
    level, slope = line(values[~late], arm[~late], np.arange(7))
    assert row.n_users == 200 and (row.slope, row.first) == pytest.approx((slope, level))


def test_of_several_arms_each_has_its_own_course_and_p_and_interval_tell_one_story():
    seen = set()
    for seed in range(8):
        assigned, orders = log(seed, slope=-1.0)[:2]
        assigned["variant"] = np.where(np.arange(300) % 3 == 0, "run", assigned["variant"])
        three = PARAMS.replace("{stay: 50%, go: 50%}", "{stay: 34%, go: 33%, run: 33%}")
        rows, days = novelty(facts_of(assigned, orders, three))
        assert [row.arm for row in rows] == ["go", "run"] and len(days) == 14
        assert [row.pvalue_adjusted for row in rows] == pytest.approx(holm([row.pvalue for row in rows]))
        for row in rows:
            is_change = not row.slope_lower <= 0 <= row.slope_upper
            assert (row.pvalue_adjusted < 0.05) == is_change and row.slope_lower < row.slope < row.slope_upper
            seen.add(is_change)
    assert seen == {True, False}


def test_an_arm_of_nobody_from_the_start_says_so_and_leaves_the_other_its_course():
    assigned, orders, _, _ = log(8)
    assigned["assigned_at"] = "2024-03-01"
    assigned.loc[:40, ["variant", "assigned_at"]] = ["run", "2024-03-06"]
    three = PARAMS.replace("{stay: 50%, go: 50%}", "{stay: 45%, go: 45%, run: 10%}")
    go, run = novelty(facts_of(assigned, orders, three))[0]
    assert (go.reason, run.reason) == ("", "empty_arm") and math.isnan(run.pvalue_adjusted)
    assert go.pvalue_adjusted == pytest.approx(min(1.0, 2 * go.pvalue))


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
