"""Where losses come from: shrunk so that small groups do not win, by day of entry, and what came next."""

import math
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from analysis.facts.next_events import next_events
from analysis.results.drops import drops, shrunk
from analysis.results.entry_days import by_entry_day
from analysis.results.funnel import funnel
from analysis.results.lost_to import lost_to
from analysis.stats.score import score_ratio
from tests.results.test_funnel import random_log
from tests.tables import observed


def path(log, said="{steps: [a, b], window: 2 days}", params="", **tables):
    events = log if isinstance(log, pd.DataFrame) else "user|event|at\n" + log
    return observed(f"funnels: {{path: {said}}}\n{params}", events=events, **tables)


# --- by day of entry ---

def days(facts, *names):
    return [tuple(getattr(day, name) for name in names) for day in by_entry_day(facts, "path")]


def test_a_unit_that_entered_on_two_days_counts_on_both():
    facts = path(" u|a|03-04\n u|a|03-06\n u|b|03-07\n v|a|03-06\n w|b|01-01")
    found = days(facts, "day", "n_entered", "n_converted")
    assert [row for row in found if row[1]] == [(date(2024, 3, 4), 1, 0), (date(2024, 3, 6), 2, 1)]
    assert len(found) == 7


def test_a_day_is_the_zones():
    facts = path(" u|a|03-04 15:59:59Z\n v|a|03-04 16:00:00Z\n w|b|01-01", params="time_zone: Asia/Shanghai")
    assert [row for row in days(facts, "day", "n_entered") if row[1]] == [(date(2024, 3, 4), 1), (date(2024, 3, 5), 1)]


def test_a_day_whose_window_is_open_has_no_rate_but_a_reason():
    facts = path(" u|a|03-04\n u|b|03-05\n v|a|03-08\n v|b|03-09\n w|a|03-09", params="data_until: 2024-03-10")
    found = {row[0].day: row[1:] for row in days(facts, "day", "n_entered", "n_converted", "rate", "is_open", "reason")}
    assert found[4] == (1, 1, 1.0, False, "") and found[8] == (1, 1, 1.0, False, "")
    assert found[9][:2] == (1, 0) and math.isnan(found[9][2]) and found[9][3:] == (True, "all_open")
    assert found[7][-1] == "no_entries"


def test_entries_of_a_single_day_are_no_course():
    assert by_entry_day(path(" u|a|03-04\n v|a|03-04\n v|b|03-05"), "path") == []


def test_days_the_data_do_not_reach_are_absent():
    facts = path(" u|a|03-04\n v|a|03-05\n v|b|03-06", params="data_until: 2024-03-06")
    assert len(days(facts, "day")) == 3


@pytest.mark.parametrize("said", ["{steps: [a, b, c], window: 2 days, entry: first}",
                                  "{steps: [a, b, c], window: 2 days, count: entries}"])
def test_where_a_unit_enters_once_the_days_add_up_to_the_funnel(said):
    facts = path(random_log(6), said)
    found = by_entry_day(facts, "path")
    ends = [step for step in funnel(facts, "path") if step.by == ""]
    assert sum(day.n_entered for day in found) == ends[0].n_reached > 100
    assert sum(day.n_converted for day in found) == ends[-1].n_converted > 0


def test_under_any_entry_each_day_is_the_funnel_of_that_day_alone():
    log = random_log(8)
    for day in by_entry_day(path(log, "{steps: [a, b, c], window: 2 days}"), "path"):
        alone = f"{{steps: [a, b, c], window: 2 days, period: {{start: {day.day}, end: {day.day}}}}}"
        steps = [step for step in funnel(path(log, alone), "path") if step.by == ""]
        assert (day.n_entered, day.n_converted, day.rate) == (
            steps[0].n_mature, steps[-1].n_converted, pytest.approx(steps[-1].rate))


# --- shrinkage ---

def posterior_mean(x, n, mean, strength):
    """By quadrature over the share, beta prior times binomial likelihood."""
    prior = stats.beta(mean * strength, (1 - mean) * strength)

    def weight(p):
        return prior.pdf(p) * stats.binom.pmf(x, n, p)

    return integrate.quad(lambda p: p * weight(p), 0, 1)[0] / integrate.quad(weight, 0, 1)[0]


def strength_of(lost, n):
    """Kleinman's moment equation solved by bisection instead of in closed form."""
    total, p = sum(n), sum(lost) / sum(n)
    seen = sum(size * (x / size - p) ** 2 for x, size in zip(lost, n, strict=True))

    def expected(g):
        var = [p * (1 - p) * (g + (1 - g) / size) for size in n]
        pooled = sum((size / total) ** 2 * v for size, v in zip(n, var, strict=True))
        return sum(size * v for size, v in zip(n, var, strict=True)) - total * pooled

    low, high = 0.0, 1.0
    for _ in range(60):
        low, high = ((low + high) / 2, high) if expected((low + high) / 2) < seen else (low, (low + high) / 2)
    return (1 - low) / low


