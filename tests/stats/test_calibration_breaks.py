"""False alarms and power of sudden breaks, by simulation, seeds fixed. Run with `-m calibration`.

Days have a weekly rhythm and differ beyond chance (a normal on the logarithm, or Student's t with 5 degrees of freedom)
on top of Poisson counts; the campaign lifts everything by 30 %. Bounds are 4 Monte-Carlo standard errors.
"""

import math

import numpy as np
import pytest

from analysis.results.running.decision import FALSE_ALARMS
from analysis.stats.breaks import Day, departures

pytestmark = pytest.mark.calibration
WEEK = np.array([1, 1, 0.98, 1.02, 1.1, 1.35, 1.25])
DAYS = 14


def counts(draw, before, loud, per_day=400, is_heavy=False, n=1):
    """(n, days) of series of one campaign, whose days move together."""
    days = before + DAYS
    effect = draw.standard_t(5, days) * loud / math.sqrt(5 / 3) if is_heavy else draw.normal(0, loud, days)
    mean = per_day * np.tile(WEEK, days // 7 + 1)[:days] * np.exp(effect) * np.where(np.arange(days) < before, 1, 1.3)
    return draw.poisson(mean, (n, days)).astype(float)


def judged(values, before, alpha):
    return departures([Day(value, 1 / math.sqrt(max(value, 1)), int(i >= before), i % 7)
                       for i, value in enumerate(values.tolist())], alpha)


def bound(rate, n):
    return rate + 4 * math.sqrt(rate * (1 - rate) / n)


@pytest.mark.parametrize(("before", "loud"), [(14, 0.05), (28, 0.08), (56, 0.15)])
def test_a_quiet_day_is_called_a_break_as_rarely_as_it_should_be(before, loud):
    draw, alpha, runs = np.random.default_rng(1), 0.005, 300
    found = [one for _ in range(runs) for one in judged(counts(draw, before, loud)[0], before, alpha)[before:]
             if not one.reason]
    assert len(found) > 0.9 * runs * (DAYS - 3)
    assert np.mean([one.is_break for one in found]) <= bound(alpha, len(found))


@pytest.mark.parametrize(("is_heavy", "most"), [(False, 0.005), (True, 0.01)])
def test_fewer_than_one_quiet_day_in_a_hundred_alarms_over_all_series_of_a_campaign(is_heavy, most):
    """Eight series whose days move together; with heavy tails twice as many as aimed at are borne."""
    draw, runs, n, before = np.random.default_rng(2), 120, 8, 28
    alarms = []
    for _ in range(runs):
        series = [judged(own, before, FALSE_ALARMS / n)[before:]
                  for own in counts(draw, before, 0.07, 900, is_heavy, n)]
        alarms += [any(one.is_break for one in day) for day in zip(*series, strict=True)]
    assert np.mean(alarms) <= bound(most, len(alarms))


@pytest.mark.parametrize(("before", "loud", "first", "least"), [
    (28, 0.05, 4, 0.99), (28, 0.08, 4, 0.9), (14, 0.05, 4, 0.9)])
def test_a_drop_of_one_half_is_found_on_its_day(before, loud, first, least):
    """From the given day of the campaign on, at the level that a campaign of ten series has."""
    draw, found = np.random.default_rng(3), []
    for run in range(300):
        values, day = counts(draw, before, loud)[0], before + first - 1 + run % (DAYS - first + 1)
        values[day] = draw.poisson(values[day] / 2)
        found.append(judged(values[:day + 1], before, FALSE_ALARMS / 10)[-1].is_break)
    assert np.mean(found) >= least - 4 * math.sqrt(least * (1 - least) / len(found))


def test_a_drop_in_one_arm_only_is_found_without_any_rhythm():
    """The ratio of two arms: what moves both falls away."""
    draw, found, false = np.random.default_rng(4), [], []
    for run in range(200):
        both = counts(draw, 28, 0.1, n=2)
        day = 28 + 3 + run % (DAYS - 3)
        both[0, day] = draw.poisson(both[0, day] / 2)
        gap, noise = both[0] / both[1], np.hypot(*(1 / np.sqrt(both)))
        days = [Day(*own, int(i >= 28), 0) for i, own in enumerate(zip(gap.tolist(), noise.tolist(), strict=True))]
        one = departures(days, FALSE_ALARMS / 10)
        found.append(one[day].is_break)
        false += [own.is_break for i, own in enumerate(one) if i != day and i >= 31]
    assert np.mean(found) >= 0.98 and np.mean(false) <= bound(FALSE_ALARMS / 10, len(false))
