"""Group sequential bounds: published constants, other people's integration, and the law for every kind of interval."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from analysis.stats import spending as module
from analysis.stats.spending import boundaries, crossing_probability, group_sequential, obrien_fleming, pocock
from tests.stats.test_always_valid import comparisons, leaves_out_zero

FIFTHS = [0.2, 0.4, 0.6, 0.8, 1.0]
UNEVEN = [0.15, 0.4, 0.45, 0.8, 0.95]
BOTH = pytest.mark.parametrize("spending", [obrien_fleming, pocock])
LOOKS = st.lists(st.integers(1, 60), min_size=1, max_size=6, unique=True).map(lambda k: [i / 60 for i in sorted(k)])


def equal_looks(count):
    return [k / count for k in range(1, count + 1)]


def test_obrien_fleming_bounds_of_lan_and_demets():
    """Five equal looks at .05, as R's ldbounds prints them."""
    assert boundaries(FIFTHS) == pytest.approx([4.87688, 3.35701, 2.68028, 2.28982, 2.03103], abs=6e-6)


def test_constants_of_pocock_and_of_obrien_and_fleming():
    """Jennison & Turnbull 2000, tables 2.1 and 2.3: five looks at .05, from the chance to cross."""
    def excess(constant, power):
        return crossing_probability([constant * t**power for t in FIFTHS], FIFTHS) - 0.05

    assert optimize.brentq(excess, 1, 5, args=(0,)) == pytest.approx(2.4132, abs=5e-5)
    assert optimize.brentq(excess, 1, 5, args=(-0.5,)) == pytest.approx(2.0401, abs=5e-5)


@pytest.mark.parametrize(("count", "rate"), [(1, 0.05), (2, 0.083), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_naive_looks_at_196(count, rate):
    """Armitage, McPherson & Rowe (1969), table 2."""
    assert crossing_probability([1.96] * count, equal_looks(count)) == pytest.approx(rate, abs=5e-4)


@pytest.mark.parametrize(("drift", "theirs"), [
    (0.0, 0.0495505285), (1.5, 0.2916938566), (2.8, 0.7568468697), (-2.8, 0.7568468697)])
def test_uneven_looks_as_gsdesign_integrates_them(drift, theirs):
    """gsdesign 0.1.5 (Python), h1 and hupdate on the grid of Jennison & Turnbull (2000), chapter 19, r = 120."""
    assert crossing_probability([3.1, 2.7, 2.9, 2.2, 2.1], UNEVEN, drift) == pytest.approx(theirs, abs=1e-8)


def test_two_looks_by_integrating_the_bivariate_normal():
    bounds, corr = [2.3, 2.1], math.sqrt(0.3 / 0.9)
    law = stats.multivariate_normal([0, 0], [[1, corr], [corr, 1]])
    inside, _ = integrate.dblquad(lambda y, x: law.pdf([x, y]), -bounds[0], bounds[0], -bounds[1], bounds[1])
    assert crossing_probability(bounds, [0.3, 0.9]) == pytest.approx(1 - inside, abs=1e-8)


def test_by_simulated_paths():
    draw = np.random.default_rng(3)
    steps = draw.normal(0, np.sqrt(np.diff([0, *UNEVEN])), (200_000, 5))
    z = (steps.cumsum(1) + 2.0 * np.array(UNEVEN)) / np.sqrt(UNEVEN)
    crossed = (np.abs(z) >= [3.1, 2.7, 2.9, 2.2, 2.1]).any(1).mean()
    assert crossing_probability([3.1, 2.7, 2.9, 2.2, 2.1], UNEVEN, 2.0) == pytest.approx(crossed, abs=4 * 0.0011)


@BOTH
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("fractions", [FIFTHS, UNEVEN, equal_looks(20), [0.2, 0.2005, 0.9]])
def test_what_is_spent_is_the_chance_to_have_crossed(fractions, alpha, spending):
    bounds = boundaries(fractions, alpha, spending)
    for k in range(1, len(bounds) + 1):
        assert crossing_probability(bounds[:k], fractions[:k]) == pytest.approx(
            spending(fractions[k - 1], alpha), rel=1e-8, abs=1e-13)


@BOTH
@pytest.mark.parametrize("fractions", [UNEVEN, equal_looks(20), [0.1, 0.11, 0.5, 0.9, 0.91, 1.0], [0.01, 0.5, 0.99, 1]])
def test_a_finer_grid_changes_nothing(fractions, spending, monkeypatch):
    coarse = boundaries(fractions, 0.05, spending)
    monkeypatch.setattr(module, "PANEL", 1.0)
    monkeypatch.setattr(module, "EDGE", 20.0)
    assert coarse == pytest.approx(boundaries(fractions, 0.05, spending), abs=1e-7)


def test_later_looks_do_not_change_the_bounds_of_earlier_ones():
    assert boundaries(UNEVEN)[:3] == boundaries(UNEVEN[:3]) != boundaries([0.15, 0.41, 0.45])


@BOTH
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.5])
def test_all_is_spent_at_the_end_and_a_single_look_there_is_the_fixed_test(alpha, spending):
    assert spending(1.0, alpha) == pytest.approx(alpha, rel=1e-12)
    look = group_sequential(0.0321, [1.0], alpha, spending)
    assert (look.pvalue, look.alpha_nominal) == pytest.approx((0.0321, alpha), rel=1e-8)