LOST, SIZES = [30, 3, 70, 12, 45], [100, 4, 120, 60, 80]


def test_shrunk_rates_are_posterior_means_by_another_route():
    strength = strength_of(LOST, SIZES)
    pooled = sum(LOST) / sum(SIZES)
    assert shrunk(LOST, SIZES) == pytest.approx(
        [posterior_mean(x, n, pooled, strength) for x, n in zip(LOST, SIZES, strict=True)], rel=1e-6)


def test_a_rate_is_pulled_towards_the_pooled_one_and_the_smallest_group_most():
    pooled = sum(LOST) / sum(SIZES)
    kept = [(rate - pooled) / (x / n - pooled) for rate, x, n in zip(shrunk(LOST, SIZES), LOST, SIZES, strict=True)]
    assert all(0 < share < 1 for share in kept)
    assert sorted(range(5), key=lambda i: kept[i]) == sorted(range(5), key=lambda i: SIZES[i])


def test_rates_that_differ_by_chance_only_are_all_the_pooled_one():
    draw = np.random.default_rng(3)
    sizes = draw.integers(20, 200, 30)
    even = [round(n * 0.4) for n in sizes]
    assert shrunk(even, sizes.tolist()) == pytest.approx([sum(even) / sizes.sum()] * 30)


@pytest.mark.parametrize("lost", [[0, 0], [5, 7]])
def test_where_all_or_none_were_lost_there_is_nothing_to_shrink(lost):
    assert shrunk(lost, [5, 7]) == [sum(lost) / 12] * 2


def test_the_strength_of_the_prior_is_found_again():
    draw = np.random.default_rng(11)
    sizes = draw.integers(50, 400, 3_000)
    rates = draw.beta(0.3 * 20, 0.7 * 20, 3_000)
    lost = draw.binomial(sizes, rates)
    ours = shrunk(lost.tolist(), sizes.tolist())
    theirs = (lost + 0.3 * 20) / (sizes + 20)
    assert np.abs(np.array(ours) - theirs).max() < 0.01
    assert ((ours - rates) ** 2).mean() < ((lost / sizes - rates) ** 2).mean()


# --- cells ---

def weak_page(n=140):
    """Everybody enters; of page x nobody goes on, of page y all; page z is one unit that does not."""
    rows = [(f"{page}{i}", event, f"2024-03-{4 + i % 7:02d}", page) for page in "xy" for i in range(n)
            for event in ("ab" if page == "y" else "a")]
    return pd.DataFrame([*rows, ("z", "a", "2024-03-04", "z")],
                        columns=["user_id", "event", "occurred_at", "page"])


def test_the_segment_that_loses_most_comes_first_and_a_group_of_one_does_not_win():
    facts = path(weak_page(), "{steps: [a, b], window: 2 days, by: [page]}")
    found = drops(facts, "path")
    assert found and {drop.segment for drop in found} == {"x"}
    assert found[0].excess == pytest.approx(found[0].n_lost - found[0].n_before * found[0].pooled_rate)
    assert found[0].pooled_rate == pytest.approx(141 / 281)


def test_cells_add_up_to_the_days_and_the_days_to_the_pooled_rate(monkeypatch):
    monkeypatch.setattr("analysis.results.drops.shrunk", lambda lost, n: [2.0] * len(n))    # nothing is left out
    facts = path(random_log(5), "{steps: [a, b, c], window: 2 days, by: [page]}")
    found = drops(facts, "path")
    for day in by_entry_day(facts, "path"):
        own = [drop for drop in found if drop.period == day.day and drop.position == 2]
        assert sum(drop.n_before for drop in own) == day.n_entered
        through = sum(drop.n_before - drop.n_lost for drop in found if drop.period == day.day and drop.position == 3)
        assert through == day.n_converted
    second = [drop for drop in found if drop.position == 2]
    assert second[0].pooled_rate == pytest.approx(
        sum(drop.n_lost for drop in second) / sum(drop.n_before for drop in second))
    assert sum(drop.excess for drop in second) == pytest.approx(0, abs=1e-9)


def test_a_single_cell_has_nothing_to_be_compared_with():
    assert drops(path(" u|a|03-04\n v|a|03-04\n v|b|03-05"), "path") == []


# --- what came next ---

def fates(log, said="{steps: [a, b, c], window: 2 days}", params=""):
    facts = path(log, said, params)
    return {(row["position"], row["is_lost"], row["event"]): row["n"]
            for row in next_events(facts, facts.campaign.funnels["path"])}


