"""What users did so far, against a brute force over every user and day; and the rules one by one."""

from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from analysis.facts.running_facts import courses, entered, is_running, so_far
from analysis.facts.ticks import planned_ticks
from tests.tables import observed, rows

PARAMS = """
period: {start: 2024-03-04, end: 2024-03-10}
baseline: {start: 2024-02-19, end: 2024-03-03}
after: {start: 2024-03-11, end: 2024-03-17}
arms: {control: stay, shares: {stay: 50%, go: 50%}}
metrics:
  money: {sum: orders.amount, role: primary}
  buyers: {any: orders}
  visits: {count: events, where: {event: visit}}
  basket: {ratio: [money, orders]}
  orders: {count: orders}
  soon: {sum: orders.amount, window: 36 hours}
  later: {count: orders, over: after}
"""
NAMES = ["money", "buyers", "visits", "basket", "soon"]


def draw(seed, zone="UTC", n=80):
    """Tables of a campaign that users enter over time, some before it, some never; local times in the zone."""
    chance = np.random.default_rng(seed)
    users = np.array([f"u{i}" for i in range(n)])
    days = pd.Timestamp("2024-02-18")

    def at(size, spread=32):
        return days + pd.to_timedelta(chance.integers(0, spread * 86_400, size), unit="s")

    entry = days + pd.to_timedelta(chance.integers(10 * 86_400, 22 * 86_400, n), unit="s")
    orders = pd.DataFrame({"user_id": chance.choice(users, 6 * n), "ordered_at": at(6 * n),
                           "amount": chance.gamma(2, 20, 6 * n).round(2)})
    events = pd.DataFrame({"user_id": chance.choice(users, 5 * n), "occurred_at": at(5 * n),
                           "event": chance.choice(["visit", "other"], 5 * n)})
    extra = pd.DataFrame({"user_id": "nobody", "occurred_at": days + pd.to_timedelta(range(32), unit="D"),
                          "event": "visit"})
    assigned = pd.DataFrame({"user_id": users, "variant": chance.choice(["stay", "go"], n), "assigned_at": entry})
    registered = pd.DataFrame({"user_id": users, "registered_at": entry - pd.to_timedelta(
        chance.integers(0, 30 * 86_400, n), unit="s")})
    return {"assignments": assigned, "users": registered, "orders": orders, "events": pd.concat([events, extra])}


def utc(times, zone):
    return pd.to_datetime(times).dt.tz_localize(ZoneInfo(zone), ambiguous=False, nonexistent="shift_forward"
                                                ).dt.tz_convert("UTC")


def brute(facts, tables, name, tick, zone):
    """arm -> values of one metric of the users who count at the end of a tick, user by user."""
    metric, found = facts.campaign.metrics[name], {}
    opens, closes = facts.campaign.period.interval(zone)
    orders, events = tables["orders"], tables["events"]
    orders = orders.assign(at=utc(orders["ordered_at"], zone))
    events = events.assign(at=utc(events["occurred_at"], zone))
    assigned = tables["assignments"].assign(at=utc(tables["assignments"]["assigned_at"], zone))
    for user in assigned.itertuples():
        entry = max(user.at, opens)
        if entry >= closes or entry >= tick.ends or (metric.window and entry + metric.window > tick.ends):
            continue
        own = (events[events["event"] == "visit"] if name == "visits" else orders)
        own = own[(own["user_id"] == user.user_id) & (own["at"] >= entry) & (own["at"] < tick.ends)]
        if metric.window:
            own = own[own["at"] <= entry + metric.window]
        value = {"money": lambda t: t["amount"].sum(), "soon": lambda t: t["amount"].sum(), "orders": len,
                 "visits": len, "buyers": lambda t: float(len(t) > 0)}[name](own)
        found.setdefault(user.variant, []).append(value)
    return found


