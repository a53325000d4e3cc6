"""Power meets plan, by simulation, seeds fixed: the planned effect is found in the planned share of runs.

Each plan is drawn up for the numbers of users simulated, so that no rounding stands between the two. The bound is 4
Monte-Carlo standard errors: .0226 at 80 % over 5,000 runs. Run with `-m calibration`.
"""

import math

import numpy as np
import pytest

from analysis.stats.adjust import adjust, compare_adjusted
from analysis.stats.assignment import assign
from analysis.stats.clusters import ClusterSums, compare_clusters
from analysis.stats.means import compare_means
from analysis.stats.moments import JointMoments, Moments, PairedMoments, RatioMoments
from analysis.stats.noninferiority import noninferiority_means, noninferiority_proportions
from analysis.stats.power import mde, power
from analysis.stats.power_baseline import (
    clustered,
    cuped,
    mean_baseline,
    r_squared,
    ratio_baseline,
    share_baseline,
)
from analysis.stats.power_guardrail import noninferiority_margin
from analysis.stats.power_holdout import holdout
from analysis.stats.proportions import compare_proportions
from analysis.stats.ratios import compare_ratios
from analysis.stats.split import split_test

pytestmark = pytest.mark.calibration
RUNS = 5_000
REVENUE = mean_baseline(Moments(1000, 20.0, 800.0))  # gamma(1/2, 40): skewness 2.8


def monte_carlo(rate, slack=0.0):
    return pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / RUNS) + slack)


def arms(values):
    """(runs, users) -> moments of each run."""
    return [Moments(values.shape[1], m, v) for m, v in zip(values.mean(1), values.var(1, ddof=1), strict=True)]


def pairs(numerator, denominator):
    """(runs, units) twice -> joint moments of each run."""
    n = numerator.shape[1]
    means = numerator.mean(1), denominator.mean(1)
    top, bottom = numerator - means[0][:, None], denominator - means[1][:, None]
    columns = (*means, (top**2).sum(1) / (n - 1), (bottom**2).sum(1) / (n - 1), (top * bottom).sum(1) / (n - 1))
    return [RatioMoments(n, *row) for row in zip(*columns, strict=True)]


def seen(found, sign=1):
    """Share of runs that are significant with the sign of the effect."""
    return np.mean([one.pvalue < one.alpha and one.diff * sign > 0 for one in found])


@pytest.mark.parametrize(("n_treatment", "n_control", "wished"), [
    (1000, 1000, 0.8), (1000, 1000, 0.5), (30, 30, 0.8), (1800, 200, 0.8), (200, 1800, 0.8)])
def test_revenue_that_grows_by_the_same_for_all(n_treatment, n_control, wished):
    """At 200 of 2,000 users the few decide, and their mean is still skewed: up to 4 points off, either way."""
    draw = np.random.default_rng(1)
    n = n_treatment + n_control
    effect = mde(REVENUE, n, share=n_treatment / n, power=wished).effect
    treatment = arms(draw.gamma(0.5, 40, (RUNS, n_treatment)) + effect)
    control = arms(draw.gamma(0.5, 40, (RUNS, n_control)))
    is_even = n_treatment == n_control
    assert seen(map(compare_means, treatment, control)) == monte_carlo(wished, slack=0 if is_even else 0.04)


