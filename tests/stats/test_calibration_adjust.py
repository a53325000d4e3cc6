"""Error rates by simulation of adjusted and clustered comparisons, seeds fixed; bounds as in test_calibration.py."""

import numpy as np
import pytest

from analysis.stats.adjust import adjust, compare_adjusted
from analysis.stats.clusters import ClusterSums, compare_clusters
from analysis.stats.moments import JointMoments
from tests.stats.test_calibration import covered, monte_carlo, rejected

pytestmark = pytest.mark.calibration
RUNS = 5_000


def joints(names, columns):
    """(k, runs, users) -> joint moments of each run."""
    values = np.stack(columns)
    n = values.shape[2]
    mean = values.mean(2)
    centred = values - mean[:, :, None]
    cov = np.einsum("irn,jrn->rij", centred, centred) / (n - 1)
    return [JointMoments(n, names, mean[:, run], cov[run]) for run in range(RUNS)]


def revenue(generator, n, lift=1.0):
    """Skewed, mostly zero, and hanging on what the user spent before."""
    taste = generator.gamma(0.7, 20, (RUNS, n))
    now = lift * taste * generator.gamma(1.0, 1.0, (RUNS, n)) * (generator.random((RUNS, n)) < 0.5)
    before = taste * generator.gamma(1.0, 1.0, (RUNS, n)) * (generator.random((RUNS, n)) < 0.7)
    return now, before


@pytest.mark.parametrize("n", [(400, 400), (720, 80)])
@pytest.mark.parametrize("lift", [1.0, 1.4])
def test_cuped_rejects_at_alpha_and_covers(n, lift):
    """Heavy tails in a small arm leave Welch itself some percent short; the adjustment may add nothing to that."""
    generator = np.random.default_rng(21)
    treatment = joints(("y", "x"), revenue(generator, n[0], lift))
    control = joints(("y", "x"), revenue(generator, n[1]))
    pairs = [{"t": t, "c": c} for t, c in zip(treatment, control, strict=True)]
    plain = [compare_adjusted(adjust([own], ["y"]), "t", "c") for own in pairs]
    found = [compare_adjusted(adjust([own], ["y"], ["x"]), "t", "c") for own in pairs]
    for effect, truth in (("diff", 0.5 * 14 * (lift - 1)), ("rel_diff", lift - 1)):
        welch, adjusted = covered(plain, truth, effect), covered(found, truth, effect)
        assert adjusted > min(welch, 0.95) - 4 * (0.05 * 0.95 / RUNS) ** 0.5
        if min(n) == 400:
            assert adjusted == monte_carlo(0.95, 0.005)


def test_cuped_on_ratios_covers_in_three_arms():
    def draw(generator, lift, n=500):
        taste = generator.gamma(2, 0.5, (RUNS, n))
        orders = 1.0 + generator.poisson(taste)
        money = lift * orders * 20 * (1 + 0.3 * taste) * generator.gamma(4, 0.25, orders.shape)
        return joints(("money", "orders", "x1", "x2"), (
            money, orders, taste * generator.gamma(4, 0.25, orders.shape), 1.0 + generator.poisson(taste)))

    generator = np.random.default_rng(22)
    control, first, second = draw(generator, 1.0), draw(generator, 1.0), draw(generator, 1.3)
    adjusted = [adjust([{"c": c, "a": a, "b": b}], ["money", "orders"], ["x1", "x2"])
                for c, a, b in zip(control, first, second, strict=True)]
    assert rejected([compare_adjusted(one, "a", "c") for one in adjusted]) == monte_carlo(0.05)
    assert covered([compare_adjusted(one, "b", "c") for one in adjusted], 0.3, "rel_diff") == monte_carlo(0.95)


def test_post_stratification_covers_when_effects_differ_between_strata():
    """Sizes of the strata in each arm are drawn; the effect is 0 in one stratum and 3 in the other."""
    generator = np.random.default_rng(23)
    found = []
    for _ in range(RUNS):
        size = {arm: generator.binomial(200, 0.3) for arm in "tc"}
        strata = []
        for k in (0, 1):
            own = {}
            for arm in "tc":
                n = size[arm] if k else 200 - size[arm]
                values = 10 + 8 * k + 3 * k * (arm == "t") + generator.gamma(1, 3, n)
                own[arm] = JointMoments(n, ("y",), values.mean(keepdims=True), np.atleast_2d(values.var(ddof=1)))
            strata.append(own)
        found.append(compare_adjusted(adjust(strata, ["y"]), "t", "c"))
    assert covered(found, 0.9, "diff") == monte_carlo(0.95, 0.005)
    assert covered(found, 0.9 / (10 + 8 * 0.3 + 3), "rel_diff") == monte_carlo(0.95, 0.005)


@pytest.mark.parametrize("n_clusters", [5, 10, 40])
@pytest.mark.parametrize("is_even", [True, False])
def test_clusters_reject_at_alpha(n_clusters, is_even):
    """Unequal sizes leave few clusters on the safe side or a little beyond; a z test would reject 10 % with 5."""
    generator = np.random.default_rng(24)

    def draw():
        size = np.full((RUNS, n_clusters), 30) if is_even else 5 + generator.poisson(25, (RUNS, n_clusters))
        mean = 10 + generator.normal(0, 1, (RUNS, n_clusters)) + generator.normal(0, 3, size.shape) / np.sqrt(size)
        return [ClusterSums(s, s * m, s.astype(float), np.full(n_clusters, 9.0))
                for s, m in zip(size, mean, strict=True)]

    found = [compare_clusters(t, c, "mean") for t, c in zip(draw(), draw(), strict=True)]
    assert rejected(found) == monte_carlo(0.05, 0.005)
    assert covered(found, 0.0, "rel_diff") == monte_carlo(0.95, 0.005)