def test_a_single_early_look():
    """4 Q(z / sqrt(t)) = p, solved for z; Pocock's is linear in alpha."""
    z = math.sqrt(0.3) * stats.norm.isf(0.002 / 4)
    assert group_sequential(0.002, [0.3]).pvalue == pytest.approx(4 * stats.norm.sf(z), rel=1e-7)
    assert group_sequential(0.002, [0.3], 0.05, pocock).pvalue == pytest.approx(
        0.002 / math.log(1 + (math.e - 1) * 0.3), rel=1e-7)


@BOTH
@pytest.mark.parametrize("fractions", [FIFTHS, UNEVEN, [0.5, 0.51], equal_looks(20)])
def test_p_is_the_smallest_alpha_whose_boundary_is_reached(fractions, spending):
    """By trying levels."""
    levels = np.geomspace(1e-5, 0.9, 60)
    bounds = np.array([boundaries(fractions, float(level), spending)[-1] for level in levels])
    assert (np.diff(bounds) < 0).all()
    for z in (1.9, 2.4, 3.1, 4.0):
        reached = levels[bounds <= z]
        found = group_sequential(2 * stats.norm.sf(z), fractions, 0.05, spending).pvalue
        if len(reached):
            assert reached[0] / (levels[1] / levels[0]) * (1 - 1e-9) <= found <= reached[0] * (1 + 1e-9)
        else:
            assert found > levels[-1]


@BOTH
def test_p_and_every_interval_agree(spending):
    """Also at levels right beside the p: at alpha * (1 +- 1e-3 ... 1e-6)."""
    draw = np.random.default_rng(8)
    n_significant = n_relative = 0
    for _, compare in comparisons(80, seed=9):
        fractions = (np.sort(draw.choice(np.arange(1, 21), draw.integers(1, 5), replace=False)) / 20).tolist()
        fixed = compare(0.05).pvalue
        close = group_sequential(fixed, fractions, 0.05, spending).pvalue
        close *= 1 + draw.choice([-1, 1]) * 10 ** draw.uniform(-6, -3)
        for alpha in (0.05, close if 1e-60 < close < 1 else 0.1):
            look = group_sequential(fixed, fractions, alpha, spending)
            if look.reason:
                continue
            shown = compare(look.alpha_nominal)
            is_significant = look.pvalue < alpha
            assert is_significant == (fixed < look.alpha_nominal)
            assert leaves_out_zero(shown) == {is_significant}
            n_significant += is_significant
            n_relative += not shown.rel_reason
    assert 100 < n_significant < 380 and n_relative > 350


@settings(deadline=None, max_examples=60)
@given(LOOKS, st.floats(1e-3, 0.5), st.integers(-2, 2), st.sampled_from([obrien_fleming, pocock]))
def test_rounding_does_not_turn_the_verdict(fractions, alpha, steps, spending):
    """A p that is the nominal level, to the last digits."""
    nominal = group_sequential(math.nan, fractions, alpha, spending).alpha_nominal
    if not nominal > 1e-14:
        return
    p = nominal
    for _ in range(abs(steps)):
        p = math.nextafter(p, math.copysign(math.inf, steps))
    found = group_sequential(p, fractions, alpha, spending)
    assert (found.pvalue < alpha) == (p < nominal) == (steps < 0)
    assert found.pvalue == pytest.approx(alpha, rel=1e-5)


