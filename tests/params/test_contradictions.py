"""Each part is fine, together they are not; nothing is said about what leans on a part that cannot be read."""

import pytest

from tests.params.campaign_file import FULL, mistakes

ARMS = "arms:\n  control: holdout\n  shares: {campaign: 90%, holdout: 10%}\n"
SMALL = """\
title: T
question: Q
owner: o
period: {start: 2025-11-11, end: 2025-11-17}
sources: {events: {path: e.csv}}
no_control_group: everybody got it
metrics: {active: {any: events, role: primary}}
"""


def test_the_files_to_be_spoilt_are_fine(tmp_path):
    assert mistakes(tmp_path) == mistakes(tmp_path, text=SMALL) == []


@pytest.mark.parametrize(("old", "new", "where", "said"), [
    (ARMS, "", "arms", "missing: say `arms:` with a control and shares, or `no_control_group:`"),
    (ARMS, "arms:\n", "arms", "missing: say `arms:`"),
    ("arms:\n", "no_control_group: why not\narms:\n", "no_control_group", "stands beside `arms:`"),
    ("control: holdout", "control: hold", "arms.control", "'hold' is not among the shares (did you mean 'holdout'?)"),
    ("holdout: 10%", "holdout: 20%", "arms.shares", "add up to 1.1, not to 1 (100%)"),
    ("{campaign: 90%, holdout: 10%}", "{campaign: 100%, holdout: 0%}", "arms.shares.holdout", "is 0%"),
    ("  assignments: {path: arms.csv}\n", "", "sources", "arms need `assignments:`"),
    ("end: 2025-11-10}", "end: 2025-11-11}", "baseline", "ends after the period begins"),
    ("start: 2025-11-18", "start: 2025-11-17", "after", "begins before the period ends"),
    ("start: 2025-10-28", "start: 2025-10-27", "baseline", "lasts 15 days, which is not a whole number of times"),
    ("end: 2025-11-24}", "end: 2025-11-23}", "after", "lasts 6 days, which is not a whole number of times"),
    ("any: orders, window", "any: orders, role: primary, window", "metrics",
     "exactly one metric is primary; found amount, soon"),
    ("role: primary", "role: secondary", "metrics", "exactly one metric is primary; found none"),
    ("[amount, orders]", "[amont, orders]", "metrics.average.ratio",
     "'amont' is not a metric of this file (did you mean 'amount'?)"),
    ("{any: orders}", "{ratio: [average, orders]}", "metrics.buyers.ratio", "'average' is a ratio itself"),
    ("[amount, orders]", "[soon, orders]", "metrics.average.ratio", "its two metrics are counted over different times"),
    ("after: {start: 2025-11-18, end: 2025-11-24}\n", "", "metrics.later.over",
     "is after, but the campaign has no `after:`"),
    ("  users: {path: users.csv}\n", "", "population.consent", "looks at users, but `sources:` has no `users:`"),
    ("  users: {path: users.csv}\n", "", "population.where", "looks at users, but `sources:` has no `users:`"),
    ("  orders: {path: shop.duckdb, table: orders}\n", "", "metrics.amount.sum",
     "counts orders, but `sources:` has no `orders:`"),
    ("  assignments: {path: arms.csv}\n", "", "metrics.soon.window", "runs from a user's assignment"),
    ("refunds: {", "Amount: {any: orders}\n  refunds: {", "metrics.Amount",
     "differs from 'amount' only in upper and lower case"),
    ("refunds: {", "User_ID: {any: orders}\n  refunds: {", "metrics.User_ID", "is the name of a column of every table"),
    ("metric: soon", "metric: son", "goals.3.metric", "'son' is not a metric of this file (did you mean 'soon'?)"),
    ("deadline: 2025-12-01", "deadline: 2025-11-16", "goals.2.deadline", "2025-11-16 is before the period ends"),
    ("baseline: {start: 2025-10-28, end: 2025-11-10}\n", "", "goals.1.target",
     "is a change, but there is no `baseline:`"),
    ("target: '10,000'", "target: 15%", "goals.2.target", "a total of 0.15 is asked for; write +15% for a change"),
    ("baseline: control, ", "", "goals.3.baseline", "'soon' is counted over another time than the period"),
    (ARMS, "no_control_group: why\n", "goals.3.baseline", "is control, but the campaign has no arms"),
    ("measure: per_user", "measure: total", "goals.3.measure", "totals of arms of different size cannot be compared"),
    ("window: none", "window: 1 day", "funnels.both.order", "any needs `window: none` and steps that differ"),
    ("[visit, pay]", "[visit, visit]", "funnels.both.order", "any needs `window: none` and steps that differ"),
    ("coupons: amount", "coupons: amuont", "costs.coupons",
     "neither an amount nor a metric of this file (did you mean 'amount'?)"),
    ("coupons: amount", "coupons: average", "costs.coupons", "has no total over the period"),
    ("coupons: amount", "coupons: later", "costs.coupons", "has no total over the period"),
])
def test_a_contradiction_is_said_at_the_part_to_change(tmp_path, old, new, where, said):
    found = [message for _, place, message in mistakes(tmp_path, (old, new)) if place == where]
    assert any(said in message for message in found), mistakes(tmp_path, (old, new))


