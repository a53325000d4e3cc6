"""Runs without an effect, looked at every day for two weeks: how many would be stopped. Run with `-m calibration`.

On moments, seeds fixed; bounds are 4 Monte-Carlo standard errors. The same users are followed; their tastes stay, and
what they did before the campaign is taken off.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.facts.compared import before
from analysis.facts.running_facts import Course
from analysis.results.running.course import course
from analysis.results.running.decision import Watch, decide
from analysis.stats.moments import JointMoments
from tests.running import watched

pytestmark = pytest.mark.calibration
DAYS, RUNS = 14, 300


def money(draw, users, is_rare=False):
    """(users, days + 1) of money: the last column is the time before."""
    taste = draw.gamma(2, 0.5, (users, 1)) * (draw.random((users, 1)) < (0.1 if is_rare else 1))
    orders = draw.poisson(0.3 * taste, (users, DAYS + 1))
    orders[:, DAYS] = draw.poisson(0.3 * DAYS * taste[:, 0])
    return orders * draw.lognormal(3, 1 if is_rare else 0.5, orders.shape)


def moments(values, day):
    both = np.stack([values[:, :day].sum(1), values[:, DAYS]])
    return JointMoments(both.shape[1], ("money", before("money")), both.mean(1), np.cov(both))


def decided(facts, arms, entry=None):
    """What would be decided after two weeks; `first_tick` tells whether it was on the way.

    entry   arm -> day on which each user enters, from 0; all are there from the start without it
    """
    strata, clock = [], []
    for day in range(1, DAYS + 1):
        inside = {arm: values if entry is None else values[entry[arm] < day] for arm, values in arms.items()}
        strata.append({(): {arm: moments(values, day) for arm, values in inside.items()}})
        clock.append({arm: float(len(values) * day if entry is None else (day - entry[arm][entry[arm] < day]).sum())
                      for arm, values in inside.items()})
    own = replace(facts, kept={"courses": {"money": Course(strata, clock, [])}, "is_before_covered": True})
    own.__dict__["groups"] = {arm: len(values) for arm, values in arms.items()}
    return decide(own, Watch([], [], []), course(own))


def share_stopped(sizes, looks="", is_rare=False, lift=0.0, is_entering=False):
    draw, found = np.random.default_rng(11), []
    facts = watched(looks, n=100)
    for _ in range(RUNS):
        arms = {arm: money(draw, size, is_rare) for arm, size in sizes.items()}
        arms["go"][:, :DAYS] *= 1 + lift
        entry = None
        if is_entering:
            entry = {arm: draw.integers(0, DAYS, len(values)) for arm, values in arms.items()}
            for arm, values in arms.items():
                values[:, :DAYS][np.arange(DAYS) < entry[arm][:, None]] = 0
        found.append(decided(facts, arms, entry).first_tick > 0)
    return np.mean(found)


LIMIT = 0.05 + 4 * math.sqrt(0.05 * 0.95 / RUNS)


@pytest.mark.parametrize(("sizes", "how"), [
    ({"stay": 300, "go": 300}, {}), ({"stay": 60, "go": 540}, {}), ({"stay": 300, "go": 2700}, {"is_rare": True}),
    ({"stay": 400, "go": 400}, {"is_entering": True}),
    ({"stay": 300, "go": 300}, {"looks": "effects: {looks: {method: obrien_fleming, planned: 5}}"}),
    ({"stay": 300, "go": 300}, {"looks": "effects: {looks: {method: pocock, planned: 3}}"})])
def test_at_most_5_percent_of_runs_without_an_effect_are_stopped(sizes, how):
    assert share_stopped(sizes, **how) <= LIMIT


def test_runs_with_an_effect_are_stopped():
    assert share_stopped({"stay": 400, "go": 400}, lift=0.4) > 0.9
