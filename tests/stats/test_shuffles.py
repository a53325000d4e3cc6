"""Moments of shuffled labels against labels that are really shuffled."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.means import compare_means
from analysis.stats.moments import merged
from analysis.stats.ratios import compare_ratios
from analysis.stats.shuffles import false_alarms, shuffled, statistics, together

SIZES = {"banner": 1, "poster": 3, "mail": 0, "rest": 12_345, "control": 7_654}


def users(n, seed=1):
    generator = np.random.default_rng(seed)
    orders = generator.poisson(2, n).astype(float)
    return {"revenue": generator.gamma(0.5, 40, n) * orders, "orders": orders}


def really_shuffled(columns, sizes, runs, seed):
    """(runs,) Welch's t of the first column, by labels of each unit."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        mixed = generator.permutation(columns["revenue"])
        arms = mixed[:sizes["t"]], mixed[sizes["t"]:]
        error = math.sqrt(sum(arm.var(ddof=1) / len(arm) for arm in arms))
        found.append((arms[0].mean() - arms[1].mean()) / error)
    return np.array(found)


@pytest.mark.parametrize(("n", "n_treatment"), [(300, 30), (9_001, 901)])
def test_t_spreads_as_under_real_shuffles(n, n_treatment):
    """One user by one, and in buckets: with 10 % treatment and skewed revenue t is skewed too."""
    columns, sizes = users(n), {"t": n_treatment, "c": n - n_treatment}
    t = statistics(shuffled(columns, sizes, 1_500, seed=2), "t", "c", "revenue")
    assert stats.ks_2samp(t, really_shuffled(columns, sizes, 1_500, seed=3)).pvalue > 0.01


def test_arms_of_every_run_add_up_to_all_users():
    """With several users to a bucket, arms smaller than a bucket, and an empty one."""
    columns = users(sum(SIZES.values()))
    found = shuffled(columns, SIZES, 30, seed=1)
    n, rows = found.n[:, None], np.column_stack([*columns.values()])
    assert found.n.tolist() == [*SIZES.values()]
    assert np.nansum(found.mean * n, axis=1) == pytest.approx(np.tile(rows.sum(0), (30, 1)))
    within = np.nansum(found.cov * (n[..., None] - 1), axis=1)
    between = np.nansum(n[..., None] * found.mean[..., :, None] * found.mean[..., None, :], axis=1)
    assert within + between == pytest.approx(np.tile(rows.T @ rows, (30, 1, 1)))


