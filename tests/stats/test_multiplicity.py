"""Families of metrics: adjusted p against statsmodels, and intervals that tell the same story."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analysis.stats.means import compare_means
from analysis.stats.moments import Moments
from analysis.stats.multiplicity import benjamini_hochberg, compatible_alphas, holm

BENJAMINI_HOCHBERG_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
PVALUES = st.lists(
    st.one_of(st.floats(0, 1), st.floats(0, 0.05), st.sampled_from([0.0, 1e-300, 0.01, 0.02, 0.05, 1.0])),
    min_size=1, max_size=12)


def test_four_rejections_as_published():
    assert sum(p < 0.05 for p in benjamini_hochberg(BENJAMINI_HOCHBERG_1995)) == 4
    assert sum(p < 0.05 for p in holm(BENJAMINI_HOCHBERG_1995)) == 3


@pytest.mark.parametrize(("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
@settings(max_examples=25)  # statsmodels' Holm collects garbage, .2 s a call
@given(pvalues=PVALUES)
def test_as_statsmodels(ours, theirs, pvalues):
    assert ours(pvalues) == pytest.approx(list(multipletests(pvalues, method=theirs)[1]))


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@given(pvalues=PVALUES, alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_interval_and_adjusted_p_tell_the_same_story(adjust, pvalues, alpha):
    adjusted = adjust(pvalues)
    assume(all(abs(p - alpha) > 1e-12 for p in adjusted))
    for p, raised, level in zip(pvalues, adjusted, compatible_alphas(pvalues, adjusted, alpha), strict=True):
        assert (p < level) == (raised < alpha)
        assert alpha / len(pvalues) <= level * (1 + 1e-12) and level <= alpha * (1 + 1e-12)


def test_levels_are_bonferroni_unless_only_the_steps_reject():
    pvalues = [0.001, 0.02, 0.9]
    assert compatible_alphas(pvalues, holm(pvalues)) == pytest.approx([0.05 / 3, 0.025, 0.05 / 3])


def test_intervals_at_these_levels_leave_out_0_when_the_adjusted_p_is_small():
    arms = [(Moments(200, 1 + lift, 1.0), Moments(200, 1.0, 1.0)) for lift in (0.05, 0.2, 0.22, 0.27, 0.4)]
    pvalues = [compare_means(*pair).pvalue for pair in arms]
    adjusted = holm(pvalues)
    levels = compatible_alphas(pvalues, adjusted)
    found = [compare_means(*pair, level) for pair, level in zip(arms, levels, strict=True)]
    assert [one.diff_lower > 0 for one in found] == [p < 0.05 for p in adjusted] == [False, False, False, True, True]


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_a_metric_without_p_stays_nan_and_counts(adjust):
    adjusted = adjust([0.02, math.nan])
    assert adjusted[0] == pytest.approx(0.04) and math.isnan(adjusted[1])
    assert compatible_alphas([0.02, math.nan], adjusted) == [0.025, 0.025]


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_no_adjusted_p_is_below_its_own(adjust):
    for pvalues in np.random.default_rng(5).random((3_000, 3)):
        assert (np.array(adjust(pvalues)) >= pvalues).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_empty_family(adjust):
    assert adjust([]) == [] and compatible_alphas([], []) == []


def test_what_is_no_p_is_refused():
    with pytest.raises(ValueError, match="outside"):
        holm([0.2, 1.2])
