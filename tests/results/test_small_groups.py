"""Nobody is told of in a group of few, and no subtraction finds one."""

import json
import re
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.results import plain
from analysis.results.activity import activity
from analysis.results.curves import curves
from analysis.results.drops import drops
from analysis.results.entry_days import by_entry_day
from analysis.results.funnel import funnels
from analysis.results.ltv import values
from analysis.results.paths import paths
from analysis.results.recency import recency
from analysis.results.retention import retention
from analysis.results.segments import segments
from analysis.results.small_groups import hidden, hidden_cells, left_out, put_together
from analysis.showing import Reader, words
from tests.tables import observed

COUNTS = st.integers(0, 40) | st.integers(0, 3)
TABLES = st.integers(1, 3).flatmap(
    lambda columns: st.dictionaries(st.text("abcdefg", min_size=1, max_size=2), st.tuples(*[COUNTS] * columns)))
PARAMS = """
min_cell_size: 10
period: {start: 2024-03-04, end: 2024-03-10}
data_until: 2024-03-31
arms: {control: stay, shares: {stay: 50%, go: 50%}}
metrics: {money: {sum: orders.amount, role: primary}}
effects: {segments: [city], relabel: 0}
funnels:
  path: {steps: [visit, pay], window: 2 days, by: [city, page]}
  sessions: {steps: [visit, pay], window: 2 days, unit: session, by: [page]}
retention: {every: day, n_periods: 6, by: city, flavours: [on, on_or_after]}
activity: {every: day, period: {start: 2024-03-04, end: 2024-03-10}, recency: [2, 5, 9, 20]}
"""


def of_one_table(sizes, out, least):
    """For each column what is left of its total when all rows that are shown are subtracted."""
    for column in zip(*sizes.values(), strict=True):
        by_key = dict(zip(sizes, column, strict=True))
        shown = [n for key, n in by_key.items() if key not in out]
        left = sum(column) - sum(shown)
        assert not any(0 < n < least for n in shown)
        yield left, [n for key, n in by_key.items() if key in out and n], shown


@given(TABLES, st.integers(1, 20))
def test_no_row_is_of_few_and_no_difference_is(sizes, least):
    out = hidden(sizes, least)
    for left, inside, shown in of_one_table(sizes, out, least):
        if left and any(shown):      # where nothing else is shown, the total is all that is told
            assert left >= least and len(inside) >= 2


@given(TABLES, st.integers(2, 20))
def test_nothing_is_hidden_without_need(sizes, least):
    assert hidden(sizes, 1) == set()
    if all(n == 0 or n >= least for own in sizes.values() for n in own):
        assert hidden(sizes, least) == set()


def test_the_smallest_group_that_is_large_enough_hides_a_small_one():
    assert hidden({"web": [900], "app": [40], "kiosk": [3], "fax": [0]}, 10) == {"kiosk", "app"}
    assert hidden({"web": [900], "app": [40], "kiosk": [6], "phone": [5]}, 10) == {"kiosk", "phone"}
    assert hidden({"web": [900], "app": [40], "kiosk": [4], "phone": [5]}, 10) == {"kiosk", "phone", "app"}
    assert hidden({"web": [900], "kiosk": [3]}, 10) == {"web", "kiosk"}
    assert hidden({"a": [50, 40], "b": [50, 9], "c": [50, 40], "d": [60, 30]}, 10) == {"b", "a"}


@given(st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), COUNTS, max_size=16),
       st.integers(1, 20))
def test_no_margin_of_a_table_gives_a_cell_away(sizes, least):
    out = hidden_cells(sizes, least)
    for axis in (0, 1):
        for line in {key[axis] for key in sizes}:
            own = {key: n for key, n in sizes.items() if key[axis] == line}
            shown, inside = [n for key, n in own.items() if key not in out], [n for key, n in own.items() if key in out]
            assert not any(0 < n < least for n in shown)
            if any(inside) and any(shown):
                assert sum(inside) >= least and sum(n > 0 for n in inside) >= 2


