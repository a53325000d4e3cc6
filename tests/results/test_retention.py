"""Who came back: cells against a count with pandas, and what must hold for any log."""

import math
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from analysis.results.retention import retention
from analysis.stats.intervals import wilson
from tests.tables import observed

RANGE = "cohorts: {start: 2024-02-05, end: 2024-04-30}"


def random_log(seed, zone):
    """Users with a first time of their own who come again ever more rarely."""
    draw = np.random.default_rng(seed)
    first = draw.integers(0, 80 * 1440, 250)
    frames = []
    for user, start in enumerate(first):
        gaps = draw.exponential(4 * 1440, draw.integers(0, 9)).cumsum()
        frames.append(pd.DataFrame({"user_id": f"u{user}", "minute": [start, *(start + gaps).astype(int)]}))
    log = pd.concat(frames, ignore_index=True)
    log["event"] = draw.choice(["look", "buy"], len(log))
    wall = (pd.Timestamp("2024-01-31") + pd.to_timedelta(log.pop("minute"), unit="min")).dt.tz_localize(
        zone, nonexistent="shift_forward", ambiguous=True)
    return log.assign(wall=wall, occurred_at=wall.dt.tz_convert("UTC").dt.strftime("%Y-%m-%d %H:%M:%S+00:00"))


def counted(log, every, n_periods, until, start, returning):
    """(cohort, period) -> (users, on, on or after), in pandas; only periods that are over for the whole cohort."""
    unit = {"day": "D", "week": "W-SUN", "month": "M"}[every]
    log = log.assign(day=log["wall"].dt.tz_localize(None))
    log = log[log["day"] < pd.Timestamp(until)]
    starts = log[log["event"] == start] if start else log
    first = starts.groupby("user_id")["day"].min()
    first = first[(first >= "2024-02-05") & (first < "2024-05-01")].dt.to_period(unit)
    returns = log[log["event"] == returning] if returning else log
    periods = returns.assign(at=returns["day"].dt.to_period(unit))
    periods = periods.join(first.rename("cohort"), on="user_id", how="inner")
    periods["n"] = [(at - cohort).n for at, cohort in zip(periods["at"], periods["cohort"], strict=True)]
    found = {}
    for cohort, members in first.groupby(first):
        own = periods[periods["cohort"] == cohort]
        for n in range(n_periods + 1):
            if (cohort + n).end_time < pd.Timestamp(until):
                on = len(members) if n == 0 else own[own["n"] == n]["user_id"].nunique()
                stay = len(members) if n == 0 else own[own["n"] >= n]["user_id"].nunique()
                found[cohort.start_time.date(), n] = (len(members), on, stay)
    return found


@pytest.mark.parametrize(("every", "zone", "start", "returning"), [
    ("day", "Asia/Shanghai", "", ""), ("week", "America/New_York", "look", "buy"), ("month", "UTC", "", "buy"),
    ("week", "UTC", "look", "")])
def test_as_counted_with_pandas(every, zone, start, returning):
    log = random_log(len(every), zone)
    said = f"{{every: {every}, n_periods: 9, {RANGE}, start: '{start}', returning: '{returning}'}}"
    cells = retention(observed(f"retention: {said}\ntime_zone: {zone}\ndata_until: 2024-04-20",
                               events=log.drop(columns="wall")))
    expected = counted(log, every, 9, "2024-04-21", start, returning)
    assert len(expected) > 2
    for flavour, place in (("on", 1), ("on_or_after", 2)):
        own = {(c.cohort, c.period): (c.n_users, c.n_retained) for c in cells
               if c.flavour == flavour and c.cohort and not c.reason}
        assert own == {cell: (values[0], values[place]) for cell, values in expected.items()}
        for n in range(10):
            pooled = [values for (_, period), values in expected.items() if period == n]
            found = [c for c in cells if c.flavour == flavour and c.cohort is None and c.period == n]
            assert bool(found) == bool(pooled)
            if found:
                n_users, n_retained = sum(v[0] for v in pooled), sum(v[place] for v in pooled)
                assert (found[0].n_users, found[0].n_retained) == (n_users, n_retained)
                assert (found[0].rate, found[0].rate_lower, found[0].rate_upper) == (
                    n_retained / n_users, *wilson(n_retained, n_users))


def test_coming_back_to_stay_never_increases_and_period_0_is_the_cohort():
    cells = retention(observed(f"retention: {{every: week, {RANGE}}}\ndata_until: 2024-04-30",
                               events=random_log(9, "UTC").drop(columns="wall")))
    by_cohort = {}
    for cell in cells:
        by_cohort.setdefault((cell.flavour, cell.cohort), []).append(cell)
    assert len(by_cohort) > 20
    for (flavour, cohort), own in by_cohort.items():
        assert own[0].period == 0 and own[0].rate == 1.0 and own[0].n_retained == own[0].n_users
        if flavour == "on_or_after" and cohort:
            assert all(a.n_retained >= b.n_retained for a, b in pairwise(own))


def test_a_week_that_is_not_over_has_no_rate_and_one_that_has_not_begun_is_absent():
    log = "user|event|at\n ann|x|03-04\n ann|x|03-12\n bob|x|03-10\n bob|x|03-20"
    cells = retention(observed("retention: {every: week, n_periods: 3}\ndata_until: 2024-03-23", events=log))
    own = [(c.period, c.n_users, c.n_retained, c.reason) for c in cells if c.flavour == "on" and c.cohort]
    assert own == [(0, 2, 2, ""), (1, 2, 1, ""), (2, 2, 1, "not_over")]
    assert [c.period for c in cells if c.flavour == "on" and not c.cohort] == [0, 1]
    assert all(math.isnan(c.rate) == (c.reason == "not_over") for c in cells)


