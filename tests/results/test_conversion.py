"""Arms and segments along a funnel: who counts, what is compared, and what the numbers must agree with."""

import math

import numpy as np
import pandas as pd

from analysis.results.conversion import arm_effects, segment_gaps
from analysis.results.funnel import funnel
from analysis.stats.multiplicity import holm
from analysis.stats.proportions import compare_proportions
from tests.results.test_funnel import random_log
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"


def effects(log, assigned, said="{steps: [a, b], window: 1 day}", params=""):
    facts = observed(f"{ARMS}funnels: {{path: {said}}}\n{params}", assignments="user|variant|at\n" + assigned,
                     events=log if isinstance(log, pd.DataFrame) else "user|event|at\n" + log)
    return arm_effects(facts, "path")


def counts(rows, base="entry"):
    """(position, converted and all of the arm, of control)."""
    return [(row.position, round(row.value_treatment * row.n_treatment), row.n_treatment,
             round(row.value_control * row.n_control), row.n_control)
            for row in rows if row.base == base and not row.is_check]


ASSIGNED = " u|go|03-01\n v|stay|03-01"


def test_only_the_first_entry_counts_whatever_the_funnel_says():
    log = " u|a|03-04\n u|a|03-06\n u|b|03-06\n v|a|03-04\n v|b|03-04 01:00"
    for entry in ("any", "first"):
        rows = effects(log, ASSIGNED, f"{{steps: [a, b], window: 1 day, entry: {entry}}}")
        assert counts(rows) == [(2, 0, 1, 1, 1)]


def test_users_are_compared_whatever_the_unit():
    log = pd.DataFrame([("u", "a", "2024-03-04", "s1"), ("u", "a", "2024-03-05", "s2"), ("u", "b", "2024-03-05", "s2"),
                        ("v", "a", "2024-03-04", "s3")], columns=["user_id", "event", "occurred_at", "session"])
    rows = effects(log, ASSIGNED, "{steps: [a, b], window: 3 days, unit: session, count: entries}")
    assert counts(rows) == [(2, 1, 1, 0, 1)]


def test_entries_count_from_the_assignment():
    log = " u|a|03-04\n u|a|03-06\n u|b|03-06 01:00\n v|a|03-04\n v|b|03-04 01:00\n w|a|03-06"
    rows = effects(log, " u|go|03-05\n v|stay|03-05\n w|stay|03-05")
    assert counts(rows) == [(2, 1, 1, 0, 1)]      # u's second entry is the first since, v never entered again
    assert [(row.value_treatment, row.value_control) for row in rows if row.is_check] == [(1.0, 0.5)]


def test_a_first_time_in_history_looks_before_the_assignment():
    said = "{steps: [{event: a, occurrence: first_ever}, b], window: 3 days}"
    rows = effects(" u|a|03-04\n u|a|03-06\n v|a|03-06\n v|b|03-07", " u|go|03-05\n v|stay|03-05", said)
    assert [(row.value_treatment, row.value_control) for row in rows if row.is_check] == [(0.0, 1.0)]


def test_open_entries_are_not_compared_and_nothing_is_said_per_assigned_user():
    log = " u|a|03-04\n u|b|03-04 01:00\n w|a|03-10 12:00\n v|a|03-05"
    rows = effects(log, ASSIGNED + "\n w|go|03-01", params="data_until: 2024-03-10")
    assert counts(rows) == [(2, 1, 1, 0, 1)]
    assert [(row.base, row.value_treatment) for row in rows if row.is_check] == [("assigned", 1.0)]
    assert counts(rows, "assigned") == []


def test_an_arm_that_cannot_enter_is_not_compared():
    rows = effects(" u|a|03-04\n u|b|03-04 01:00\n v|b|03-05", ASSIGNED)
    assert [row.is_check for row in rows] == [True]
    assert rows[0].value_control == 0


def test_per_assigned_user_who_did_not_enter_is_no_conversion():
    log = " u|a|03-04\n u|b|03-04 01:00\n v|a|03-05"
    rows = effects(log, ASSIGNED + "\n w|go|03-01\n x|stay|03-01")
    assert counts(rows, "assigned") == [(2, 1, 2, 0, 2)]


def three_arms(seed):
    draw = np.random.default_rng(seed)
    assigned = "\n".join(f" u{i}|{('stay', 'go', 'run')[i % 3]}|03-01" for i in range(900))
    log = [(f"u{i}", event, pd.Timestamp("2024-03-04") + pd.Timedelta(hours=int(draw.integers(0, 140))))
           for i in range(900) for event in "abc" for _ in range(draw.poisson(1 + 0.6 * (i % 3)))]
    said = "{steps: [a, b, c], window: 2 days}"
    arms = "arms: {control: stay, shares: {stay: 34%, go: 33%, run: 33%}}\n"
    facts = observed(f"{arms}funnels: {{path: {said}}}", assignments="user|variant|at\n" + assigned,
                     events=pd.DataFrame(log, columns=["user_id", "event", "occurred_at"]))
    return arm_effects(facts, "path")