@pytest.mark.parametrize("n", [500, 5_001])
def test_every_user_comes_to_every_arm_as_often_as_its_size_says(n):
    """A mark on one user at a time: first, last and in the middle of the file."""
    sizes = {"t": n // 5, "c": n - n // 5}
    marks = {str(place): np.eye(1, n, place)[0] for place in (0, n // 2, n - 1)}
    found = shuffled(marks, sizes, 800, seed=4)
    shares = (found.mean[:, 0] * sizes["t"]).mean(axis=0)
    assert shares == pytest.approx([sizes["t"] / n] * 3, abs=4 * math.sqrt(0.2 * 0.8 / 800))


def test_a_run_gives_what_the_methods_of_the_report_ask_for():
    columns, n = users(200), 200
    found = shuffled(columns, {"t": 50, "c": 150}, 40, seed=5)
    means, ratios = statistics(found, "t", "c", "revenue"), statistics(found, "t", "c", "revenue", "orders")
    for run in range(40):
        arms = found.run(run)
        mean = compare_means(arms["t"].metric("revenue"), arms["c"].metric("revenue"))
        ratio = compare_ratios(arms["t"].ratio("revenue", "orders"), arms["c"].ratio("revenue", "orders"))
        assert arms["t"].n + arms["c"].n == n
        for one, t in ((mean, means[run]), (ratio, ratios[run])):
            df_free = stats.norm.isf(one.pvalue / 2)  # large df: t is near z
            assert abs(t) == pytest.approx(df_free, rel=0.05) and np.sign(t) == np.sign(one.diff)


def test_strata_together_are_their_moments_merged_run_by_run():
    """An arm that one stratum lacks, one of a single user, one without any."""
    strata = [{"c": 30, "t": 20, "none": 0}, {"t": 1, "c": 12, "one": 1}, {"c": 9}]
    groups = [shuffled(users(sum(sizes.values()), seed), sizes, 25, seed) for seed, sizes in enumerate(strata)]
    found = together(groups)
    assert found.arms == ("c", "t", "none", "one") and found.n.tolist() == [51, 21, 0, 1]
    for run in range(25):
        own, parts = found.run(run), [group.run(run) for group in groups]
        for arm in ("c", "t", "one"):
            expected = merged([part[arm] for part in parts if arm in part])
            assert own[arm].n == expected.n and own[arm].mean == pytest.approx(expected.mean, rel=1e-12)
            assert own[arm].cov == pytest.approx(expected.cov, rel=1e-12, nan_ok=True)
    assert np.isnan(found.mean[:, 2]).all() and np.isnan(found.cov[:, 2:]).all()


def test_arms_and_columns_can_be_chosen():
    found = shuffled(users(60), {"t": 20, "c": 30, "rest": 10}, 7)
    own = found.of(["rest", "t"], ["orders"]).run(6)
    assert [*own] == ["rest", "t"] and own["t"].names == ("orders",) and own["rest"].n == 10
    assert own["t"].metric("orders") == found.run(6)["t"].metric("orders")


def test_covariances_are_those_of_the_users_in_the_arm():
    """All users in one arm: nothing is left to chance."""
    columns = users(5_000)
    found = shuffled(columns, {"all": 5_000}, 3)
    assert found.cov[2, 0] == pytest.approx(np.cov([*columns.values()]))
    assert found.mean[2, 0] == pytest.approx([column.mean() for column in columns.values()])


def test_levels_far_from_zero_lose_no_digits():
    revenue, sizes = users(400)["revenue"], {"t": 100, "c": 300}
    near, far = (shuffled({"revenue": revenue + level}, sizes, 50) for level in (0, 1e9))
    assert far.cov == pytest.approx(near.cov, rel=1e-5)
    assert statistics(far, "t", "c", "revenue") == pytest.approx(statistics(near, "t", "c", "revenue"), rel=1e-5)


def test_the_unit_does_not_matter_and_the_seed_does():
    revenue, sizes = users(400)["revenue"], {"t": 100, "c": 300}
    t = statistics(shuffled({"revenue": revenue}, sizes, 50, seed=1), "t", "c", "revenue")
    cents = statistics(shuffled({"revenue": 100 * revenue}, sizes, 50, seed=1), "t", "c", "revenue")
    other = statistics(shuffled({"revenue": revenue}, sizes, 50, seed=2), "t", "c", "revenue")
    assert cents == pytest.approx(t) and not np.array_equal(t, other)


def test_the_same_data_and_seed_give_the_same_bytes():
    columns, sizes = users(20_003), SIZES
    assert shuffled(columns, sizes, 20).cov.tobytes() == shuffled(columns, sizes, 20).cov.tobytes()


def test_arms_without_spread_have_exactly_none():
    """Two buyers among 40: half of the shuffles leave an arm of nothing but zeros."""
    revenue = np.zeros(40)
    revenue[[3, 9]] = 0.1, 0.7
    found = shuffled({"revenue": revenue}, {"t": 10, "c": 30}, 200)
    assert set(found.cov[found.mean[..., 0] == 0].ravel()) == {0.0}
    assert not np.isnan(statistics(found, "t", "c", "revenue")).any()


def test_alarms_are_counted_among_the_tests_that_could_be_made():
    found = false_alarms([0.01, 0.04, 0.05, 0.5, math.nan])
    assert (found.rate, found.n) == (0.5, 4)
    assert (found.lower, found.upper) == pytest.approx((0.150, 0.850), abs=5e-4)  # statsmodels proportion_confint


def test_no_test_no_rate():
    found = false_alarms([math.nan])
    assert found.reason == "no_tests" and math.isnan(found.rate)


@pytest.mark.parametrize(("columns", "sizes", "runs", "words"), [
    ({"x": np.ones(5)}, {"t": 2, "c": 2}, 9, "but columns of \\[5\\] rows"),
    ({"x": np.ones(4), "y": np.ones(3)}, {"t": 2, "c": 2}, 9, "but columns of \\[3, 4\\] rows"),
    ({"x": np.ones(1)}, {"t": 2, "c": -1}, 9, "'c': -1"),
    ({"x": np.array([1, np.nan, np.inf])}, {"t": 2, "c": 1}, 9, "x: 2 values are not finite"),
    ({"x": np.ones(4)}, {"t": 2, "c": 2}, 0, "0 runs"),
    ({}, {"t": 2, "c": 2}, 9, "columns of \\[\\] rows"),
])
def test_what_cannot_be_shuffled_is_refused(columns, sizes, runs, words):
    with pytest.raises(ValueError, match=words):
        shuffled(columns, sizes, runs)