def test_the_average_is_pooled_over_the_users_whose_period_is_over():
    log = pd.DataFrame([(f"{day}-{i}", "x", f"2024-03-0{day + shift} 09:00")
                        for day, size, back in ((4, 100, 50), (5, 50, 40), (6, 70, 1))
                        for shift, n in ((0, size), (1, back)) for i in range(n)],
                       columns=["user_id", "event", "occurred_at"])
    cells = retention(observed("retention: {every: day, n_periods: 1}\ndata_until: 2024-03-07 03:00", events=log))
    pooled = next(c for c in cells if c.cohort is None and c.period == 1 and c.flavour == "on")
    assert (pooled.n_users, pooled.n_retained, pooled.rate) == (150, 90, 0.6)
    assert {c.reason for c in cells if c.cohort == date(2024, 3, 6) and c.period == 1} == {"not_over"}


def test_nobody_started_gives_no_cells():
    log = "user|event|at\n ann|x|03-01\n bob|y|03-05"
    assert retention(observed("retention: {start: x, every: day}", events=log)) == []


def test_a_campaign_that_does_not_ask_gets_none():
    assert retention(observed(events="user|event|at\n ann|x|03-05")) == []


def steady_log(without=()):
    """Ten users who come four times a day through March, but for the days left out."""
    rows = [(f"u{user}", "x", f"2024-03-{day:02d} {hour:02d}:00") for day in range(4, 25) if day not in without
            for user in range(10) for hour in (8, 12, 16, 20)]
    return pd.DataFrame(rows, columns=["user_id", "event", "occurred_at"])


def states(params, log):
    cells = retention(observed(f"retention: {{every: day, n_periods: 9}}\n{params}", events=log))
    return {(c.flavour, c.period): c.reason for c in cells if c.cohort == date(2024, 3, 4)}


def test_a_day_without_data_is_a_gap_and_no_churn():
    found = states("", steady_log(without=[9]))
    assert {key for key, reason in found.items() if reason} == {("on", 5), ("on_or_after", 5)}
    assert found["on", 5] == "gap"


def test_a_closed_day_and_a_quiet_one_are_no_gaps():
    assert set(states("closed: [2024-03-09]", steady_log(without=[9])).values()) == {""}
    quiet = steady_log().query("user_id == 'u1' and occurred_at.str.endswith('08:00')")
    assert set(states("", quiet[~quiet["occurred_at"].str.contains("03-09")]).values()) == {""}


def test_a_streak_breaks_at_a_gap_for_good_and_the_previous_for_two_periods():
    cells = retention(observed("retention: {every: day, n_periods: 9, flavours: [streak, previous]}",
                               events=steady_log(without=[9])))
    gaps = {(c.flavour, c.period) for c in cells if c.cohort == date(2024, 3, 4) and c.reason == "gap"}
    assert gaps == {*(("streak", n) for n in range(5, 10)), ("previous", 5), ("previous", 6)}


LADDER = "user|event|at\n" + "\n".join(
    f" {user}|x|03-0{day}" for user, days in (("a", "4567"), ("b", "467"), ("c", "45"), ("d", "56"), ("e", "5"))
    for day in days)


def test_a_streak_needs_every_period_and_the_previous_is_out_of_those_of_the_period_before():
    cells = retention(observed("retention: {every: day, n_periods: 3, flavours: [streak, previous]}\n"
                               "data_until: 2024-03-10", events=LADDER))
    found = {(c.flavour, c.period): (c.n_retained, c.n_users) for c in cells if c.cohort == date(2024, 3, 4)}
    assert found == {("streak", 0): (3, 3), ("streak", 1): (2, 3), ("streak", 2): (1, 3), ("streak", 3): (1, 3),
                     ("previous", 0): (3, 3), ("previous", 1): (2, 3), ("previous", 2): (1, 2), ("previous", 3): (2, 2)}


def test_the_mean_over_cohorts_is_an_option():
    said = "retention: {every: day, n_periods: 2, flavours: [on], average: %s}\ndata_until: 2024-03-10"
    rate = {average: next(c.rate for c in retention(observed(said % average, events=LADDER))
                          if c.cohort is None and c.period == 1) for average in ("pooled", "cohorts")}
    assert rate == {"pooled": 3 / 5, "cohorts": (2 / 3 + 1 / 2) / 2}


def test_one_cohort_has_its_own_interval_as_the_mean_of_cohorts():
    log = LADDER.replace(" d|x|03-05\n d|x|03-06\n e|x|03-05", " d|x|03-04")
    cells = retention(observed("retention: {every: day, n_periods: 2, flavours: [on], average: cohorts}\n"
                               "data_until: 2024-03-10", events=log))
    [mean, own] = [c for c in cells if c.period == 1 and c.n_users]
    assert (mean.rate_lower, mean.rate_upper) == pytest.approx((own.rate_lower, own.rate_upper))


def test_users_in_several_cohorts_are_averaged_without_an_interval():
    cells = retention(observed("retention: {every: day, n_periods: 2, flavours: [on], who: recurring}\n"
                               "data_until: 2024-03-12", events=LADDER))
    [again] = [c for c in cells if c.cohort is None and c.period == 1]
    assert (again.reason, again.rate) == ("users_repeat", 6 / 12) and math.isnan(again.rate_lower)


def test_a_breakdown_does_not_change_the_whole():
    lines = [line + ("|app" if i == 0 else f"|{'ab'[i % 2]}") for i, line in enumerate(LADDER.split("\n"))]
    said = "retention: {every: day, n_periods: 3%s}\ndata_until: 2024-03-10"
    assert retention(observed(said % ", by: app", events="\n".join(lines))) == retention(
        observed(said % "", events="\n".join(lines)))