def test_all_rows_but_the_checks_are_one_family_and_tell_one_story():
    rows = three_arms(4)
    family = [row for row in rows if not row.is_check]
    assert len(rows) == 8 and [row.pvalue_adjusted for row in family] == holm([row.pvalue for row in family])
    assert {row.pvalue_adjusted < 0.05 for row in family} == {True, False}
    for row in family:
        claims = row.pvalue_adjusted < 0.05
        assert claims == (row.diff_lower > 0 or row.diff_upper < 0)
        assert claims == (row.rel_diff_lower > 0 or row.rel_diff_upper < 0)
    assert all(row.pvalue_adjusted == row.pvalue and row.alpha == 0.05 for row in rows if row.is_check)


def test_another_route_to_the_same_counts():
    """Pandas: each user's first a, then a b within two days of it, then a c after that."""
    log = random_log(9).drop(columns="page")
    assigned = "\n".join(f" u{i}|{'go' if i % 2 else 'stay'}|03-01" for i in range(400))
    rows = effects(log, assigned, "{steps: [a, b, c], window: 2 days}")
    inside = log[(log.occurred_at >= "2024-03-04") & (log.occurred_at < "2024-03-11") & (log.event == "a")]
    entry = inside.groupby("user_id").occurred_at.min().rename("entry")
    found, before = {1: entry}, entry.rename("before")
    for i, step in enumerate("bc", 2):
        rest = log[log.event == step].merge(entry, on="user_id").merge(before, on="user_id")
        rest = rest[(rest.occurred_at >= rest.before) & (rest.occurred_at - rest.entry <= pd.Timedelta("2D"))]
        found[i] = rest.groupby("user_id").occurred_at.min()
        before = found[i].rename("before")
    n = {i: [sum(int(user[1:]) % 2 == arm for user in users.index) for arm in (1, 0)] for i, users in found.items()}
    assert counts(rows) == [(i, n[i][0], n[1][0], n[i][1], n[1][1]) for i in (2, 3)]
    assert [(row.value_treatment, row.value_control) for row in rows if row.is_check] == [
        (n[1][0] / 200, n[1][1] / 200)]


def test_without_arms_there_is_no_comparison():
    facts = observed("funnels: {path: {steps: [a, b], window: none}}", events="user|event|at\n u|a|03-04\n u|b|03-05")
    assert arm_effects(facts, "path") == []


# --- segments ---

def gaps(said):
    facts = observed(f"funnels: {{path: {said}}}", events=random_log(2))
    steps = funnel(facts, "path")
    return steps, segment_gaps(steps, facts.campaign.funnels["path"])


def test_a_segment_is_compared_with_the_rest_of_its_breakdown():
    steps, found = gaps("{steps: [a, b, c], window: 2 days, by: [page]}")
    ends = {step.segment: step for step in steps if step.by == "page" and step.position == 3}
    whole = next(step for step in steps if step.by == "" and step.position == 3)
    assert {gap.segment for gap in found} == {"x", "y", ""}
    for gap in found:
        own = ends[gap.segment]
        other = compare_proportions(own.n_converted, own.n_mature, whole.n_converted - own.n_converted,
                                    whole.n_mature - own.n_mature, gap.alpha)
        assert (gap.diff, gap.diff_lower, gap.pvalue) == (other.diff, other.diff_lower, other.pvalue)
        assert (gap.pvalue_adjusted < 0.05) == (gap.diff_lower > 0 or gap.diff_upper < 0)


def test_segments_that_share_users_have_no_rest():
    assert gaps("{steps: [a, b], window: 2 days, by: [page], attribution: all_steps}")[1] == []


def test_a_single_segment_has_no_rest():
    facts = observed("funnels: {path: {steps: [a, b], window: none, by: [page]}}",
                     events="user|event|at|page\n u|a|03-04|x\n u|b|03-05|x")
    assert segment_gaps(funnel(facts, "path"), facts.campaign.funnels["path"]) == []


def test_a_segment_whose_windows_are_all_open_has_a_reason():
    facts = observed("funnels: {path: {steps: [a, b], window: 30 days, by: [page]}}\ndata_until: 2024-03-31",
                     events="user|event|at|page\n u|a|03-04|x\n v|a|03-10|y\n u|b|03-05|x\n w|a|03-01|z")
    found = segment_gaps(funnel(facts, "path"), facts.campaign.funnels["path"])
    assert {gap.reason for gap in found} <= {"empty_arm", "too_few_users"}
    assert all(math.isnan(gap.pvalue) for gap in found)
