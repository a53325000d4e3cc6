"""Who came back: cells against a count with pandas, and what must hold for any log."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from analysis.results.intervals import wilson
from analysis.results.retention import retention
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
        own = {(c.cohort, c.period): (c.n_users, c.n_retained) for c in cells if c.flavour == flavour and c.cohort}
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


def test_a_week_that_is_not_over_is_absent_and_not_zero():
    log = "user|event|at\n ann|x|03-04\n ann|x|03-12\n bob|x|03-10"
    cells = retention(observed("retention: {every: week, n_periods: 3}\ndata_until: 2024-03-23", events=log))
    own = [(c.period, c.n_users, c.n_retained) for c in cells if c.flavour == "on" and c.cohort]
    assert own == [(0, 2, 2), (1, 2, 1)]


def test_the_average_is_pooled_over_the_users_whose_period_is_over():
    log = pd.DataFrame([(f"{day}-{i}", "x", f"2024-03-0{day + shift} 09:00")
                        for day, size, back in ((4, 100, 50), (5, 50, 40), (6, 70, 1))
                        for shift, n in ((0, size), (1, back)) for i in range(n)],
                       columns=["user_id", "event", "occurred_at"])
    cells = retention(observed("retention: {every: day, n_periods: 1}\ndata_until: 2024-03-07 03:00", events=log))
    pooled = next(c for c in cells if c.cohort is None and c.period == 1 and c.flavour == "on")
    assert (pooled.n_users, pooled.n_retained, pooled.rate) == (150, 90, 0.6)
    assert not [c for c in cells if c.cohort == date(2024, 3, 6) and c.period == 1]


def test_nobody_started_gives_no_cells():
    log = "user|event|at\n ann|x|03-01\n bob|y|03-05"
    assert retention(observed("retention: {start: x, every: day}", events=log)) == []


def test_a_campaign_that_does_not_ask_gets_none():
    assert retention(observed(events="user|event|at\n ann|x|03-05")) == []
