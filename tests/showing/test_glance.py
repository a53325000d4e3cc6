"""The first screen's lines: each question once, where it leads, and what is said where a thing is not known."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from analysis.results.money import Cost
from analysis.results.next_steps import NextStep
from analysis.results.verdict import Verdict
from analysis.showing import Reader, glance, sections, words
from tests.results.test_verdict import effect
from tests.showing.test_figures import goal
from tests.showing.test_tables import check

EN, ZH = Reader("en", currency="EUR"), Reader("zh", currency="EUR")
COSTS = [Cost("media", 60.0, 0.6, "params"), Cost("prizes", 40.0, 0.4, "params"), Cost("", 100.0, 1.0, "total")]


def row(verdict="better", role="primary", **numbers):
    return replace(effect(role, verdict), **{
        "unit": "EUR", "value_treatment": 12.0, "value_control": 10.0, "rel_diff": 0.2, "rel_diff_lower": 0.1,
        "rel_diff_upper": 0.3, "total": 2000.0, "total_lower": 1000.0, "total_upper": 3000.0} | numbers)


def test_a_question_leads_to_its_section_and_one_without_an_answer_is_left_out():
    shown = glance.lines([("May I?", "trust", ["Yes. ", "<b>"]), ("Who?", "segments", [""]),
                          ("What next?", "", ["a", "b"])], EN)
    assert shown.html == (
        '<dl class="glance"><dt><a href="#trust">May I?</a></dt><dd>Yes.  &lt;b&gt;</dd>'
        "<dt>What next?</dt><dd>a</dd><dd>b</dd></dl>")


def test_checks_that_warn_are_named_and_those_that_failed_say_what_they_found():
    assert glance.trust([check("two_arms")], EN) == "The data passed all checks."
    assert glance.trust([check("two_arms", "warn", 3), check("alike", "warn", 3)], EN) == (
        "No check failed; these need attention: Users in two arms (3 of 100), Identical rows (3 of 100).")
    assert glance.trust([check("balance", "warn", 0.2)], EN).endswith(": Arms alike before.")
    assert "50 of 100" in glance.trust([check("two_arms", "warn", 3), check("duplicates", "fail", 50)], EN)


@pytest.mark.parametrize(("costs", "effects", "said"), [
    ([], [row()], "No cost is stated"),
    (COSTS, [], "What it earned is not known"),
    (COSTS, [row()], "€2,000 more in all (€1,000 to €3,000) than without the campaign. Without margins"),
    (COSTS, [row("cannot_tell")], "It is not shown that it brought more"),
    (COSTS, [row(total=math.nan)], "took 60.0% of it. Without margins"),
    ([replace(COSTS[0], share=1.0), replace(COSTS[2], amount=60.0)], [], "cost €60.00; all of it was media."),
])
def test_worth_is_what_came_beside_what_it_cost_and_never_profit(costs, effects, said):
    assert said in EN.prose(sentence for sentence in glance.worth(costs, effects, [], EN) if sentence)


def test_what_next_is_one_sentence_a_reason_and_the_funnel_last():
    ahead = [NextStep("guardrail_open", "refunds"), NextStep("moved_forward", "in_all", 3.4, "EUR", 310000.0),
             NextStep("check_warns", "alike"), NextStep("check_warns", "two_arms"),
             NextStep("largest_loss", "pay", n_users=9)]
    said = glance.next_steps(ahead, EN)
    assert [sentence[:12] for sentence in said] == ["Before repea", "It is open w", "Look into th", "Look first a"]
    assert "€3.40" in said[1] and "310,000" in said[1] and "“pay”" in said[3]
    assert glance.next_steps([NextStep("check_failed", "split"), NextStep("check_failed", "alike")], EN) == [
        "Mend the data first, then run the report again: Split of the arms, Identical rows."]
    assert all(re.search("[\u4e00-\u9fff]", sentence) for sentence in glance.next_steps(ahead, ZH))


# The box of the verdict, and goals whose data failed

@pytest.mark.parametrize(("verdict", "said"), [
    ("better", "So the effect is still"), ("worse", "So the effect has turned"), ("cannot_tell", "So it is open")])
def test_the_box_says_what_is_left_of_the_effect_once_the_time_after_counts(verdict, said):
    shown = words.verdict(Verdict("works", ("primary_better",), "money"), [row()], [row(verdict, "secondary")], EN)
    assert said in shown.text


def test_a_verdict_that_waits_for_a_guardrail_says_first_that_the_metric_got_better():
    shown = words.verdict(Verdict("cannot_tell", ("guardrail_not_shown",), "money"),
                          [row(), row("cannot_tell", "guardrail")], [], EN)
    assert shown.text.splitlines()[1].startswith("The primary metric got better, but")


def test_numbers_that_are_not_to_be_trusted_have_no_effect_in_the_box():
    shown = words.verdict(Verdict("do_not_trust", ("split",), "money"), [row()], [row("worse", "secondary")], EN)
    assert "€" not in shown.text


def test_goals_of_data_that_failed_the_checks_are_marked():
    met, unknown = goal(), goal(verdict="unknown")
    shown = sections.goals([met, unknown], [], Verdict("do_not_trust", ("split",), "money"), EN)[0]
    assert [(line[1].text, line[1].state) for line in shown.rows] == [
        ("met, if the data were right", "warn"), ("not known", "unknown")]
    assert sections.goals([met], [], Verdict("works", (), "money"), EN)[0].rows[0][1].text == "met"


def test_what_is_left_with_the_time_after_stands_beside_what_came():
    both = row("cannot_tell", "secondary", total=-900.0, total_lower=-2500.0, total_upper=700.0)
    said = EN.prose(glance.worth(COSTS, [row()], [both], EN))
    assert "€2,000 more in all" in said and "With the time after it is −€900.00 in all (−€2,500 to €700.00)." in said
    assert "With the time after" not in EN.prose(glance.worth(COSTS, [row()], [], EN))


def test_fewer_users_in_equal_shares_are_told_where_the_shares_are_uneven():
    uneven, even = (NextStep("too_few_users", "spend", 3.4, "EUR", 310000.0, n, 42000) for n in (110000.0, 300000.0))
    assert glance.next_steps([uneven], EN)[0].endswith("310,000 users in the same shares, or 110,000 in equal ones; "
                                                        "this time there were 42,000.")
    assert glance.next_steps([even], EN)[0].endswith("310,000 users in the same shares; this time there were 42,000.")


def test_of_a_cost_the_known_part_is_told_beside_what_is_not_known_yet():
    open_ = Cost("coupons", math.nan, math.nan, "discount", "period_not_over")
    rows = [*(replace(cost, share=math.nan, reason="period_not_over") for cost in COSTS[:2]), open_,
            Cost("", math.nan, math.nan, "total", "period_not_over")]
    assert words.costs(rows, EN) == "€100.00 of the cost is known; not known yet: coupons."
    assert words.costs([replace(COSTS[0], amount=0.0), replace(COSTS[2], amount=0.0)], EN) == "No cost was recorded."


@pytest.mark.parametrize(("gain", "net", "said"), [
    (3.4, -2.9, "more was lost after the campaign than gained during it, but that is not sure"),
    (3.4, 1.0, "it may only have been moved forward"), (-3.4, -2.9, "it may only have been moved forward")])
def test_what_is_left_is_said_to_be_a_loss_only_where_there_was_a_gain(gain, net, said):
    both = row("cannot_tell", "secondary", diff=net)
    assert said in words.verdict(Verdict("cannot_tell", (), "money"), [row("cannot_tell", diff=gain)], [both], EN).text
