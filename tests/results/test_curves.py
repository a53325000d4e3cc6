"""Retention of arms and segments against each other."""

import math
import random

import pytest

from analysis.results.curves import curves
from analysis.results.retention import retention
from analysis.stats.proportions import compare_proportions
from tests.tables import observed

ARMS = "arms: {control: b, shares: {a: 50%, b: 50%}}\n"


def tables(back_a, back_b, start_b=1.0, n=200, seed=3):
    """Two arms of n users who start on 4 March; each comes again on a later day with the arm's chance."""
    draw = random.Random(seed)
    events, arms = ["user|event|at|app"], ["user|variant"]
    for i in range(n):
        for arm, back in (("a", back_a), ("b", back_b)):
            arms.append(f" {arm}{i}|{arm}")
            days = [4] if arm == "a" or draw.random() < start_b else []
            days += [day for day in (5, 6, 7, 8) if days and draw.random() < back]
            events += [f" {arm}{i}|x|03-0{day}|{'web' if i % 3 else 'phone'}" for day in days]
    return {"events": "\n".join(events), "assignments": "\n".join(arms)}


def compared(said="", params=ARMS, **drawn):
    return curves(observed(f"retention: {{every: day, n_periods: 4{said}}}\n{params}data_until: 2024-03-08",
                           **tables(**drawn)))


def test_a_better_arm_is_told_apart_in_each_period_and_in_all():
    [whole], gaps = compared(back_a=0.6, back_b=0.3)
    assert whole.z < 0 and whole.pvalue < 1e-6 and whole.reason == ""
    assert (whole.arm, whole.control, whole.n_treatment, whole.share_treatment) == ("a", "b", 200, 1.0)
    assert [gap.period for gap in gaps] == [1, 2, 3, 4]
    assert all(gap.diff_lower > 0 and gap.pvalue_adjusted < 0.05 for gap in gaps)


def test_p_and_interval_tell_one_story_after_adjustment():
    for seed in range(12):
        _, gaps = compared(back_a=0.42, back_b=0.33, n=120, seed=seed)
        for gap in gaps:
            assert (gap.pvalue_adjusted < 0.05) == (not gap.diff_lower <= 0 <= gap.diff_upper)
            of = compare_proportions(round(gap.rate_treatment * gap.n_treatment), gap.n_treatment,
                                     round(gap.rate_control * gap.n_control), gap.n_control, gap.alpha)
            assert (gap.diff_lower, gap.diff_upper, gap.pvalue) == (of.diff_lower, of.diff_upper, of.pvalue)


def test_arms_that_start_differently_are_not_compared():
    [whole], gaps = compared(back_a=0.6, back_b=0.3, start_b=0.5)
    assert (whole.reason, gaps) == ("started_differently", []) and math.isnan(whole.pvalue)
    assert whole.share_control < 0.6


def test_an_arm_where_nobody_starts_is_not_compared():
    [whole], gaps = compared(back_a=0.6, back_b=0.3, start_b=0.0)
    assert (whole.reason, gaps) == ("empty_arm", [])


def test_users_in_several_cohorts_are_not_compared():
    [whole], gaps = compared(said=", who: recurring", back_a=0.6, back_b=0.3)
    assert (whole.reason, gaps) == ("users_repeat", [])


def test_segments_stand_against_the_largest_and_do_not_change_the_whole():
    said = ", by: app"
    [whole], gaps = compared(said=said, params="", back_a=0.5, back_b=0.5)
    assert (whole.by, whole.arm, whole.control) == ("app", "phone", "web") and math.isnan(whole.share_treatment)
    facts = observed(f"retention: {{every: day, n_periods: 4{said}}}\ndata_until: 2024-03-08", **tables(0.5, 0.5))
    pooled = {c.period: (c.n_users, c.n_retained) for c in retention(facts) if c.cohort is None and c.flavour == "on"}
    assert all((gap.n_treatment + gap.n_control, round(
        gap.rate_treatment * gap.n_treatment + gap.rate_control * gap.n_control)) == pooled[gap.period] for gap in gaps)


def test_a_campaign_without_retention_compares_nothing():
    assert curves(observed(events="user|event|at\n ann|x|03-05")) == ([], [])


@pytest.mark.calibration
def test_alike_arms_are_seldom_told_apart_in_any_period():
    """400 rounds: any adjusted p below 5 % in at most 5 % of them, two standard errors 2.2 points."""
    rounds = [compared(back_a=0.4, back_b=0.4, n=60, seed=seed) for seed in range(400)]
    assert sum(any(gap.pvalue_adjusted < 0.05 for gap in gaps) for _, gaps in rounds) / 400 < 0.072
    assert abs(sum(whole.pvalue < 0.05 for [whole], _ in rounds) / 400 - 0.05) < 0.022