@settings(deadline=None, max_examples=60)
@given(LOOKS, st.floats(0, 40), st.floats(0, 40), st.sampled_from([obrien_fleming, pocock]))
def test_a_smaller_p_stays_smaller_and_none_is_smaller_than_it_was(fractions, first, second, spending):
    pvalues = sorted((2 * stats.norm.sf(first), 2 * stats.norm.sf(second)))
    lower, higher = (group_sequential(float(p), fractions, 0.05, spending).pvalue for p in pvalues)
    if math.isnan(lower):
        return
    assert lower <= higher * (1 + 1e-6) and higher <= 1
    assert lower >= pvalues[0] * (1 - 1e-6)


@BOTH
def test_a_p_that_underflows_is_small_and_not_zero(spending):
    assert 0 < group_sequential(0.0, FIFTHS, 0.05, spending).pvalue < 1e-290
    assert 0 < group_sequential(1e-310, UNEVEN, 0.05, spending).pvalue < 1e-250


def test_without_a_p_the_intervals_stand():
    look = group_sequential(math.nan, FIFTHS)
    assert math.isnan(look.pvalue) and look.reason == "no_pvalue"
    assert look.alpha_nominal == pytest.approx(2 * stats.norm.sf(2.03103), rel=1e-4)


def test_too_early_to_spend_anything():
    assert boundaries([0.001, 1.0])[0] == math.inf
    assert boundaries([0.001, 1.0])[1] == pytest.approx(1.959964, abs=1e-6)
    look = group_sequential(0.0, [0.001])
    assert look.reason == "too_early" and math.isnan(look.pvalue) and math.isnan(look.alpha_nominal)


def test_power_of_one_look_and_what_five_cost():
    """Drift 2.8016 gives a single look at .05 a power of .80. Five looks need the square root of 1.229 or 1.028 more.

    Jennison & Turnbull 2000, tables 2.2 (Pocock) and 2.4 (O'Brien-Fleming).
    """
    drift = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    assert crossing_probability([stats.norm.isf(0.025)], [1.0], drift) == pytest.approx(0.80, abs=1e-4)
    assert crossing_probability([2.413] * 5, FIFTHS, drift * math.sqrt(1.229)) == pytest.approx(0.80, abs=1e-3)
    bounds = [2.040 / math.sqrt(t) for t in FIFTHS]
    assert crossing_probability(bounds, FIFTHS, drift * math.sqrt(1.028)) == pytest.approx(0.80, abs=1e-3)


@pytest.mark.parametrize(("fractions", "message"), [
    ([], "no looks"), ([0.0, 0.5], r"fraction 0.0 is outside"), ([0.5, 1.07], r"fraction 1.07 is outside"),
    ([0.5, math.nan], "fraction nan is outside"), ([0.5, 0.4], "do not increase at 0.4"),
    ([0.5, 0.5], "do not increase at 0.5"), ([0.5, 0.50001], "do not increase at 0.50001"),
])
def test_looks_that_cannot_be_are_refused(fractions, message):
    for call in (lambda: boundaries(fractions), lambda: group_sequential(0.1, fractions),
                 lambda: crossing_probability([2.0] * len(fractions), fractions)):
        with pytest.raises(ValueError, match=message):
            call()


def test_other_input_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"p-value -0.1"):
        group_sequential(-0.1, FIFTHS)
    for spending in (obrien_fleming, pocock):
        with pytest.raises(ValueError, match="between 0 and 1"):
            boundaries(FIFTHS, 1.0, spending)
    for bounds in ([2.0, 2.0], [2.0] * 4 + [-1.0], [2.0] * 4 + [math.nan]):
        with pytest.raises(ValueError, match="for 5 looks; each look needs one"):
            crossing_probability(bounds, FIFTHS)


def test_a_look_that_cannot_be_significant_costs_nothing():
    assert crossing_probability([math.inf, 1.959964], [0.3, 1.0]) == pytest.approx(0.05, abs=1e-8)
    assert crossing_probability([0.0, 2.0], [0.3, 1.0]) == 1
