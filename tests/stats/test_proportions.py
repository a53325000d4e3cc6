"""Conversion of two arms: one statistic behind the p and both intervals."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.proportions import compare_proportions, fisher_pvalue

SMALL_TABLES = [
    (x_t, n_t, x_c, n_c)
    for n_t, n_c in itertools.product((1, 2, 5, 11), (1, 3, 8))
    for x_t, x_c in itertools.product(range(n_t + 1), range(n_c + 1))
]


def random_tables(count, seed=20):
    generator = np.random.default_rng(seed)
    for _ in range(count):
        n_t, n_c = (int(10 ** generator.uniform(0, 7)) for _ in range(2))
        p = 10 ** generator.uniform(-6, 0)
        error = math.sqrt(p * (1 - p) * (1 / n_t + 1 / n_c))
        shifted = np.clip(p + generator.normal(0, 2) * error, 0, 1)
        yield int(generator.binomial(n_t, shifted)), n_t, int(generator.binomial(n_c, p)), n_c


def leaves_out_zero(lower, upper):
    return lower > 0 or upper < 0


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_p_and_both_intervals_agree_on_every_small_table(alpha):
    for table in SMALL_TABLES:
        found = compare_proportions(*table, alpha)
        is_significant = found.pvalue < alpha
        assert leaves_out_zero(found.diff_lower, found.diff_upper) == is_significant, table
        assert leaves_out_zero(found.rel_diff_lower, found.rel_diff_upper) == is_significant, table


def test_p_and_both_intervals_agree_on_large_tables():
    n_significant = 0
    for table in random_tables(4000):
        found = compare_proportions(*table)
        is_significant = found.pvalue < found.alpha
        n_significant += is_significant
        assert leaves_out_zero(found.diff_lower, found.diff_upper) == is_significant, table
        assert leaves_out_zero(found.rel_diff_lower, found.rel_diff_upper) == is_significant, table
    assert 500 < n_significant < 3500  # the tables do test both sides


def test_p_is_the_pooled_chi_square_with_n_less_one():
    """By another route: Pearson's chi-square without continuity correction, times (N - 1) / N."""
    table = np.array([[30, 970], [45, 855]])
    pearson = stats.chi2_contingency(table, correction=False).statistic
    found = compare_proportions(30, 1000, 45, 900)
    assert found.pvalue == pytest.approx(stats.chi2.sf(pearson * 1899 / 1900, 1), rel=1e-10)


def test_a_tiny_p_is_not_zero():
    assert 0 < compare_proportions(6_000, 10_000, 5_000, 10_000).pvalue < 1e-40


def test_effect_of_a_plain_table():
    found = compare_proportions(60, 1000, 50, 1000)
    assert (found.value_treatment, found.value_control) == (0.06, 0.05)
    assert found.diff == pytest.approx(0.01)
    assert found.rel_diff == pytest.approx(0.2)
    assert (found.reason, found.rel_reason) == ("", "")


def test_control_that_never_converts_has_an_open_relative_effect():
    found = compare_proportions(8, 100, 0, 100)
    assert math.isnan(found.rel_diff) and found.rel_reason == "zero_control"
    assert found.rel_diff_lower > 0 and found.rel_diff_upper == math.inf
    assert found.diff_lower > 0 and found.pvalue < 0.05 and found.reason == ""


def test_treatment_that_never_converts_is_a_loss_of_everything():
    found = compare_proportions(0, 100, 8, 100)
    assert found.rel_diff == found.rel_diff_lower == -1
    assert -1 < found.rel_diff_upper < 0 and found.pvalue < 0.05


@pytest.mark.parametrize(("table", "reason", "rel_reason"), [
    ((0, 50, 0, 60), "no_conversions", "zero_control"),
    ((50, 50, 60, 60), "all_converted", ""),
    ((0, 1, 0, 1), "no_conversions", "zero_control"),
])
def test_no_p_but_an_interval_where_all_units_did_the_same(table, reason, rel_reason):
    found = compare_proportions(*table)
    assert (found.reason, found.rel_reason) == (reason, rel_reason)
    assert math.isnan(found.pvalue) and math.isnan(found.detectable)
    assert found.diff == 0 and found.diff_lower < 0 < found.diff_upper


@pytest.mark.parametrize("table", [(0, 0, 5, 10), (5, 10, 0, 0), (0, 0, 0, 0)])
def test_an_empty_arm_has_no_comparison(table):
    found = compare_proportions(*table)
    assert (found.reason, found.rel_reason) == ("too_few_users", "too_few_users")
    assert all(math.isnan(v) for v in (found.diff, found.diff_lower, found.rel_diff_upper, found.pvalue))


@pytest.mark.parametrize("table", [(11, 10, 0, 10), (1, 10, -1, 10), (1, 10, 12, 10)])
def test_counts_that_cannot_be_are_refused(table):
    with pytest.raises(ValueError, match="a unit converts once"):
        compare_proportions(*table)


def test_detectable_is_seen_with_80_percent_chance():
    """.10 + detectable / 2 against .10 - detectable / 2: the exact chance by summing over all tables near the truth."""
    n, base = 4_000, 0.10
    lift = compare_proportions(400, n, 400, n).detectable
    x_c, x_t = np.arange(250, 480), np.arange(330, 560)
    weight = np.outer(stats.binom.pmf(x_t, n, base + lift / 2), stats.binom.pmf(x_c, n, base - lift / 2))
    pooled = (x_t[:, None] + x_c) / (2 * n)
    z = (x_t[:, None] - x_c) / n / np.sqrt(pooled * (1 - pooled) * 2 / n * 2 * n / (2 * n - 1))
    assert weight[z > 1.959964].sum() == pytest.approx(0.80, abs=0.01)


@pytest.mark.parametrize("table", [(0, 20, 5, 18), (3, 4, 1, 4), (7, 34, 1, 34), (12, 500, 25, 520), (5, 5, 0, 5)])
def test_fisher_as_scipy(table):
    x_t, n_t, x_c, n_c = table
    theirs = stats.fisher_exact([[x_t, n_t - x_t], [x_c, n_c - x_c]]).pvalue
    assert fisher_pvalue(*table) == pytest.approx(theirs, rel=1e-9)
    assert fisher_pvalue(x_c, n_c, x_t, n_t) == pytest.approx(theirs, rel=1e-9)


def test_fisher_needs_somebody_who_did_and_somebody_who_did_not():
    assert math.isnan(fisher_pvalue(0, 5, 0, 5)) and math.isnan(fisher_pvalue(5, 5, 5, 5))
