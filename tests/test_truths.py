"""What is known of the sample data must come out of the whole path, from the params file to the answers."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from analysis.data.read import read
from analysis.data.simulate import draw_outcomes, truths
from analysis.facts import observe
from analysis.params import load
from analysis.results.funnel import funnel
from analysis.results.gap import gap
from analysis.results.goals import goals
from analysis.results.phases import phases
from analysis.results.segments import segments
from analysis.results.trust import checks
from analysis.results.uplift import uplifts
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from analysis.stats.proportions import compare_proportions

ROOT = Path(__file__).parents[1]
TRUTHS = json.loads((ROOT / "data/sample/double11/truths.json").read_text("utf-8"))
METRICS = {"paid_amount": "amount", "active_users": "active", "buyers": "buyers", "orders": "orders",
           "average_order": "order_value", "amount_after": "amount_after"}


@cache
def facts_of(name):
    campaign = load(ROOT / f"params/{name}.yml")
    return observe(campaign, read(campaign))


@cache
def effects_of(name):
    return {row.metric: row for row in uplifts(facts_of(name))}


@cache
def levels_of(name):
    return {(row.group, row.phase): row for row in phases(facts_of(name), ["spend"])}


@pytest.mark.parametrize("metric", METRICS)
def test_the_truth_lies_in_the_interval_that_the_report_shows(metric):
    row, truth = effects_of("double11-2025")[metric], TRUTHS[METRICS[metric]]
    assert row.diff_lower < truth["diff"] < row.diff_upper
    assert row.rel_diff_lower < truth["rel_diff"] < row.rel_diff_upper


def test_so_does_the_truth_of_the_day_and_what_follows_together():
    row = effects_of("double11-2025")["amount_in_all"]
    day, after = TRUTHS["amount"], TRUTHS["amount_after"]
    diff = day["diff"] + after["diff"]
    assert row.diff_lower < diff < row.diff_upper
    assert row.rel_diff_lower < diff / (day["holdout"] + after["holdout"]) < row.rel_diff_upper


def test_the_levels_of_either_arm_are_near_their_truths():
    for row in phases(facts_of("double11-2025"), ["paid_amount", "active_users", "buyers", "orders", "discount"]):
        if row.phase == "during":
            truth = TRUTHS[METRICS.get(row.metric, row.metric)][row.group]
            half = (row.mean_upper - row.mean_lower) / 2
            assert abs(row.mean - truth) < 1.6 * half  # 3 standard errors: ten levels at once


def test_the_checks_find_the_dirt_that_was_put_in_and_no_more():
    found = {(row.name, row.subject): row for row in checks(facts_of("double11-2025"))}
    assert {row.state for row in found.values()} == {"ok", "warn"}
    assert found["two_arms", ""].found == 13  # of 15; the other two did not consent
    assert found["duplicates", "events"].found == 12
    assert found["without_key", "events"].found == 7 and found["unknown_users", ""].found == 30


@cache
def double11():
    """One row per user of the day, from the Parquet files by pandas: what was paid and how often, before, that day and
    in the two weeks after."""
    users, assigned, orders = (pd.read_parquet(ROOT / f"data/sample/double11/{name}.parquet")
                               for name in ("users", "assignments", "orders"))
    arms = assigned.groupby("user_id")["variant"].agg(["min", "nunique"])
    own = users[users["consented"]].set_index("user_id").join(arms[arms["nunique"] == 1], how="inner")
    day = orders["ordered_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%m-%d")
    for time, is_in, n_days in (("", day == "11-11", 1), (":before", (day >= "10-28") & (day <= "11-10"), 14),
                                (":after", (day >= "11-12") & (day <= "11-25"), 1)):
        amount = orders[is_in].groupby("user_id")["amount"]
        own["paid" + time] = amount.sum().reindex(own.index).fillna(0.0) / n_days
        own["orders" + time] = amount.size().reindex(own.index).fillna(0.0) / n_days
        if time == ":before":
            days = orders[is_in].assign(day=day[is_in]).groupby("user_id")["day"].nunique()
            own["bought:before"] = days.reindex(own.index).fillna(0.0) / n_days
    end = pd.Timestamp("2025-11-11", tz="Asia/Shanghai")
    return own.assign(is_campaign=own["min"] == "campaign", has_history=(own["registered_at"] < end).astype(float))


def adjusted(own, y, before):
    """Levels of campaign and holdout with one slope for both, as numpy and statsmodels have them, and the variance of
    their difference with its degrees of freedom."""
    x = own[[*before, "has_history"]].to_numpy()
    x = x[:, np.ptp(x, axis=0) > 0]
    arm = own["is_campaign"].to_numpy()
    theta = OLS(y, np.column_stack([~arm, arm, x - x.mean(0)]).astype(float)).fit().params
    left, free = y - (x - x.mean(0)) @ theta[2:], len(y) - 2
    var = [left[own_arm].var(ddof=1) / own_arm.sum() for own_arm in (arm, ~arm)]
    apart, spread = x[arm].mean(0) - x[~arm].mean(0), sum(
        np.atleast_2d(np.cov(x[a].T)) / a.sum() for a in (arm, ~arm))
    factor = (1 + apart @ np.linalg.solve(spread, apart) / free) * free / (free - x.shape[1])
    df = sum(var) ** 2 / sum(v**2 / (a.sum() - 1) for v, a in zip(var, (arm, ~arm), strict=True))
    return theta[1], theta[0], sum(var) * factor, df * (free - x.shape[1]) / free, theta[2:], x, factor


@pytest.mark.parametrize(("metric", "of"), [
    ("paid_amount", "paid"), ("orders", "orders"), ("amount_in_all", "both"), ("average_order", "ratio")])
def test_the_effects_of_the_sample_are_those_of_its_files(metric, of):
    own, row, before = double11(), effects_of("double11-2025")[metric], ["paid:before"]
    y = {"paid": own["paid"], "orders": own["orders"], "both": own["paid"] + own["paid:after"], "ratio": None}[of]
    if of == "orders":
        before = ["orders:before"]
    if of == "ratio":
        before = ["paid:before", "orders:before"]
        y = own.groupby("is_campaign")[["paid", "orders"]].transform("mean")
        y = y["paid"] / y["orders"] + (own["paid"] - y["paid"] / y["orders"] * own["orders"]) / y["orders"]
    campaign, holdout, var, df, *_ = adjusted(own, y.to_numpy(), before)
    diff, half = campaign - holdout, stats.t.isf(row.alpha / 2, df) * math.sqrt(var)
    assert (row.method, row.n_treatment + row.n_control) == ("adjusted", len(own))
    assert (row.value_treatment, row.value_control) == pytest.approx((campaign, holdout), rel=1e-8)
    assert (row.diff_lower, row.diff_upper) == pytest.approx((diff - half, diff + half), rel=1e-8)
    assert row.pvalue == pytest.approx(2 * stats.t.sf(abs(diff) / math.sqrt(var), df), rel=1e-8)


def test_the_guardrail_of_the_sample_is_tested_at_its_margin():
    """H0: what is paid in the two weeks after is 15 % less than in the holdout, or lower still."""
    own, row = double11(), effects_of("double11-2025")["amount_after"]
    y = own["paid:after"].to_numpy()
    campaign, holdout, _, df, theta, x, factor = adjusted(own, y, ["paid:before"])
    arm, pull = own["is_campaign"].to_numpy(), (x - x.mean(0)) @ theta
    share = {True: arm.mean(), False: 1 - arm.mean()}
    # campaign - .85 holdout, a mean over either arm's users of y - pull, and of the pull's mean over all users
    var = sum((weight * (y - pull) + 0.15 * share[here] * pull)[arm == here].var(ddof=1) / (arm == here).sum()
              for weight, here in ((1.0, True), (-0.85, False))) * factor
    assert row.pvalue_margin == pytest.approx(stats.t.sf((campaign - 0.85 * holdout) / math.sqrt(var), df), rel=1e-8)
    assert (row.verdict == "safe") == (row.pvalue_margin < 0.025)


def test_the_effects_within_tiers_of_the_sample_are_those_of_its_files():
    found, (test,) = segments(facts_of("double11-2025"))
    effects, errors = [], []
    for row in found:
        own = double11()[double11()["tier"] == row.segment]
        campaign, holdout, var, df, *_ = adjusted(own, own["paid"].to_numpy(), ["paid:before"])
        assert (row.diff, row.n_users) == (pytest.approx(campaign - holdout, rel=1e-8), len(own))
        effects.append(campaign - holdout)
        errors.append(math.sqrt(var) * stats.t.isf(0.025, df) / stats.norm.isf(0.025))
    weight = np.array(errors) ** -2.0
    mean = weight @ effects / weight.sum()
    assert test.q == pytest.approx(weight @ (np.array(effects) - mean) ** 2, rel=1e-8)


def within_28_days(campaign: int) -> tuple[int, int]:
    """Households of a campaign that shopped, and that then redeemed a coupon of it, within 28 days of its start."""
    folder = ROOT / "data" / "sample" / "grocer"
    sent, spend, redeemed = (pd.read_csv(folder / f"{name}.csv.gz") for name in (
        "campaign_households", "household_day_spend", "coupon_redemptions"))
    start = pd.read_csv(folder / "campaigns.csv").set_index("campaign_id").loc[campaign, "start_date"]
    ids = set(sent[sent.campaign_id == campaign].household_id)
    last = str((pd.Timestamp(start, tz="America/New_York") + pd.Timedelta(days=28)).date())   # of 24 hours each
    shopped = spend[spend.household_id.isin(ids) & spend.date.between(start, last)].groupby("household_id").date.min()
    redeemed = redeemed[(redeemed.campaign_id == campaign) & redeemed.redemption_date.between(start, last)]
    redeemed = redeemed.groupby("household_id").redemption_date.max()
    both = redeemed[redeemed.index.isin(shopped.index)]
    return len(shopped), int((both >= shopped.loc[both.index]).sum())


def test_grocer_18_reached_1133_households_of_whom_214_redeemed_653_coupons():
    facts = facts_of("grocer-18")
    assert facts.groups["received"] == 1133
    assert [step.n_reached for step in funnel(facts, "redemption") if step.by == ""] == [1133, *within_28_days(18)]
    found = {(row.metric, row.group, row.phase): row.total for row in phases(facts, ["redeemers", "redemptions"])}
    assert found["redeemers", "received", "during"] == pytest.approx(214)
    assert found["redemptions", "received", "during"] == 653
    assert next(goal for goal in goals(facts) if goal.metric == "redeemers").observed == pytest.approx(214)


@pytest.mark.parametrize(("name", "during", "before"), [
    ("grocer-18", 307.27, 292.79), ("grocer-08", 252.19, 252.19 + 12.97), ("grocer-13", 263.77, 263.77 + 8.13)])
def test_the_gap_between_chosen_households_was_there_before_and_is_never_an_effect(name, during, before):
    found = gap(facts_of(name), list(phases(facts_of(name), ["spend"])))
    assert (found.high, found.low) == ("received", "not_received")
    assert found.during == pytest.approx(during, abs=0.006) and found.before == pytest.approx(before, abs=0.012)
    assert effects_of(name) == {}


@pytest.mark.parametrize(("name", "is_cut"), [("grocer-08", False), ("grocer-13", False), ("grocer-18", True)])
def test_the_time_after_the_last_campaign_is_cut_by_the_data(name, is_cut):
    levels = levels_of(name)
    assert not levels["received", "before"].is_cut and not levels["received", "during"].is_cut
    assert levels["received", "after"].is_cut == is_cut
    assert math.isnan(levels["received", "after"].mean) == is_cut


@pytest.mark.parametrize("campaign", range(1, 28))
def test_every_campaign_of_the_grocer_is_a_file_with_its_own_dates_and_households(campaign):
    listed = pd.read_csv(ROOT / "data/sample/grocer/campaigns.csv").set_index("campaign_id").loc[campaign]
    sent = pd.read_csv(ROOT / "data/sample/grocer/campaign_households.csv.gz")
    params = load(ROOT / f"params/grocer-{campaign:02d}.yml")
    assert (str(params.period.start), str(params.period.end)) == (listed.start_date, listed.end_date)
    assert params.baseline.length == params.after.length == params.period.length
    assert params.series.edition == str(campaign) and params.no_control_group and params.arms is None
    assert {where for source in [*params.sources.assignments, *params.sources.events[::2]]
            for where in source.where["campaign_id"]} == {str(campaign)}
    if campaign in (6, 15, 24):   # an edition each that is short, longer than the data, and mostly before them
        assert read(params).assignments.count().to_pyarrow().as_py() == (sent.campaign_id == campaign).sum()


@pytest.mark.parametrize(("name", "expected"), [
    ("users_all_time", [598, 522, 489, 441, 390, 328]), ("sessions_all_time", [2868, 1174, 987, 763, 599, 445])])
def test_the_checkout_is_the_published_funnel(name, expected):
    assert [step.n_reached for step in funnel(facts_of("checkout"), name)] == expected


def test_from_19_may_on_payments_fail():
    found = {(step.segment, step.step): step for step in funnel(facts_of("checkout"), "sessions") if step.by == "phase"}
    before, during, after = (found[phase, "purchase"].step_rate for phase in ("before", "during", "after"))
    assert during < 0.4 < 0.8 < min(before, after)


SEEDS = range(200)


@pytest.mark.calibration
def test_intervals_cover_the_truth_as_often_as_they_say():
    """95 % intervals over 200 seeds; at 95 % the count has a standard error of 1.5 points."""
    diffs = {truth.metric: (truth.diff, truth.rel_diff) for truth in truths()}
    names = ("amount", "active", "buyers", "orders")
    covered = {(name, kind): 0 for name in names for kind in ("diff", "rel_diff")}
    for seed in SEEDS:
        users = draw_outcomes(seed).users
        arms = [users[users["is_campaign"] == arm] for arm in (1, 0)]
        for name in names:
            if name in ("active", "buyers"):
                found = compare_proportions(*(int(v) for arm in arms for v in (arm[name].sum(), len(arm))))
            else:
                found = compare_means(*(Moments(len(arm), arm[name].mean(), arm[name].var()) for arm in arms))
            for kind, truth in zip(("diff", "rel_diff"), diffs[name], strict=True):
                covered[name, kind] += getattr(found, f"{kind}_lower") <= truth <= getattr(found, f"{kind}_upper")
    rates = {cell: count / len(SEEDS) for cell, count in covered.items()}
    assert all(0.92 <= rate <= 0.98 for rate in rates.values()), rates
    assert np.mean(list(rates.values())) == pytest.approx(0.95, abs=0.02)
