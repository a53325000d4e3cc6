"""One effect or several? Against the z test, least squares with interactions, and by simulation of the null."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from analysis.stats.heterogeneity import heterogeneity


def test_two_segments_are_the_z_test_of_their_difference():
    found = heterogeneity([3.0, 1.0], [0.6, 0.8])
    assert found.q == pytest.approx((2 / 1.0) ** 2)
    assert found.pvalue == pytest.approx(2 * stats.norm.sf(2.0))
    assert found.pooled == pytest.approx((3 / 0.36 + 1 / 0.64) / (1 / 0.36 + 1 / 0.64))


def test_as_statsmodels_meta_analysis():
    effects, errors = np.array([0.1, 0.4, -0.2, 0.9]), np.array([0.2, 0.15, 0.3, 0.25])
    theirs = combine_effects(effects, errors**2)
    found = heterogeneity(effects, errors)
    assert found.q == pytest.approx(theirs.q) and found.i2 == pytest.approx(theirs.i2)
    assert found.pvalue == pytest.approx(stats.chi2.sf(theirs.q, 3))
    assert found.pooled == pytest.approx(theirs.mean_effect_fe)


def test_segments_without_an_effect_are_left_out_and_one_alone_is_no_test():
    assert heterogeneity([1.0, math.nan, 2.0], [1.0, 1.0, 1.0]).n_segments == 2
    for effects, errors in (([], []), ([1.0], [1.0]), ([1.0, 2.0], [0.0, 1.0])):
        found = heterogeneity(effects, errors)
        assert found.reason == "too_few_segments" and math.isnan(found.pvalue)


def test_equal_effects_scatter_not_at_all():
    found = heterogeneity([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    assert (found.q, found.pvalue, found.i2) == (0.0, 1.0, 0.0)


def test_unit_and_order_do_not_matter():
    here, there = heterogeneity([1, 2, 4], [1, 0.5, 2]), heterogeneity([4e9, 1e9, 2e9], [2e9, 1e9, 5e8])
    assert there.q == pytest.approx(here.q) and there.pooled == pytest.approx(1e9 * here.pooled)


def test_a_segment_too_many_is_refused():
    with pytest.raises(ValueError, match="2 effects and 1 errors"):
        heterogeneity([1, 2], [1])


@pytest.mark.calibration
def test_one_effect_is_called_several_at_alpha():
    generator = np.random.default_rng(31)
    errors = np.array([0.5, 1.0, 2.0, 0.8])
    alarms = [heterogeneity(1 + errors * z, errors).pvalue < 0.05 for z in generator.normal(0, 1, (5000, 4))]
    assert np.mean(alarms) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 5000))
