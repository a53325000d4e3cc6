"""Stop, go on or broken, on drawn campaigns whose truth is known; and the order in which reasons count."""

from dataclasses import replace

import pytest

from analysis.results.running.breaks import Break
from analysis.results.running.course import course
from analysis.results.running.decision import Watch, decide, watch
from analysis.results.trust import Check
from tests.running import watched


def decided(params="", **how):
    facts = watched(params, **how)
    return decide(facts, watch(facts), course(facts))


@pytest.mark.parametrize(("how", "answer", "reasons"), [
    ({"days": 6}, "go_on", ("undecided",)),
    ({"days": 9, "lift": 0.35}, "stop", ("primary_better",)),
    ({"days": 9, "lift": -0.35}, "stop", ("primary_worse",)),
    ({"days": 14}, "over", ("period_over", "undecided")),
    ({"days": 14, "lift": 0.35}, "stop", ("primary_better",)),
    ({"days": 5, "to_treatment": 0.62}, "broken", ("split",)),
    ({"days": 9, "visits": -0.5, "n": 1200}, "broken", ("guardrail_broken",)),
    ({"days": 9, "skip": [9]}, "broken", ("missing_days", "no_rows")),
    ({"days": 9, "skip": [5]}, "broken", ("missing_days",)),
    ({"days": 9, "change": {9: 0.5}}, "broken", ("few_rows", "break_on")),
    ({"days": 9, "change": {5: 0.5}}, "go_on", ("undecided",)),
])
def test_the_answer(how, answer, reasons):
    found = decided(**how)
    assert (found.answer, found.reasons) == (answer, reasons)
    assert (found.every, found.n_seen, found.n_planned, found.metric) == ("day", how["days"], 14, "money")


def test_a_break_in_one_arm_only_breaks_it():
    found = decided(days=9, change={(9, "go"): 0.4})
    assert found.answer == "broken" and "break_on" in found.reasons


def test_better_is_not_enough_while_a_guardrail_is_not_shown_to_hold():
    found = decided(days=9, lift=0.35, visits=-0.18)
    assert (found.answer, found.reasons) == ("go_on", ("guardrail_not_shown",))


def test_the_first_time_that_it_was_decided_is_kept():
    assert decided(days=9, lift=0.35).first_tick < 9
    assert decided(days=6).first_tick == 0


def test_only_planned_looks_decide():
    looks = "effects: {looks: {method: obrien_fleming, planned: 2}}"
    assert (decided(looks, days=6, lift=0.8).answer, decided(looks, days=6, lift=0.8).reasons) == (
        "go_on", ("between_looks",))
    found = decided(looks, days=9, lift=0.8)
    assert (found.answer, found.claim_tick) == ("stop", 7)


def test_before_the_first_day_is_over_it_goes_on():
    facts = watched(days=3, until=3)
    found = decide(facts, watch(facts), course(facts))
    assert (found.answer, found.reasons, found.n_seen, found.claim_tick) == ("go_on", ("not_begun",), 0, 0)


def test_too_early_is_a_reason_of_its_own():
    assert decided(days=1, n=100, to_treatment=0.5).reasons == ("too_early",)


# --- the order ---

@pytest.fixture(scope="module")
def seen():
    facts = watched(days=9, lift=0.35)
    return facts, Watch([], [], []), course(facts)


def test_what_is_broken_comes_before_what_is_decided(seen):
    facts, quiet, points = seen
    failed = Check("two_arms", "fail", 9, 0.01, float("nan"), 100)
    broke = Break("orders", "", "", 9, 0.1, is_break=True)
    both = replace(quiet, checks=[failed, replace(failed, name="alike", state="warn")], breaks=[broke])
    assert decide(facts, quiet, points).answer == "stop"
    assert (decide(facts, both, points).answer, decide(facts, both, points).reasons) == (
        "broken", ("two_arms", "break_on"))


def test_a_break_that_is_over_does_not_count(seen):
    facts, quiet, points = seen
    over = replace(quiet, breaks=[Break("orders", "", "", 8, 0.1, is_break=True)])
    assert decide(facts, over, points).answer == "stop"


def test_every_arm_has_to_be_decided(seen):
    facts, quiet, points = seen
    last = [row for row in points if row.tick == 9 and row.role == "primary"]
    open_arm = [replace(row, arm="run", verdict="cannot_tell") for row in last]
    worse_arm = [replace(row, arm="run", verdict="worse") for row in last]
    assert decide(facts, quiet, [*points, *open_arm]).answer == "go_on"
    found = decide(facts, quiet, [*points, *worse_arm])
    assert (found.answer, found.reasons) == ("stop", ("primary_better", "arms_differ"))
