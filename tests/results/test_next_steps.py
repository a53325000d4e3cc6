"""What to do next follows from codes and counts, and nothing else."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest

from analysis.params.plan import Plan
from analysis.results.next_steps import NextStep, net, next_steps
from analysis.results.trust import Check
from analysis.stats.power import mde, users
from analysis.stats.power_baseline import Baseline
from tests.results.test_verdict import effect


def row(role="primary", verdict="cannot_tell", metric="money", **numbers):
    return replace(effect(role, verdict), metric=metric, **{
        "n_treatment": 900, "n_control": 100, "value_control": 10.0, "diff": 1.0, "detectable": 4.0, **numbers})


def check(name, state):
    return Check(name, state, 1, 0, math.nan, 100)


def step(position, n_lost, by="", funnel="path", reason=""):
    return SimpleNamespace(
        funnel=funnel, by=by, position=position, step=f"step{position}", n_lost=n_lost, reason=reason)


def ahead(effects=(), checks=(), steps=(), arms=True, plan=None):
    metrics = {name: SimpleNamespace(over=over) for name, over in (("money", "period"), ("in_all", "both"))}
    campaign = SimpleNamespace(arms=arms or None, metrics=metrics, plan=Plan(effect=plan or {}), funnels={"path": None})
    return next_steps(SimpleNamespace(campaign=campaign), list(checks), list(effects), list(steps))


def reasons(*args, **more):
    return [(found.reason, found.subject) for found in ahead(*args, **more)]


def test_failed_checks_come_alone():
    checks = [check("split", "fail"), check("split", "fail"), check("balance", "fail"), check("alike", "warn")]
    assert reasons([row("guardrail", "broken")], checks, [step(2, 9)]) == [
        ("check_failed", "split"), ("check_failed", "balance")]


def test_guardrails_come_before_the_primary_metric_and_losses_last():
    effects = [row(), row("guardrail", "cannot_tell", "in_all"), row("guardrail", "broken"), row("guardrail", "safe")]
    checks = [check("alike", "warn"), check("two_arms", "ok")]
    assert reasons(effects, checks, [step(1, 0), step(2, 9), step(3, 4)]) == [
        ("guardrail_open", "in_all"), ("guardrail_broken", "money"), ("too_few_users", "money"),
        ("check_warns", "alike"), ("largest_loss", "step2")]


def test_without_arms_the_next_campaign_needs_a_control_group():
    assert reasons(arms=False) == [("no_control_group", "")]


@pytest.mark.parametrize(("plan", "size", "n", "even"), [
    (None, 2.0, 4000, 1400), ({"": 0.05}, 0.5, 64000, 23000), ({"money": 0.4}, 4.0, 1000, 360)])
def test_users_it_takes_follow_from_the_smallest_visible_difference(plan, size, n, even):
    assert ahead([row()], plan=plan) == [NextStep("too_few_users", "money", size, "", n, even, 1000)]


def test_users_it_takes_are_those_that_the_power_formula_gives():
    baseline = Baseline(kind="mean", value=10.0, var=9.0)
    seen = mde(baseline, 1000, share=0.9).effect
    [found] = ahead([row(detectable=seen)])
    assert found.n_users == pytest.approx(users(baseline, effect=seen / 2, share=0.9).n, rel=0.03)
    assert found.n_even == pytest.approx(users(baseline, effect=seen / 2, share=0.5).n, rel=0.03)


def test_a_gain_that_may_be_moved_forward_says_how_many_users_would_tell():
    both = row("secondary", "cannot_tell", "in_all", detectable=5.0)
    [found] = ahead([row(verdict="better"), both])
    assert found == NextStep("moved_forward", "in_all", 1.0, "", 25000, 9000, 1000)
    assert ahead([row(verdict="better"), replace(both, verdict="better")]) == []
    assert ahead([row(verdict="better"), replace(both, unit="orders")]) == []
    assert [own.reason for own in ahead([row(), both])] == ["too_few_users"]


def test_losses_of_other_funnels_of_segments_and_open_ones_do_not_count():
    others = [step(2, 99, funnel="other"), step(2, 99, by="channel"), step(2, 99, reason="all_open"), step(2, 0)]
    assert ahead(steps=others) == []


def test_net_effects_are_those_over_both_times():
    metrics = {"money": SimpleNamespace(over="period"), "in_all": SimpleNamespace(over="both")}
    campaign = SimpleNamespace(metrics=metrics)
    rows = [row(), row("secondary", metric="in_all")]
    assert net(SimpleNamespace(campaign=campaign), rows) == rows[1:]