@given(st.lists(COUNTS, max_size=12), st.integers(1, 20))
def test_parts_of_a_distribution_are_of_nobody_or_of_enough(counts, least):
    parts = put_together(counts, least)
    sums = [sum(counts[part.start:part.stop]) for part in parts]
    assert all(n == 0 or n >= least for n in sums)
    if 0 < sum(counts) < least:
        assert parts == []
    else:
        assert [place for part in parts for place in part] == list(range(len(counts)))
    assert least > 1 or all(len(part) == 1 for part in parts)


# --- a whole campaign ---

def town(seed, n=160):
    """Users of a few large cities and many of one to a dozen; sessions of one user are many."""
    draw = np.random.default_rng(seed)
    names = np.array([f"city{i}" for i in range(9)])
    city = draw.choice(names, n, p=[.4, .3, .08, .06, .05, .04, .03, .02, .02])
    users = pd.DataFrame({"user_id": [f"u{i}" for i in range(n)], "city": city})
    rows, orders = [], []
    for i in range(n):
        first = int(min(draw.geometric(.35) - 1, 6))
        for day in range(first, 14):
            if day == first or draw.random() < 0.4:
                page = draw.choice(["home", "deal", "rare"], p=[.6, .37, .03])
                for k in range(draw.integers(1, 4)):
                    rows.append((f"u{i}", "visit", f"2024-03-{4 + day:02d} 10:0{k}:00", page, f"u{i}-{day}-{k}"))
                    if draw.random() < 0.4:
                        rows.append((f"u{i}", "pay", f"2024-03-{4 + day:02d} 11:0{k}:00", page, f"u{i}-{day}-{k}"))
                        orders.append((f"u{i}", f"2024-03-{4 + day:02d} 11:0{k}:00", float(draw.integers(1, 90))))
    rows += [("solo", event, f"2024-03-05 1{k // 6}:{k % 6}{h}:00", "lonely", f"s{k}")
             for k in range(30) for h, event in enumerate(("visit", "pay"))]          # one user, thirty sessions
    users = pd.concat([users, pd.DataFrame({"user_id": ["solo"], "city": ["city0"]})])
    return {"users": users,
            "assignments": pd.DataFrame({"user_id": users.user_id,
                                         "variant": [("stay", "go")[i % 2] for i in range(n + 1)]}),
            "events": pd.DataFrame(rows, columns=["user_id", "event", "occurred_at", "page", "session"]),
            "orders": pd.DataFrame(orders, columns=["user_id", "ordered_at", "amount"])}


@pytest.fixture(scope="module", params=[1, 2, 3])
def looked_at(request):
    """Facts and everything that a report shows by group."""
    facts = observed(PARAMS, **town(request.param))
    steps = funnels(facts)
    return facts, {"steps": steps, "paths": paths(facts, steps), "retention": retention(facts),
                   "curves": curves(facts), "value": values(facts), "activity": activity(facts),
                   "segments": segments(facts)}


def users_of_segment(facts, column):
    """Value -> users who entered the first funnel with it: of their last row before the entry, or of themselves."""
    frame = facts.population.to_pandas()
    return frame.groupby(column).user_id.nunique().to_dict()


def test_every_row_speaks_of_enough_users(looked_at):
    facts, found = looked_at
    cities = users_of_segment(facts, "city")
    told = {step.segment for step in found["steps"] if step.by == "city"}
    assert told and all(cities[city] >= 10 for city in told)
    assert all(step.n_mature >= 10 for step in found["steps"] if step.by == "city")
    assert all(min(row.n_treatment, row.n_control) >= 10 for row in found["segments"][0])
    assert all(cell.n_users >= 10 for cell in found["retention"])
    assert all(value.n_users >= 10 for value in found["value"] if value.cohort)
    assert all(row.n_users >= 10 for row in found["activity"].recency)
    assert all(row.n_exactly == 0 or row.n_exactly >= 10 for row in found["activity"].stickiness)
    assert all(day.n_entered == 0 or day.n_entered >= 10 for day in found["paths"].days)
    assert all(drop.n_before >= 10 for drop in found["paths"].drops)
    assert all(gap.n_treatment >= 10 and gap.n_control >= 10 for gap in found["curves"][1] if gap.by == "city")


