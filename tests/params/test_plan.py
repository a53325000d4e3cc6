"""What a file may lack and may say before the campaign runs."""

import pytest

from analysis.params import CampaignError, load
from tests.params.campaign_file import FULL, campaign, mistakes, written

ASSIGNMENTS = "  assignments: {path: arms.csv}\n"
ARMS = "arms:\n  control: holdout\n  shares: {campaign: 90%, holdout: 10%}\n"


def plan_mistakes(folder, *changes, text=FULL):
    try:
        load(written(folder, *changes, text=text), purpose="plan")
    except CampaignError as error:
        return [(problem.where, problem.message) for problem in error.problems]
    return []


def test_arms_need_no_assignments_yet_but_a_report_does(tmp_path):
    assert plan_mistakes(tmp_path, (ASSIGNMENTS, "")) == []
    [*said] = [(where, message) for _, where, message in mistakes(tmp_path, (ASSIGNMENTS, ""))]
    assert ("sources", "arms need `assignments:`, the table that says who was in which arm; before a campaign runs, "
                       "`campaign assign` draws one") in said


def test_a_plan_needs_no_arms_at_all(tmp_path):
    goal = "  - {metric: soon, target: +5%, baseline: control, measure: per_user}\n"
    assert plan_mistakes(tmp_path, (ARMS, ""), (goal, "")) == []
    assert [where for _, where, _ in mistakes(tmp_path, (ARMS, ""), (goal, ""))] == ["arms"]


def test_every_other_mistake_is_one_in_a_plan_too(tmp_path):
    assert [where for where, _ in plan_mistakes(tmp_path, ("control: holdout", "control: hold"))] == ["arms.control"]
    assert [where for where, _ in plan_mistakes(tmp_path, ("currency:", "curency:"))] == ["curency"]


def with_plan(plan):
    return ("labels:", f"plan: {plan}\nlabels:")


@pytest.mark.parametrize(("said", "effect"), [
    ("5%", {"amount": 0.05}), ("{amount: 5%, buyers: 2%}", {"amount": 0.05, "buyers": 0.02}),
    ("0.05", {"amount": 0.05})])
def test_an_effect_is_of_the_primary_metric_unless_it_names_others(tmp_path, said, effect):
    plan = campaign(tmp_path, with_plan(f"{{effect: {said}}}")).plan
    found = {name: plan.wished(name, "primary" if name == "amount" else "secondary") for name in ("amount", "buyers")}
    assert found == {"amount": None, "buyers": None} | effect


def test_nothing_needs_to_be_said(tmp_path):
    plan = campaign(tmp_path).plan
    assert (plan.power, plan.days, plan.holdout, plan.salt, plan.exclude) == (None, None, [], "", None)
    assert plan.wished("amount", "primary") is None


@pytest.mark.parametrize(("said", "where", "message"), [
    ("{effect: 0%}", "plan.effect", "is 0: say how large an effect is hoped for"),
    ("{effect: -5%}", "plan.effect", "is -0.05, which is worse: higher is better here"),
    ("{effect: {amont: 5%}}", "plan.effect.amont", "'amont' is not a metric of this file (did you mean 'amount'?)"),
    ("{effect: {refunds: -5%}}", "plan.effect.refunds",
     "'refunds' is a guardrail: its `margin:` says what has to be seen"),
    ("{effect: {later: 5%}}", "plan.effect.later", "'later' is only described; give it another role to test it"),
    ("{effect: lots}", "plan.effect", "'lots' is not a change like 5% or a number like 0.3"),
    ("{power: 20%}", "plan.power", "is 0.2; a chance of 50% or more, and below 100%"),
    ("{days: 6}", "plan.days", "is 6, and the period is longer; it is the most days that could be had"),
    ("{days: 0}", "plan.days", "expected 1 or more, found '0'"),
    ("{holdout: [5%, 60%]}", "plan.holdout.2", "is 60%; it lies above 0%, and half of the users are the most"),
    ("{holdot: 5%}", "plan.holdot", "unknown key (did you mean 'holdout'?)"),
    ("{exclude: {pth: x.csv}}", "plan.exclude.pth", "unknown key (did you mean 'path'?)"),
])
def test_what_cannot_be_planned_is_told(tmp_path, said, where, message):
    found = [(place, text) for _, place, text in mistakes(tmp_path, with_plan(said))]
    assert any(place.startswith(where) and text == message for place, text in found), found


def test_shares_to_compare_are_for_one_arm_beside_the_control(tmp_path):
    three = ("{campaign: 90%, holdout: 10%}", "{campaign: 80%, other: 10%, holdout: 10%}")
    assert [where for _, where, _ in mistakes(tmp_path, three, with_plan("{holdout: 5%}"))] == ["plan.holdout"]
    assert campaign(tmp_path, with_plan("{holdout: 5%}")).plan.holdout == [0.05]
