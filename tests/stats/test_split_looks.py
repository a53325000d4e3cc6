"""Sequential sample ratio: Bayes factors by other routes, the p over the looks, arms that were to get nobody."""

import math

import pytest
from scipy import integrate, stats

from analysis.stats.split_looks import CONCENTRATION, split_looks

HALVES = {"banner": 0.5, "no_banner": 0.5}


def evidence(counts, shares):
    return split_looks([counts], shares).log_bayes_factor


@pytest.mark.parametrize(("x", "n", "share"), [(60, 100, 0.5), (12, 100, 0.1), (0, 40, 0.3), (5_300, 10_000, 0.5)])
def test_two_arms_by_integrating_over_the_share(x, n, share):
    prior = stats.beta(CONCENTRATION * share, CONCENTRATION * (1 - share))
    peak = stats.beta(CONCENTRATION * share + x, CONCENTRATION * (1 - share) + n - x).mean()
    ratio, _ = integrate.quad(
        lambda p: math.exp(x * math.log(p / share) + (n - x) * math.log((1 - p) / (1 - share))) * prior.pdf(p),
        1e-9, 1 - 1e-9, points=[peak], limit=500, epsabs=0, epsrel=1e-10)
    assert evidence({"a": x, "b": n - x}, {"a": share, "b": 1 - share}) == pytest.approx(math.log(ratio), abs=1e-7)


def test_three_arms_unit_by_unit():
    """Each unit in turn: the chance of its arm by the units before it and the prior, over its planned chance."""
    shares, seen = {"a": 0.5, "b": 0.3, "c": 0.2}, dict.fromkeys("abc", 0)
    product = 0.0
    for i, arm in enumerate("abacabcaabbbcaaccb" * 20):
        product += math.log((CONCENTRATION * shares[arm] + seen[arm]) / (CONCENTRATION + i) / shares[arm])
        seen[arm] += 1
    assert evidence(seen, shares) == pytest.approx(product, abs=1e-9)


def test_as_ssrm_test_computes_it():
    """ssrm-test 0.1.5, sequential_bayes_factors and sequential_p_values with dirichlet_concentration=300."""
    looks = [{"a": 120, "b": 100, "c": 50}, {"a": 210, "b": 230, "c": 110}, {"a": 410, "b": 370, "c": 220}]
    shares = {"a": 0.4, "b": 0.4, "c": 0.2}
    assert [math.exp(evidence(look, shares)) for look in looks] == pytest.approx(
        [0.8962627547102077, 0.4730858987642183, 1.2752686951683414], rel=1e-9)
    assert [split_looks(looks[:k], shares).pvalue for k in (1, 2, 3)] == pytest.approx(
        [1, 1, 0.7841484730149322], rel=1e-9)


def test_the_smallest_p_so_far_stays():
    looks = [{"banner": n, "no_banner": m} for n, m in ((100, 100), (400, 250), (5_000, 5_000))]
    found = [split_looks(looks[:k], HALVES) for k in (1, 2, 3)]
    assert found[0].pvalue == 1
    assert found[1].pvalue == found[2].pvalue == pytest.approx(math.exp(-found[1].log_bayes_factor))
    assert found[2].log_bayes_factor < 0
    assert [one.first_alarm for one in found] == [0, 2, 2]
    assert (found[2].n, found[2].n_looks) == (10_000, 3)


def test_alarm_exactly_when_p_is_below_alpha():
    looks = [{"banner": 55, "no_banner": 45}, {"banner": 300, "no_banner": 240}, {"banner": 1_300, "no_banner": 1_100}]
    for alpha in (0.5, 0.05, 0.001, split_looks(looks, HALVES).pvalue):
        found = split_looks(looks, HALVES, alpha)
        below = [k for k in (1, 2, 3) if split_looks(looks[:k], HALVES).pvalue < alpha]
        assert found.first_alarm == (below[0] if below else 0)
        assert bool(found.first_alarm) == (found.pvalue < alpha)


