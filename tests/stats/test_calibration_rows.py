"""Error rates by simulation of the methods that need rows: shuffles, bootstrap, ranks, winsorised means, quantiles.

Each bound is 4 Monte-Carlo standard errors; where a method is known to be off the test says by how much.
"""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.stats.bootstrap import bootstrap_means, bootstrap_ratios
from analysis.stats.means import compare_means
from analysis.stats.permutation import permutation_pvalue
from analysis.stats.quantiles import Rows, compare_quantiles
from analysis.stats.ranks import compare_ranks
from analysis.stats.ratios import compare_ratios
from analysis.stats.shuffles import false_alarms, shuffled, statistics
from analysis.stats.winsor import compare_winsorised

pytestmark = pytest.mark.calibration


def monte_carlo(rate, runs, slack=0.0):
    return pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / runs) + slack)


def rejected(found):
    return np.mean([one.pvalue < one.alpha for one in found])


def covered(found, truth, prefix="diff"):
    return np.mean([getattr(one, f"{prefix}_lower") <= truth <= getattr(one, f"{prefix}_upper") for one in found])


# --- permutation test: 199 shuffles reject at 9 / 200 where alpha is .05 ---

def permuted(draw, n_treatment, n_control, runs, seed):
    """p-values of the studentised test and of the plain difference, and Welch's."""
    generator = np.random.default_rng(seed)
    sizes, found = {"t": n_treatment, "c": n_control}, []
    for run in range(runs):
        arms = draw(generator, n_treatment, n_control)
        shuffles = shuffled({"x": np.concatenate(arms)}, sizes, 199, seed=run)
        t = stats.ttest_ind(*arms, equal_var=False)
        diffs = shuffles.mean[:, 0, 0] - shuffles.mean[:, 1, 0]
        found.append((permutation_pvalue(statistics(shuffles, "t", "c", "x"), t.statistic),
                      permutation_pvalue(diffs, arms[0].mean() - arms[1].mean()), t.pvalue))
    return np.array(found)


def test_permutation_of_few_skewed_users_is_exact_where_welch_is_not():
    """Revenue of 20 against 180 users: Welch rejects more than 7 % of the time."""
    p = permuted(lambda g, *n: [g.gamma(0.5, 40, size) for size in n], 20, 180, 1_000, seed=1)
    assert np.mean(p[:, 0] < 0.05) == monte_carlo(0.045, 1_000)
    assert np.mean(p[:, 2] < 0.05) > 0.07


def test_studentised_permutation_stands_unequal_spread_and_the_plain_difference_does_not():
    p = permuted(lambda g, *n: [g.normal(0, 3, n[0]), g.normal(0, 1, n[1])], 30, 270, 1_000, seed=2)
    assert np.mean(p[:, 0] < 0.05) == monte_carlo(0.045, 1_000, slack=0.005)
    assert np.mean(p[:, 1] < 0.05) > 0.2


# --- shuffles of the data at hand: how often does a method cry wolf? ---

def orders(generator, n):
    """Sums per user: revenue, orders, and squares of the orders' amounts; users differ in what they spend."""
    n_orders = 1 + generator.poisson(generator.gamma(1, 4, n))
    user = np.repeat(np.arange(n), n_orders)
    amounts = generator.gamma(2, 0.5, n)[user] * generator.gamma(4, 5, len(user))
    return {"revenue": np.bincount(user, amounts), "orders": n_orders.astype(float),
            "squares": np.bincount(user, amounts**2)}


def orders_as_if_independent(treatment, control):
    """A z test of the mean amount that takes every order for a user."""
    means, errors = [], []
    for arm in (treatment, control):
        revenue, n_orders, squares = (arm.n * mean for mean in arm.mean)
        means.append(revenue / n_orders)
        errors.append((squares / n_orders - means[-1] ** 2) / n_orders)
    return 2 * stats.norm.sf(abs(means[0] - means[1]) / math.sqrt(sum(errors)))


