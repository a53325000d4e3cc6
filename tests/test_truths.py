"""What is known of the sample data must come out of the whole path, from the params file to the answers."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from analysis.data import read
from analysis.data.simulate import draw_outcomes, truths
from analysis.facts import observe
from analysis.params import load
from analysis.results.funnel import funnel
from analysis.results.gap import gap
from analysis.results.goals import goals
from analysis.results.phases import phases
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


def test_grocer_18_reached_1133_households_of_whom_214_redeemed_653_coupons():
    facts = facts_of("grocer-18")
    assert facts.groups["received"] == 1133
    assert [step.n_reached for step in funnel(facts, "redemption") if step.by == ""] == [1133, 1104, 214]
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