def test_thirty_sessions_of_one_user_are_one_user(looked_at):
    _, found = looked_at
    assert "lonely" not in {step.segment for step in found["steps"] if step.by == "page"}
    of_sessions = {step.segment for step in found["steps"] if step.funnel == "sessions" and step.by == "page"}
    assert of_sessions <= {"home", "deal"}


def assert_not_found(total, rows):
    left = total - sum(rows)
    assert not rows or left == 0 or left >= 10


def test_totals_give_no_group_away(looked_at):
    _, found = looked_at
    for name in ("path",):
        last = {by: [s for s in found["steps"] if s.funnel == name and s.by == by and s.position == 1]
                for by in ("", "city", "page")}
        for by in ("city", "page"):
            for count in ("n_reached", "n_mature"):
                assert_not_found(getattr(last[""][0], count), [getattr(s, count) for s in last[by]])
    cells = defaultdict(list)
    for cell in found["retention"]:
        if not cell.reason:
            cells[cell.flavour, cell.period, cell.cohort is None].append(cell.n_users)
    for (flavour, period, is_total), own in cells.items():
        if is_total:
            assert_not_found(own[0], cells.get((flavour, period, False), []))
    assert_not_found(161, [row.n_users for row in found["activity"].recency])
    sticky = found["activity"].stickiness
    steps = [row.n_at_least for row in sticky] + [0]
    assert all(a - b == 0 or a - b >= 10 for a, b in pairwise(steps))


def test_what_was_left_out_is_said_and_named_nowhere(looked_at):
    facts, found = looked_at
    parts = {(one.part, one.name, one.by): one.n_groups for one in left_out(facts)}
    assert parts["funnel", "path", "city"] >= 2 and parts["segments", "money", "city"] >= 2
    small = [city for city, n in users_of_segment(facts, "city").items() if n < 10]
    assert small
    record = json.dumps(plain([*found["steps"], *found["segments"], *found["curves"], found["paths"],
                               found["activity"]]))
    assert not [city for city in small if re.search(rf"\b{city}\b", record)]
    said = words.limits(facts, Reader("en"))[-1]
    assert "fewer than 10 users" in said and "funnel path by city" in said
    assert "少于 10 个用户" in words.limits(facts, Reader("zh"))[-1]


def test_one_shows_everything():
    facts = observed(PARAMS.replace("min_cell_size: 10", "min_cell_size: 1"), **town(1))
    steps = funnels(facts)
    paths(facts, steps), segments(facts), retention(facts), recency(facts), activity(facts), curves(facts)
    assert left_out(facts) == []
    assert {step.segment for step in steps if step.by == "city"} == set(users_of_segment(facts, "city"))


def test_a_median_of_few_is_nobody_elses_business():
    log = "user|event|at|page\n" + "\n".join(
        f" u{i}|a|03-04|x" + (f"\n u{i}|b|03-05|x" if i < 2 else "") + f"\n v{i}|a|03-04|y\n v{i}|b|03-05|y"
        for i in range(12))
    facts = observed("min_cell_size: 10\nfunnels: {path: {steps: [a, b], window: 2 days, by: [page]}}", events=log)
    ends = {step.segment: step for step in funnels(facts) if step.by == "page" and step.position == 2}
    assert ends["x"].n_converted == 2 and np.isnan(ends["x"].median_seconds)
    assert ends["y"].median_seconds == 86400


def test_breakdowns_on_drops_and_days_agree(looked_at):
    facts, found = looked_at
    told = {(step.by, step.segment) for step in found["steps"] if step.funnel == "path" and step.by in ("city", "page")}
    assert {(drop.by, drop.segment) for drop in drops(facts, "path")} <= told
    by_day = by_entry_day(facts, "path")
    assert all(pair[0].day < pair[1].day for pair in pairwise(by_day))
