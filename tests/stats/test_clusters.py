"""Arms drawn by cluster: the closed forms against the matrices of the papers, and what cannot be estimated."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import linalg, stats

from analysis.stats.clusters import ClusterSums, cluster_level, clustering, compare_clusters


def drawn(seed, sizes, spread=1.0, mean=10.0):
    """Values per cluster: users of a cluster share a draw."""
    generator = np.random.default_rng(seed)
    return [mean + generator.normal(0, spread) + generator.normal(0, 3, size) for size in sizes]


def sums(clusters):
    size = np.array([len(own) for own in clusters])
    total = np.array([own.sum() for own in clusters])
    var = np.array([own.var(ddof=1) if len(own) > 1 else math.nan for own in clusters])
    return ClusterSums(size, total, size.astype(float), var)


def by_matrices(treatment, control):
    """CR2 and its degrees of freedom for y ~ 1 + arm, cluster by cluster, as Bell & McCaffrey write it."""
    clusters = [*treatment, *control]
    y = np.concatenate(clusters)
    arm = np.concatenate([np.full(len(own), float(i < len(treatment))) for i, own in enumerate(clusters)])
    x = np.column_stack([np.ones_like(y), arm])
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    hat = x @ bread @ x.T
    ends = np.cumsum([0, *(len(own) for own in clusters)])
    meat, columns = np.zeros((2, 2)), []
    pick = np.array([0.0, 1.0])
    for start, stop in pairwise(ends):
        rows = slice(start, stop)
        root = linalg.inv(linalg.sqrtm(np.eye(stop - start) - hat[rows, rows]).real)
        score = x[rows].T @ root @ (y[rows] - x[rows] @ beta)
        meat += np.outer(score, score)
        whole = (np.eye(len(y)) - hat)[rows].T @ root @ x[rows] @ bread @ pick
        columns.append(whole)
    inner = np.array(columns) @ np.array(columns).T
    return beta[1], (bread @ meat @ bread)[1, 1], np.trace(inner) ** 2 / np.trace(inner @ inner)


@pytest.mark.parametrize("sizes", [([5] * 8, [5] * 6), ([3, 9, 2, 20, 7, 4], [1, 30, 6, 6, 12])])
def test_variance_is_cr2s_and_freedom_bell_mccaffreys(sizes):
    treatment, control = drawn(1, sizes[0]), drawn(2, sizes[1])
    diff, var, _ = by_matrices(treatment, control)
    found = compare_clusters(sums(treatment), sums(control), "mean")
    levels = cluster_level(sums(treatment)), cluster_level(sums(control))
    assert found.diff == pytest.approx(diff, rel=1e-10)
    assert levels[0].var + levels[1].var == pytest.approx(var, rel=1e-9)
    whole = (levels[0].var + levels[1].var) ** 2 / sum(level.var**2 / level.df for level in levels)
    half = stats.t.isf(0.025, whole) * math.sqrt(var)
    assert (found.diff_lower, found.diff_upper) == pytest.approx((diff - half, diff + half), rel=1e-9)


def test_freedom_of_one_arm_by_matrices():
    own = drawn(3, [3, 9, 2, 20, 7, 4])
    n = np.array([len(one) for one in own])
    columns = []
    for start, size in zip(np.cumsum(n) - n, n, strict=True):
        hat = np.full((n.sum(), n.sum()), 1 / n.sum())
        rows = slice(start, start + size)
        root = linalg.inv(linalg.sqrtm(np.eye(size) - hat[rows, rows]).real)
        columns.append((np.eye(n.sum()) - hat)[rows].T @ root @ np.ones(size) / n.sum())
    inner = np.array(columns) @ np.array(columns).T
    assert cluster_level(sums(own)).df == pytest.approx(np.trace(inner) ** 2 / np.trace(inner @ inner), rel=1e-9)


def test_clusters_of_one_size_are_a_t_test_of_their_means():
    treatment, control = drawn(4, [6] * 9), drawn(5, [6] * 9)
    theirs = stats.ttest_ind([own.mean() for own in treatment], [own.mean() for own in control], equal_var=False)
    assert compare_clusters(sums(treatment), sums(control), "mean").pvalue == pytest.approx(theirs.pvalue, rel=1e-9)
    assert cluster_level(sums(treatment)).df == pytest.approx(8, rel=1e-12)


def test_intra_class_correlation_by_analysis_of_variance():
    own = drawn(6, [6] * 12, spread=2.0)
    between = 6 * np.var([one.mean() for one in own], ddof=1)
    within = np.mean([one.var(ddof=1) for one in own])
    found = clustering(sums(own))
    assert found.icc == pytest.approx((between - within) / (between + 5 * within), rel=1e-10)
    assert found.design_effect == pytest.approx(
        (between / 72) / (np.var(np.concatenate(own), ddof=1) / 72), rel=1e-10)
    assert found.n_clusters == 12 and found.n_users == 72


def test_too_few_clusters_are_refused():
    own, few = sums(drawn(7, [4] * 5)), sums(drawn(7, [400] * 4))
    assert compare_clusters(own, own, "mean").reason in ("", "zero_variance")
    found = compare_clusters(few, own, "mean")
    assert found.reason == "too_few_clusters" and math.isnan(found.pvalue) and math.isnan(found.diff_lower)
    assert found.value_treatment == pytest.approx(few.numerator.sum() / 1600)
    assert clustering(few).reason == "too_few_clusters"


@pytest.mark.parametrize(("numerator", "denominator", "reason"), [
    ([1.0] * 6, [0.0] * 6, "zero_denominator"), ([1.0, math.inf, 1, 1, 1, 1], [1.0] * 6, "bad_moments"),
    ([1.0, 0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0], "one_cluster")])
def test_what_cannot_be_estimated_has_its_reason(numerator, denominator, reason):
    own = ClusterSums(np.full(6, 3), np.array(numerator), np.array(denominator), np.zeros(6))
    assert cluster_level(own).reason == reason


def test_equal_clusters_have_no_variance():
    own = ClusterSums(np.full(6, 3), np.full(6, 0.3), np.full(6, 3.0), np.zeros(6))
    assert cluster_level(own).var == 0 and compare_clusters(own, own, "mean").reason == "zero_variance"


def test_clusters_of_one_user_each_are_independent_users():
    own = ClusterSums(np.ones(8), np.arange(8.0), np.ones(8), np.full(8, math.nan))
    assert cluster_level(own).var == pytest.approx(np.var(np.arange(8), ddof=1) / 8)
    assert clustering(own).reason == "one_user_each"


def test_order_and_unit_do_not_matter():
    clusters = drawn(8, [3, 5, 9, 2, 4, 4])
    here, there = cluster_level(sums(clusters)), cluster_level(sums([1e6 * own for own in clusters[::-1]]))
    assert there.value == pytest.approx(1e6 * here.value) and there.var == pytest.approx(1e12 * here.var)