@pytest.mark.parametrize(("lift", "lost"), [(0.05, 0.025), (0.2, 0.075)])
def test_revenue_that_grows_in_proportion_spreads_and_loses_some_power(lift, lost):
    """A lift of r makes treatment's variance (1 + r)^2 times as large: the plan must be given the mean of both arms."""
    draw = np.random.default_rng(2)
    n, runs = 2 * round(7.849 * 800 * 2 / (lift * 20) ** 2), 1000 if lift < 0.1 else RUNS
    wider = mean_baseline(Moments(1000, 20.0, 800 * (1 + lift + lift**2 / 2)))
    treatment = arms((1 + lift) * draw.gamma(0.5, 40, (runs, n // 2)))
    found = seen(map(compare_means, treatment, arms(draw.gamma(0.5, 40, (runs, n // 2)))))
    error = 4 * math.sqrt(0.16 / runs)
    assert power(wider, n, rel_effect=lift).power == pytest.approx(found, abs=error)
    assert power(REVENUE, n, rel_effect=lift).power - lost == pytest.approx(found, abs=error)


@pytest.mark.parametrize(("share", "n", "treated", "better"), [
    (0.004, 20_000, 0.5, "higher"), (0.004, 20_000, 0.5, "lower"), (0.02, 10_000, 0.9, "higher"),
    (0.02, 10_000, 0.9, "lower"), (0.3, 400, 0.5, "higher"), (0.0005, 200_000, 0.8, "higher")])
def test_rare_conversions(share, n, treated, better):
    """The score test on a discrete table: held to one point beyond chance."""
    draw = np.random.default_rng(3)
    effect = mde(share_baseline(share), n, share=treated, better=better).effect
    n_t, n_c = round(treated * n), round((1 - treated) * n)
    x_t, x_c = draw.binomial(n_t, share + effect, RUNS).tolist(), draw.binomial(n_c, share, RUNS).tolist()
    found = [compare_proportions(t, n_t, c, n_c) for t, c in zip(x_t, x_c, strict=True)]
    assert seen(found, math.copysign(1, effect)) == monte_carlo(0.8, slack=0.01)


def test_revenue_per_order():
    """Heavy buyers have more orders and larger ones. The past is one large sample; all orders grow by the effect."""
    draw = np.random.default_rng(4)

    def orders_and_revenue(runs, n, effect):
        taste = draw.gamma(2, 0.5, (runs, n))
        orders = 1.0 + draw.poisson(taste)
        return orders * (effect + 20 * (1 + 0.3 * taste) * draw.gamma(4, 0.25, orders.shape)), orders

    [past] = pairs(*orders_and_revenue(1, 400_000, 0.0))
    effect = mde(ratio_baseline(past), 1000).effect
    treatment, control = pairs(*orders_and_revenue(RUNS, 500, effect)), pairs(*orders_and_revenue(RUNS, 500, 0.0))
    assert seen(map(compare_ratios, treatment, control)) == monte_carlo(0.8)


@pytest.mark.parametrize(("n_clusters", "variation", "lost"), [
    (5, 0.0, 0.03), (8, 0.6, 0.04), (20, 0.0, 0.0), (20, 0.6, 0.01), (40, 0.0, 0.0), (40, 0.6, 0.01)])
def test_clusters(n_clusters, variation, lost):
    """Intra-class correlation .05, sizes (gamma) of 30 on average; compared by CR2 with its degrees of freedom.

    These are estimated, and fewer where sizes vary: with fewer than 20 clusters an arm some power is lost.
    """
    draw, runs = np.random.default_rng(5), 2000
    planned = clustered(mean_baseline(Moments(9, 20.0, 100.0)), 30, 0.05, variation)
    effect = mde(planned, 60 * n_clusters).effect

    def sums(level):
        sizes = np.full(n_clusters, 30.0)
        if variation:
            sizes = np.maximum(1.0, np.round(draw.gamma(variation**-2, 30 * variation**2, n_clusters)))
        own = draw.normal(level, math.sqrt(5), n_clusters)
        total = sizes * own + np.sqrt(95 * sizes) * draw.normal(0, 1, n_clusters)
        return ClusterSums(sizes, total, sizes, np.full(n_clusters, 95.0))

    found = seen([compare_clusters(sums(20 + effect), sums(20.0), "mean") for _ in range(runs)])
    error = 4 * math.sqrt(0.16 / runs)
    assert 0.8 - lost - error < found < 0.8 + error


def test_revenue_adjusted_for_the_time_before():
    """R^2 is measured on a past of 100,000 users, in two phases that hang together as the campaign and its past do."""
    draw, runs, n = np.random.default_rng(6), 2500, 300

    def phases(n, level):
        taste = draw.gamma(0.5, 40, n)
        return level + taste + draw.gamma(0.5, 30, n), taste + draw.gamma(0.5, 30, n)

    def joint(during, before):
        return np.array([during.mean(), before.mean()]), np.cov(during, before)

    mean, cov = joint(*phases(100_000, 0.0))
    past = PairedMoments(100_000, *mean, cov[0, 0], cov[1, 1], cov[0, 1])
    planned = cuped(mean_baseline(Moments(past.n, past.mean_during, past.var_during)), r_squared(past))
    effect = mde(planned, 2 * n).effect
    found = [compare_adjusted(adjust([{
        arm: JointMoments(n, ("during", "before"), *joint(*phases(n, level)))
        for arm, level in (("treatment", effect), ("control", 0.0))}], ["during"], ["before"]), "treatment", "control")
        for _ in range(runs)]
    assert r_squared(past) == pytest.approx((800 / (800 + 450)) ** 2, abs=0.02)
    assert seen(found) == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / runs))


def test_the_hold_out_of_a_whole_base_shows_the_wished_effect():
    draw = np.random.default_rng(7)
    plan = holdout(share_baseline(0.05), 100_000, rel_effect=0.12)
    n_t, n_c = round(plan.n_treatment), round(plan.n_control)
    assert 0.05 < plan.share < 0.4
    x_t, x_c = draw.binomial(n_t, 0.056, RUNS).tolist(), draw.binomial(n_c, 0.05, RUNS).tolist()
    assert seen([compare_proportions(t, n_t, c, n_c) for t, c in zip(x_t, x_c, strict=True)]) == monte_carlo(0.8)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_guardrail_that_nothing_happened_to_is_shown_to_hold(better):
    draw = np.random.default_rng(8)
    margin = noninferiority_margin(REVENUE, 2000, better=better).margin
    treatment, control = (arms(draw.gamma(0.5, 40, (RUNS, 1000))) for _ in range(2))
    held = [noninferiority_means(t, c, margin, better) < 0.025 for t, c in zip(treatment, control, strict=True)]
    assert np.mean(held) == monte_carlo(0.8, slack=0.01)
    margin = noninferiority_margin(share_baseline(0.1), 6000, better=better, share=0.7).margin
    counts = zip(draw.binomial(4200, 0.1, RUNS).tolist(), draw.binomial(1800, 0.1, RUNS).tolist(), strict=True)
    held = [noninferiority_proportions(t, 4200, c, 1800, margin, better) < 0.025 for t, c in counts]
    assert np.mean(held) == monte_carlo(0.8, slack=0.01)


@pytest.mark.parametrize("shares", [{"campaign": 0.9, "holdout": 0.1}, {"a": 1, "b": 1, "c": 1}])
def test_hashed_arms_pass_the_test_of_the_split_over_salts(shares):
    ids = range(1500)
    alarms = 0
    for i in range(2000):
        names, n = np.unique(assign(ids, f"salt {i}", shares), return_counts=True)
        alarms += split_test(dict(zip(names.tolist(), n.tolist(), strict=True)), shares).pvalue < 0.05
    assert alarms / 2000 == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 2000))