@pytest.mark.parametrize(("log", "expected"), [
    (" u|a|03-04\n u|x|03-05\n u|y|03-05 01:00", {(1, True, "x"): 1}),
    (" u|a|03-04\n u|x|03-04", {(1, True, ""): 1}),                                # not later
    (" u|a|03-04\n u|x|03-06", {(1, True, "x"): 1}),                               # the bound is included
    (" u|a|03-04\n u|x|03-06 00:00:01", {(1, True, ""): 1}),
    (" u|a|03-04\n u|y|03-05\n u|x|03-05", {(1, True, "x"): 1}),                   # of several, the first by name
    (" u|a|03-04\n u|x|03-04 01:00\n u|b|03-05\n u|c|03-05 01:00", {(1, False, "x"): 1, (2, False, "c"): 1}),
    (" u|a|03-04\n u|b|03-05\n u|y|03-05 01:00", {(1, False, "b"): 1, (2, True, "y"): 1}),
    (" u|a|03-04\n v|x|03-05", {(1, True, ""): 1}),                                # another user's
])
def test_the_next_event(log, expected):
    assert fates(log + "\n k|b|01-01\n k|c|01-01") == expected


def test_entries_that_are_open_say_nothing():
    assert fates(" u|a|03-09 01:00\n u|x|03-10\n k|b|01-01\n k|c|01-01", params="data_until: 2024-03-10") == {}


def test_another_route_to_the_same_fates():
    """Row by row over the first entries of drawn users."""
    log = random_log(13).drop(columns="page")
    found = fates(log, "{steps: [a, b, c], window: 2 days, entry: first}")
    expected: Counter = Counter()
    for _, own in log.groupby("user_id"):
        rows = sorted(zip(own.occurred_at, own.event, strict=True))
        begun = [at for at, event in rows if event == "a" and pd.Timestamp("2024-03-04") <= at
                 < pd.Timestamp("2024-03-11")]
        if not begun:
            continue
        inside = [(at, event) for at, event in rows if begun[0] <= at <= begun[0] + timedelta(days=2)]
        reached = [begun[0]]
        for step in "bc":
            later = [at for at, event in inside if event == step and at >= reached[-1]]
            reached += later[:1]
            if not later:
                break
        for i, at in enumerate(reached[:2], 1):
            following = [row for row in inside if row[0] > at]
            expected[i, len(reached) == i, following[0][1] if following else ""] += 1
    assert found == dict(expected)


def test_fates_add_up_to_the_funnel():
    facts = path(random_log(4), "{steps: [a, b, c], window: 2 days}")
    steps = [step for step in funnel(facts, "path") if step.by == ""]
    rows = next_events(facts, facts.campaign.funnels["path"])
    for i in (1, 2):
        own = [row for row in rows if row["position"] == i]
        assert sum(row["n"] for row in own) == steps[i - 1].n_converted
        assert sum(row["n"] for row in own if row["is_lost"]) == steps[i].n_lost


def test_small_cells_are_left_out_and_the_lift_has_its_interval():
    rows = [(f"u{i}", event, f"2024-03-05 0{h}:00") for i in range(60)
            for h, event in enumerate(["a", "x" if i < 40 else "y" if i < 45 else "",
                                       "b" if i in (*range(12), 42) else ""]) if event]
    facts = path(pd.DataFrame([*rows, ("k", "b", "2024-01-01")], columns=["user_id", "event", "occurred_at"]),
                 params="min_cell_size: 10")
    found = {row.event: row for row in lost_to(facts, "path")}
    assert set(found) == {"x", ""}      # y: four of the lost
    x = found["x"]
    assert (x.n, x.n_lost, x.n_base, x.n_went_on) == (28, 47, 12, 13)
    assert x.lift == pytest.approx((28 / 47) / (12 / 13))
    assert (x.lift_lower, x.lift_upper) == score_ratio(28, 47, 12, 13)
    assert found[""].reason == "by_definition" and math.isnan(found[""].lift)


def test_what_hardly_anybody_who_went_on_did_first_has_no_lift():
    """To those who go on the next step comes first: hundreds of times as common would say nothing."""
    rows = [(f"u{i}", event, f"2024-03-05 0{h}:00") for i in range(60)
            for h, event in enumerate(["a", "x" if i < 40 else "b", "b" if i == 0 else ""]) if event]
    facts = path(pd.DataFrame(rows, columns=["user_id", "event", "occurred_at"]), params="min_cell_size: 10")
    [x] = [row for row in lost_to(facts, "path") if row.event == "x"]
    assert (x.n_base, x.reason) == (1, "few_went_on_so") and math.isnan(x.lift)
