"""Sample ratio test: published value, exact tests by other routes, arms that were to get nobody."""

import itertools
import math

import pytest
from scipy import stats

from analysis.stats.split import split_test

HALVES = {"banner": 0.5, "no_banner": 0.5}


def test_as_published():
    """Kohavi, Tang & Xu 2020, chapter 21."""
    split = split_test({"banner": 821_588, "no_banner": 815_482}, HALVES)
    assert split.pvalue == pytest.approx(1.8e-6, abs=0.05e-6)
    assert not split.is_exact and split.n == 1_637_070


def test_many_units_as_scipy():
    counts, shares = {"a": 5200, "b": 2400, "c": 2400}, {"a": 0.5, "b": 0.25, "c": 0.25}
    theirs = stats.chisquare([5200, 2400, 2400], [5000, 2500, 2500])
    split = split_test(counts, shares)
    assert (split.statistic, split.pvalue) == pytest.approx((theirs.statistic, theirs.pvalue))


@pytest.mark.parametrize(("few", "share"), [(3, 0.5), (420, 0.5), (80, 0.1), (0, 0.01), (999, 0.999)])
def test_two_arms_below_1000_units_as_the_binomial_test(few, share):
    split = split_test({"a": few, "b": 999 - few}, {"a": share, "b": 1 - share})
    assert split.is_exact
    assert split.pvalue == pytest.approx(stats.binomtest(few, 999, share).pvalue, rel=1e-9)


def test_splits_as_likely_as_the_one_seen_count_despite_rounding():
    """Three equal arms, all splits of 30: a split and its permutations are exactly as likely as each other."""
    law = stats.multinomial(30, [1 / 3] * 3)
    likely = {split: law.pmf(split) for split in itertools.product(range(31), repeat=3) if sum(split) == 30}
    for seen, chance in likely.items():
        total = sum(other for other in likely.values() if other <= chance * (1 + 1e-9))
        split = split_test(dict(zip("abc", seen, strict=True)), dict.fromkeys("abc", 1))
        assert split.pvalue == pytest.approx(total, rel=1e-9)


def test_three_arms_below_1000_units_by_enumeration():
    counts, shares = (9, 2, 1), (0.5, 0.25, 0.25)
    law = stats.multinomial(12, shares)
    likely = law.pmf(counts)
    total = sum(
        law.pmf(split) for split in itertools.product(range(13), repeat=3)
        if sum(split) == 12 and law.pmf(split) <= likely * (1 + 1e-9))
    split = split_test(dict(zip("abc", counts, strict=True)), dict(zip("abc", shares, strict=True)))
    assert split.is_exact and split.pvalue == pytest.approx(total)


def test_too_many_splits_to_enumerate_fall_back_to_chi_square():
    arms = "abcdef"
    split = split_test(dict.fromkeys(arms, 150) | {"a": 190}, dict.fromkeys(arms, 1))
    assert not split.is_exact
    assert split.pvalue == pytest.approx(stats.chisquare([190] + [150] * 5).pvalue)


@pytest.mark.parametrize("total", [100, 1.0, 3])
def test_only_the_proportions_of_the_weights_matter(total):
    shares = {"a": 0.6 * total, "b": 0.4 * total}
    assert split_test({"a": 1300, "b": 700}, shares).pvalue == pytest.approx(
        split_test({"a": 1300, "b": 700}, {"a": 0.6, "b": 0.4}).pvalue)


def test_order_of_the_arms_does_not_matter():
    forth = split_test({"a": 30, "b": 50, "c": 20}, {"a": 0.3, "b": 0.4, "c": 0.3})
    back = split_test({"c": 20, "b": 50, "a": 30}, {"b": 0.4, "c": 0.3, "a": 0.3})
    assert forth.pvalue == pytest.approx(back.pvalue, rel=1e-9)


def test_an_arm_of_weight_0_without_units_changes_nothing():
    assert split_test({"a": 5200, "b": 4800, "off": 0}, {"a": 0.5, "b": 0.5, "off": 0}) == split_test(
        {"a": 5200, "b": 4800}, {"a": 0.5, "b": 0.5})


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.5, "off": 0}, {"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 0}])
def test_one_unit_in_an_arm_that_was_to_get_none_is_impossible(shares):
    split = split_test({"a": 500, "b": 499, "off": 1}, shares)
    assert (split.pvalue, split.reason) == (0.0, "unplanned_arm")


def test_a_planned_arm_that_got_nobody_counts():
    assert split_test({"banner": 60}, HALVES).pvalue == pytest.approx(2 * 0.5**60)


def test_a_tiny_p_is_not_zero():
    assert 0 < split_test({"banner": 60_000, "no_banner": 50_000}, HALVES).pvalue < 1e-100


@pytest.mark.parametrize(("counts", "shares", "reason"), [
    ({}, HALVES, "no_users"),
    ({"banner": 0, "no_banner": 0}, HALVES, "no_users"),
    ({"banner": 5}, {"banner": 1.0}, "one_arm"),
])
def test_no_test_and_why(counts, shares, reason):
    split = split_test(counts, shares)
    assert split.reason == reason and math.isnan(split.pvalue) and math.isnan(split.statistic)


@pytest.mark.parametrize("share", [-0.1, math.nan, math.inf])
def test_weight_that_cannot_be_is_refused(share):
    with pytest.raises(ValueError, match="planned share of arm 'a'"):
        split_test({"a": 5}, {"a": share})


def test_count_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="'banner' has -1"):
        split_test({"banner": -1, "no_banner": 5}, HALVES)