@pytest.mark.parametrize("n", [3_000, 20_000])
def test_sound_methods_alarm_at_their_level_and_unsound_ones_cry_wolf(n):
    columns = orders(np.random.default_rng(3), n)
    shuffles = shuffled(columns, {"t": n // 3, "c": n - n // 3}, 1_000, seed=1)
    runs = [shuffles.run(run) for run in range(1_000)]
    means = false_alarms([compare_means(r["t"].metric("revenue"), r["c"].metric("revenue")).pvalue for r in runs])
    ratios = false_alarms(
        [compare_ratios(r["t"].ratio("revenue", "orders"), r["c"].ratio("revenue", "orders")).pvalue for r in runs])
    wrong = false_alarms([orders_as_if_independent(r["t"], r["c"]) for r in runs])
    assert means.rate == monte_carlo(0.05, 1_000) and ratios.rate == monte_carlo(0.05, 1_000)
    assert means.lower < 0.05 and ratios.lower < 0.05
    assert wrong.lower > 0.2


def test_buckets_do_not_move_the_rate():
    """Over 60 data sets of 9,000 users each: runs of one data set hang together a little, their mean does not."""
    generator = np.random.default_rng(4)
    rates = []
    for seed in range(60):
        shuffles = shuffled({"x": generator.gamma(0.5, 40, 9_000)}, {"t": 4_500, "c": 4_500}, 250, seed)
        rates.append(np.mean(np.abs(statistics(shuffles, "t", "c", "x")) > 1.96))
    assert np.mean(rates) == monte_carlo(0.05, 60 * 250)
    assert np.std(rates) == pytest.approx(math.sqrt(0.05 * 0.95 / 250), rel=0.4)


# --- bootstrap: 599 resamples reject at 28 / 600 where alpha is .05 ---

@pytest.mark.parametrize("lift", [1.0, 1.5])
def test_bootstrap_of_skewed_revenue(lift):
    generator = np.random.default_rng(5)
    arms = [(lift * generator.gamma(0.5, 40, 150), generator.gamma(0.5, 40, 150)) for _ in range(1_500)]
    found = [bootstrap_means(*pair, resamples=599, seed=seed) for seed, pair in enumerate(arms)]
    assert covered(found, (lift - 1) * 20) == monte_carlo(0.953, 1_500, slack=0.005)
    assert covered(found, lift - 1, "rel_diff") == monte_carlo(0.953, 1_500, slack=0.005)


def test_bootstrap_shares_its_misses_out_where_welch_misses_on_one_side():
    """50 against 450 users: both miss in 7 %, Welch nearly always where treatment looks too small."""
    generator = np.random.default_rng(6)
    ours, welch = np.zeros(2), np.zeros(2)
    for seed in range(1_500):
        arms = generator.gamma(0.5, 40, 50), generator.gamma(0.5, 40, 450)
        found = bootstrap_means(*arms, resamples=599, seed=seed)
        theirs = stats.ttest_ind(*arms, equal_var=False)
        ours += found.diff_lower > 0, found.diff_upper < 0
        welch += (theirs.pvalue < 0.05) * np.array([theirs.statistic > 0, theirs.statistic < 0])
    assert ours.sum() / 1_500 == monte_carlo(0.07, 1_500) and welch.sum() / 1_500 == monte_carlo(0.07, 1_500)
    assert ours[0] > 1.5 * welch[0]


def test_bootstrap_of_ratios():
    def draw(generator, lift):
        taste = generator.gamma(2, 0.5, 150)
        n_orders = 1.0 + generator.poisson(taste)
        return lift * n_orders * 20 * (1 + 0.3 * taste) * generator.gamma(4, 0.25, 150), n_orders

    generator = np.random.default_rng(7)
    arms = [(draw(generator, 1.2), draw(generator, 1.0)) for _ in range(1_500)]
    found = [bootstrap_ratios(*pair, resamples=599, seed=seed) for seed, pair in enumerate(arms)]
    assert covered(found, 0.2, "rel_diff") == monte_carlo(0.953, 1_500, slack=0.005)


# --- ranks ---

@pytest.mark.parametrize(("n_treatment", "n_control"), [(20, 20), (40, 200), (300, 300)])
@pytest.mark.parametrize("lift", [1.0, 1.5])
def test_ranks_of_counts_that_are_mostly_zero(n_treatment, n_control, lift):
    """Orders per user. The truth is summed over the two distributions."""
    def law(mean):
        mass = stats.nbinom(0.5, 0.5 / (0.5 + mean)).pmf(np.arange(400))
        return mass / mass.sum()

    generator, (up, base) = np.random.default_rng(8), (law(lift), law(1.0))
    truth = sum(up[k] * (base[:k].sum() + base[k] / 2) for k in range(400))
    found = [compare_ranks(generator.choice(400, n_treatment, p=up), generator.choice(400, n_control, p=base))
             for _ in range(3_000)]
    assert covered(found, truth, "superiority") == monte_carlo(0.95, 3_000)
    if lift == 1:
        assert rejected(found) == monte_carlo(0.05, 3_000)


def test_ranks_stand_unequal_spread():
    generator = np.random.default_rng(9)
    found = [compare_ranks(generator.normal(0, 5, 30), generator.normal(0, 1, 120)) for _ in range(3_000)]
    assert rejected(found) == monte_carlo(0.05, 3_000)


# --- winsorised means ---

@pytest.mark.parametrize(("n_treatment", "n_control"), [(500, 500), (200, 1_800)])
def test_winsorised_means_of_very_skewed_revenue_reject_at_alpha(n_treatment, n_control):
    """Of 200 against 1,800 users raw means reject in 9 %, these in 6."""
    generator = np.random.default_rng(10)
    found = [compare_winsorised(generator.lognormal(3, 1.5, n_treatment), generator.lognormal(3, 1.5, n_control))
             for _ in range(3_000)]
    assert rejected(found) == monte_carlo(0.05, 3_000, slack=0.01)


# --- quantiles of clustered rows ---

def latencies(generator, n, most, lift=1.0):
    unit = np.repeat(np.arange(n), generator.integers(1, most + 1, n))
    return Rows(lift * generator.gamma(3, 1 / 3, n)[unit] * generator.gamma(2, 50, len(unit)), unit)


def lognormal(generator, n, most, lift=1.0):
    unit = np.repeat(np.arange(n), generator.integers(1, most + 1, n))
    return Rows(lift * np.exp(3 + generator.normal(0, 0.6, n)[unit] + generator.normal(0, 0.6, len(unit))), unit)


def mostly_zero(generator, n, most, lift=1.0):
    rows = latencies(generator, n, most, lift)
    return Rows(rows.values * (generator.random(len(rows.values)) < 0.52), rows.units)


def counts(generator, n, most, lift=1.0):
    unit = np.repeat(np.arange(n), generator.integers(1, most + 1, n))
    return Rows(1.0 + generator.poisson(lift * generator.gamma(3, 1 / 3, n)[unit]), unit)


@pytest.mark.parametrize(("draw", "q", "n", "most"), [
    (latencies, 0.5, 300, 50), (latencies, 0.99, 300, 50), (lognormal, 0.9, 300, 50), (latencies, 0.5, 60, 10),
    (lognormal, 0.75, 400, 1), (mostly_zero, 0.9, 300, 10)])
def test_quantiles_of_clustered_rows(draw, q, n, most):
    """The level is kept and with few rows not used up: .03 to .04 where an arm has 400."""
    generator = np.random.default_rng(11)
    truth = 0.3 * np.quantile(draw(generator, 300_000, min(most, 5)).values, q)
    same, lifted = [], []
    for _ in range(600):
        control = draw(generator, n, most)
        same.append(compare_quantiles(draw(generator, n, most), control, q))
        lifted.append(compare_quantiles(draw(generator, n, most, 1.3), control, q))
    error = 4 * math.sqrt(0.05 * 0.95 / 600)
    assert not any(one.reason for one in [*same, *lifted])
    assert 0.01 < rejected(same) < 0.05 + error
    for prefix, value in (("diff", truth), ("rel_diff", 0.3)):
        bounded = [one for one in lifted if not one.rel_reason]
        assert 0.95 - error < covered(bounded, value, prefix) < 0.995


def test_rows_taken_for_users_cry_wolf():
    generator, alarms = np.random.default_rng(12), 0
    for _ in range(400):
        arms = [latencies(generator, 200, 30).values for _ in range(2)]
        alarms += compare_quantiles(*(Rows(values, np.arange(len(values))) for values in arms), 0.5).pvalue < 0.05
    assert alarms / 400 > 0.2


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_quantiles_among_lumps_do_not_cry_wolf(q):
    """Articles per order, 1 to about 8: with symmetric bounds half of all runs would reject at .9. Here hardly any do,
    as a quantile of few values is a lump itself."""
    generator = np.random.default_rng(13)
    found = [compare_quantiles(counts(generator, 300, 10), counts(generator, 300, 10), q) for _ in range(500)]
    assert rejected(found) < 0.02


def test_a_median_at_the_edge_of_zero_keeps_its_level():
    """48 % zeros: the median is small and one bound is often 0."""
    generator = np.random.default_rng(14)
    found = [compare_quantiles(mostly_zero(generator, 100, 5), mostly_zero(generator, 900, 5), 0.5)
             for _ in range(600)]
    assert rejected(found) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 600)