@pytest.mark.parametrize(("seed", "zone", "period"), [
    (1, "UTC", ""), (2, "Asia/Shanghai", ""), (3, "America/New_York", "period: {start: 2024-03-07, end: 2024-03-11}"),
    (4, "UTC", "period: {start: 2024-03-04 20:00, end: 2024-03-07 12:00}"),
    (5, "Asia/Shanghai", "period: {start: 2024-03-05, end: 2024-03-05}")])
def test_moments_of_every_tick_are_those_of_a_brute_force(seed, zone, period):
    tables = draw(seed)
    params = PARAMS + f"time_zone: {zone}\n"
    if period:
        gone = ("period", "baseline", "after", "  later")
        params = "\n".join([*(line for line in params.splitlines() if not line.startswith(gone)), period])
    facts = observed(params + "\ndata_until: 2024-03-31", **tables)
    made = courses(facts, NAMES)
    every = planned_ticks(facts.campaign)
    chosen = every if len(every) < 8 else every[::7]
    for name, tick in product(("money", "buyers", "visits", "soon"), chosen):
        wanted = brute(facts, tables, name, tick, zone)
        own = made[name].strata[tick.number - 1].get((), {})
        assert {arm: one.n for arm, one in own.items()} == {arm: len(values) for arm, values in wanted.items()}
        for arm, values in wanted.items():
            assert own[arm].metric(name).mean == pytest.approx(np.mean(values))
            if len(values) > 1:
                assert own[arm].metric(name).var == pytest.approx(np.var(values, ddof=1), abs=1e-9)


def test_ratios_and_covariates_stand_beside_each_metric():
    tables = draw(7)
    facts = observed(PARAMS + "data_until: 2024-03-08", **tables)
    found = courses(facts, ["basket"])["basket"]
    tick = planned_ticks(facts.campaign)[4]
    money, orders = (brute(facts, tables, name, tick, "UTC")["go"] for name in ("money", "orders"))
    own = found.strata[4][()]["go"]
    assert own.names == ("money", "orders", "money:before", "orders:before", "registered:before")
    assert own.cov[0, 1] == pytest.approx(np.cov(money, orders)[0, 1])
    before = tables["orders"][(tables["orders"]["ordered_at"] >= "2024-02-19")
                              & (tables["orders"]["ordered_at"] < "2024-03-04")]
    inside = tables["assignments"][(tables["assignments"]["variant"] == "go")
                                   & (tables["assignments"]["assigned_at"] < "2024-03-09")]["user_id"]
    level = before.groupby("user_id")["amount"].sum().reindex(inside).fillna(0.0) / 2
    assert own.metric("money:before").mean == pytest.approx(level.mean())


# --- the rules ---

ONE = """
arms: {control: a, shares: {a: 50%, b: 50%}}
metrics: {orders: {count: orders, role: primary}, bought: {any: orders}, soon: {count: orders, window: 1 day}}
"""


ASSIGNED = "user|variant|at\n ann|a|03-01\n bob|b|03-05 12:00"


def small(orders, until="03-07"):
    return observed(f"{ONE}data_until: 2024-{until}", assignments=ASSIGNED,
                    orders="user|at|amount\n zoe|02-01|1" + orders)


def told(facts, *names):
    return rows(so_far(facts, list(names)), "user_id", "tick", *names)


def test_a_user_counts_from_entry_on_with_zero_until_something_happens():
    facts = small("\n ann|03-05|1\n ann|03-05|1\n bob|03-05 11:00|1\n bob|03-06|1")
    assert told(facts, "orders") == [
        ("ann", 1, 0.0), ("ann", 2, 2.0), ("ann", 3, 2.0), ("ann", 4, 2.0), ("bob", 2, 0.0), ("bob", 3, 1.0),
        ("bob", 4, 1.0)]


def test_any_is_at_least_one_so_far():
    facts = small("\n ann|03-04|1\n ann|03-05|1\n bob|03-07|1")
    assert told(facts, "bought") == [
        ("ann", 1, 1.0), ("ann", 2, 1.0), ("ann", 3, 1.0), ("ann", 4, 1.0), ("bob", 2, 0.0), ("bob", 3, 0.0),
        ("bob", 4, 1.0)]


