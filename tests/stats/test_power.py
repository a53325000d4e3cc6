"""Power, smallest effect and users: published values, statsmodels, and that they undo each other."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from analysis.stats.comparison import ALPHA, POWER
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.power import mde, power, users
from analysis.stats.power_baseline import clustered, cuped, mean_baseline, ratio_baseline, share_baseline

UNIT = mean_baseline(Moments(100, 0.0, 1.0))
REVENUE = mean_baseline(Moments(1000, 20.0, 800.0))
PER_ORDER = ratio_baseline(RatioMoments(1000, 40.0, 2.0, 900.0, 3.0, 30.0))

MEANS = st.builds(
    lambda mean, spread: mean_baseline(Moments(9, mean, (mean * spread) ** 2)),
    st.floats(1e-3, 1e5), st.floats(0.05, 20))
SHARES = st.builds(share_baseline, st.floats(0.001, 0.999))
RATIOS = st.builds(
    lambda mean, orders, var: ratio_baseline(RatioMoments(9, mean, orders, mean**2, var, 0.3 * mean * var**0.5)),
    st.floats(0.1, 1e3), st.floats(0.01, 20), st.floats(0.01, 20))
PLAIN = MEANS | SHARES | RATIOS
BASELINES = PLAIN | st.builds(cuped, PLAIN, st.floats(0, 0.95)) | st.builds(
    clustered, PLAIN, st.floats(1, 500), st.floats(0, 0.4), st.floats(0, 1.5))
SPLITS = st.floats(0.02, 0.98)


# --- published values ---

def test_half_a_standard_deviation_as_r_pwr():
    """pwr.t.test(d = .5, power = .8): n = 63.77."""
    found = users(UNIT, effect=0.5)
    assert (found.n_treatment, found.n_control) == pytest.approx((63.77, 63.77), abs=0.005)


def test_means_as_r_power_t_test():
    """power.t.test(n = 20, delta = 1): power .8689528; (power = .9, delta = 1): n = 22.02110."""
    assert power(UNIT, 40, effect=1.0).power == pytest.approx(0.8689528, abs=5e-8)
    assert users(UNIT, effect=1.0, power=0.9).n_control == pytest.approx(22.02110, abs=5e-6)


def test_shares_as_r_power_prop_test():
    """From its help page: n = 50, .50 vs .75: .740; at 90 %: n = 76.7; n = 50 at 90 %: p2 = .8026."""
    half = share_baseline(0.5)
    assert power(half, 100, effect=0.25).power == pytest.approx(0.740, abs=5e-4)
    assert users(half, effect=0.25, power=0.9).n_control == pytest.approx(76.7, abs=0.05)
    assert 0.5 + mde(half, 100, power=0.9).effect == pytest.approx(0.8026, abs=5e-5)
    assert users(share_baseline(0.1), rel_effect=0.1).n_control == pytest.approx(14750.8, abs=0.05)


def test_no_share_above_a_high_one_is_seen_with_few_users():
    """The same page: from .9 even 1 needs 74 users per arm, so 30 have no p2."""
    assert mde(share_baseline(0.9), 60).reason == "out_of_reach"
    assert math.ceil(users(share_baseline(0.9), effect=0.1).n_control) == 74


# --- other routes ---

@pytest.mark.parametrize("d", [0.02, 0.3, 1.2])
@pytest.mark.parametrize(("alpha", "wished"), [(0.05, 0.8), (0.01, 0.9), (0.1, 0.5)])
def test_equal_arms_as_statsmodels(d, alpha, wished):
    theirs = TTestIndPower().solve_power(d, None, alpha / 2, wished, alternative="larger")
    found = users(UNIT, effect=d, alpha=alpha, power=wished)
    assert found.n_control == pytest.approx(theirs, rel=1e-6)
    two_sided = TTestIndPower().power(d, found.n_control, alpha)
    assert 0 <= two_sided - found.power < 1e-3, "the tail on the wrong side"


@pytest.mark.parametrize("share", [0.9, 0.3, 0.02])
def test_unequal_arms_of_many_users_as_statsmodels(share):
    theirs = NormalIndPower().solve_power(0.05, None, 0.025, 0.8, ratio=share / (1 - share), alternative="larger")
    assert users(UNIT, effect=0.05, share=share).n_control == pytest.approx(theirs, rel=0.02)
    pooled = TTestIndPower().power(0.05, 20_000 * (1 - share), 0.025, share / (1 - share), alternative="larger")
    assert power(UNIT, 20_000, effect=0.05, share=share).power == pytest.approx(pooled, abs=0.003)


@pytest.mark.parametrize(("share", "effect", "treated"), [(0.1, 0.01, 0.5), (0.3, 0.05, 0.8), (0.02, -0.005, 0.9)])
def test_shares_as_statsmodels(share, effect, treated):
    side = "larger" if effect > 0 else "smaller"
    theirs = power_proportions_2indep(effect, share, 4000 * treated, (1 - treated) / treated, 0.025, alternative=side)
    found = power(share_baseline(share), 4000, effect=effect, share=treated)
    assert found.power == pytest.approx(theirs.power, abs=1e-9)


def test_the_effect_that_a_comparison_calls_detectable_is_the_plans():
    """`Comparison.detectable` is the quick formula: the same to a thousandth from 60 users per arm."""
    found = compare_means(Moments(90, 21.0, 800.0), Moments(60, 20.0, 800.0)).detectable
    assert mde(REVENUE, 150, share=0.6).effect == pytest.approx(found, rel=2e-3)


def test_clusters_of_constant_users_are_planned_as_users():
    """Where the users of a cluster are all alike, 10 clusters of 50 know no more than 10 users."""
    found = mde(clustered(REVENUE, 50, 1.0), 1000)
    assert found.effect == pytest.approx(mde(REVENUE, 20).effect)
    assert (found.clusters_treatment, found.clusters_control) == (10, 10)


def test_cuped_with_half_the_variance_needs_half_the_users():
    adjusted, raw = users(cuped(REVENUE, 0.5), rel_effect=0.02), users(REVENUE, rel_effect=0.02)
    assert adjusted.n == pytest.approx(raw.n / 2, rel=1e-4)


def test_a_stricter_level_for_several_comparisons_needs_more_users():
    one, four = users(REVENUE, rel_effect=0.05), users(REVENUE, rel_effect=0.05, alpha=0.05 / 4)
    wanted = ((2.4977054 + 0.8416212) / (1.9599640 + 0.8416212)) ** 2
    assert four.n / one.n == pytest.approx(wanted, rel=1e-3)


# --- inverses ---

@settings(max_examples=600)
@given(BASELINES, st.floats(0.002, 1), st.booleans(), SPLITS, st.sampled_from([0.5, 0.8, 0.95]),
       st.sampled_from([0.01, 0.05, 0.1]))
def test_users_power_and_mde_undo_each_other(baseline, size, is_higher, share, wished, alpha):
    """A wished power below a half is left out: the score test of unequal arms may then lose power as effects grow."""
    room = (1 - baseline.value if is_higher else baseline.value) if baseline.kind == "proportion" else baseline.value
    effect, options = (size if is_higher else -size) * room, {"share": share, "alpha": alpha}
    planned = users(baseline, effect=effect, power=wished, **options)
    assert power(baseline, planned.n, effect=effect, **options).power == pytest.approx(planned.power, abs=1e-6)
    assert planned.power >= wished - 1e-9
    if planned.power < wished + 1e-9:  # not held up by the fewest users that can be tested
        better = "higher" if is_higher else "lower"
        back = mde(baseline, planned.n, power=wished, better=better, **options)
        assert back.effect == pytest.approx(effect, rel=1e-6)
        assert users(baseline, effect=back.effect, power=wished, **options).n == pytest.approx(planned.n, rel=1e-6)


@given(BASELINES, st.floats(50, 1e7), SPLITS, st.sampled_from(["higher", "lower"]))
def test_mde_is_seen_with_the_wished_power(baseline, n, share, better):
    found = mde(baseline, n, share=share, better=better)
    if not found.reason:
        assert power(baseline, n, effect=found.effect, share=share).power == pytest.approx(POWER, abs=1e-6)
        assert (found.effect > 0) == (better == "higher")


@given(BASELINES, st.floats(0.01, 0.2), SPLITS)
def test_relative_and_absolute_effects_are_the_same_plan(baseline, rel, share):
    rel = -rel if baseline.value > 0.8 else rel
    here = users(baseline, rel_effect=rel, share=share)
    assert asdict(here) == asdict(users(baseline, effect=rel * baseline.value, share=share))
    assert here.rel_effect == pytest.approx(rel) and here.effect == pytest.approx(rel * baseline.value)


@given(st.floats(0.05, 20), st.floats(0.01, 0.5), SPLITS, st.sampled_from([1e-6, 0.01, 100.0, 2.0**20]))
def test_unit_of_the_metric_does_not_matter(spread, rel, share, unit):
    here, there = (
        users(mean_baseline(Moments(9, 5.0 * scale, (5.0 * scale * spread) ** 2)), rel_effect=rel, share=share)
        for scale in (1.0, unit))
    assert there.n == pytest.approx(here.n, rel=1e-9)
    assert there.effect == pytest.approx(here.effect * unit, rel=1e-9)


@given(MEANS | RATIOS, st.floats(0.01, 0.5), SPLITS)
def test_swapped_arms_and_signs_need_the_same_users(baseline, rel, share):
    here = users(baseline, rel_effect=rel, share=share)
    there = users(baseline, rel_effect=-rel, share=1 - share)
    assert (here.n_treatment, here.n_control) == pytest.approx((there.n_control, there.n_treatment), rel=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.9), SPLITS)
def test_swapped_shares_need_the_same_users(share, size, split):
    """Who converts and who does not may change places, and so may the arms."""
    effect = size * (1 - share)
    here = users(share_baseline(share), effect=effect, share=split)
    assert users(share_baseline(1 - share), effect=-effect, share=split).n == pytest.approx(here.n, rel=1e-6)
    arms = users(share_baseline(share + effect), effect=-effect, share=1 - split)
    assert arms.n == pytest.approx(here.n, rel=1e-6)


def test_more_users_more_power():
    for baseline in (REVENUE, share_baseline(0.1), PER_ORDER, clustered(REVENUE, 20, 0.05)):
        found = [power(baseline, n, rel_effect=0.1, share=0.7).power for n in np.geomspace(400, 1e6, 40)]
        assert np.all(np.diff(found) >= 0) and found[0] < 0.4 and found[-1] > 0.999


# --- what cannot be ---

@pytest.mark.parametrize("call", [
    lambda baseline: power(baseline, 500, effect=0.1),
    lambda baseline: mde(baseline, 500),
    lambda baseline: users(baseline, effect=0.1),
])
@pytest.mark.parametrize(("baseline", "reason"), [
    (mean_baseline(Moments(9, 2.0, 0.0)), "zero_variance"),
    (mean_baseline(Moments(1, 2.0, math.nan)), "too_few_users"),
    (ratio_baseline(RatioMoments(9, 2.0, 0.0, 1.0, 0.0, 0.0)), "zero_denominator"),
    (share_baseline(0.0), "zero_variance"),
])
def test_a_past_that_cannot_be_planned_with_gives_its_reason(call, baseline, reason):
    found = call(baseline)
    assert (found.reason, found.rel_reason) == (reason, reason)
    assert math.isnan(found.power) and math.isnan(found.rel_effect)


def test_too_few_users_and_clusters():
    assert power(REVENUE, 3.9, effect=1.0).reason == mde(REVENUE, 0).reason == "too_few_users"
    assert power(REVENUE, 4, effect=1.0).reason == ""
    assert mde(REVENUE, 19, share=0.9).reason == "too_few_users"
    assert mde(clustered(REVENUE, 50, 0.1), 499).reason == "too_few_clusters"
    assert mde(clustered(REVENUE, 50, 0.1), 500).reason == ""


def test_never_fewer_than_two_users_or_five_clusters_an_arm():
    """Which is what the comparison refuses: `mean_level` and `cluster_level`."""
    found = users(UNIT, effect=30.0)
    assert (found.n_treatment, found.n_control) == (2, 2) and found.power > 0.99
    found = users(clustered(REVENUE, 30, 0.01), effect=50.0)
    assert (found.clusters_treatment, found.clusters_control) == (5, 5) and found.power > 0.99


def test_without_an_effect_the_power_is_half_of_alpha():
    assert power(REVENUE, 500, effect=0.0).power == pytest.approx(ALPHA / 2)


@pytest.mark.parametrize(("value", "rel_reason"), [(0.0, "zero_control"), (-5.0, "negative_control")])
def test_a_control_that_is_not_positive_has_no_relative_effect(value, rel_reason):
    baseline = mean_baseline(Moments(9, value, 1.0))
    found = users(baseline, effect=0.5)
    assert (found.reason, found.rel_reason) == ("", rel_reason) and math.isnan(found.rel_effect)
    assert users(baseline, rel_effect=0.5).reason == rel_reason


@pytest.mark.parametrize(("call", "message"), [
    (lambda: users(REVENUE, effect=1.0, share=0.0), "share of users in treatment is 0.0"),
    (lambda: users(REVENUE, effect=1.0, share=1), "share of users in treatment is 1"),
    (lambda: users(REVENUE, effect=1.0, power=0.05), r"power is 0\.05; it must lie between alpha \(0\.05\)"),
    (lambda: users(REVENUE, effect=1.0, power=1.0), "power is 1.0"),
    (lambda: users(REVENUE, effect=1.0, alpha=0.0), "alpha is 0.0"),
    (lambda: users(REVENUE, effect=0.0), "effect is 0.0; more than 1e"),
    (lambda: users(REVENUE, effect=1e-300), "effect is 1e-300"),
    (lambda: users(REVENUE), "effect is None and rel_effect None; give one"),
    (lambda: users(REVENUE, effect=1.0, rel_effect=0.1), "give one of them"),
    (lambda: users(REVENUE, effect=math.nan), "effect is nan"),
    (lambda: users(REVENUE, rel_effect=math.inf), "effect is inf"),
    (lambda: users(share_baseline(0.9), rel_effect=0.2), "takes a share of 0.9 to 1.08"),
    (lambda: power(share_baseline(0.1), 90, effect=-0.2), "takes a share of 0.1 to -0.1"),
    (lambda: power(REVENUE, -1, effect=1.0), "n is -1"),
    (lambda: mde(REVENUE, math.nan), "n is nan"),
    (lambda: mde(REVENUE, math.inf), "n is inf"),
    (lambda: mde(REVENUE, 90, better="up"), "better is 'up'"),
    (lambda: mde(REVENUE, -9, share=2, alpha=7, better=""), "is 2; .*alpha is 7; .*n is -9; .*power is .*better is"),
])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
