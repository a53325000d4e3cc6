"""Users to show that a margin holds: closed form, all tables listed, and that the three plans undo each other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.noninferiority import noninferiority_proportions
from analysis.stats.power import power
from analysis.stats.power_baseline import clustered, cuped, mean_baseline, ratio_baseline, share_baseline
from analysis.stats.power_guardrail import noninferiority_margin, noninferiority_power, noninferiority_users

REVENUE = mean_baseline(Moments(1000, 20.0, 800.0))
BASELINES = st.sampled_from([
    REVENUE, share_baseline(0.2), share_baseline(0.004), share_baseline(0.97), cuped(REVENUE, 0.6),
    clustered(REVENUE, 40, 0.03, 0.6), clustered(share_baseline(0.1), 200, 0.01),
    ratio_baseline(RatioMoments(1000, 40.0, 2.0, 900.0, 3.0, 30.0))])


@pytest.mark.parametrize(("better", "ratio"), [("higher", 0.98), ("lower", 1.02)])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_means_of_many_users_by_the_normal_formula(better, ratio, share):
    reach = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    wanted = reach**2 * 800 * (1 / share + ratio**2 / (1 - share)) / (0.02 * 20) ** 2
    assert noninferiority_users(REVENUE, margin=0.02, better=better, share=share).n == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(("share", "margin", "better", "n_t", "n_c"), [
    (0.5, 0.3, "higher", 180, 180), (0.1, 0.8, "lower", 260, 260), (0.8, 0.1, "higher", 350, 150),
    (0.3, 0.4, "higher", 80, 320), (0.6, 0.2, "lower", 200, 200)])
def test_share_by_listing_all_tables(share, margin, better, n_t, n_c):
    """The exact chance of p < alpha / 2, of `noninferiority_proportions` itself, on the likely tables."""
    x_t, x_c = (np.arange(stats.binom.ppf(1e-6, n, share), stats.binom.isf(1e-6, n, share) + 1, dtype=int)
                for n in (n_t, n_c))
    is_held = [[noninferiority_proportions(int(t), n_t, int(c), n_c, margin, better) < 0.025 for c in x_c] for t in x_t]
    exact = (stats.binom.pmf(x_t, n_t, share)[:, None] * stats.binom.pmf(x_c, n_c, share) * is_held).sum()
    plan = noninferiority_power(
        share_baseline(share), n_t + n_c, margin=margin, better=better, share=n_t / (n_t + n_c))
    assert 0.3 < exact < 0.95
    assert plan.power == pytest.approx(exact, abs=0.02)


@given(BASELINES, st.floats(0.01, 0.5), st.sampled_from(["higher", "lower"]), st.floats(0.05, 0.95),
       st.sampled_from([0.5, 0.8, 0.95]))
def test_users_power_and_margin_undo_each_other(baseline, margin, better, share, wished):
    planned = noninferiority_users(baseline, margin=margin, better=better, share=share, power=wished)
    back = noninferiority_power(baseline, planned.n, margin=margin, better=better, share=share)
    assert back.power == pytest.approx(planned.power, abs=1e-6)
    if planned.power < wished + 1e-9:
        found = noninferiority_margin(baseline, planned.n, better=better, share=share, power=wished)
        assert found.margin == pytest.approx(margin, rel=1e-6)


def test_a_plan_for_a_guardrail_has_no_effect_and_its_margin():
    plan = noninferiority_users(REVENUE, margin=0.02, better="higher")
    assert (plan.effect, plan.rel_effect, plan.margin, plan.power) == (0.0, 0.0, 0.02, pytest.approx(0.8))


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_small_margin_needs_the_users_of_an_effect_as_large(better):
    shown = noninferiority_power(REVENUE, 500_000, margin=0.01, better=better).power
    assert shown == pytest.approx(power(REVENUE, 500_000, rel_effect=0.01).power, abs=0.01)


@given(BASELINES, st.sampled_from(["higher", "lower"]), st.floats(0.1, 0.9))
def test_more_users_show_more(baseline, better, share):
    found = [noninferiority_power(baseline, n, margin=0.1, better=better, share=share).power
             for n in np.geomspace(20_000, 1e8, 30)]
    assert np.all(np.diff(found) >= 0)


@pytest.mark.parametrize(("baseline", "n", "reason"), [
    (mean_baseline(Moments(9, 0.0, 1.0)), 900, "zero_control"),
    (mean_baseline(Moments(9, -2.0, 1.0)), 900, "negative_control"),
    (mean_baseline(Moments(9, 2.0, 0.0)), 900, "zero_variance"),
    (REVENUE, 3, "too_few_users"),
    (clustered(REVENUE, 300, 0.1), 900, "too_few_clusters"),
    (mean_baseline(Moments(9, 1.0, 1e6)), 900, "out_of_reach"),
    (share_baseline(0.01), 40, "out_of_reach"),
])
@pytest.mark.parametrize("better", ["higher", "lower"])
def test_no_margin_and_why(baseline, n, reason, better):
    found = noninferiority_margin(baseline, n, better=better)
    assert found.reason == reason and math.isnan(found.margin) and math.isnan(found.power)


def test_no_users_and_no_power_and_why():
    for value, reason in ((0.0, "zero_control"), (-2.0, "negative_control")):
        baseline = mean_baseline(Moments(9, value, 1.0))
        assert noninferiority_users(baseline, margin=0.1, better="higher").reason == reason
        assert noninferiority_power(baseline, 900, margin=0.1, better="higher").reason == reason


@pytest.mark.parametrize(("call", "message"), [
    (lambda: noninferiority_users(REVENUE, margin=0.0, better="higher"), "margin is 0.0"),
    (lambda: noninferiority_users(REVENUE, margin=1.0, better="higher"), "margin is 1.0"),
    (lambda: noninferiority_power(REVENUE, 90, margin=-0.1, better="lower"), "margin is -0.1"),
    (lambda: noninferiority_users(REVENUE, margin=math.nan, better="lower"), "margin is nan"),
    (lambda: noninferiority_users(REVENUE, margin=0.1, better="more"), "better is 'more'"),
    (lambda: noninferiority_margin(REVENUE, 90, better="higher", power=0.01), "power is 0.01"),
    (lambda: noninferiority_users(REVENUE, margin=1e-12, better="higher"), "more than 1e"),
])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