def test_a_window_of_the_own_counts_when_it_is_over():
    found = courses(small("\n ann|03-05 00:00|1\n bob|03-06 12:00:01|1"), ["soon"])["soon"]
    assert [{arm: (own.n, own.mean[0]) for arm, own in strata.get((), {}).items()} for strata in found.strata] == [
        {"a": (1, 1.0)}, {"a": (1, 1.0)}, {"a": (1, 1.0), "b": (1, 0.0)}, {"a": (1, 1.0), "b": (1, 0.0)}]
    assert found.clock[2] == {"a": 1.0, "b": 1.0}


def test_the_clock_is_the_days_that_users_were_followed():
    found = courses(small(""), ["orders"])["orders"]
    assert found.clock == [{"a": 1.0}, {"a": 2.0, "b": 0.5}, {"a": 3.0, "b": 1.5}, {"a": 4.0, "b": 2.5}]


def test_who_has_entered_by_each_day():
    assert entered(small("")) == [{"a": 1, "b": 0}, {"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 1}]


def test_strata_and_clusters():
    params = ONE.replace("shares: {a: 50%, b: 50%}", "shares: {a: 50%, b: 50%}, strata: [tier]")
    users = "user|tier\n ann|x\n bob|y\n cy|x"
    assigned = "user|variant\n ann|a\n bob|b\n cy|b"
    orders = "user|at|amount\n ann|03-04|1\n cy|03-04|1\n zoe|02-01|1"
    facts = observed(params + "data_until: 2024-03-04", users=users, assignments=assigned, orders=orders)
    own = courses(facts, ["orders"])["orders"].strata[0]
    assert {key: {arm: (one.n, one.mean[0]) for arm, one in arms.items()} for key, arms in own.items()} == {
        ("x",): {"a": (1, 1.0), "b": (1, 1.0)}, ("y",): {"b": (1, 0.0)}}
    params = params.replace("strata: [tier]", "cluster: tier")
    facts = observed(params + "data_until: 2024-03-04", users=users, assignments=assigned, orders=orders)
    own = courses(facts, ["orders"])["orders"].clusters[0]
    assert {arm: (sums.n_users.tolist(), sums.numerator.tolist()) for arm, sums in own.items()} == {
        "a": ([1.0], [1.0]), "b": ([1.0, 1.0], [1.0, 0.0])}
    assert entered(facts) == [{"a": 1, "b": 2}]


def test_what_is_counted_after_does_not_run():
    facts = observed(PARAMS + "data_until: 2024-03-08", **draw(1))
    assert [name for name in facts.campaign.metrics if not is_running(facts, name)] == ["later"]


def test_before_the_first_day_is_over_there_is_nothing():
    facts = small("\n ann|03-04 06:00|1", until="03-04 12:00")
    assert courses(facts, ["orders", "soon"])["orders"].strata == [] and entered(facts) == []


def test_the_courses_of_half_a_log_are_those_of_the_whole_one_as_of_then():
    tables = draw(9)
    whole = observed(PARAMS + "data_until: 2024-03-06", **tables)
    cut = {name: table[table[column] < "2024-03-07"] for (name, table), column in zip(
        tables.items(), ("assigned_at", "registered_at", "ordered_at", "occurred_at"), strict=True)}
    short = observed(PARAMS + "data_until: 2024-03-06", **cut)
    assert (whole.left, whole.groups, whole.tables.rows) == (short.left, short.groups, short.tables.rows)
    one, other = (courses(facts, NAMES) for facts in (whole, short))
    for name in NAMES:
        assert one[name].clock == [pytest.approx(clock) for clock in other[name].clock]
        for first, second in zip(one[name].strata, other[name].strata, strict=True):
            assert first.keys() == second.keys() and first.get((), {}).keys() == second.get((), {}).keys()
            for arm, own in first.get((), {}).items():
                assert own.n == second[()][arm].n
                assert own.mean == pytest.approx(second[()][arm].mean)
                assert own.cov == pytest.approx(second[()][arm].cov, nan_ok=True)