@pytest.mark.parametrize(("units", "z"), [(300, 3.65), (2_500, 3.04), (700_000, 3.71)])
def test_the_deviation_that_alarms(units, z):
    """In standard deviations of the split, as the comment on the concentration says."""
    shift = z * math.sqrt(units) / 2
    assert evidence({"a": units / 2 + shift, "b": units / 2 - shift}, {"a": 1, "b": 1}
                    ) == pytest.approx(math.log(20), abs=0.03)


@pytest.mark.parametrize("total", [100, 3])
def test_only_the_proportions_of_the_weights_and_no_order_of_arms_matter(total):
    looks = [{"a": 130, "b": 70, "c": 40}, {"a": 330, "b": 170, "c": 90}]
    here = split_looks(looks, {"a": 0.5, "b": 0.3, "c": 0.2})
    there = split_looks([dict(reversed(look.items())) for look in looks],
                        {"c": 0.2 * total, "a": 0.5 * total, "b": 0.3 * total})
    assert there.log_bayes_factor == pytest.approx(here.log_bayes_factor, rel=1e-9)
    assert there.pvalue == pytest.approx(here.pvalue, rel=1e-9)


def test_an_arm_of_weight_0_without_units_changes_nothing():
    assert split_looks([{"a": 520, "b": 480, "off": 0}], {"a": 0.5, "b": 0.5, "off": 0}) == split_looks(
        [{"a": 520, "b": 480}], {"a": 0.5, "b": 0.5})


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.5, "off": 0}, {"a": 0.5, "b": 0.5}])
def test_one_unit_in_an_arm_that_was_to_get_none_is_impossible(shares):
    found = split_looks([{"a": 50, "b": 50}, {"a": 500, "b": 499, "off": 1}], shares)
    assert (found.pvalue, found.reason, found.first_alarm) == (0.0, "unplanned_arm", 2)
    assert found.log_bayes_factor == math.inf


def test_a_planned_arm_that_got_nobody_counts():
    assert split_looks([{"banner": 60}], HALVES).pvalue < 0.01


def test_looks_before_the_first_unit_say_nothing():
    late = split_looks([{}, {"banner": 0}, {"banner": 60}], HALVES)
    assert late.pvalue == split_looks([{"banner": 60}], HALVES).pvalue and late.first_alarm == 3


def test_a_tiny_p_is_not_zero_and_an_enormous_factor_no_overflow():
    found = split_looks([{"banner": 51_000, "no_banner": 50_000}, {"banner": 10**8, "no_banner": 9 * 10**7}], HALVES)
    assert found.pvalue == 0.0 and found.log_bayes_factor > 1e5
    assert 0 < split_looks([{"banner": 60_000, "no_banner": 50_000}], HALVES).pvalue < 1e-100


@pytest.mark.parametrize(("counts", "shares", "reason"), [
    ([], HALVES, "no_users"),
    ([{}, {"banner": 0, "no_banner": 0}], HALVES, "no_users"),
    ([{"banner": 5}], {"banner": 1.0}, "one_arm"),
])
def test_no_test_and_why(counts, shares, reason):
    found = split_looks(counts, shares)
    assert (found.reason, found.first_alarm) == (reason, 0)
    assert math.isnan(found.pvalue) and math.isnan(found.log_bayes_factor)


@pytest.mark.parametrize(("counts", "shares", "alpha", "message"), [
    ([{"a": 5}], {"a": -0.1}, 0.05, "planned share of arm 'a'"),
    ([{"a": -1, "b": 5}], {"a": 1, "b": 1}, 0.05, "'a' has -1"),
    ([{"a": 5, "b": 5}, {"a": 9, "b": 4}], {"a": 1, "b": 1}, 0.05, "look 2: arm 'b' has 4 units after 5"),
    ([{"a": 5, "b": 5}, {"a": 9}], {"a": 1, "b": 1}, 0.05, "look 2: arm 'b' has 0 units after 5"),
    ([{"a": 5, "b": 5}], {"a": 1, "b": 1}, 1.0, "between 0 and 1"),
])
def test_what_cannot_be_is_refused(counts, shares, alpha, message):
    with pytest.raises(ValueError, match=message):
        split_looks(counts, shares, alpha)
