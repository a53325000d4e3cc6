"""Guardrails: the one-sided p and the bound of the relative interval tell the same story."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.means import compare_means
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.noninferiority import (
    noninferiority_means,
    noninferiority_proportions,
    noninferiority_pvalue,
    noninferiority_ratios,
)
from analysis.stats.proportions import compare_proportions
from analysis.stats.ratios import compare_ratios


def is_inside(found, margin, better):
    return found.rel_diff_lower > -margin if better == "higher" else found.rel_diff_upper < margin


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_p_and_bound_agree_for_means(better):
    generator, n_held = np.random.default_rng(5), 0
    for _ in range(3000):
        mean, n = generator.uniform(1, 9), generator.integers(3, 2000, 2)
        var = (mean * generator.uniform(0.1, 3, 2)) ** 2
        margin = generator.uniform(0, 0.3)
        edge = mean * (1 - margin if better == "higher" else 1 + margin)
        at = generator.normal(edge, 3 * math.sqrt(var[0] / n[0] + var[1] / n[1]))
        arms = Moments(int(n[0]), at, var[0]), Moments(int(n[1]), mean, var[1])
        pvalue, found = noninferiority_means(*arms, margin, better), compare_means(*arms)
        n_held += pvalue < 0.025
        assert math.isnan(pvalue) == (found.rel_reason != "")
        assert math.isnan(pvalue) or (pvalue < 0.025) == is_inside(found, margin, better)
    assert 200 < n_held < 2800


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_p_and_bound_agree_for_proportions(better):
    generator, n_held = np.random.default_rng(6), 0
    for _ in range(3000):
        n_t, n_c = (int(10 ** generator.uniform(0, 5)) for _ in range(2))
        base, margin = 10 ** generator.uniform(-4, 0), generator.uniform(0, 0.5)
        table = int(generator.binomial(n_t, base)), n_t, int(generator.binomial(n_c, base)), n_c
        pvalue, found = noninferiority_proportions(*table, margin, better), compare_proportions(*table)
        n_held += pvalue < 0.025
        assert math.isnan(pvalue) == (table[0] + table[2] == 0)
        assert math.isnan(pvalue) or (pvalue < 0.025) == is_inside(found, margin, better)
    assert 200 < n_held < 2800


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_p_and_bound_agree_for_ratios(better):
    generator = np.random.default_rng(8)
    for _ in range(500):
        arms = [RatioMoments(int(generator.integers(10, 300)), generator.normal(2, 0.2), 3.0, 1.0, 2.0, 0.7)
                for _ in range(2)]
        pvalue, found = noninferiority_ratios(*arms, 0.1, better), compare_ratios(*arms)
        assert found.rel_reason or (pvalue < 0.025) == is_inside(found, 0.1, better)


def test_margin_of_nothing_is_half_the_two_sided_p():
    better = Moments(50, 12.0, 9.0), Moments(60, 10.0, 9.0)
    assert noninferiority_means(*better, 0.0, "higher") == pytest.approx(compare_means(*better).pvalue / 2)
    table = (60, 500, 40, 500)
    assert noninferiority_proportions(*table, 0.0, "higher") == pytest.approx(compare_proportions(*table).pvalue / 2)


def test_the_margin_itself_is_in_the_null():
    at_margin = Moments(50, 9.8, 9.0), Moments(60, 10.0, 9.0)
    assert noninferiority_means(*at_margin, 0.02, "higher") == pytest.approx(0.5)


def test_statistic_is_t_of_the_shifted_difference():
    """By another route: Welch's t test of treatment against 0.9 * control, user by user."""
    generator = np.random.default_rng(9)
    treatment, control = generator.gamma(3, 3, 200), generator.gamma(3, 3, 200)
    arms = [Moments(200, own.mean(), own.var(ddof=1)) for own in (treatment, control)]
    theirs = stats.ttest_ind(treatment, 0.9 * control, equal_var=False, alternative="greater")
    assert noninferiority_means(*arms, 0.1, "higher") == pytest.approx(theirs.pvalue, rel=0.02)


@pytest.mark.parametrize("control", [Moments(9, 0.0, 1.0), Moments(9, -1.0, 1.0), Moments(9, 0.1, 1.0)])
def test_no_p_where_there_is_no_relative_effect(control):
    assert math.isnan(noninferiority_means(Moments(9, 5.0, 1.0), control, 0.1, "higher"))


@pytest.mark.parametrize("table", [(0, 9, 0, 9), (0, 0, 5, 9)])
def test_no_p_without_conversions_or_users(table):
    assert math.isnan(noninferiority_proportions(*table, 0.1, "higher"))


def test_everybody_converting_can_hold_a_margin():
    assert noninferiority_proportions(500, 500, 400, 400, 0.05, "higher") < 0.025


def test_kind_chooses_the_test():
    shares = Moments(500, 0.12, 0.1), Moments(400, 0.1, 0.09)
    assert noninferiority_pvalue(*shares, "any", 0.1, "higher") == noninferiority_proportions(
        60, 500, 40, 400, 0.1, "higher")
    assert noninferiority_pvalue(*shares, "sum", 0.1, "higher") == noninferiority_means(*shares, 0.1, "higher")
    ratios = RatioMoments(50, 2.0, 3.0, 1.0, 1.0, 0.5), RatioMoments(50, 2.1, 3.0, 1.0, 1.0, 0.5)
    assert noninferiority_pvalue(*ratios, "ratio", 0.1, "higher") == noninferiority_ratios(*ratios, 0.1, "higher")


@pytest.mark.parametrize(("margin", "better"), [
    (1.0, "higher"), (-0.1, "lower"), (math.nan, "higher"), (math.inf, "lower"), (0.1, "more")])
def test_margin_that_cannot_be_meant_is_refused(margin, better):
    with pytest.raises(ValueError, match="must be"):
        noninferiority_proportions(5, 10, 5, 10, margin, better)
