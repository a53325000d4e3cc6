"""A day against the days before it: by an ordinary regression, and the rules one by one."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.stats.breaks import LASTING, SMALLEST, Day, departures
from analysis.stats.tails import t_critical

WEEK = [1.0, 1.02, 0.98, 1.0, 1.1, 1.4, 1.3]


def series(n, lift_at=None, lift=1.3, seed=1, loud=0.05):
    draw = np.random.default_rng(seed)
    level = [lift if lift_at is not None and i >= lift_at else 1.0 for i in range(n)]
    values = [100 * level[i] * WEEK[i % 7] * math.exp(draw.normal(0, loud)) for i in range(n)]
    return [Day(value, 0.01, int(lift_at is not None and i >= lift_at), i % 7) for i, value in enumerate(values)]


def changed(days, place, **how):
    day = days[place]
    return [*days[:place], Day(**{"value": day.value, "noise": day.noise, "level": day.level, "rhythm": day.rhythm}
                               | how), *days[place + 1:]]


@pytest.mark.parametrize("lift_at", [None, 20])
def test_the_range_is_the_prediction_interval_of_a_regression(lift_at):
    days, alpha = series(30, lift_at), 0.001
    found = departures(days, alpha)[-1]
    x = np.array([[1.0, day.level, *(day.rhythm == r for r in range(1, 7))] for day in days], dtype=float)
    x = x if lift_at else np.delete(x, 1, axis=1)
    theirs = sm.OLS(np.log([day.value for day in days[:-1]]), x[:-1]).fit().get_prediction(x[-1:])
    assert found.expected == pytest.approx(math.exp(theirs.predicted_mean[0]))
    assert (found.lower, found.upper) == pytest.approx(tuple(np.exp(theirs.conf_int(obs=True, alpha=alpha)[0])))
    assert (found.is_break, found.reason, found.alpha) == (False, "", alpha)


@pytest.mark.parametrize("factor", [0.5, 0.0, 2.0, math.inf])
def test_a_day_far_off_is_a_break(factor):
    days = series(30)
    found = departures(changed(days, 29, value=days[29].value * factor if factor else 0.0), 0.001)[-1]
    assert found.is_break and not found.lower <= found.value <= found.upper


def test_a_break_is_exactly_a_value_outside_the_range():
    for seed in range(60):
        days = series(25, seed=seed)
        edge = departures(days, 0.01)[-1]
        for value in (edge.lower, edge.upper):
            inside, outside = value * (1 + 1e-9 * (1 if value == edge.lower else -1)), value * (
                1 - 1e-9 * (1 if value == edge.lower else -1))
            assert not departures(changed(days, 24, value=inside), 0.01)[-1].is_break
            assert departures(changed(days, 24, value=outside), 0.01)[-1].is_break


def test_a_break_does_not_make_the_next_days_any_wider_or_lower():
    days = series(30)
    hit = changed(days, 25, value=days[25].value / 3)
    without = departures([*days[:25], *days[26:]], 0.001)[-1]
    found = departures(hit, 0.001)
    assert found[25].is_break and not any(one.is_break for one in found[26:])
    assert (found[-1].lower, found[-1].upper) == pytest.approx((without.lower, without.upper))


def test_a_week_of_breaks_is_a_new_level():
    days = series(60)
    shifted = [Day(day.value * (0.5 if i >= 30 else 1), day.noise, day.level, day.rhythm) for i, day in enumerate(days)]
    found = departures(shifted, 0.0005)
    assert [one.is_break for one in found[30:]] == [True] * LASTING + [False] * (30 - LASTING)
    assert found[45].expected == pytest.approx(0.5 * departures(days, 0.0005)[45].expected, rel=0.1)


def test_quiet_days_still_have_room():
    days = [Day(100.0, 0.001, 0, 0) for _ in range(20)]
    found = departures([*days, Day(100.0, 0.001, 0, 0)], 0.001)[-1]
    assert (found.lower, found.upper) == pytest.approx((100 / (1 + SMALLEST), 100 * (1 + SMALLEST)))


def test_chance_between_users_counts_where_days_were_by_luck_alike():
    days = [Day(100.0, 0.1, 0, 0) for _ in range(20)]
    found = departures([*days, Day(100.0, 0.1, 0, 0)], 0.001)[-1]
    assert found.upper == pytest.approx(100 * math.exp(t_critical(0.001, 19) * 0.1 * math.sqrt(1 + 1 / 20)))


def test_why_nothing_is_expected():
    days = series(30)
    assert departures(changed(days, 29, value=math.nan), 0.01)[-1].reason == "nothing_seen"
    assert departures(changed(days, 29, level=9), 0.01)[-1].reason == "new_level"
    lifted = departures(series(30, lift_at=20), 0.01)
    assert [one.reason for one in lifted[20:24]] == ["new_level"] * 3 + [""]
    assert departures(changed(days, 29, rhythm=9), 0.01)[-1].reason == "new_weekday"
    assert [one.reason for one in departures(days[:4], 0.01)] == ["too_few_days"] * 4
    assert departures(days[:10], 0.01)[-1].reason == "too_few_days"      # of the week alone are 7
    assert departures([Day(day.value, 0.3, 0, day.rhythm) for day in days], 0.01)[-1].reason == "too_few_rows"
    for one in departures(days[:4], 0.01):
        assert math.isnan(one.lower) and math.isnan(one.upper) and not one.is_break


def test_days_that_were_not_seen_and_days_of_nothing_are_not_held_against_later_ones():
    days = series(30)
    shut = changed(changed(days, 20, value=math.nan), 21, value=0.0)
    found, without = departures(shut, 0.001)[-1], departures([*days[:20], *days[22:]], 0.001)[-1]
    assert (found.lower, found.upper) == pytest.approx((without.lower, without.upper))


def test_the_unit_does_not_matter():
    days = series(30)
    one, other = departures(days, 0.01)[-1], departures(
        [Day(day.value * 1e6, day.noise, day.level, day.rhythm) for day in days], 0.01)[-1]
    assert other.lower == pytest.approx(1e6 * one.lower) and other.upper == pytest.approx(1e6 * one.upper)


@pytest.mark.parametrize(("how", "said"), [({"value": -1.0}, "day 2: value -1.0"), ({"noise": -0.1}, "noise -0.1")])
def test_what_cannot_be_is_refused(how, said):
    with pytest.raises(ValueError, match=said):
        departures(changed(series(3), 1, **how), 0.01)
    with pytest.raises(ValueError, match="alpha is 0"):
        departures(series(3), 0.0)
