"""The chance of significance: the noncentral t by other routes, and shares by listing all tables."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from analysis.stats.moments import Moments
from analysis.stats.power_baseline import clustered, mean_baseline, share_baseline
from analysis.stats.power_chance import chance, crossing, degrees, errors, t_exceeds


@pytest.mark.parametrize("df", [1, 2, 3.7, 18, 126, 5_000, 1e6, 1e9])
def test_noncentral_t_as_scipy_stats(df):
    critical = stats.t.isf(0.025, df)
    for centre in (0.0, 0.01, 1.0, 2.8, 6.0, 15.0):
        assert t_exceeds(critical, centre, df) == pytest.approx(stats.nct.sf(critical, df, centre), rel=1e-9)


@pytest.mark.parametrize("df", [2, 7.5, 38, 400])
def test_noncentral_t_by_integrating_over_the_spread(df):
    """Given the estimated spread s the statistic is normal: P = E Phi(centre - critical s), df s^2 chi-square."""
    critical = stats.t.isf(0.025, df)
    for centre in (0.0, 0.5, 2.8, 5.0):
        total, _ = integrate.quad(
            lambda s, df=df, centre=centre, critical=critical: (
                2 * df * s * stats.chi2.pdf(df * s * s, df) * special.ndtr(centre - critical * s)),
            0, 6 if df > 5 else 60, points=[1], limit=500, epsabs=1e-13)
        assert t_exceeds(critical, centre, df) == pytest.approx(total, abs=1e-9)


def test_a_tiny_chance_keeps_its_digits():
    assert t_exceeds(40.0, 5.0, 30) == pytest.approx(stats.nct.sf(40.0, 30, 5.0), rel=1e-6)
    assert 0 < t_exceeds(40.0, 5.0, 30) < 1e-12


@pytest.mark.parametrize("centre", [0.0, 2.8, 9.0])
def test_many_degrees_of_freedom_are_the_normal(centre):
    assert t_exceeds(1.96, centre, 1e15) == pytest.approx(t_exceeds(1.96, centre, math.inf), rel=1e-12)


def test_without_an_effect_the_chance_is_half_of_alpha():
    for baseline in (mean_baseline(Moments(9, 5.0, 3.0)), share_baseline(0.2), clustered(share_baseline(0.2), 5, 0.1)):
        for share in (0.5, 0.8):
            assert chance(baseline, 0.0, 0.0, 200, share, 0.04) == pytest.approx(0.02, rel=1e-9)


def test_degrees_are_satterthwaites_of_users_or_clusters():
    baseline = mean_baseline(Moments(9, 5.0, 3.0))
    wanted = (3 / 90 + 3 / 30) ** 2 / ((3 / 90) ** 2 / 89 + (3 / 30) ** 2 / 29)
    assert degrees(baseline, 90, 30) == pytest.approx(wanted)
    assert degrees(baseline, 50, 50) == pytest.approx(98)
    assert degrees(clustered(baseline, 5, 0.1), 50, 50) == pytest.approx(18)
    assert degrees(share_baseline(0.2), 50, 50) == math.inf


def test_score_errors_are_pooled_under_the_null_and_apart_in_truth():
    null, truth = errors(share_baseline(0.1), 0.05, 0.0, 300, 100)
    pooled = (300 * 0.15 + 100 * 0.1) / 400
    assert null == pytest.approx(math.sqrt(pooled * (1 - pooled) * (1 / 300 + 1 / 100)))
    assert truth == pytest.approx(math.sqrt(0.15 * 0.85 / 300 + 0.1 * 0.9 / 100))


@pytest.mark.parametrize(("n_t", "n_c", "p_t", "p_c"), [
    (42, 42, 0.6, 0.3), (435, 435, 0.1, 0.05), (206, 23, 0.6, 0.3), (444, 3991, 0.05, 0.025), (547, 4918, 0.025, 0.05),
    (100, 100, 0.95, 0.8), (2348, 261, 0.1, 0.05), (2500, 2500, 0.005, 0.01)])
def test_share_by_listing_all_tables(n_t, n_c, p_t, p_c):
    """Normal against exact: within 1.2 points, although a table is discrete; 2.2 where an arm has 5 users of a kind."""
    x_t, x_c = np.arange(n_t + 1)[:, None], np.arange(n_c + 1)[None, :]
    n, pooled = n_t + n_c, (x_t + x_c) / (n_t + n_c)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_t + 1 / n_c) * n / (n - 1))  # of this package's score test
    with np.errstate(invalid="ignore", divide="ignore"):
        is_seen = math.copysign(1, p_t - p_c) * (x_t / n_t - x_c / n_c) / error > stats.norm.isf(0.025)
    exact = (stats.binom.pmf(x_t, n_t, p_t) * stats.binom.pmf(x_c, n_c, p_c) * is_seen).sum()
    found = chance(share_baseline(p_c), p_t - p_c, 0.0, n_t + n_c, n_t / (n_t + n_c), 0.05)
    assert found == pytest.approx(exact, abs=0.022 if p_t == 0.95 else 0.012)


def test_crossing_finds_the_root_from_any_first_guess_and_stops_at_the_limit():
    for guess in (1e-6, 1.0, 3.0, 50.0):
        assert crossing(lambda x: x**2 - 9, 0.0, guess) == pytest.approx(3, rel=1e-12)
    assert crossing(lambda x: x - 9, 0.0, 1.0, limit=9.0) == pytest.approx(9)
    assert crossing(lambda x: x - 9 - 1e-12, 0.0, 1.0, limit=9.0) == 9, "rounding"
    assert math.isnan(crossing(lambda x: x - 9, 0.0, 1.0, limit=8.9))