@pytest.mark.parametrize(("old", "new", "where", "said"), [
    ("events: {path: e.csv}", "users: {path: u.csv}", "sources", "has neither `events:` nor `orders:`"),
    ("metrics:", "population: {unassigned: rest}\nmetrics:", "population.unassigned",
     "but `sources:` has no `assignments:`"),
    ("{events: {path: e.csv}}", "{orders: {path: o.csv}}\nretention: {every: week}", "retention", "needs `events:`"),
    ("{events: {path: e.csv}}", "{orders: {path: o.csv}}\nfunnels: {f: {steps: [a, b], window: none}}", "funnels",
     "need `events:`"),
])
def test_a_table_that_is_not_there_is_missed(tmp_path, old, new, where, said):
    found = mistakes(tmp_path, (old, new), text=SMALL)
    assert any(place == where and said in message for _, place, message in found), found


@pytest.mark.parametrize(("old", "new", "where"), [
    ("baseline: {start: 2025-10-28", "baseline: {start: last month", "baseline.start"),
    ("after: {start: 2025-11-18", "after: {start: later", "after.start"),
    ("  users: {path: users.csv}", "  users: {pth: users.csv}", "sources.users.path"),
    ("role: primary", "role: primery", "metrics.amount.role"),
    ("count: orders", "cuont: orders", "metrics.orders.cuont"),
    ("control: holdout", "contrl: holdout", "arms.control"),
    ("steps: [visit, pay]", "stps: [visit, pay]", "funnels.both.steps"),
    ("target: +30%", "target: thirty", "goals.1.target"),
])
def test_a_part_that_cannot_be_read_makes_no_second_mistake_elsewhere(tmp_path, old, new, where):
    found = mistakes(tmp_path, (old, new))
    part = where.rsplit(".", 1)[0]
    assert where in [place for _, place, _ in found]
    assert [place for _, place, _ in found if not place.startswith(part)] == []


def test_what_leans_on_other_readable_parts_is_still_said(tmp_path):
    found = mistakes(tmp_path, ("count: orders", "cuont: orders"), ("target: +30%", "target: thirty"),
                     ("metric: buyers", "metric: byers"))
    assert "'byers' is not a metric of this file (did you mean 'buyers'?)" in [message for _, _, message in found]


def test_a_line_is_that_of_the_key(tmp_path):
    (line, _, _), = mistakes(tmp_path, ("holdout: 10%", "holdout: 20%"))
    assert FULL.splitlines()[line - 1].startswith("  shares:")
