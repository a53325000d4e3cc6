"""Funnels per unit: one rule per test, then thousands of random units against an exhaustive search."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.facts.step_facts import step_facts
from tests.tables import observed, rows

ABC = "{steps: [a, b, c], window: 10 hours}"


def funnel_facts(log, said=ABC, params="", **tables):
    events = log if isinstance(log, pd.DataFrame) else "user|event|at\n" + log
    return observed(f"funnels: {{path: {said}}}\n{params}", events=events, **tables)


def attempts(facts, *columns, is_mature_only=False):
    found = step_facts(facts, facts.campaign.funnels["path"], is_mature_only)
    return rows(found, "unit", *(columns or ("depth",)))


@pytest.mark.parametrize(("log", "depth"), [
    ("u|a|03-04 01:00\n u|b|03-04 02:00\n u|c|03-04 03:00", 3),
    ("u|a|03-04 01:00\n u|c|03-04 02:00\n u|b|03-04 03:00", 2),                            # out of order
    ("u|a|03-04 01:00\n u|b|03-04 02:00\n u|a|03-04 03:00\n u|c|03-04 04:00", 3),          # a repeat does not reset
    ("u|a|03-04 01:00\n u|a|03-04 06:00\n u|b|03-04 07:00\n u|c|03-04 15:00", 3),          # the second start saves it
    ("u|a|03-04 01:00\n u|b|03-04 02:00\n u|c|03-04 11:00", 3),                            # exactly 10 hours
    ("u|a|03-04 01:00\n u|b|03-04 02:00\n u|c|03-04 11:00:01", 2),
    ("u|a|03-10 23:00\n u|b|03-11 02:00\n u|c|03-11 09:00", 3),                            # entered in the range
    ("u|b|03-04 01:00\n u|a|03-04 01:00\n u|c|03-04 01:00", 3),                            # ties go in step order
])
def test_depth(log, depth):
    b_and_c = "\n v|b|01-02\n v|c|01-02"  # the data know every step
    assert attempts(funnel_facts(log + b_and_c)) == [("u", depth)]


def test_only_entries_in_the_period_enter():
    log = "u|a|03-03 23:59\n u|b|03-04 01:00\n v|a|03-11\n v|b|03-11 01:00\n w|a|03-10 23:59\n w|c|03-05"
    assert attempts(funnel_facts(log)) == [("w", 1)]


def test_the_period_of_entries_can_be_the_funnels_own_and_days_are_the_zones():
    said = "{steps: [a, b], window: none, period: {start: 2024-02-01, end: 2024-02-01}}"
    log = "u|a|01-31 16:00:00Z\n u|b|03-05\n v|a|01-31 15:59:59Z\n w|a|02-01 16:00:00Z"
    assert attempts(funnel_facts(log, said, "time_zone: Asia/Shanghai")) == [("u", 2)]


def test_one_row_serves_one_step():
    said = "{steps: [a, a], window: 50 hours}"
    log = ("once|a|03-04\n twice|a|03-04\n twice|a|03-04 01:00\n tied|a|03-04\n tied|a|03-04\n"
           "late|a|03-04\n late|a|03-08")
    assert attempts(funnel_facts(log, said)) == [("late", 1), ("once", 1), ("tied", 2), ("twice", 2)]


def test_the_first_entry_can_be_the_only_one_that_counts():
    log = "u|a|03-04 01:00\n u|a|03-05 01:00\n u|b|03-05 02:00\n u|c|03-05 03:00"
    assert attempts(funnel_facts(log)) == [("u", 3)]
    assert attempts(funnel_facts(log, "{steps: [a, b, c], window: 10 hours, entry: first}")) == [("u", 1)]


def test_times_run_from_the_entry_that_counts_and_never_fall():
    log = ("u|a|03-04 00:00\n u|b|03-04 09:00\n u|a|03-05 00:00\n u|b|03-05 01:00\n u|b|03-05 02:00\n u|c|03-05 03:00\n"
           "u|c|03-05 04:00")
    assert attempts(funnel_facts(log), "seconds_1", "seconds_2", "seconds_3") == [("u", 0.0, 3600.0, 10800.0)]


def test_a_step_not_reached_has_no_time():
    facts = funnel_facts("u|a|03-04\n u|b|03-04 01:00\n v|c|01-01")
    assert attempts(facts, "seconds_2", "seconds_3") == [("u", 3600.0, None)]


def test_a_window_is_elapsed_time_whatever_the_clocks_do():
    log = "u|a|03-09 20:00\n u|b|03-10 05:00\n u|c|03-10 07:00\n v|a|03-09 20:00\n v|b|03-10 07:01"
    facts = funnel_facts(log, params="time_zone: America/New_York")
    assert attempts(facts, "depth", "seconds_3") == [("u", 3, 36000.0), ("v", 1, None)]


def test_an_entry_is_mature_when_its_window_ends_with_the_data_and_open_after():
    log = "u|a|03-05 02:00\n u|b|03-05 03:00\n u|c|03-05 09:00\n v|a|03-05 02:00:01\n v|b|03-05 03:00\n v|c|03-05 09:00"
    facts = funnel_facts(log, params="data_until: 2024-03-05 12:00:00")
    assert attempts(facts) == [("u", 3), ("v", 3)]
    assert attempts(facts, is_mature_only=True) == [("u", 3)]


def test_an_open_entry_is_no_part_of_the_mature_count():
    log = "u|a|03-04 01:00\n u|a|03-05 09:00\n u|b|03-05 10:00\n u|c|01-01"
    facts = funnel_facts(log, params="data_until: 2024-03-05 12:00:00")
    assert (attempts(facts), attempts(facts, is_mature_only=True)) == ([("u", 2)], [("u", 1)])


def test_sessions_are_units_and_a_row_without_one_is_dropped():
    log = ("user|event|at|session\n u|a|03-05 01:00|s1\n u|b|03-05 02:00|s2\n u|b|03-05 02:00|\n v|b|03-05 02:00|s1\n"
           "u|a|03-05 03:00|")
    facts = observed("funnels: {path: {steps: [a, b], window: 1 day, unit: session}}", events=log)
    assert attempts(facts) == [("s1", 2)]


BY = "{steps: [a, b], window: 1 hour, by: [page, tier]}"


def test_a_breakdown_is_the_value_at_the_entry_that_counts():
    log = ("user|event|at|page\n u|a|03-04|first\n u|a|03-05 00:00|second\n u|b|03-05 00:30|third\n"
           " v|a|03-06|\n w|a|03-06|first\n w|b|03-06|earlier in the alphabet\n w|b|03-07|x")
    facts = observed(f"funnels: {{path: {BY}}}", events=log, users="user|tier\n u|gold\n v|silver\n w|")
    assert attempts(facts, "by_page", "by_tier", "depth") == [
        ("u", "second", "gold", 2), ("v", None, "silver", 1), ("w", "first", None, 2)]


def test_in_any_order_asks_only_what_happened_since_the_start():
    said = "{steps: [a, b, c], window: none, order: any}"
    log = ("u|c|03-04 01:00\n u|b|03-05\n u|a|03-06\n v|a|03-06\n v|c|03-20\n w|b|03-03\n w|a|03-06\n w|c|03-07\n"
           "x|b|03-05\n x|c|03-05")
    facts = funnel_facts(log, said)
    assert attempts(facts, "depth", "seconds_3") == [("u", 3, 0.0), ("v", 1, None), ("w", 1, None)]


MIDNIGHT = pd.Timestamp("2024-03-04")
START, END, UNTIL = 20, 70, 90  # the range of entries and the end of the data, in hours since the log began


def search(log, steps, window, entry, last):
    """All chains of one unit's rows, by exhaustion: (depth, entered_at, times of the steps) of the attempt that counts.

    log    (hour, event) by time, and where tied by the first step that the event fits; entries lie in [START, last)
    """
    entries = [i for i, (hour, event) in enumerate(log) if event == steps[0] and START <= hour < last]
    if entry == "first":
        entries = [i for i in entries if log[i][0] == log[entries[0]][0]]
    chains = [[i] for i in entries]
    for chain in chains:  # grows while it is walked
        if len(chain) < len(steps):
            chains += [[*chain, j] for j in range(chain[-1] + 1, len(log))
                       if log[j][1] == steps[len(chain)] and (window is None or log[j][0] - log[chain[0]][0] <= window)]
    if not chains:
        return None
    depth = max(map(len, chains))
    deepest = [chain for chain in chains if len(chain) == depth]
    soonest = min(log[chain[-1]][0] for chain in deepest)
    entered = max(log[chain[0]][0] for chain in deepest if log[chain[-1]][0] == soonest)
    own = [chain for chain in chains if log[chain[0]][0] == entered]
    return depth, entered, tuple(min(log[chain[i]][0] for chain in own if len(chain) > i) for i in range(depth))


def crowded(seed, n=400):
    """Units with few distinct hours, so that ties, repeats and windows that just close abound."""
    draw = np.random.default_rng(seed)
    frames = []
    for unit in range(n):
        size = draw.integers(1, 11)
        hours = draw.integers(0, 100, size) if unit % 3 else draw.integers(18, 26, size)
        frames.append(pd.DataFrame({"user_id": f"u{unit}", "event": draw.choice(["a", "b", "c"], size), "hour": hours}))
    log = pd.concat(frames, ignore_index=True)
    log["occurred_at"] = MIDNIGHT + pd.to_timedelta(log["hour"], unit="h")
    log["event_id"] = draw.permutation(len(log))
    return log


@pytest.mark.parametrize(("name", "window", "entry"), [
    ("abc", None, "any"), ("abc", 1, "first"), ("abc", 3, "any"), ("abc", 12, "any"), ("aab", 3, "any"),
    ("aab", 12, "first"), ("aab", None, "first"), ("abab", None, "any"), ("abab", 3, "any"), ("abab", 12, "any")])
def test_as_an_exhaustive_search(name, window, entry):
    log, steps = crowded(seed=len(name) + (window or 7)), list(name)
    start, end, until = (MIDNIGHT + timedelta(hours=hours) for hours in (START, END, UNTIL))
    length = f"{window} hours" if window else "none"
    facts = funnel_facts(log, (f'{{steps: {steps}, entry: {entry}, window: {length}, '
                               f'period: {{start: "{start}", end: "{end}"}}}}'), f"data_until: {until}")
    rank = {event: steps.index(event) for event in name}
    inside = log[log["hour"] < UNTIL].assign(rank=log["event"].map(rank)).sort_values(["hour", "rank"])
    units = {unit: list(zip(own["hour"], own["event"], strict=True))
             for unit, own in inside[inside["event"].isin(steps)].groupby("user_id")}
    names = ["unit", "depth", "entered_at", *(f"seconds_{i}" for i in range(1, len(steps) + 1))]
    for is_mature_only in (False, True):
        last = min(END, UNTIL - window + 1) if window and is_mature_only else END
        best = {unit: search(own, steps, window, entry, last) for unit, own in units.items()}
        expected = []
        for unit, (depth, entered, times) in ((unit, found) for unit, found in best.items() if found):
            seconds = [(time - entered) * 3600.0 for time in times] + [None] * (len(steps) - depth)
            at = int((MIDNIGHT + timedelta(hours=int(entered))).value // 1000)
            expected.append((unit, depth, at, *seconds))
        found = step_facts(facts, facts.campaign.funnels["path"], is_mature_only)
        assert len(expected) > 150
        assert rows(found, *names) == sorted(expected)


def test_neither_the_order_of_the_rows_nor_the_files_they_lie_in_matter():
    log = crowded(1)
    shuffled = log.sample(frac=1, random_state=1)
    said = "{funnels: {path: {steps: [a, b, a], window: 5 hours, by: [hour]}}}"
    found = [attempts(observed(said, events=events), "depth", "entered_at", "by_hour", "seconds_2", "seconds_3")
             for events in (log, shuffled, [shuffled[:900], shuffled[900:1000], shuffled[1000:]])]
    assert len(found[0]) > 200 and found[0] == found[1] == found[2]
