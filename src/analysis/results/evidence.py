"""What stands beside the effects: other methods, shuffled labels, balance, segments, days, a prior."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.facts.population import Facts
from analysis.results.balance import Balance, balance
from analysis.results.belief import Belief, beliefs
from analysis.results.novelty import DayEffect, Novelty, novelty
from analysis.results.quantiles import QuantileEffect, quantiles
from analysis.results.relabelled import Calibration, relabelled
from analysis.results.segments import SegmentEffect, SegmentTest, segments
from analysis.results.views import View, views


@dataclass(frozen=True, slots=True)
class Evidence:
    """All empty without arms."""

    views: list[View]
    calibrations: list[Calibration]
    balance: list[Balance]
    segments: list[SegmentEffect]
    segment_tests: list[SegmentTest]
    trends: list[Novelty]
    days: list[DayEffect]
    beliefs: list[Belief]
    quantiles: list[QuantileEffect]


def evidence(facts: Facts) -> Evidence:
    """Everything that the params and the data allow."""
    of_segments, tests = segments(facts)
    trends, days = novelty(facts)
    return Evidence(views(facts), relabelled(facts).calibrations, balance(facts), of_segments, tests, trends, days,
                    beliefs(facts), quantiles(facts))
