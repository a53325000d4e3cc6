"""Normal effect and normal prior: by integration, by another package, at its limits, and beside the test."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from analysis.stats.bayes_normal import (
    NormalPrior,
    posterior_normal,
    posterior_of,
    posterior_pair,
    stop_any_time,
)
from analysis.stats.comparison import Comparison
from analysis.stats.levels import mean_level, ratio_level
from analysis.stats.means import compare_means
from analysis.stats.moments import Moments, RatioMoments
from analysis.stats.pairs import Pair, independent
from analysis.stats.proportions import compare_proportions

EFFECT, ERROR = st.floats(-1e3, 1e3), st.floats(1e-3, 1e3)
PRIOR = st.builds(NormalPrior, st.floats(-100, 100), st.floats(1e-3, 1e3) | st.just(math.inf))


def numbers(found):
    return [found.mean, found.lower, found.upper, found.chance_better, found.expected_loss, found.expected_loss_control]


def means(treatment, control):
    return independent(mean_level(treatment), mean_level(control))


# --- by another route ---

@pytest.mark.parametrize(("estimate", "error", "prior"), [
    (1.3, 0.8, NormalPrior(0.2, 0.5)), (-0.4, 2.0, NormalPrior(1.0, 3.0)), (5.0, 1.0, NormalPrior(0.0, 0.3))])
def test_as_likelihood_times_prior_integrated(estimate, error, prior):
    def total(weight):
        def integrand(x):
            return weight(x) * stats.norm.pdf(estimate, x, error) * stats.norm.pdf(x, prior.mean, prior.sd)

        return sum(integrate.quad(integrand, *ends, epsabs=1e-15)[0] for ends in ((-20, 0), (0, 1), (1, 20)))

    found, mass = posterior_normal(estimate, error, prior), total(lambda x: 1)
    assert found.mean == pytest.approx(total(lambda x: x) / mass, rel=1e-9)
    assert found.chance_better == pytest.approx(total(lambda x: x > 0) / mass, rel=1e-9)
    assert found.expected_loss == pytest.approx(total(lambda x: max(0, -x)) / mass, rel=1e-8)
    assert found.expected_loss_control == pytest.approx(total(lambda x: max(0, x)) / mass, rel=1e-9)
    assert total(lambda x: x < found.lower) / mass == pytest.approx(0.025, abs=1e-5)
    assert total(lambda x: x > found.upper) / mass == pytest.approx(0.025, abs=1e-5)


@pytest.mark.parametrize(("scale", "prior", "theirs"), [
    ("relative", NormalPrior(0, 0.3), [
        0.13178566525830906, -0.07310886886577758, 0.3366801993823957, 0.8962779937215255,
        0.005172073278097482, 0.13695773853640658]),
    ("absolute", NormalPrior(0.5, 2.0), [
        1.7121212121212122, -1.1013700936216948, 4.5256125178641184, 0.8835096786138097,
        0.08174460990866313, 1.7938658220298749]),
    ("relative", NormalPrior(), [
        0.15, -0.0685958516573234, 0.36859585165732334, 0.9106749557793881,
        0.004611672273338937, 0.1546116722733389]),
])
def test_as_growthbook(scale, prior, theirs):
    """gbstats 0.8.0, EffectBayesianABTest on the same moments: 500 users of mean 23, 400 of mean 20."""
    found = posterior_pair(means(Moments(500, 23.0, 1000.0), Moments(400, 20.0, 900.0)), prior, scale)
    assert numbers(found) == pytest.approx(theirs, rel=1e-9)


def test_relative_error_as_the_jackknife_where_the_two_levels_hang_together():
    generator = np.random.default_rng(3)
    control = generator.gamma(4, 5, 3000)
    treatment = 0.6 * control + generator.gamma(4, 3, 3000)
    n, cov = len(control), np.cov(treatment, control) / len(control)
    pair = Pair(n, n, treatment.mean(), control.mean(), cov[0, 0], cov[1, 1], cov[0, 1], n - 1)
    without_one = (treatment.sum() - treatment) / (control.sum() - control)
    found = posterior_pair(pair, scale="relative")
    error = math.sqrt((n - 1) * np.var(without_one))
    assert (found.upper - found.lower) / 2 == pytest.approx(stats.norm.isf(0.025) * error, rel=1e-3)


@pytest.mark.parametrize(("z", "loss"), [  # of mpmath, 30 digits
    (0, 0.398942280401433), (1, 0.0833154705876863), (10, 7.47456025458933e-25), (25, 1.21879704629904e-139),
    (37, 1.5451991905122e-301)])
def test_expected_loss_keeps_its_digits_in_the_tail(z, loss):
    assert posterior_normal(z, 1.0).expected_loss == pytest.approx(loss, rel=1e-11)
    assert posterior_normal(-z, 1.0).expected_loss_control == pytest.approx(loss, rel=1e-11)


def test_a_tiny_chance_is_not_zero():
    assert posterior_normal(-20.0, 1.0).chance_better == pytest.approx(stats.norm.sf(20), rel=1e-12)


# --- properties ---

@given(EFFECT, ERROR)
def test_a_flat_prior_says_what_the_z_test_says(estimate, error):
    found = posterior_normal(estimate, error)
    assert found.chance_better == pytest.approx(stats.norm.sf(-estimate / error), rel=1e-9)
    assert (found.lower, found.upper) == pytest.approx(stats.norm.interval(0.95, estimate, error), rel=1e-9, abs=1e-9)


@given(EFFECT, ERROR, PRIOR)
def test_swapped_arms_mirror_everything(estimate, error, prior):
    here = posterior_normal(estimate, error, prior)
    there = posterior_normal(-estimate, error, NormalPrior(-prior.mean, prior.sd))
    assert numbers(there) == pytest.approx(
        [-here.mean, -here.upper, -here.lower, 1 - here.chance_better, here.expected_loss_control, here.expected_loss],
        rel=1e-12, abs=1e-15)


@given(EFFECT, ERROR, PRIOR)
def test_where_lower_is_better_only_chance_and_losses_turn(estimate, error, prior):
    higher = posterior_normal(estimate, error, prior)
    lower = posterior_normal(estimate, error, prior, better="lower")
    assert numbers(lower) == pytest.approx(
        [higher.mean, higher.lower, higher.upper, 1 - higher.chance_better, higher.expected_loss_control,
         higher.expected_loss], rel=1e-12, abs=1e-15)


@given(EFFECT, ERROR, PRIOR, st.sampled_from([2.0**-200, 2.0**-20, 2.0**20, 2.0**200]))
def test_unit_does_not_matter(estimate, error, prior, unit):
    here = posterior_normal(estimate, error, prior)
    there = posterior_normal(estimate * unit, error * unit, NormalPrior(prior.mean * unit, prior.sd * unit))
    assert there.chance_better == pytest.approx(here.chance_better, rel=1e-9)
    assert there.upper == pytest.approx(here.upper * unit, rel=1e-9, abs=1e-12 * unit)
    assert there.expected_loss == pytest.approx(here.expected_loss * unit, rel=1e-9, abs=1e-12 * unit)


@given(EFFECT, ERROR, PRIOR)
def test_the_losses_differ_by_the_mean_and_the_posterior_lies_between_prior_and_data(estimate, error, prior):
    found = posterior_normal(estimate, error, prior)
    assert found.expected_loss_control - found.expected_loss == pytest.approx(found.mean, rel=1e-9, abs=1e-9)
    if math.isfinite(prior.sd):
        ends = sorted([estimate, prior.mean])
        assert ends[0] - 1e-9 <= found.mean <= ends[1] + 1e-9
    assert found.upper - found.lower <= 2 * 1.96 * min(error, prior.sd) * (1 + 1e-9)


def test_a_prior_that_knows_all_is_returned_and_a_wide_one_is_flat():
    sure, vague = posterior_normal(3.0, 1.0, NormalPrior(0.2, 1e-9)), posterior_normal(3.0, 1.0, NormalPrior(9.0, 1e9))
    assert (sure.mean, sure.upper - sure.lower) == pytest.approx((0.2, 2 * 1.959964e-9), rel=1e-6)
    assert numbers(vague) == pytest.approx(numbers(posterior_normal(3.0, 1.0)), rel=1e-9)
    certain = posterior_normal(3.0, 1e-300, NormalPrior(9.0, 1e-320))
    assert certain.mean == pytest.approx(9.0) and certain.chance_better == 1


def test_an_effect_beyond_all_doubt_has_no_loss_and_no_nan():
    assert numbers(posterior_normal(1e300, 1e-300))[3:] == [1.0, 0.0, 1e300]
    assert numbers(posterior_normal(-1e300, 1e-300))[3:] == [0.0, 1e300, 0.0]


# --- of a comparison ---

def near_the_border(seed):
    """Comparisons of all kinds, significant and not, many of them nearly either."""
    generator = np.random.default_rng(seed)
    for _ in range(1500):
        n = [int(3 + 10 ** generator.uniform(0, 4)) for _ in range(2)]
        mean = 10 ** generator.uniform(-3, 5)
        var = [(mean * 10 ** generator.uniform(-2, 1)) ** 2 for _ in range(2)]
        error = math.sqrt(var[0] / n[0] + var[1] / n[1])
        yield compare_means(
            Moments(n[0], mean + generator.normal(0, 2) * error, var[0]), Moments(n[1], mean, var[1]))
        share = 10 ** generator.uniform(-2, -0.1)
        x_t, x_c = int(generator.binomial(n[0], min(share * generator.uniform(0.7, 1.4), 1))), int(
            generator.binomial(n[1], share))
        yield compare_proportions(x_t, n[0], x_c, n[1], 0.1)


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_with_a_flat_prior_the_interval_leaves_out_0_exactly_when_p_is_below_alpha(scale):
    counts = {"yes": 0, "no": 0, "none": 0}
    for comparison in near_the_border(5):
        found = posterior_of(comparison, scale=scale)
        if found.reason or math.isnan(comparison.pvalue):
            counts["none"] += 1
            continue
        is_significant = comparison.pvalue < comparison.alpha
        assert (found.lower > 0 or found.upper < 0) == is_significant
        assert (max(found.chance_better, 1 - found.chance_better) > 1 - comparison.alpha / 2) == is_significant
        counts["yes" if is_significant else "no"] += 1
    assert min(counts["yes"], counts["no"]) > 500


def test_a_comparison_of_many_users_and_its_moments_say_the_same():
    moments = Moments(50_000, 10.4, 900.0), Moments(40_000, 10.0, 800.0)
    for scale in ("absolute", "relative"):
        read = posterior_of(compare_means(*moments), NormalPrior(0.0, 0.3), scale)
        own = posterior_pair(means(*moments), NormalPrior(0.0, 0.3), scale)
        assert numbers(read)[:3] == pytest.approx(numbers(own)[:3], abs=0.02 * (own.upper - own.lower))
        assert read.chance_better == pytest.approx(own.chance_better, abs=3e-3)


def test_few_users_widen_the_error_by_t_over_z():
    comparison = compare_means(Moments(6, 3.0, 2.0), Moments(6, 1.0, 2.0))
    found = posterior_of(comparison)
    assert (found.lower, found.upper) == pytest.approx((comparison.diff_lower, comparison.diff_upper), rel=1e-12)


def test_no_difference_at_all_is_a_toss_up():
    found = posterior_of(compare_proportions(7, 100, 7, 100))
    assert found.chance_better == 0.5 and found.expected_loss == found.expected_loss_control > 0
    assert posterior_of(compare_proportions(0, 100, 0, 80)).chance_better == 0.5  # no p, yet an interval


def test_ratios_of_sums_are_levels_too():
    pair = independent(
        ratio_level(RatioMoments(500, 30.0, 2.0, 900.0, 2.0, 20.0)), ratio_level(RatioMoments(400, 28, 2, 900, 2, 20)))
    assert posterior_pair(pair).mean == pytest.approx(1.0)


# --- what cannot be said ---

@pytest.mark.parametrize(("treatment", "control", "scale", "reason"), [
    (Moments(1, 1.0, math.nan), Moments(9, 1.0, 1.0), "absolute", "too_few_users"),
    (Moments(9, math.inf, 1.0), Moments(9, 1.0, 1.0), "relative", "bad_moments"),
    (Moments(9, 2.0, 0.0), Moments(9, 1.0, 0.0), "absolute", "zero_variance"),
    (Moments(9, 1.0, 1.0), Moments(9, 0.0, 0.0), "relative", "zero_control"),
    (Moments(9, 1.0, 1.0), Moments(9, -2.0, 1.0), "relative", "negative_control"),
    (Moments(9, 1.0, 1.0), Moments(9, 0.1, 1.0), "relative", "unbounded"),
])
def test_the_reason_is_the_comparisons(treatment, control, scale, reason):
    for found in (posterior_of(compare_means(treatment, control), scale=scale),
                  posterior_pair(means(treatment, control), scale=scale)):
        assert found.reason == reason and all(map(math.isnan, numbers(found)))
        assert (found.kind, found.scale, found.prior_sd, found.alpha) == ("normal", scale, math.inf, 0.05)


def test_a_control_that_never_converts_has_no_relative_posterior():
    comparison = compare_proportions(5, 100, 0, 100)
    assert posterior_of(comparison, scale="relative").reason == "zero_control"
    assert posterior_of(comparison).chance_better > 0.95
    assert posterior_of(Comparison.missing("mean", "empty_arm"), scale="relative").reason == "empty_arm"


@pytest.mark.parametrize(("arguments", "message"), [
    ((math.nan, 1.0), "effect nan with standard error 1.0"),
    ((1.0, 0.0), "the error above 0"),
    ((1.0, -1.0), "the error above 0"),
    ((1.0, math.inf), "must be finite"),
    ((1.0, 1.0, NormalPrior(0.0, 0.0)), "the sd above 0"),
    ((1.0, 1.0, NormalPrior(math.inf, 1.0)), "the mean must be finite"),
    ((1.0, 1.0, NormalPrior(0.0, math.nan)), "the sd above 0"),
    ((1.0, 1.0, NormalPrior(), "percent"), "scale is 'percent'; it must be 'absolute' or 'relative'"),
    ((1.0, 1.0, NormalPrior(), "absolute", "up"), "better is 'up'; it must be 'higher' or 'lower'"),
    ((1.0, 1.0, NormalPrior(), "absolute", "higher", 1.0), "alpha is 1.0"),
])
def test_what_cannot_be_meant_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        posterior_normal(*arguments)


def test_a_wrong_scale_is_refused_even_where_there_is_nothing_to_say():
    with pytest.raises(ValueError, match="scale is 'percent'"):
        posterior_of(Comparison.missing("mean", "empty_arm"), scale="percent")


# --- stopping any time ---

def test_stopping_any_time_at_95_percent_fires_in_43_percent_of_runs_without_effect():
    assert stop_any_time(21) == pytest.approx(0.4288, abs=5e-5)
    assert stop_any_time(1) == pytest.approx(0.10, abs=1e-12)


@pytest.mark.parametrize(("looks", "published"), [(2, 0.083), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_looks_at_1_96_as_published(looks, published):
    """Armitage, McPherson & Rowe (1969), JRSS A 132:235: 97.5 % is |z| = 1.96."""
    assert stop_any_time(looks, 0.975) == pytest.approx(published, abs=5.1e-4)


def test_more_looks_and_lower_thresholds_fire_more_often():
    assert np.all(np.diff([stop_any_time(looks) for looks in range(1, 30)]) > 0)
    assert np.all(np.diff([stop_any_time(10, threshold) for threshold in (0.999, 0.99, 0.95, 0.9, 0.7, 0.51)]) > 0)


@pytest.mark.parametrize(("looks", "threshold", "message"), [
    (0, 0.95, "looks is 0"), (2.5, 0.95, "looks is 2.5"), (math.nan, 0.95, "looks is nan"),
    (5, 0.5, "threshold is 0.5"), (5, 1.0, "threshold is 1.0"), (5, math.nan, "threshold is nan")])
def test_looks_and_thresholds_that_cannot_be_are_refused(looks, threshold, message):
    with pytest.raises(ValueError, match=message):
        stop_any_time(looks, threshold)
